"""Keras on JAX; its optimizers compute the same on every backend."""

import os

os.environ["KERAS_BACKEND"] = "jax"

from keras import optimizers

from adam_edu.libraries.measuring import Made

NAMES = (
    *("Adam", "AdamW", "Adamax", "Nadam", "RMSprop", "Adagrad", "Adadelta", "Adafactor"),
    *("Lion", "Lamb", "Ftrl", "SGD", "Muon"),
)
OPTIMIZERS = {f"keras.optimizers.{name}": getattr(optimizers, name) for name in NAMES} | {
    "keras.optimizers.Adam(amsgrad=True)": Made(optimizers.Adam, amsgrad=True),
}
