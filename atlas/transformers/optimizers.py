"""Transformers: Adafactor is the one optimizer of its own that is left."""

from functools import partial

from transformers import Adafactor

OPTIMIZERS = {
    "transformers.Adafactor": Adafactor,
    "transformers.Adafactor(relative_step=False)": partial(
        Adafactor, lr=1e-3, relative_step=False, scale_parameter=False
    ),
}
