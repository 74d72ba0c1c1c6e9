"""Mistakes in the moving averages: of Adam, and of its relatives."""
# mypy: allow-untyped-defs

import numpy as np

from ..mistake import wrong
from . import returned


@wrong("m")
def m_without_share(m, g, beta1):
    """Your first moment adds the whole gradient. An average takes the share 1 - beta1 of the new
    value for the share beta1 that it keeps of the old; without that it grows to 1 / (1 - beta1)
    times the gradient."""
    return beta1 * m + g


@wrong("v")
def v_without_share(v, g, beta2):
    """Your second moment adds the whole squared gradient. An average takes the share 1 - beta2 of
    the new value for the share beta2 that it keeps of the old; without that it grows to
    1 / (1 - beta2) times what it should be."""
    return beta2 * v + g * g


@wrong("m")
def m_shares_swapped(m, g, beta1):
    """The shares in your first moment are swapped: beta1 belongs to the past, 1 - beta1 to the new
    gradient."""
    return (1 - beta1) * m + beta1 * g


@wrong("v")
def v_shares_swapped(v, g, beta2):
    """The shares in your second moment are swapped: beta2 belongs to the past, 1 - beta2 to the new
    squared gradient."""
    return (1 - beta2) * v + beta2 * g * g


@wrong("m")
def m_forgets(g, beta1):
    """Your first moment does not contain the old one: it remembers nothing from step to step."""
    return (1 - beta1) * g


@wrong("v")
def v_forgets(g, beta2):
    """Your second moment does not contain the old one: it remembers nothing from step to step."""
    return (1 - beta2) * g * g


@wrong("m")
def m_never_decays(m, g, beta1):
    """Your old first moment is not multiplied by beta1, so that it forgets nothing."""
    return m + (1 - beta1) * g


@wrong("v")
def v_never_decays(v, g, beta2):
    """Your old second moment is not multiplied by beta2, so that it forgets nothing and only
    grows."""
    return v + (1 - beta2) * g * g


@wrong("v")
def v_of_double(v, g, beta2):
    """Your second moment averages g * 2, twice the gradient. Its square is g * g, or g**2."""
    return beta2 * v + (1 - beta2) * g * 2


@wrong("v")
def g_not_squared(v, g, beta2):
    """Your second moment averages the gradient, not its square. Its root is not a number where the
    gradients are negative."""
    return beta2 * v + (1 - beta2) * g


@wrong("v")
def g_abs_not_squared(v, g, beta2):
    """Your second moment averages the gradient's absolute value, not its square."""
    return beta2 * v + (1 - beta2) * abs(g)


@wrong("m")
def m_without_brackets(m, g, beta1):
    """Brackets are missing in your first moment: beta1 * m + 1 - beta1 * g adds 1 and takes a share
    of the gradient away. The share of the gradient is (1 - beta1)."""
    return beta1 * m + 1 - beta1 * g


@wrong("v")
def v_without_brackets(v, g, beta2):
    """Brackets are missing in your second moment: beta2 * v + 1 - beta2 * g**2 adds 1 and takes a
    share of the square away. The share of the square is (1 - beta2)."""
    return beta2 * v + 1 - beta2 * g * g


@wrong("v")
def v_share_squared(v, g, beta2):
    """You square the share together with the gradient: ((1 - beta2) * g)**2. Only the gradient is
    squared: (1 - beta2) * g**2."""
    return beta2 * v + ((1 - beta2) * g) ** 2


@wrong("v")
def v_squared_after(v, g, beta2):
    """You square the whole average. Square the gradient, then average: the mean of the squares is
    not the square of the mean, in which gradients of opposite sign cancel."""
    return (beta2 * v + (1 - beta2) * g) ** 2


@wrong("v", "denominator")
def abs_under_root(v, g, beta2, bias2, eps):
    """Your second moment averages the gradient, not its square, and you take the absolute value of
    that under the root. It hides the NaN that would have told you. Square first: in an average of
    gradients those of opposite sign cancel."""
    v = beta2 * v + (1 - beta2) * g
    return v, np.sqrt(abs(v / bias2)) + eps


@wrong("v")
def old_v_squared(v, g, beta2):
    """You square the old second moment too. It is an average of squares already; only the new
    gradient is squared."""
    return beta2 * v * v + (1 - beta2) * g * g


@wrong("v")
def v_with_beta1(v, g, beta1):
    """Your second moment decays with beta1. It has a decay of its own, beta2, closer to 1."""
    return beta1 * v + (1 - beta1) * g * g


@wrong("m")
def m_with_beta2(m, g, beta2):
    """Your first moment decays with beta2. It has a decay of its own, beta1, further from 1."""
    return beta2 * m + (1 - beta2) * g


@wrong("v")
def m_squared_in_v(v, m, beta2):
    """Your second moment averages the square of the first moment. It is the mean of the squared
    gradient, not the square of the mean."""
    return beta2 * v + (1 - beta2) * m * m


@wrong("v")
def v_around_mean(v, m, g, beta2):
    """Your second moment subtracts the mean from the gradient before it squares. That is a
    variance, as in AdaBelief; Adam's second moment is not centred."""
    return beta2 * v + (1 - beta2) * (g - m) ** 2


@wrong("v")
def v_shared(v, g, beta2):
    """All your parameters share one second moment, the mean over their squared gradients. Each
    needs its own: that is what gives each its own step size."""
    return beta2 * v + (1 - beta2) * np.mean(g * g)


@wrong("v")
def v_of_dot_product(v, g, beta2):
    """Your second moment takes the gradient's dot product with itself, one number for all
    parameters. The square is meant coordinate by coordinate: g * g."""
    return beta2 * v + (1 - beta2) * np.sum(g * g)


@wrong("beta1", "beta2")
def betas_swapped(beta1, beta2):
    """beta1 and beta2 are swapped. beta1, 0.9, belongs to the first moment, the average of the
    gradient; beta2, 0.999, to the second."""
    return beta2, beta1


FIRST_MOMENT = (
    m_without_share,
    m_shares_swapped,
    m_forgets,
    m_with_beta2,
    m_never_decays,
    m_without_brackets,
    returned.m_not_returned,
)
SECOND_MOMENT = (
    g_not_squared,
    old_v_squared,
    v_without_brackets,
    v_share_squared,
    v_squared_after,
    v_without_share,
    v_shares_swapped,
    v_forgets,
    v_never_decays,
    v_of_double,
    g_abs_not_squared,
    v_with_beta1,
    m_squared_in_v,
    v_around_mean,
    v_shared,
    v_of_dot_product,
    returned.v_not_returned,
)
