"""Dr.Jit, on LLVM (libllvm16 of Debian, or another that it finds)."""

from functools import partial

import drjit as dr
from drjit import opt
from drjit.llvm.ad import Float64

from adam_edu.libraries.frameworks import Adapter
from adam_edu.libraries.measuring import Made


def driven(kind, **arguments):
    """Drive one: a parameter is an entry of the optimizer."""

    def begin(arrays):
        made = kind(**arguments)
        for k, x in enumerate(arrays):
            made[str(k)] = Float64(x)
        return made, [made[str(k)] for k in range(len(arrays))]

    def step(made, arrays, gradients):
        for k, g in enumerate(gradients):
            dr.backward(dr.sum(made[str(k)] * Float64(g)))
        made.step()
        return [made[str(k)] for k in range(len(gradients))]

    return Adapter(kind.__name__, begin, step, lambda x: x.numpy(), dtypes=("float64",))


OPTIMIZERS = {
    f"drjit.opt.{name}": Made(partial(driven, getattr(opt, name)), lr=1e-3)
    for name in ("Adam", "AMSGrad", "RMSProp", "SGD")
    if hasattr(opt, name)
}
