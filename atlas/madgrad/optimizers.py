"""MADGRAD by its authors."""

from madgrad import MADGRAD, MirrorMADGRAD

OPTIMIZERS = {f"madgrad.{kind.__name__}": kind for kind in (MADGRAD, MirrorMADGRAD)}
