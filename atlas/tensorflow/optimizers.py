"""TensorFlow: the optimizers of its first version, in graphs run at once."""

import os

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}

from functools import partial

import tensorflow as tf

from adam_edu.libraries.frameworks import Adapter
from adam_edu.libraries.measuring import Made

train = tf.compat.v1.train
CHOSEN = {
    "Adagrad": {"learning_rate": 1e-3},
    "RMSProp": {"learning_rate": 1e-3},
    "Ftrl": {"learning_rate": 1e-3},
    "Momentum": {"learning_rate": 1e-3, "momentum": 0.9},
    "GradientDescent": {"learning_rate": 1e-3},
}


def driven(kind, **arguments):
    """Drive one."""

    def begin(arrays):
        return kind(**arguments), [tf.Variable(x) for x in arrays]

    def step(optimizer, held, gradients):
        pairs = [(tf.constant(g), x) for g, x in zip(gradients, held, strict=True)]
        optimizer.apply_gradients(pairs)
        return held

    return Adapter(kind.__name__, begin, step, lambda x: x.numpy(), dtypes=("float32",))


OPTIMIZERS = {
    f"tf.compat.v1.train.{name}Optimizer": driven(getattr(train, f"{name}Optimizer"))
    for name in ("Adam", "Adadelta")
} | {
    f"tf.compat.v1.train.{name}Optimizer": Made(
        partial(driven, getattr(train, f"{name}Optimizer")), **chosen
    )
    for name, chosen in CHOSEN.items()
}
