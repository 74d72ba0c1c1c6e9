"""Exercises on moving an optimizer to another library: its epsilon, and its count of steps."""
# mypy: allow-untyped-defs

import math

from ..formula import formula
from ..mistake import wrong


@wrong("eps")
def epsilon_multiplied(eps_hat, beta2, t):
    """You go the other way, from PyTorch to Keras. There a constant stands before the correction;
    behind it, the same constant is larger, since the correction divides by less than 1."""
    return eps_hat * math.sqrt(1 - beta2**t)


@wrong("eps")
def epsilon_of_the_end(eps_hat):
    """That is right after some thousand steps. Before, the correction of v makes it larger."""
    return eps_hat


epsilon_at_step = formula(
    "epsilon_at_step(eps_hat, beta2, t)",
    "eps_hat / sqrt(1 - beta2**t)",
    returns="eps",
    statement="Return the epsilon with which PyTorch's Adam takes, at step t, the step that "
    "Keras's Adam takes with eps_hat.",
    probes=[
        {"eps_hat": 0.3, "beta2": 0.8, "t": 1},
        {"eps_hat": 0.3, "beta2": 0.8, "t": 3},
        {"eps_hat": 0.07, "beta2": 0.97, "t": 10},
    ],
    mistakes=(
        epsilon_multiplied,
        epsilon_of_the_end,
    ),
    read="moving-between-libraries",
)


@wrong("count")
def count_one_ahead(power, beta):
    """You return the number of the next step. The power is one ahead of the steps that were taken:
    before the first it is beta already."""
    return math.log(power) / math.log(beta)


@wrong("count")
def count_cut_off(power, beta):
    """You cut the fraction off. The quotient of the logarithms can lie just below the whole number,
    which is then lost: round it."""
    return int(math.log(power) / math.log(beta)) - 1


@wrong("count")
def count_upside_down(power, beta):
    """You divide the wrong way round: beta**n is the power, so n is log(power) / log(beta)."""
    return math.log(beta) / math.log(power) - 1


@wrong("count")
def count_without_logarithm(power, beta):
    """beta times n is not the power: beta to the power n is. Take logarithms."""
    return power / beta - 1


@wrong("count")
def count_of_the_log_alone(power):
    """A logarithm to which base? Divide it by that of beta."""
    return math.log(power) - 1


def _after_whole_steps(power, beta):
    steps = max(round(math.log(power) / math.log(beta)), 1)
    return {"power": beta**steps, "beta": beta}


count_from_power = formula(
    "count_from_power(power, beta)",
    "log(power) / log(beta) - 1",
    returns="count",
    statement="A library keeps no count, but the power of beta by which it will correct next: beta "
    "before the first step, beta**2 after it. Return how many steps it has taken.",
    probes=[
        {"power": 0.9**8, "beta": 0.9},
        {"power": 0.5, "beta": 0.5},
        {"power": 0.97**31, "beta": 0.97},
    ],
    mistakes=(
        count_one_ahead,
        count_cut_off,
        count_upside_down,
        count_without_logarithm,
        count_of_the_log_alone,
    ),
    read="moving-between-libraries",
    possible=_after_whole_steps,
)
