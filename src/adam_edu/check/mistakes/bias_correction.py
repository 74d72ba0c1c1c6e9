"""Mistakes in the bias correction, and in the counting of steps."""
# mypy: allow-untyped-defs

from ..mistake import wrong
from . import returned


@wrong("m_hat", "v_hat")
def not_corrected(m, v):
    """Neither moment is corrected. Both start at zero and are too small at first; since the root is
    taken of one of them only, your first step is 3.16 times too long with the default betas."""
    return m, v


@wrong("m_hat")
def m_hat_not_corrected(m):
    """Your first moment is not corrected. It starts at zero, so after the first step it is only
    1 - beta1 of the gradient."""
    return m


@wrong("v_hat")
def v_hat_not_corrected(v):
    """Your second moment is not corrected. It starts at zero, so after the first step it is only
    1 - beta2 of the squared gradient, and the step that it divides is far too long."""
    return v


@wrong("m_hat", "v_hat")
def corrected_as_at_first(m, v, beta1, beta2):
    """Your corrections divide by 1 - beta at every step, with no power of t. That is right at the
    first step alone. (It was so in ML-From-Scratch, issue 35.)"""
    return m / (1 - beta1), v / (1 - beta2)


@wrong("m_hat", "v_hat")
def correction_multiplies(m, v, bias1, bias2):
    """Your corrections multiply. The moments are too small at first, so they must be divided by
    1 - beta**t, which makes them larger. (It was so in ConvNetJS, issue 107.)"""
    return m * bias1, v * bias2


@wrong("v_hat")
def v_hat_with_beta1(v, t, beta1):
    """Your second moment is corrected with beta1. It was averaged with beta2, and must be corrected
    with the same."""
    return v / (1 - beta1**t)


@wrong("m_hat", "v_hat")
def old_moments_corrected(m_before, v_before, bias1, bias2):
    """You correct the moments that you were given. The new gradient goes in first: m_hat and v_hat
    are made of the new m and v."""
    return m_before / bias1, v_before / bias2


@wrong("t")
def t_from_zero(t):
    """Your correction counts steps from 0. The first step is t = 1; at t = 0 the correction
    1 - beta**t would divide by zero."""
    return t - 1


FIRST_CORRECTION = (m_hat_not_corrected,)
SECOND_CORRECTION = (
    v_hat_not_corrected,
    v_hat_with_beta1,
)
TWO_CORRECTIONS = (
    not_corrected,
    corrected_as_at_first,
    correction_multiplies,
    returned.corrected_returned,
)
COUNTING = (t_from_zero,)
