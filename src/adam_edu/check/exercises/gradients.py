"""Exercises on gradients: by differences, from a mini-batch, clipped."""
# mypy: allow-untyped-defs

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..formula import formula
from ..mistake import wrong

# A numerical gradient


@dataclass(frozen=True)
class Loss:
    """A function of two or three coordinates, with its text to show."""

    text: str
    value: Callable[[Any], float]

    def __call__(self, x: Any) -> float:
        """Return the loss at x, a list or an array."""
        return self.value(x)

    def __str__(self) -> str:
        return self.text


def _differences(f, x, ahead, behind, width):
    """Return (f(x + ahead e_i) - f(x - behind e_i)) / width for every i."""
    steps = np.eye(len(x))
    return np.array([(f(x + ahead * e) - f(x - behind * e)) / width for e in steps])


@wrong("g")
def forward_difference(f, x, h):
    """You look ahead only: f(x + h) - f(x). Its error is of the size of h; to both sides it is of
    the size of h squared."""
    return _differences(f, x, h, 0, h)


@wrong("g")
def forward_by_two(f, x, h):
    """You look ahead only, f(x + h) - f(x), and divide by 2 * h, which is the way from x - h to
    x + h: your slope is half of what it should be."""
    return _differences(f, x, h, 0, 2 * h)


@wrong("g")
def backward_difference(f, x, h):
    """You look back only: f(x) - f(x - h). Its error is of the size of h; to both sides it is of
    the size of h squared."""
    return _differences(f, x, 0, h, h)


@wrong("g")
def width_is_h(f, x, h):
    """You divide by h. From x - h to x + h it is 2 * h."""
    return _differences(f, x, h, h, h)


@wrong("g")
def width_missing(f, x, h):
    """You do not divide: a slope is a difference of heights divided by the way between."""
    return _differences(f, x, h, h, 1)


@wrong("g")
def width_without_brackets(f, x, h):
    """You divide by 2 and multiply by h: that is what / 2 * h means. Brackets: / (2 * h)."""
    return _differences(f, x, h, h, 2 / h)


@wrong("g")
def slope_backwards(f, x, h):
    """Your difference is the wrong way round: f ahead minus f behind."""
    return -_differences(f, x, h, h, 2 * h)


@wrong("g")
def half_a_step(f, x, h):
    """You look half of h to each side. That is as good a derivative; asked for is h to each side,
    divided by 2 * h."""
    return _differences(f, x, h / 2, h / 2, h)


@wrong("g")
def all_moved_at_once(f, x, h):
    """You move all coordinates at once. A partial derivative moves one and leaves the others."""
    return np.full(len(x), (f(x + h) - f(x - h)) / (2 * h))


@wrong("g")
def not_moved_back(f, x, h):
    """A coordinate that you have moved stays moved while you look at the next one. Put it back, or
    move a copy."""
    x, result = np.array(x, dtype=float), []
    for i in range(len(x)):
        x[i] += h
        ahead = f(x)
        x[i] -= 2 * h
        result.append((ahead - f(x)) / (2 * h))
    return np.array(result)


@wrong("g")
def one_array_with_two_names(f, x, h):
    """Your two points are one array under two names: what you add to the one you take from the
    other, so they never differ. Copy x, for each point anew."""
    ahead = behind = np.array(x, dtype=float)
    result = []
    for i in range(len(x)):
        ahead[i] += h
        behind[i] -= h
        result.append((f(ahead) - f(behind)) / (2 * h))
    return np.array(result)


_SADDLE = Loss("x[0]**3 + 2 * x[0] * x[1]", lambda x: x[0] ** 3 + 2 * x[0] * x[1])
_THREE = Loss("x[0] * x[1] + x[2]**3 / x[1]", lambda x: x[0] * x[1] + x[2] ** 3 / x[1])

numerical_gradient = formula(
    "numerical_gradient(f, x, h=1e-5)",
    lambda f, x, h: _differences(f, x, h, h, 2 * h),
    returns="g",
    statement="Return the gradient of f at x from values of f alone: for each coordinate, f at h "
    "above minus f at h below, divided by 2 * h. f takes what x is, a list or an array.",
    probes=[
        {"f": _SADDLE, "x": np.array([1.0, 2.0]), "h": 0.1},
        {"f": _THREE, "x": np.array([2.0, -1.0, 3.0]), "h": 0.1},
        {"f": _SADDLE, "x": np.array([-2.0, 0.5]), "h": 1e-3},
    ],
    mistakes=(
        forward_difference,
        forward_by_two,
        backward_difference,
        width_is_h,
        width_missing,
        width_without_brackets,
        slope_backwards,
        half_a_step,
        all_moved_at_once,
        not_moved_back,
        one_array_with_two_names,
    ),
    read="gradient-descent",
)


# A mini-batch


@wrong("g")
def batch_sum(gradients, batch):
    """You add the batch's gradients up. Their mean estimates the gradient of the mean loss; a sum
    grows with the batch, and the rate would have to shrink with it."""
    return gradients[list(batch)].sum(axis=0)


@wrong("g")
def all_examples(gradients):
    """You take the mean over all examples: that is the exact gradient, and the batch is not
    used."""
    return gradients.mean(axis=0)


@wrong("g")
def divided_by_all(gradients, batch):
    """You divide by the number of all examples. The mean over the batch is divided by the number
    in the batch."""
    return gradients[list(batch)].sum(axis=0) / len(gradients)


@wrong("g")
def repeated_once(gradients, batch):
    """An example that was drawn twice counts once in your mean. Drawn with putting back, it counts
    twice; else the estimate is biased."""
    return gradients[sorted(set(batch))].mean(axis=0)


@wrong("g")
def first_of_batch(gradients, batch):
    """You take the first example of the batch alone."""
    return 1.0 * gradients[batch[0]]


@wrong("g")
def last_of_batch(gradients, batch):
    """You take the last example of the batch alone. In a loop, g = ... forgets the ones before;
    add them up."""
    return 1.0 * gradients[batch[-1]]


@wrong("g")
def sum_overwritten(gradients, batch):
    """You divide the last example of the batch by their number. In a loop, g = ... forgets the ones
    before; g = g + ... adds them up."""
    return gradients[batch[-1]] / len(batch)


@wrong("g")
def divided_by_one_less(gradients, batch):
    """You divide by one less than the number in the batch. That is for a variance; a mean is
    divided by the number, and with a batch of one yours divides by zero."""
    return gradients[list(batch)].sum(axis=0) / (len(batch) - 1)


@wrong("g")
def first_rows(gradients, batch):
    """You take the first examples of all, as many as the batch has. The batch says *which*."""
    return gradients[: len(batch)].mean(axis=0)


@wrong("g")
def counted_from_one(gradients, batch):
    """You count examples from 1. The numbers in the batch count from 0, as indices do."""
    return gradients[[i - 1 for i in batch]].mean(axis=0)


@wrong("g")
def batch_median(gradients, batch):
    """You take the median. It is not right on average: noise that leans to one side shifts it."""
    return np.median(gradients[list(batch)], axis=0)


_ROWS = np.array([[1.0, -2.0], [3.0, 0.5], [-4.0, 7.0], [2.0, 2.0], [0.0, 9.0]])

minibatch_gradient = formula(
    "minibatch_gradient(gradients, batch)",
    lambda gradients, batch: gradients[list(batch)].mean(axis=0),
    returns="g",
    statement="Return the mini-batch's estimate of the gradient. gradients has a row for each "
    "example; batch is a tuple of the numbers of the examples that were drawn, from 0; an example "
    "can be drawn twice.",
    probes=[
        {"gradients": _ROWS, "batch": (1, 3, 4)},
        {"gradients": _ROWS, "batch": (4, 2, 4, 1)},
        {"gradients": _ROWS, "batch": (2,)},
    ],
    mistakes=(
        batch_sum,
        all_examples,
        divided_by_all,
        repeated_once,
        first_of_batch,
        last_of_batch,
        sum_overwritten,
        divided_by_one_less,
        first_rows,
        counted_from_one,
        batch_median,
    ),
    read="stochastic-gradients",
)


# Clipping by the norm


@wrong("clipped")
def clipped_each(g, max_norm):
    """You clip each coordinate by itself. That turns the gradient; clipping by the norm shortens it
    and keeps its direction."""
    return np.clip(g, -max_norm, max_norm)


@wrong("clipped")
def short_ones_lengthened(g, max_norm, norm):
    """You give every gradient the same length. One that is short enough stays as it is."""
    return g * max_norm / norm if norm else g


@wrong("clipped")
def all_scaled_and_zero_divided(g, max_norm, norm):
    """You give every gradient the same length. One that is short enough stays as it is; and a
    gradient of zero makes you divide zero by zero."""
    return g * (max_norm / norm) if norm else g * math.nan


@wrong("norm")
def norm_of_abs(g):
    """Your norm adds up absolute values. The length is the root of the sum of the squares."""
    return np.sum(abs(g))


@wrong("clipped")
def comparison_reversed(g, max_norm, norm):
    """Your comparison is the wrong way round: you lengthen the short gradients and leave the long
    ones as they are."""
    return g * (np.divide(max_norm, norm) if norm < max_norm else 1.0)


@wrong("clipped")
def divided_by_max(g, max_norm, norm):
    """You divide a long gradient by max_norm. First divide by its length, which makes the length 1;
    then multiply by max_norm."""
    return g / (max_norm if norm > max_norm else 1.0)


@wrong("clipped")
def clipped_above(g, max_norm):
    """You cut each coordinate off from above, by itself. That turns the gradient, and negative ones
    stay as long as they are; clipping by the norm shortens it and keeps its direction."""
    return np.minimum(g, max_norm)


@wrong("clipped")
def unit_length(g, max_norm, norm):
    """A gradient that is too long gets length 1 from you, whatever max_norm is."""
    return g / (norm if norm > max_norm else 1.0)


@wrong("clipped")
def dropped(g, max_norm, norm):
    """You set a gradient that is too long to zero. It is shortened to max_norm."""
    return g * float(norm <= max_norm)


@wrong("clipped")
def divides_by_zero(g, max_norm, norm):
    """A gradient of zero makes you divide zero by zero. It is short enough and stays as it is."""
    return g * np.minimum(1.0, max_norm / norm) if norm else g * math.nan


clip_by_norm = formula(
    "clip_by_norm(g, max_norm)",
    ("norm = sqrt(sum(g**2))", "clipped = g * min(1, max_norm / norm)"),
    returns="clipped",
    statement="Return the gradient g, shortened to the length max_norm if it is longer, with its "
    "direction kept.",
    probes=[
        {"g": np.array([3.0, -4.0]), "max_norm": 1.5},
        {"g": np.array([0.3, 0.4, 0.0]), "max_norm": 2.0},
        {"g": np.array([6.0, 1.0, -5.0, 2.0]), "max_norm": 7.0},
        {"g": np.array([6.0, 1.0, -5.0, 2.0]), "max_norm": 9.0},
        {"g": np.array([0.0, 0.0]), "max_norm": 1.0},
    ],
    mistakes=(
        clipped_each,
        short_ones_lengthened,
        all_scaled_and_zero_divided,
        norm_of_abs,
        comparison_reversed,
        divided_by_max,
        clipped_above,
        unit_length,
        dropped,
        divides_by_zero,
    ),
    read="stochastic-gradients",
)
