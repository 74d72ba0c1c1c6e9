"""Exercises on moving averages: what they are, and how far they look back."""
# mypy: allow-untyped-defs

import math

import numpy as np

from ...moments import moving_average
from ...program import Program
from ...reading import parse
from ...trees import Line
from ..formula import Step, formula
from ..mistake import wrong

# A moving average


@wrong("averages")
def average_from_first(signal, beta):
    """Your average starts at the first value. Here it starts at zero, as Adam's moments do."""
    averages = [signal[0]]
    for value in signal[1:]:
        averages.append(beta * averages[-1] + (1 - beta) * value)
    return np.array(averages)


@wrong("averages")
def average_shares_swapped(signal, beta):
    """Your shares are swapped: beta belongs to the past, 1 - beta to the new value."""
    average, averages = 0.0, []
    for value in signal:
        average = (1 - beta) * average + beta * value
        averages.append(average)
    return np.array(averages)


@wrong("averages")
def average_corrected(signal, beta):
    """You divide by 1 - beta**t: that is the bias correction, of the next chapter. Here the average
    is left as it is."""
    return moving_average(signal, beta, corrected=True)


@wrong("averages")
def plain_mean(signal):
    """You take the plain mean of all values so far: it forgets nothing."""
    return np.cumsum(signal) / np.arange(1, len(signal) + 1)


@wrong("averages")
def average_one_late(signal, beta):
    """Your averages come one step late: the first has no value in it yet."""
    return np.concatenate([[0.0], moving_average(signal, beta)[:-1]])


@wrong("averages")
def average_of_neighbours(signal, beta):
    """You mix each value with the last *value*. The past is the last *average*."""
    before = np.concatenate([[0.0], signal[:-1]])
    return beta * before + (1 - beta) * signal


_SIGNAL = np.array([1.0, -2.0, 4.0, 0.5, 3.0])


def _each_step(arguments, found):
    """Return what each value of the average is computed from: the student's own one before."""
    (averages,) = found
    count = np.ones(len(averages))
    return {
        "averages_before": np.concatenate([[0.0], averages[:-1]]),
        "averages": averages,
        "value": arguments["signal"],
        "beta": arguments["beta"] * count,
        "t": np.cumsum(count),
    }


_STEP = Program(
    (Line("averages", parse("beta * averages_before + (1 - beta) * value")),),
    ("averages",),
    ("averages_before", "value", "beta", "t"),
    ("beta",),
)

moving_average_exercise = formula(
    "moving_average(signal, beta)",
    lambda signal, beta: moving_average(signal, beta),
    returns="averages",
    statement="Return the moving average after each value of a signal: beta times the average "
    "before plus 1 - beta times the value, starting from an average of zero.",
    probes=[
        {"signal": _SIGNAL, "beta": 0.9},
        {"signal": _SIGNAL, "beta": 0.4},
        {"signal": _SIGNAL, "beta": 0.0},
    ],
    mistakes=(
        average_from_first,
        average_shares_swapped,
        average_corrected,
        plain_mean,
        average_one_late,
        average_of_neighbours,
    ),
    read="moment-estimates",
    step=Step(_STEP, _each_step),
)


# How far an average looks back


@wrong("steps")
def window_for_half_life(beta):
    """1 / (1 - beta) is the window, the mean age of what is in the average. Half is gone a little
    earlier, after about 0.69 of it."""
    return 1 / (1 - beta)


@wrong("steps")
def half_life_approximated(beta):
    """0.69 / (1 - beta) is a good estimate for a beta close to 1. The exact number solves
    beta**steps = 1/2."""
    return math.log(2) / (1 - beta)


@wrong("steps")
def half_of_window(beta):
    """Half of the window is not the time after which half is left: what is left falls as a power,
    not as a line."""
    return 0.5 / (1 - beta)


@wrong("steps")
def half_life_rounded(beta):
    """You round up to whole steps. Asked for is the number itself, with its fraction."""
    return float(math.ceil(math.log(0.5) / math.log(beta)))


half_life = formula(
    "half_life(beta)",
    "log(0.5) / log(beta)",
    returns="steps",
    statement="Return the number of steps after which a value has half of its first weight left in "
    "a moving average, as a number with a fraction.",
    probes=[{"beta": beta} for beta in (0.9, 0.999, 0.5, 0.3)],
    mistakes=(
        window_for_half_life,
        half_life_approximated,
        half_of_window,
        half_life_rounded,
    ),
    read="moment-estimates",
)


@wrong("beta")
def beta_of_half_life(window):
    """That is the beta whose *half-life* is the window. The window is 1 / (1 - beta)."""
    return 0.5 ** (1 / window)


@wrong("beta")
def window_of_window(window):
    """You put the window where beta stands in window = 1 / (1 - beta). Solve that equation for
    beta."""
    return 1 / (1 - window)


@wrong("beta")
def beta_of_span(window):
    """That is beta for a *span*, as pandas calls it, which is nearly twice the window. Here the
    window is 1 / (1 - beta)."""
    return 1 - 2 / (window + 1)


@wrong("beta")
def beta_by_exponential(window):
    """That is the beta at which exp(-1) is left after the window: close to the answer for a long
    window, and another number for a short one."""
    return math.exp(-1 / window)


beta_for_window = formula(
    "beta_for_window(window)",
    "1 - 1 / window",
    returns="beta",
    statement="Return the beta whose effective window, 1 / (1 - beta), has the given number of "
    "steps.",
    probes=[{"window": window} for window in (10, 1000, 2, 5)],
    mistakes=(
        beta_of_half_life,
        window_of_window,
        beta_of_span,
        beta_by_exponential,
    ),
    read="moment-estimates",
)
