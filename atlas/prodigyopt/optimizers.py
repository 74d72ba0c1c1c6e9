"""prodigyopt: a rate that is found on the way."""

from functools import partial

from prodigyopt import Prodigy

OPTIMIZERS = {
    "prodigyopt.Prodigy": Prodigy,
    "prodigyopt.Prodigy(use_bias_correction=True)": partial(Prodigy, use_bias_correction=True),
}
