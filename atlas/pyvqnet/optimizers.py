"""VQNet: the gradient comes from a loss that is the product of gradient and parameter."""

from pyvqnet import optim
from pyvqnet.tensor import QTensor

from adam_edu.libraries.frameworks import Adapter

NAMES = ("Adam", "AdamW", "Adamax", "Adagrad", "Adadelta", "RMSProp", "SGD")


def driven(kind):
    """Drive one."""

    def begin(arrays):
        held = [QTensor(x, requires_grad=True) for x in arrays]
        return kind(held), held

    def step(optimizer, held, gradients):
        optimizer.zero_grad()
        for x, g in zip(held, gradients, strict=True):
            (x * QTensor(g)).sum().backward()
        optimizer._step()
        return held

    return Adapter(kind.__name__, begin, step, lambda x: x.to_numpy(), dtypes=("float32",))


OPTIMIZERS = {
    f"pyvqnet.optim.{name}": driven(getattr(optim, name)) for name in NAMES if hasattr(optim, name)
}
