"""Objax, which asks JAX for a name that it has dropped, and for a writer of logs."""

import sys
import types
from functools import partial

import jax
import jax.numpy as jnp

jax.sharding.PmapSharding = type("PmapSharding", (), {})
for _name in (
    *("", ".compat", ".compat.proto", ".compat.proto.event_pb2", ".compat.proto.summary_pb2"),
    *(".summary", ".summary.writer", ".summary.writer.event_file_writer"),
    *(".util", ".util.tensor_util"),
):
    _module = types.ModuleType(f"tensorboard{_name}")
    _module.__getattr__ = lambda name: object
    sys.modules[_module.__name__] = _module

import objax

from adam_edu.libraries.frameworks import Adapter
from adam_edu.libraries.measuring import Made


def driven(kind, lr, **arguments):
    """Drive one: the rate is an argument of the step."""

    def begin(arrays):
        held = [objax.TrainVar(jnp.asarray(x)) for x in arrays]
        named = objax.VarCollection({f"w{k}": x for k, x in enumerate(held)})
        return kind(named, **arguments), held

    def step(optimizer, held, gradients):
        optimizer(lr=lr, grads=[jnp.asarray(g) for g in gradients])
        return held

    return Adapter(kind.__name__, begin, step, lambda x: x.value, dtypes=("float32",))


OPTIMIZERS = {
    f"objax.optimizer.{name}": Made(partial(driven, getattr(objax.optimizer, name)), lr=1e-3)
    for name in ("Adam", "Momentum", "SGD")
}
