"""Exercises on how far a descent goes: the factor, the limit, the rate that momentum adds up to."""
# mypy: allow-untyped-defs

import math

import numpy as np

from ..formula import formula
from ..mistake import wrong

# How far x is after t steps on a quadratic


@wrong("x_t")
def steps_add_up(x, t, lr, curvature):
    """You take t times the first step. But the slope changes as x does: each step is a share of the
    x at hand, not of the first one."""
    return (1 - t * lr * curvature) * x


@wrong("x_t")
def flow_not_steps(x, t, lr, curvature):
    """That is the exponential, the limit of very small steps. It never changes its sign; a step
    that is too long does."""
    return math.exp(-lr * curvature * t) * x


@wrong("x_t")
def slope_without_x(x, t, lr, curvature):
    """Your slope is the curvature, wherever x is. The derivative of curvature * x**2 / 2 is
    curvature * x: the slope becomes flatter on the way down."""
    return x - t * lr * curvature


@wrong("x_t")
def loss_not_slope(x, t, lr, curvature):
    """You subtract a share of the loss. A step is a share of its slope, curvature * x."""
    for _ in range(t):
        x = x - lr * curvature * x * x / 2
    return x


after_steps = formula(
    "after_steps(x, t, lr, curvature)",
    "(1 - lr * curvature) ** t * x",
    returns="x_t",
    statement="Return where gradient descent on the loss curvature * x**2 / 2 is after t steps, "
    "without a loop.",
    probes=[
        {"x": x, "t": t, "lr": lr, "curvature": curvature}
        for x, t, lr, curvature in [
            (1.0, 1, 0.05, 10.0),
            (1.0, 2, 0.05, 10.0),
            (2.0, 3, 0.15, 10.0),
            (-3.0, 5, 0.5, 3.0),
            (1.0, 4, 0.1, 10.0),
            (2.0, 3, 0.3, 10.0),
        ]
    ],
    mistakes=(
        steps_add_up,
        flow_not_steps,
        slope_without_x,
        loss_not_slope,
    ),
    read="gradient-descent",
)


# The largest rate


@wrong("limit")
def flattest_limits(curvatures):
    """You took the flattest direction. The steepest one diverges first."""
    return 2 / np.min(curvatures)


@wrong("limit")
def best_not_largest(curvatures):
    """That is the best rate, which balances the steepest direction with the flattest. Asked for is
    the largest one that does not diverge."""
    return 2 / (np.max(curvatures) + np.min(curvatures))


@wrong("limit")
def last_limits(curvatures):
    """You took the last curvature. They are in no order."""
    return 2 / curvatures[-1]


@wrong("limit")
def first_limits(curvatures):
    """You took the first curvature. They are in no order."""
    return 2 / curvatures[0]


largest_rate = formula(
    "largest_rate(curvatures)",
    "2 / max(curvatures)",
    returns="limit",
    statement="The loss is a sum of curvature * x**2 / 2 over the coordinates, each with its own "
    "curvature. Return the learning rate above which gradient descent diverges.",
    probes=[
        {"curvatures": np.array([1.0, 10.0])},
        {"curvatures": np.array([3.0, 0.5, 2.0])},
        {"curvatures": np.array([4.0])},
    ],
    mistakes=(
        flattest_limits,
        best_not_largest,
        first_limits,
        last_limits,
    ),
    read="gradient-descent",
)


# The rate that momentum amounts to


@wrong("rate")
def rate_of_one_gradient(lr):
    """That is the share of a gradient in the first step. It stays in the buffer and acts again, a
    little less each time: add all of it up."""
    return lr


@wrong("rate")
def rate_two_terms(lr, momentum):
    """You stop the sum after two steps. It goes on: 1 + momentum + momentum**2 + ..."""
    return lr * (1 + momentum)


@wrong("rate")
def rate_times_momentum(lr, momentum):
    """You multiply by momentum. Add up all that one gradient does, over all steps to come."""
    return lr * momentum


effective_rate = formula(
    "effective_rate(lr, momentum)",
    "lr / (1 - momentum)",
    returns="rate",
    statement="Return the learning rate at which plain gradient descent would move as far as "
    "momentum does in the long run under a constant gradient.",
    probes=[
        {"lr": lr, "momentum": momentum} for lr, momentum in ((0.01, 0.9), (0.5, 0.5), (0.2, 0.99))
    ],
    mistakes=(
        rate_of_one_gradient,
        rate_two_terms,
        rate_times_momentum,
    ),
    read="momentum",
)
