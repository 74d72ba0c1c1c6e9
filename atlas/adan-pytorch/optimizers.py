"""Adan in one file."""

from adan_pytorch import Adan

OPTIMIZERS = {"adan_pytorch.Adan": Adan}
