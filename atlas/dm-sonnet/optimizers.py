"""Sonnet, on TensorFlow."""

import os

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}

from functools import partial

import sonnet
import tensorflow as tf

from adam_edu.libraries.frameworks import Adapter
from adam_edu.libraries.measuring import Made

CHOSEN = {
    "RMSProp": {"learning_rate": 1e-3},
    "Momentum": {"learning_rate": 1e-3, "momentum": 0.9},
    "SGD": {"learning_rate": 1e-3},
}


def driven(kind, **arguments):
    """Drive one."""

    def begin(arrays):
        return kind(**arguments), [tf.Variable(x) for x in arrays]

    def step(optimizer, held, gradients):
        optimizer.apply([tf.constant(g) for g in gradients], held)
        return held

    return Adapter(kind.__name__, begin, step, lambda x: x.numpy(), dtypes=("float32",))


OPTIMIZERS = {"sonnet.optimizers.Adam": driven(sonnet.optimizers.Adam)} | {
    f"sonnet.optimizers.{name}": Made(partial(driven, getattr(sonnet.optimizers, name)), **chosen)
    for name, chosen in CHOSEN.items()
}
