"""AdamP by its authors."""

from adamp import SGDP, AdamP

OPTIMIZERS = {f"adamp.{kind.__name__}": kind for kind in (AdamP, SGDP)}
