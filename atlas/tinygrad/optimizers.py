"""tinygrad, on its device that needs no compiler; it steps only in training."""

import os

os.environ.setdefault("DEV", "PYTHON")
os.environ.setdefault("TRAINING", "1")

from tinygrad import Tensor
from tinygrad.nn import optim

from adam_edu.libraries.frameworks import Adapter


def driven(name):
    """Drive one by the gradients of its tensors."""

    def begin(arrays):
        tensors = [Tensor(x) for x in arrays]
        return getattr(optim, name)(tensors), tensors

    def step(optimizer, tensors, gradients):
        for tensor, g in zip(tensors, gradients, strict=True):
            tensor.grad = Tensor(g)
        optimizer.step()
        return tensors

    return Adapter(name, begin, step, lambda tensor: tensor.numpy(), dtypes=("float32",))


OPTIMIZERS = {
    f"tinygrad.nn.optim.{name}": driven(name)
    for name in ("Adam", "AdamW", "LAMB", "LARS", "SGD", "Muon")
}
