"""Exercises on the length of Adam's steps: the longest one, and whether gradients agree."""
# mypy: allow-untyped-defs

import math

import numpy as np

from ..formula import formula
from ..mistake import wrong

# The longest step


@wrong("longest")
def longest_of_the_paper(beta1, beta2):
    """That is the paper's bound, for one gradient that comes alone. Gradients that follow it go
    beyond."""
    return max(1.0, (1 - beta1) / math.sqrt(1 - beta2))


@wrong("longest")
def longest_of_one_gradient(beta1, beta2):
    """That is the step of one gradient after a long silence. Gradients that follow it, and grow,
    make longer ones."""
    return (1 - beta1) / math.sqrt(1 - beta2)


longest_step = formula(
    "longest_step(beta1, beta2)",
    "sqrt(1 + (beta1 - beta2)**2 / ((1 - beta2) * (beta2 - beta1**2)))",
    returns="longest",
    statement="Return the longest step that Adam can take after many steps, in learning rates, for "
    "a beta1 whose square is below beta2.",
    probes=[
        {"beta1": beta1, "beta2": beta2}
        for beta1, beta2 in ((0.9, 0.999), (0.9, 0.99), (0.5, 0.9), (0.8, 0.8), (0.0, 0.75))
    ],
    mistakes=(
        longest_of_the_paper,
        longest_of_one_gradient,
    ),
    read="longest-step",
)


# Whether gradients agree


def _rms(gradients, axis):
    return np.sqrt(np.mean(np.square(gradients), axis))


@wrong("agreement")
def agreement_of_sizes(gradients):
    """You take the mean of the sizes. Gradients of 1 and -1 do not agree: take the mean first, and
    its size after."""
    return np.mean(np.abs(gradients), 0) / _rms(gradients, 0)


@wrong("agreement")
def agreement_with_sign(gradients):
    """Yours is negative where the gradients agree on going up. Agreement has no sign: take the size
    of the mean."""
    return np.mean(gradients, 0) / _rms(gradients, 0)


@wrong("agreement")
def agreement_over_spread(gradients):
    """You divide by the standard deviation, which has the mean subtracted. It is zero where all
    gradients are equal. Divide by the root of the mean square."""
    return np.abs(np.mean(gradients, 0)) / np.std(gradients, 0)


@wrong("agreement")
def agreement_of_weights(gradients):
    """You average over the weights of one step. The first axis is the steps: average along it."""
    return np.abs(np.mean(gradients, 1)) / _rms(gradients, 1)


@wrong("agreement")
def agreement_of_all(gradients):
    """You average over steps and weights in one. Each weight has an agreement of its own: average
    along the first axis."""
    return np.abs(np.mean(gradients)) / _rms(gradients, None)


@wrong("agreement")
def agreement_over_sizes(gradients):
    """You divide by the mean of the sizes. It is the root of the mean square that Adam divides by,
    and that weighs large gradients more."""
    return np.abs(np.mean(gradients, 0)) / np.mean(np.abs(gradients), 0)


@wrong("agreement")
def agreement_without_root(gradients):
    """You divide by the mean square, without its root. Then it depends on the gradients' unit."""
    return np.abs(np.mean(gradients, 0)) / np.mean(np.square(gradients), 0)


agreement = formula(
    "agreement(gradients)",
    lambda gradients: np.abs(np.mean(gradients, 0)) / _rms(gradients, 0),
    returns="agreement",
    statement="Return for each weight how far its gradients agree: the size of their mean over the "
    "root of their mean square. gradients has a row for each step and a column for each weight.",
    # As many steps as weights: what is averaged along the other axis is told by its numbers.
    probes=[
        {"gradients": np.array(rows)}
        for rows in (
            [[1.0, 2.0, 0.5], [1.5, -2.0, -3.0], [0.5, 4.0, 1.0]],
            [[-3.0, 0.1], [-1.0, 0.2]],
            [[2.0, -5.0, 0.0], [4.0, 3.0, 2.0], [1.0, -1.0, -0.5]],
        )
    ],
    mistakes=(
        agreement_of_sizes,
        agreement_over_sizes,
        agreement_with_sign,
        agreement_over_spread,
        agreement_of_weights,
        agreement_of_all,
        agreement_without_root,
    ),
    read="which-half",
)
