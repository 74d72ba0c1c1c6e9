"""PINTS: minimizers that are asked for a point and told its gradient; the rate is ``sigma0``."""

import pints

from adam_edu.libraries.functions import Function


def driven(kind):
    """Drive one."""

    def points(start, gradients):
        optimizer, reached = kind(start), []
        optimizer.ask()
        for g in gradients:
            optimizer.tell([(0.0, g)])
            reached.append(optimizer.ask()[0].copy())
        return reached

    return Function(points, kind.__name__)


OPTIMIZERS = {
    f"pints.{kind.__name__}": driven(kind) for kind in (pints.Adam, pints.GradientDescent)
}
