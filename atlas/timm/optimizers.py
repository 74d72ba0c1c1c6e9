"""timm, by its factory: what a name stands for, with the factory's defaults."""

from functools import partial

from timm.optim import create_optimizer_v2

from adam_edu.libraries.frameworks import Torch
from adam_edu.libraries.measuring import Made

NAMES = (
    *("adam", "adamw", "nadam", "nadamw", "radam", "adamax", "rmsprop", "rmsproptf", "adagrad"),
    *("adabelief", "adafactor", "adopt", "lamb", "lion", "laprop", "muon", "sgd"),
)


def made(name, **arguments):
    """Let the factory make one for a list of parameters."""

    def factory(params):
        return create_optimizer_v2([{"params": params}], opt=name, **arguments)

    return Torch(factory)


OPTIMIZERS = {
    f"timm create_optimizer_v2, opt='{name}'": Made(partial(made, name), lr=1e-3) for name in NAMES
}
