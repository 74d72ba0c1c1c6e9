"""PyMC: updates of shared variables, compiled into a function of the gradient."""

import pytensor
import pytensor.tensor as pt
from pymc.variational import updates

from adam_edu.libraries.frameworks import Adapter

pytensor.config.cxx = ""
NAMES = ("adam", "adamax", "adagrad", "adagrad_window", "rmsprop", "adadelta")


def driven(name, **arguments):
    """Drive one: the loss is the product of gradients and parameters."""

    def begin(arrays):
        shared = [pytensor.shared(x) for x in arrays]
        given = [pt.dvector() for _ in arrays]
        loss = sum((g * x).sum() for g, x in zip(given, shared, strict=True))
        found = getattr(updates, name)(loss, shared, **arguments)
        return pytensor.function(given, [], updates=found, mode="FAST_COMPILE"), shared

    def step(function, shared, gradients):
        function(*gradients)
        return shared

    return Adapter(name, begin, step, lambda x: x.get_value(), dtypes=("float64",))


OPTIMIZERS = {f"pymc.variational.updates.{name}": driven(name) for name in NAMES}
