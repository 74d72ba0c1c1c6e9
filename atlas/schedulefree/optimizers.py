"""schedulefree, in the mode for training."""

import schedulefree

NAMES = ("AdamWScheduleFree", "RAdamScheduleFree", "SGDScheduleFree", "AdamWScheduleFreeReference")
OPTIMIZERS = {f"schedulefree.{name}": getattr(schedulefree, name) for name in NAMES}
