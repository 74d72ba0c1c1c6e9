"""torch-optimizer: a collection of 2020 and 2021."""

import torch_optimizer

NAMES = (
    *("AdaBelief", "AdaBound", "Adafactor", "AdamP", "DiffGrad", "Lamb", "RAdam", "SGDW"),
    "Yogi",
)
OPTIMIZERS = {f"torch_optimizer.{name}": getattr(torch_optimizer, name) for name in NAMES}
