"""Warp, whose kernels are compiled for the CPU at first use."""

import warp
import warp.optim

from adam_edu.libraries.frameworks import Adapter
from adam_edu.libraries.measuring import Made

warp.config.quiet = True
warp.init()


def driven(kind, **arguments):
    """Drive one on arrays of Warp."""

    def wrapped(x):
        return warp.array(x, dtype=warp.float32, device="cpu")

    def begin(arrays):
        held = [wrapped(x) for x in arrays]
        return kind(held, **arguments), held

    def step(optimizer, held, gradients):
        optimizer.step([wrapped(g) for g in gradients])
        return held

    return Adapter(kind.__name__, begin, step, lambda x: x.numpy(), dtypes=("float32",))


def sgd(**arguments):
    """Drive the one whose rate has no default."""
    return driven(warp.optim.SGD, **arguments)


OPTIMIZERS = {
    "warp.optim.Adam": driven(warp.optim.Adam),
    "warp.optim.SGD": Made(sgd, lr=1e-3),
}
