"""Pyro: what it adds to the optimizers of PyTorch."""

from pyro.optim.adagrad_rmsprop import AdagradRMSProp
from pyro.optim.clipped_adam import ClippedAdam
from pyro.optim.dct_adam import DCTAdam

OPTIMIZERS = {
    f"pyro.optim.{kind.__name__}": kind for kind in (ClippedAdam, AdagradRMSProp, DCTAdam)
}
