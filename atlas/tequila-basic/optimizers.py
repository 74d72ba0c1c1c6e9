"""Tequila: the steps of its gradient descents, one dict of all variables."""

import numpy as np
from tequila.optimizers.optimizer_gd import OptimizerGD

from adam_edu.libraries.functions import Function

NAMES = ("adam", "adagrad", "rmsprop", "momentum", "nesterov", "sgd")


def driven(name):
    """Drive the method of a name."""

    def points(start, gradients):
        optimizer = OptimizerGD(method=name)
        keys = list(range(len(start)))
        values, reached = dict(enumerate(start)), []
        moments = [np.zeros_like(start), np.zeros_like(start)]
        for t, g in enumerate(gradients):
            values, moments, _ = optimizer.f(
                step=t,
                gradients=lambda values, samples=None, g=g: g.copy(),
                v=values,
                moments=moments,
                active_keys=keys,
            )
            reached.append([values[key] for key in keys])
        return reached

    return Function(points, name)


OPTIMIZERS = {f"tequila OptimizerGD(method='{name}')": driven(name) for name in NAMES}
