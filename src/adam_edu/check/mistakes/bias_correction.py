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


@wrong("m_hat")
def m_hat_as_at_first(m, beta1):
    """Your first moment is divided by 1 - beta1 at every step. The zero that it started from fades
    as beta1**t: divide by 1 - beta1**t."""
    return m / (1 - beta1)


@wrong("v_hat")
def v_hat_as_at_first(v, beta2):
    """Your second moment is divided by 1 - beta2 at every step. The zero that it started from fades
    as beta2**t: divide by 1 - beta2**t."""
    return v / (1 - beta2)


@wrong("m_hat", "v_hat")
def correction_multiplies(m, v, bias1, bias2):
    """Your corrections multiply. The moments are too small at first, so they must be divided by
    1 - beta**t, which makes them larger. (It was so in ConvNetJS, issue 107.)"""
    return m * bias1, v * bias2


@wrong("m_hat")
def m_hat_multiplied(m, bias1):
    """The correction of your first moment multiplies. The moment is too small at first, so it must
    be divided by 1 - beta1**t."""
    return m * bias1


@wrong("v_hat")
def v_hat_multiplied(v, bias2):
    """The correction of your second moment multiplies. The moment is too small at first, so it must
    be divided by 1 - beta2**t."""
    return v * bias2


@wrong("m_hat")
def m_hat_with_beta2(m, t, beta2):
    """Your first moment is corrected with beta2. It was averaged with beta1, and must be corrected
    with the same."""
    return m / (1 - beta2**t)


@wrong("v_hat")
def v_hat_with_beta1(v, t, beta1):
    """Your second moment is corrected with beta1. It was averaged with beta2, and must be corrected
    with the same."""
    return v / (1 - beta1**t)


@wrong("m_hat")
def m_hat_times_t(m, t, beta1):
    """The correction of your first moment has beta1 * t where the power beta1**t is meant."""
    return m / (1 - beta1 * t)


@wrong("v_hat")
def v_hat_times_t(v, t, beta2):
    """The correction of your second moment has beta2 * t where the power beta2**t is meant."""
    return v / (1 - beta2 * t)


@wrong("m_hat")
def m_hat_power_outside(m, t, beta1):
    """The power in the correction of your first moment stands outside the brackets: (1 - beta1)**t.
    What fades with t is the zero that the moment started from, as beta1**t."""
    return m / (1 - beta1) ** t


@wrong("v_hat")
def v_hat_power_outside(v, t, beta2):
    """The power in the correction of your second moment stands outside the brackets:
    (1 - beta2)**t. What fades with t is the zero that the moment started from, as beta2**t."""
    return v / (1 - beta2) ** t


@wrong("m_hat")
def m_hat_without_brackets(m, t, beta1):
    """Brackets are missing in the correction of your first moment: m / 1 - beta1**t is m minus a
    power. Divide by (1 - beta1**t)."""
    return m / 1 - beta1**t


@wrong("v_hat")
def v_hat_without_brackets(v, t, beta2):
    """Brackets are missing in the correction of your second moment: v / 1 - beta2**t is v minus a
    power. Divide by (1 - beta2**t)."""
    return v / 1 - beta2**t


@wrong("m_hat")
def m_hat_over_power(m, t, beta1):
    """You divide your first moment by beta1**t. That is the share of the zero in it. Divide by the
    share of the gradients, the rest: 1 - beta1**t."""
    return m / beta1**t


@wrong("v_hat")
def v_hat_over_power(v, t, beta2):
    """You divide your second moment by beta2**t. That is the share of the zero in it. Divide by the
    share of the squares, the rest: 1 - beta2**t."""
    return v / beta2**t


@wrong("v_hat")
def v_hat_over_root(v, bias2):
    """You divide your second moment by the root of its correction, and take the root of the result
    again. The root comes once, after the correction: sqrt(v / (1 - beta2**t))."""
    return v / bias2**0.5


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


@wrong("t")
def t_one_too_many(t):
    """Your correction uses t + 1. The t that you are given already counts from 1."""
    return t + 1


FIRST_CORRECTION = (
    m_hat_as_at_first,
    m_hat_not_corrected,
    m_hat_multiplied,
    m_hat_with_beta2,
    m_hat_power_outside,
    m_hat_without_brackets,
    m_hat_over_power,
)
SECOND_CORRECTION = (
    v_hat_as_at_first,
    v_hat_not_corrected,
    v_hat_multiplied,
    v_hat_with_beta1,
    v_hat_power_outside,
    v_hat_without_brackets,
    v_hat_over_power,
    v_hat_over_root,
)
TWO_CORRECTIONS = (
    not_corrected,
    corrected_as_at_first,
    correction_multiplies,
    returned.corrected_returned,
)
COUNTING = (t_from_zero, t_one_too_many)
