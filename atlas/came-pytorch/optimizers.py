"""CAME by its authors; its rate has no default."""

from functools import partial

from came_pytorch import CAME

OPTIMIZERS = {"came_pytorch.CAME": partial(CAME, lr=1e-3)}
