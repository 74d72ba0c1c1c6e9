"""evosax 0.1, which has optimizers of its own; later versions use Optax."""

import jax.numpy as jnp
from evosax.core import optimizer

from adam_edu.libraries.functions import Function

NAMES = ("Adam", "RMSProp", "ClipUp", "Adan", "SGD")


def driven(kind):
    """Drive one in float32."""

    def points(start, gradients):
        made, x, reached = kind(len(start)), jnp.asarray(start, jnp.float32), []
        settings = made.default_params
        state = made.initialize(settings)
        for g in gradients:
            x, state = made.step(x, jnp.asarray(g, jnp.float32), state, settings)
            reached.append(x)
        return reached

    found = Function(points, kind.__name__)
    found.dtypes = ("float32",)
    return found


OPTIMIZERS = {f"evosax.core.optimizer.{name}": driven(getattr(optimizer, name)) for name in NAMES}
