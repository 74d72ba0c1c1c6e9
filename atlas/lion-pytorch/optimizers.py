"""lion-pytorch: one optimizer."""

from lion_pytorch import Lion

OPTIMIZERS = {"lion_pytorch.Lion": Lion}
