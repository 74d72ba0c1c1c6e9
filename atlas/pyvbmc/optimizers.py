"""PyVBMC: a function that runs a whole descent, here with a rate that stays."""

from pyvbmc.vbmc.minimize_adam import minimize_adam

from adam_edu.libraries.functions import Function
from adam_edu.libraries.measuring import Made


def driven(master_min, master_max):
    """Drive it: it returns all points that it was at."""

    def points(start, gradients):
        rows = iter([*gradients, gradients[-1]])
        _, _, reached, _, _ = minimize_adam(
            lambda x: (0.0, next(rows).copy()),
            start,
            master_min=master_min,
            master_max=master_max,
            max_iter=len(gradients),
            use_early_stopping=False,
        )
        return reached.T

    return Function(points, "minimize_adam")


OPTIMIZERS = {
    "pyvbmc.vbmc.minimize_adam": Made(driven, master_min=1e-3, master_max=1e-3),
}
