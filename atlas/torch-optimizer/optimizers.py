"""torch-optimizer: a collection of 2020 and 2021."""

import torch_optimizer

from adam_edu.libraries.frameworks import Torch

NAMES = (
    *("AdaBelief", "AdaBound", "Adafactor", "AdamP", "DiffGrad", "Lamb", "RAdam", "SGDW"),
    "Yogi",
)
COPIED = ("Adafactor", "RAdam")


class Single(Torch):
    """They compute in float32, whatever the parameter."""

    dtypes = ("float32", "bfloat16")


OPTIMIZERS = {
    f"torch_optimizer.{name}": Single(kind) if name in COPIED else kind
    for name in NAMES
    for kind in [getattr(torch_optimizer, name)]
}
