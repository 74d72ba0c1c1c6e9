"""numpy-ml, which asks ``collections`` for names that a newer Python keeps elsewhere."""

import collections
import collections.abc

for _name in ("Hashable", "Iterable", "Mapping", "Sequence"):
    setattr(collections, _name, getattr(collections.abc, _name))

from numpy_ml.neural_nets import optimizers

from adam_edu.libraries.frameworks import Adapter


def driven(kind):
    """Drive one, a name for each parameter."""

    def step(optimizer, arrays, gradients):
        pairs = enumerate(zip(arrays, gradients, strict=True))
        moved = [optimizer.update(x, g, f"w{k}") for k, (x, g) in pairs]
        optimizer.step()
        return moved

    return Adapter(kind.__name__, lambda arrays: (kind(), arrays), step)


OPTIMIZERS = {
    f"numpy_ml.neural_nets.optimizers.{name}": driven(getattr(optimizers, name))
    for name in ("Adam", "RMSProp", "AdaGrad", "SGD")
}
