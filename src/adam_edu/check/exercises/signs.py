"""The exercise on a step of sign descent with momentum."""
# mypy: allow-untyped-defs

from dataclasses import dataclass

import numpy as np

from ...base import Decay, Rate, Rule
from ...ops import sign
from ..mistake import wrong
from ..mistakes import steps
from ..steps import step_exercise


@dataclass(frozen=True)
class SignDescent(Rule):
    """The sign of an average of gradients: Lion with both betas alike and no decay."""

    lr: Rate = 1e-3
    beta1: Decay = 0.9
    slots = ("m",)

    def step(self, x, g, m):
        """Return the change and the new average."""
        m = self.beta1 * m + (1 - self.beta1) * g
        return -self.lr * sign(m), m


@wrong("change")
def sign_of_gradient(g, lr):
    """You take the sign of this gradient alone, so the average changes nothing. Take the sign of
    m, in which the earlier gradients are too."""
    return -lr * sign(g)


@wrong("m", "change")
def signs_averaged(m, g, lr, beta1):
    """You average signs. Average the gradients, with their sizes, and take the sign last: then a
    large gradient outvotes several small ones."""
    m = beta1 * m + (1 - beta1) * sign(g)
    return m, -lr * m


@wrong("m", "change")
def sign_of_signs(m, g, lr, beta1):
    """You average signs, and take the sign again. Average the gradients themselves: then a large
    gradient outvotes several small ones."""
    m = beta1 * m + (1 - beta1) * sign(g)
    return m, -lr * sign(m)


@wrong("change")
def sign_forgotten(m, lr):
    """You step along m itself: that is momentum, and the rare words' small gradients make small
    steps again. Take its sign."""
    return -lr * m


@wrong("change")
def sign_with_size(m, g, lr):
    """You multiply the sign by the gradient's size. Sign descent forgets all sizes: each entry
    moves by the learning rate."""
    return -lr * sign(m) * abs(g)


@wrong("returned m")
def sign_kept(m):
    """You return the sign of m as the new m. Keep m itself; its sign is for this step alone."""
    return sign(m)


@wrong("change")
def divided_by_norm(m, lr):
    """You divide m by its length. Then the whole step has length lr, and small entries stay small.
    The sign makes *each* entry as long as lr."""
    return -lr * m / np.sqrt(np.sum(m * m))


sign_step = step_exercise(
    "sign_step",
    SignDescent,
    "Write one step of sign descent with momentum. You are given the parameter x, its gradient g "
    "and the average m of the gradients before. The new m keeps the share beta1 of the old one; x "
    "moves by the learning rate against the sign of the new m. Return the new x and m.",
    (
        *steps.DIRECTION,
        sign_of_gradient,
        signs_averaged,
        sign_of_signs,
        sign_forgotten,
        sign_with_size,
        sign_kept,
        divided_by_norm,
    ),
    "language",
    # A large gradient, then smaller ones the other way: what the sign is taken of decides.
    more=(
        np.array(
            [[5.0, 5.0, 5.0, -5.0, 5.0], [-0.5, -1.5, -3.0, 1.5, -1.0], [0.3, -2.0, 4.0, 9.0, 1]]
        ),
    ),
)
