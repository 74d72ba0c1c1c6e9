"""Adam without an epsilon: the angle of two numbers in the place of their quotient."""

import adam_atan2_pytorch as library

NAMES = ("AdamAtan2", "AdoptAtan2", "MuonAdamAtan2", "AdamAtan2WithWassersteinReg")
OPTIMIZERS = {
    f"adam_atan2_pytorch.{name}": getattr(library, name)
    for name in NAMES[:2]
    if hasattr(library, name)
}
