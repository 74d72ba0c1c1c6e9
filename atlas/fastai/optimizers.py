"""fastai: optimizers made of callbacks. Their rate has no default."""

from functools import partial

import torch
from fastai import optimizer

from adam_edu.libraries.frameworks import Adapter
from adam_edu.libraries.measuring import Made

NAMES = ("Adam", "RAdam", "RMSProp", "QHAdam", "Larc", "Lamb", "SGD")


def driven(kind, **arguments):
    """Drive one: it reads the gradients that its parameters have."""

    def begin(arrays):
        params = [torch.nn.Parameter(torch.tensor(x)) for x in arrays]
        return kind(params, **arguments), params

    def step(made, params, gradients):
        for param, g in zip(params, gradients, strict=True):
            param.grad = None if g is None else torch.tensor(g)
        made.step()
        return params

    return Adapter(kind.__name__, begin, step, lambda x: x.detach().numpy(), sparse=True)


OPTIMIZERS = {
    f"fastai.optimizer.{name}": Made(partial(driven, getattr(optimizer, name)), lr=1e-3)
    for name in NAMES
}
