"""pytorch-optimizer: a collection, of which here are those that bear the names of the course."""

import pytorch_optimizer

NAMES = (
    *("AdaBelief", "AdaBound", "AdaFactor", "AdaMax", "AdamP", "AdaSmooth", "ADOPT", "EXAdam"),
    *("Lamb", "Lion", "Muon", "Prodigy", "RAdam", "ScheduleFreeAdamW", "SignSGD", "StableAdamW"),
)
OPTIMIZERS = {
    f"pytorch_optimizer.{name}": getattr(pytorch_optimizer, name)
    for name in NAMES
    if hasattr(pytorch_optimizer, name)
}
