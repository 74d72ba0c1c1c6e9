"""Thinc: an optimizer is called for each array, with a key to know it by."""

from functools import partial

from thinc.api import SGD, Adam, RAdam

from adam_edu.libraries.frameworks import Adapter
from adam_edu.libraries.measuring import Made


def driven(kind, **arguments):
    """Drive one: it changes weights and gradients in place."""

    def step(optimizer, arrays, gradients):
        return [
            optimizer((k, "w"), x, g)[0]
            for k, (x, g) in enumerate(zip(arrays, gradients, strict=True))
        ]

    def begin(arrays):
        return kind(**arguments), arrays

    return Adapter(kind.__name__, begin, step, dtypes=("float32",))


OPTIMIZERS = {
    "thinc.api.Adam": driven(Adam),
    "thinc.api.RAdam": driven(RAdam),
    "thinc.api.SGD": Made(partial(driven, SGD), learn_rate=1e-3),
}
