"""neuralnetlib: an optimizer is called for each layer."""

from neuralnetlib import optimizers

from adam_edu.libraries.frameworks import Adapter

NAMES = ("Adam", "AdaBelief", "RAdam", "RMSprop", "Momentum", "SGD")


def driven(kind):
    """Drive one, a layer for each parameter; weights are changed in place."""

    def step(optimizer, arrays, gradients):
        for k, (x, g) in enumerate(zip(arrays, gradients, strict=True)):
            optimizer.update(k, x, g)
        return arrays

    return Adapter(kind.__name__, lambda arrays: (kind(), arrays), step)


OPTIMIZERS = {
    f"neuralnetlib.optimizers.{name}": driven(getattr(optimizers, name))
    for name in NAMES
    if hasattr(optimizers, name)
}
