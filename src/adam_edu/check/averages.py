"""Exercises on moving averages and what corrects them."""
# mypy: allow-untyped-defs

import numpy as np

from .formula import formula
from .mistake import wrong

# The first step of Adam


@wrong("change")
def step_as_long_as_g(g, lr):
    """Your step is as long as the gradient. After the correction m_hat is g and v_hat is g squared;
    their quotient no longer knows how large g is."""
    return -lr * g


@wrong("change")
def first_step_uphill(g, lr, eps):
    """Your step has the sign of the gradient: it goes up the slope."""
    return lr * g / (abs(g) + eps)


@wrong("change")
def root_lost_the_sign(g, lr, eps):
    """Your denominator is g + eps. The root of g squared is the absolute value of g, without its
    sign; so your step goes the same way whether g is positive or negative."""
    return -lr * g / (g + eps)


@wrong("change")
def first_step_uncorrected(g, lr, eps):
    """Your step is that of the uncorrected moments, with the default betas: 3.16 times too long.
    The correction divides m by 1 - beta1 and v by 1 - beta2, and nothing of the betas is left."""
    return -lr * 0.1 * g / (np.sqrt(0.001 * g * g) + eps)


@wrong("change")
def first_step_eps_inside(g, lr, eps):
    """Epsilon is inside your root. It is added to the root: abs(g) + eps."""
    return -lr * g / np.sqrt(g * g + eps)


@wrong("change")
def first_step_without_eps(g, lr):
    """Epsilon is missing. A gradient as small as epsilon makes a step of half the rate, and a
    gradient of zero makes none; without epsilon the one makes a whole step and the other 0 / 0."""
    return -lr * g / abs(g)


@wrong("change")
def first_step_constant(g, lr):
    """Your step has the length of the rate whatever the gradient is. So it is while g is far larger
    than epsilon; put your formula for m_hat and v_hat in, and keep the epsilon."""
    return -lr * np.sign(g)


@wrong("change")
def first_step_squared(g, lr, eps):
    """The root is missing in your denominator: it has g squared where the root of it belongs."""
    return -lr * g / (g * g + eps)


first_step = formula(
    "first_step(g, lr=1e-3, eps=1e-8)",
    lambda g, lr, eps: -lr * g / (abs(g) + eps),
    returns="change",
    statement="Return the change of x at Adam's first step, from moments of zero, in one line: "
    "without moments, without betas, without t.",
    probes=[
        {"g": np.array([3.0, -1e-4, 1e-8, -7.0, 0.5]), "lr": 1e-3, "eps": 1e-8},
        {"g": np.array([3.0, -0.2, 0.7, 0.0, -40.0]), "lr": 0.5, "eps": 0.3},
    ],
    mistakes=(
        first_step_uphill,
        root_lost_the_sign,
        first_step_without_eps,
        first_step_constant,
        first_step_eps_inside,
        first_step_uncorrected,
        first_step_squared,
        step_as_long_as_g,
    ),
    read="bias-correction",
    one_by_one=True,
)
