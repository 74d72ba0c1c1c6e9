"""Varz: the class, and the other form of its division that its functions use by default."""

from functools import partial

from varz.adam import ADAM

from adam_edu.libraries.functions import Function


def driven(kind):
    """Drive one."""

    def points(start, gradients):
        optimizer, x, reached = kind(), start, []
        for g in gradients:
            x = optimizer.step(x, g)
            reached.append(x.copy())
        return reached

    return Function(points, "ADAM")


OPTIMIZERS = {
    "varz.adam.ADAM": driven(ADAM),
    "varz.adam.ADAM(local_rates=True)": driven(partial(ADAM, local_rates=True)),
}
