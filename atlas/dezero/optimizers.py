"""DeZero, which asks NumPy for names that a newer NumPy has dropped."""

import numpy as np

for _name, _kind in {"int": int, "float": float}.items():
    setattr(np, _name, _kind)

from dezero import Parameter, Variable, optimizers

from adam_edu.libraries.frameworks import Adapter


class Model:
    """What an optimizer asks for parameters."""

    def __init__(self, params):
        self.held = params

    def params(self):
        """Return them."""
        return self.held


def driven(kind):
    """Drive one."""

    def begin(arrays):
        params = [Parameter(x) for x in arrays]
        return kind().setup(Model(params)), params

    def step(optimizer, params, gradients):
        for param, g in zip(params, gradients, strict=True):
            param.grad = Variable(g)
        optimizer.update()
        return params

    return Adapter(kind.__name__, begin, step, lambda param: param.data)


OPTIMIZERS = {
    f"dezero.optimizers.{name}": driven(getattr(optimizers, name))
    for name in ("Adam", "AdaGrad", "AdaDelta", "MomentumSGD", "SGD")
}
