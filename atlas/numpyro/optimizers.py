"""NumPyro: the optimizers of its inference, wrapped around those of JAX."""

from functools import partial

import jax.numpy as jnp
from numpyro import optim

from adam_edu.libraries.frameworks import Adapter
from adam_edu.libraries.measuring import Made

EXTRA = {"Momentum": {"mass": 0.9}}
NAMES = (
    *("Adam", "ClippedAdam", "Adagrad", "RMSProp", "RMSPropMomentum", "SM3", "SGD"),
    "Momentum",
)


def driven(kind, **arguments):
    """Drive one: its state carries the parameters."""

    def begin(arrays):
        optimizer = kind(**arguments)
        return optimizer, [optimizer.init(jnp.asarray(x)) for x in arrays]

    def step(optimizer, states, gradients):
        return [optimizer.update(jnp.asarray(g), s) for s, g in zip(states, gradients, strict=True)]

    reader = kind(**arguments)
    return Adapter(kind.__name__, begin, step, reader.get_params, dtypes=("float32",))


OPTIMIZERS = {
    f"numpyro.optim.{name}": Made(
        partial(driven, getattr(optim, name)),
        step_size=1e-3,
        **EXTRA.get(name, {}),
    )
    for name in NAMES
}
