"""Exercises on the bias correction: Adam's first step, the share of the zero, epsilon hat."""
# mypy: allow-untyped-defs

import math

import numpy as np

from ..formula import formula
from ..mistake import wrong

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
def first_step_without_g(g, lr, eps):
    """There is no gradient above the line in your step, so that it goes the same way whatever the
    gradient's sign. After the correction m_hat is g."""
    return -lr / (abs(g) + eps)


@wrong("change")
def first_step_is_x(g, lr, eps):
    """You subtract the step from the gradient. Asked for is the change of x, the step with its
    minus, and nothing else."""
    return g - lr * g / (abs(g) + eps)


@wrong("change")
def first_step_without_lr(g, eps):
    """The learning rate and the minus are missing in your step."""
    return g / (abs(g) + eps)


@wrong("change")
def first_step_squared(g, lr, eps):
    """The root is missing in your denominator: it has g squared where the root of it belongs."""
    return -lr * g / (g * g + eps)


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
        first_step_uphill,
        root_lost_the_sign,
        first_step_without_eps,
        first_step_constant,
        first_step_eps_inside,
        first_step_uncorrected,
        first_step_squared,
        first_step_without_g,
        first_step_is_x,
        first_step_without_lr,
        step_as_long_as_g,
    ),
    read="bias-correction",
    one_by_one=True,
)


# The share that the correction divides by, and epsilon hat


@wrong("share")
def share_as_at_first(beta):
    """That is the share after one step. The zero fades with every step: beta**t is left of it."""
    return 1 - beta


@wrong("share")
def share_of_zero(beta, t):
    """beta**t is the share of the zero. Asked for is the rest, the share of the gradients."""
    return beta**t


@wrong("share")
def share_times_t(beta, t):
    """You have beta * t where the power beta**t is meant."""
    return 1 - beta * t


@wrong("share")
def share_adds_up(beta, t):
    """You add up t times the share of the newest value. Older ones weigh less: the sum is
    1 - beta**t."""
    return t * (1 - beta)


@wrong("share")
def share_counts_from_zero(beta, t):
    """Your power is one too low: after the first step, t = 1, the share is 1 - beta."""
    return 1 - beta ** (t - 1)


@wrong("share")
def share_power_outside(beta, t):
    """You take the power of 1 - beta. It is beta that fades with the power t."""
    return (1 - beta) ** t


@wrong("share")
def share_of_oldest(beta, t):
    """That is the weight of one gradient, t steps old. Asked for is the sum over all t."""
    return (1 - beta) * beta**t


@wrong("share")
def share_without_factor(beta, t):
    """Your weights are the powers of beta. Each gradient comes in with the share 1 - beta, which
    multiplies all of them."""
    return (1 - beta**t) / (1 - beta)


@wrong("share")
def share_without_newest(beta, t):
    """Your sum leaves the newest gradient out: its weight is 1 - beta, with the power 0."""
    return beta * (1 - beta**t)


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
        share_as_at_first,
        share_of_zero,
        share_times_t,
        share_adds_up,
        share_counts_from_zero,
        share_power_outside,
        share_inverted,
        share_of_oldest,
        share_without_factor,
        share_without_newest,
    ),
    read="bias-correction",
)


@wrong("eps_hat")
def eps_hat_divided(eps, t, beta2):
    """You divide by the root. sqrt(v) is the smaller of the two, so what is added to it must be
    smaller too."""
    return eps / math.sqrt(1 - beta2**t)


@wrong("eps_hat")
def eps_hat_without_root(eps, t, beta2):
    """The root is missing: epsilon is added to a root, so it is scaled with one."""
    return eps * (1 - beta2**t)


@wrong("eps_hat")
def eps_hat_constant(eps):
    """Yours is the constant epsilon. So libraries have it; asked for is what makes the two forms
    equal."""
    return eps


@wrong("eps_hat")
def eps_hat_as_at_first(eps, beta2):
    """That is right at the first step alone: the power t is missing."""
    return eps * math.sqrt(1 - beta2)


@wrong("eps_hat")
def eps_hat_power_only(eps, t, beta2):
    """You have the root of beta2**t. The correction is 1 minus that power."""
    return eps * math.sqrt(beta2**t)


@wrong("eps_hat")
def eps_under_root(eps, t, beta2):
    """Your root covers epsilon as well: it stands outside."""
    return math.sqrt(eps * (1 - beta2**t))


@wrong("eps_hat")
def eps_hat_power_outside(eps, t, beta2):
    """You take the power of the whole root. Only beta2 has the power t: 1 - beta2**t."""
    return eps * math.sqrt(1 - beta2) ** t


@wrong("eps_hat")
def eps_hat_factor(t, beta2):
    """That is the factor. Multiply epsilon by it."""
    return math.sqrt(1 - beta2**t)


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
        eps_hat_divided,
        eps_hat_without_root,
        eps_hat_constant,
        eps_hat_as_at_first,
        eps_hat_power_only,
        eps_under_root,
        eps_hat_times_t,
        eps_hat_power_outside,
        eps_hat_factor,
        eps_hat_divided_without_root,
    ),
    read="bias-correction",
)
