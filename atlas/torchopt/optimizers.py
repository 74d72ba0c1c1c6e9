"""TorchOpt: optimizers as functions of their state."""

from functools import partial

import torch
import torchopt

from adam_edu.libraries.frameworks import Adapter
from adam_edu.libraries.measuring import Made

NAMES = ("adam", "adamw", "adamax", "radam", "rmsprop", "adagrad", "adadelta")


def driven(make, **arguments):
    """Drive one: it returns the changes."""

    def begin(arrays):
        params = [torch.tensor(x) for x in arrays]
        optimizer = make(**arguments)
        return {"make": optimizer, "state": optimizer.init(params)}, params

    def step(run, params, gradients):
        values = [torch.tensor(g) for g in gradients]
        changes, run["state"] = run["make"].update(
            values, run["state"], params=params, inplace=False
        )
        return [x + change for x, change in zip(params, changes, strict=True)]

    return Adapter(make.__name__, begin, step, lambda x: x.detach().numpy())


OPTIMIZERS = {f"torchopt.{name}": driven(getattr(torchopt, name)) for name in NAMES} | {
    "torchopt.sgd": Made(partial(driven, torchopt.sgd), lr=1e-3)
}
