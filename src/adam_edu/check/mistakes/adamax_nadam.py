"""Mistakes in AdaMax and NAdam."""
# mypy: allow-untyped-defs

from ...ops import maximum
from ..mistake import wrong
from . import bias_correction, moments, returned, steps

# AdaMax


@wrong("u")
def u_is_average(u, g, beta2, eps):
    """Your u is a moving average of the gradient's size. It is the larger of two numbers: the old u
    times beta2, and the gradient's size."""
    return beta2 * u + (1 - beta2) * abs(g) + eps


@wrong("u")
def u_forgets(g, eps):
    """Your u is the size of the last gradient: the old u is not in it."""
    return abs(g) + eps


@wrong("u", "denominator")
def eps_after_maximum(u, g, beta2, eps):
    """Epsilon is added to u after the maximum, as Keras does. Asked for is the form of Torch and
    Optax: the larger of beta2 * u and abs(g) + eps."""
    return maximum(beta2 * u, abs(g)), maximum(beta2 * u, abs(g)) + eps


ADAMAX = (
    *steps.DIRECTION,
    *bias_correction.COUNTING,
    u_is_average,
    u_forgets,
    eps_after_maximum,
    steps.eps_missing,
    *moments.FIRST_MOMENT,
)

# NAdam


@wrong("m_bar")
def nadam_is_adam(m, t, beta1):
    """Your step is that of Adam: m is corrected, and nothing looks ahead."""
    return m / (1 - beta1**t)


@wrong("m_bar")
def nadam_weights_swapped(m, g, weight_m, weight_g):
    """The two weights are swapped: the one with mu of the next step belongs to m, the other to
    g."""
    return weight_g * m + weight_m * g


@wrong("weight_m", "weight_g")
def mu_constant(t, beta1):
    """Your mu is beta1 at every step, as in Optax. Asked for is the mu that warms up:
    beta1 * (1 - 0.5 * 0.96**(t * momentum_decay))."""
    return beta1 / (1 - beta1 ** (t + 1)), (1 - beta1) / (1 - beta1**t)


@wrong("weight_m", "weight_g")
def nadam_powers_for_product(t, beta1, momentum_decay):
    """Your corrections take powers of mu. It differs from step to step, so the product of all mu so
    far is needed: mu_1 * mu_2 * ... * mu_t."""
    now, then = _mu(t, beta1, momentum_decay), _mu(t + 1, beta1, momentum_decay)
    return then / (1 - then ** (t + 1)), (1 - now) / (1 - now**t)


@wrong("weight_m")
def nadam_mu_of_now(t, beta1, momentum_decay):
    """m is weighted with the mu of this step. It is the next step's that looks ahead, and its
    product goes one factor further."""
    product = _mu_product(t, beta1, momentum_decay)
    return _mu(t, beta1, momentum_decay) / (1 - product)


@wrong("weight_m", "weight_g")
def nadam_mu_from_0(t, beta1, momentum_decay):
    """Your mu are those from mu_0 on. Steps count from 1, so the first is mu_1."""
    mu_0, product = _mu(0, beta1, momentum_decay), _mu_product(t - 1, beta1, momentum_decay)
    before, now = _mu(t - 1, beta1, momentum_decay), _mu(t, beta1, momentum_decay)
    return now / (1 - mu_0 * product * now), (1 - before) / (1 - mu_0 * product)


@wrong("weight_m", "weight_g")
def nadam_uncorrected(t, beta1, momentum_decay):
    """Your weights are not corrected. Divide that of m by 1 minus the product of all mu up to the
    next step, and that of g by 1 minus the product up to this one. (A product that starts from 0
    stays 0, and comes to the same; it starts from 1.)"""
    return _mu(t + 1, beta1, momentum_decay), 1 - _mu(t, beta1, momentum_decay)


@wrong("weight_g")
def nadam_share_of_beta1(t, beta1, momentum_decay):
    """The share of g is 1 - beta1. It is what the mu of this step leaves: 1 - mu_t."""
    return (1 - beta1) / (1 - _mu_product(t, beta1, momentum_decay))


def _mu(t, beta1, momentum_decay):
    return beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))


def _mu_product(t, beta1, momentum_decay):
    result = 1.0
    for i in range(1, t + 1):
        result *= _mu(i, beta1, momentum_decay)
    return result


NADAM = (
    *steps.DIRECTION,
    nadam_is_adam,
    nadam_weights_swapped,
    mu_constant,
    nadam_powers_for_product,
    nadam_mu_of_now,
    nadam_mu_from_0,
    nadam_uncorrected,
    nadam_share_of_beta1,
    *bias_correction.SECOND_CORRECTION,
    *(mistake.on(m_hat="m_bar") for mistake in steps.DENOMINATOR),
    *moments.FIRST_MOMENT,
    *moments.SECOND_MOMENT,
    returned.state_not_returned,
)
