"""tf_keras, Keras 2 as it lives on, with the optimizers that it calls legacy."""

import os

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "TF_USE_LEGACY_KERAS": "1"}

from functools import partial

import tensorflow as tf
from tf_keras import optimizers

from adam_edu.libraries.frameworks import Adapter

NAMES = (
    *("Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "Adagrad", "Adadelta", "Adafactor"),
    *("Lion", "Ftrl", "SGD"),
)
LEGACY = ("Adam", "Adamax", "Nadam", "RMSprop", "Adagrad", "SGD")


def driven(kind):
    """Drive one."""

    def begin(arrays):
        return kind(), [tf.Variable(x) for x in arrays]

    def step(optimizer, held, gradients):
        pairs = [(tf.constant(g), x) for g, x in zip(gradients, held, strict=True)]
        optimizer.apply_gradients(pairs)
        return held

    return Adapter("optimizer", begin, step, lambda x: x.numpy(), dtypes=("float32",))


OPTIMIZERS = (
    {f"tf_keras.optimizers.{name}": driven(getattr(optimizers, name)) for name in NAMES}
    | {
        f"tf_keras.optimizers.legacy.{name}": driven(getattr(optimizers.legacy, name))
        for name in LEGACY
    }
    | {
        "tf_keras.optimizers.Adam(adaptive_epsilon=True)": driven(
            partial(optimizers.Adam, adaptive_epsilon=True)
        )
    }
)
