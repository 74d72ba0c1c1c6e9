"""Mistakes in Lion, whose two betas belong to one moment."""
# mypy: allow-untyped-defs

from ...ops import sign
from ..mistake import wrong
from . import relatives, steps


@wrong("change")
def sign_times_size(c, g, decay, lr):
    """You multiply the sign by the gradient's size. Lion forgets all sizes: every entry moves by
    the learning rate."""
    return -decay - lr * sign(c) * abs(g)


@wrong("change")
def decay_inside_sign(c, x, lr, weight_decay):
    """Your weight decay is inside the sign, where only its direction is left. It stands beside the
    step, as in AdamW."""
    return -lr * sign(c + weight_decay * x)


LION = (
    steps.ascent,
    steps.change_returned,
    steps.x_not_changed,
    decay_inside_sign,
    sign_times_size,
    relatives.decay_after_step,
    relatives.decay_without_lr,
)
