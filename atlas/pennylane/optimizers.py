"""PennyLane: gradients of circuits, and an argument to bring one's own."""

import pennylane as qml
from pennylane import numpy as wrapped

from adam_edu.libraries.frameworks import Adapter

NAMES = (*("Adam", "Adagrad", "RMSProp", "Momentum", "NesterovMomentum", "GradientDescent"),)


def driven(kind):
    """Drive one with all parameters as its arguments."""

    def begin(arrays):
        return kind(), [wrapped.array(x, requires_grad=True) for x in arrays]

    def step(optimizer, arrays, gradients):
        given = tuple(gradients) if len(gradients) > 1 else gradients[0]
        moved = optimizer.step(lambda *xs: 0.0, *arrays, grad_fn=lambda *xs: given)
        return moved if isinstance(moved, list) else [moved]

    return Adapter(kind.__name__, begin, step, dtypes=("float64",))


OPTIMIZERS = {
    f"pennylane.{name}Optimizer": driven(getattr(qml, f"{name}Optimizer")) for name in NAMES
}
