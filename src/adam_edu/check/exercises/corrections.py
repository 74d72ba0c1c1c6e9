"""Exercises on the bias correction: Adam's first step, the share of the zero, epsilon hat."""
# mypy: allow-untyped-defs

import math

import numpy as np

from ..formula import formula
from ..mistake import wrong

# The first step of Adam


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
def first_step_constant(g, lr):
    """Your step has the length of the rate whatever the gradient is. So it is while g is far larger
    than epsilon; put your formula for m_hat and v_hat in, and keep the epsilon."""
    return -lr * np.sign(g)


first_step = formula(
    "first_step(g, lr=1e-3, eps=1e-8)",
    "-lr * g / (abs(g) + eps)",
    returns="change",
    statement="Return the change of x at Adam's first step, from moments of zero, in one line: "
    "without moments, without betas, without t.",
    probes=[
        {"g": np.array([3.0, -1e-4, 1e-8, -7.0, 0.5]), "lr": 1e-3, "eps": 1e-8},
        {"g": np.array([3.0, -0.2, 0.7, 0.0, -40.0]), "lr": 0.5, "eps": 0.3},
    ],
    mistakes=(
        first_step_constant,
        first_step_eps_inside,
        first_step_uncorrected,
    ),
    read="bias-correction",
    one_by_one=True,
)


# The share that the correction divides by, and epsilon hat


@wrong("share")
def share_adds_up(beta, t):
    """You add up t times the share of the newest value. Older ones weigh less: the sum is
    1 - beta**t."""
    return t * (1 - beta)


@wrong("share")
def share_of_oldest(beta, t):
    """That is the weight of one gradient, t steps old. Asked for is the sum over all t."""
    return (1 - beta) * beta**t


@wrong("share")
def share_inverted(beta, t):
    """That is what the average is multiplied by. Asked for is what it is divided by."""
    return 1 / (1 - beta**t)


gradient_share = formula(
    "gradient_share(beta, t)",
    "1 - beta**t",
    returns="share",
    statement="Return the sum of the weights that t gradients have in a moving average that "
    "started at zero.",
    probes=[{"beta": beta, "t": t} for beta, t in ((0.9, 1), (0.9, 2), (0.999, 1000), (0.5, 3))],
    mistakes=(
        share_adds_up,
        share_inverted,
        share_of_oldest,
    ),
    read="bias-correction",
)


@wrong("eps_hat")
def eps_hat_constant(eps):
    """Yours is the constant epsilon. So libraries have it; asked for is what makes the two forms
    equal."""
    return eps


@wrong("eps_hat")
def eps_hat_divided_without_root(eps, t, beta2):
    """You divide by the whole correction. sqrt(v) is the smaller of the two roots, so what is added
    to it must be smaller too, and it is a root that is scaled."""
    return eps / (1 - beta2**t)


@wrong("eps_hat")
def eps_hat_times_t(eps, t, beta2):
    """You have beta2 * t where the power beta2**t is meant."""
    return eps * math.sqrt(1 - beta2 * t) if beta2 * t <= 1 else math.nan


epsilon_hat = formula(
    "epsilon_hat(eps, t, beta2=0.999)",
    "eps * sqrt(1 - beta2**t)",
    returns="eps_hat",
    statement="Return the epsilon hat that makes the form with sqrt(v) + epsilon hat take the same "
    "step t as Algorithm 1 takes with sqrt(v_hat) + eps.",
    probes=[
        {"eps": eps, "t": t, "beta2": beta2}
        for eps, t, beta2 in ((0.1, 1, 0.999), (0.1, 10, 0.999), (1.0, 3, 0.9), (2.0, 1, 0.5))
    ],
    mistakes=(
        eps_hat_constant,
        eps_hat_times_t,
        eps_hat_divided_without_root,
    ),
    read="bias-correction",
)
