"""Climin: an optimizer changes one array of all parameters, and is iterated over."""

from functools import partial

import climin

from adam_edu.libraries.functions import Function
from adam_edu.libraries.measuring import Made


def driven(kind, **arguments):
    """Drive one: each iteration asks for a gradient."""

    def points(start, gradients):
        x, rows = start.copy(), iter(gradients)
        steps = iter(kind(x, lambda *_: next(rows).copy(), **arguments))
        return [(next(steps), x.copy())[1] for _ in gradients]

    return Function(points, kind.__name__)


OPTIMIZERS = {
    "climin.Adam": driven(climin.Adam),
    "climin.Adadelta": driven(climin.Adadelta),
    "climin.RmsProp": Made(partial(driven, climin.RmsProp), step_rate=1e-3),
    "climin.GradientDescent": driven(climin.GradientDescent),
}
