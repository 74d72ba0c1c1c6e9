"""AdamP by its authors."""

from functools import partial

from adamp import SGDP, AdamP

OPTIMIZERS = {"adamp.AdamP": AdamP, "adamp.SGDP": partial(SGDP, lr=1e-3)}
