"""Anybody's optimizer, driven from outside: which driver is the one for an object.

A :class:`Driver` starts an optimizer anew for each run, so that what is seen is a matter of the
gradients alone.
"""

import inspect
from collections.abc import Callable
from typing import Any

from ..base import Rule
from .base import Driver, Unusable
from .frameworks import Keras, Optax, Sklearn, Torch, mlx, paddle, river
from .functions import Function, Ours


def driver(optimizer: Any) -> Driver:
    """Return what drives an object: a Driver, a Torch optimizer (class, instance or factory), an
    Optax transformation, a Keras optimizer, one of scikit-learn, River, MLX or Paddle, a rule of
    this package, a step function ``step(x, g, *slots, t)``, or a function from a start and
    gradients to points.

    Raises
    ------
    Unusable
        If it is none of these, with a sentence on what it is instead.
    """
    if isinstance(optimizer, Driver):
        return optimizer
    if inspect.isclass(optimizer) and issubclass(optimizer, Rule):
        return Ours(optimizer())
    if isinstance(optimizer, Rule):
        return Ours(optimizer)
    kind = optimizer if inspect.isclass(optimizer) else type(optimizer)
    made_by = {base.__module__.partition(".")[0] for base in kind.__mro__}
    if "keras" in made_by or "tf_keras" in made_by:
        return Keras(optimizer)
    if "river" in made_by:
        return river(optimizer() if inspect.isclass(optimizer) else optimizer)
    if "mlx" in made_by:
        return mlx(optimizer)
    if "paddle" in made_by:
        return paddle(optimizer)
    if "sklearn" in made_by:
        if not hasattr(kind, "update_params"):
            raise Unusable(
                f"{kind.__name__} trains a whole model and takes no gradients; the optimizers of "
                "scikit-learn's networks are AdamOptimizer and SGDOptimizer in "
                "sklearn.neural_network._stochastic_optimizers"
            )
        return Sklearn(optimizer)
    if "torch" in made_by:
        return Torch(optimizer)
    if hasattr(optimizer, "init") and hasattr(optimizer, "update"):
        return Optax(optimizer)
    if callable(optimizer) and not inspect.isclass(optimizer):
        return _of_function(optimizer)
    raise Unusable(
        f"{kind.__name__} is no optimizer known here: it may be one of Torch, Optax, Keras, "
        "scikit-learn, River, MLX or Paddle, a rule, or a function step(x, g, *slots, t)"
    )


def _of_function(function: Callable[..., Any]) -> Driver:
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    if names[:2] == ["x", "g"]:
        return Ours(function)
    if names[:1] == ["parameters"]:
        return paddle(function)
    if len(names) == 2:
        return Function(function)
    return Torch(function)
