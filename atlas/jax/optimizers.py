"""JAX's own example optimizers: three functions each, and the caller counts the steps, from 0."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.example_libraries import optimizers

from adam_edu.libraries.frameworks import Adapter
from adam_edu.libraries.measuring import Made

MOMENTUM = {"momentum": {"mass": 0.9}, "nesterov": {"mass": 0.9}}
NAMES = (
    *("adam", "adamax", "rmsprop", "rmsprop_momentum", "adagrad", "sm3", "sgd"),
    *("momentum", "nesterov"),
)


def driven(name, **arguments):
    """Drive the optimizer of a name."""
    init, update, parameters = getattr(optimizers, name)(**arguments)
    update = jax.jit(update)

    def begin(arrays):
        return {"t": 0}, [init(jnp.asarray(x)) for x in arrays]

    def step(count, states, gradients):
        t, count["t"] = count["t"], count["t"] + 1
        return [update(t, jnp.asarray(g), s) for s, g in zip(states, gradients, strict=True)]

    return Adapter(name, begin, step, parameters, dtypes=("float32",))


def made(name):
    """Name what has no default."""
    given = {"step_size": 1e-3} | MOMENTUM.get(name, {})
    return Made(partial(driven, name), **given)


OPTIMIZERS = {f"jax.example_libraries.optimizers.{name}": made(name) for name in NAMES}
