"""Mistakes in the moving averages: of Adam, and of its relatives."""
# mypy: allow-untyped-defs

import numpy as np

from ..mistake import wrong


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


@wrong("v")
def g_not_squared(v, g, beta2):
    """Your second moment averages the gradient, not its square. Its root is not a number where the
    gradients are negative."""
    return beta2 * v + (1 - beta2) * g


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


@wrong("beta1", "beta2")
def betas_swapped(beta1, beta2):
    """beta1 and beta2 are swapped. beta1, 0.9, belongs to the first moment, the average of the
    gradient; beta2, 0.999, to the second."""
    return beta2, beta1


FIRST_MOMENT = (m_without_share,)
SECOND_MOMENT = (
    g_not_squared,
    v_squared_after,
    v_without_share,
)
