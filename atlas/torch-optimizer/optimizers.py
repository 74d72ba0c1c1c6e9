"""torch-optimizer: a collection of 2020 and 2021."""

import torch_optimizer

NAMES = (
    *("A2GradExp", "AccSGD", "AdaBelief", "AdaBound", "AdaMod", "Adafactor", "AdamP", "AggMo"),
    *("Apollo", "DiffGrad", "Lamb", "LARS", "MADGRAD", "NovoGrad", "PID", "QHAdam", "QHM"),
    *("RAdam", "Ranger", "RangerQH", "SGDP", "SGDW", "SWATS", "Yogi"),
)
OPTIMIZERS = {f"torch_optimizer.{name}": getattr(torch_optimizer, name) for name in NAMES}
