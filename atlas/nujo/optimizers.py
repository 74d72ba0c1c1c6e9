"""nujo: a rule for each tensor; the count of steps is the optimizer's."""

from nujo import optim
from nujo.autodiff.tensor import Tensor

from adam_edu.libraries.frameworks import Adapter


def driven(kind):
    """Drive one; it knows tensors by their names."""

    def begin(arrays):
        tensors = [Tensor(x, name=f"w{k}") for k, x in enumerate(arrays)]
        return kind(tensors), tensors

    def step(optimizer, tensors, gradients):
        moved = []
        for tensor, g in zip(tensors, gradients, strict=True):
            after = optimizer.update_rule(tensor, Tensor(g))
            after.name = tensor.name
            moved.append(after)
        return moved

    return Adapter(kind.__name__, begin, step, lambda tensor: tensor.value)


OPTIMIZERS = {
    f"nujo.optim.{name}": driven(getattr(optim, name))
    for name in ("Adam", "RMSprop", "Momentum", "SGD")
}
