"""Mistakes in the moments and their correction: Adam's, and those of its relatives."""
# mypy: allow-untyped-defs

import numpy as np

from ..mistake import wrong

# The averages


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


# The correction


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


# What comes back


@wrong("returned m", "returned v")
def state_not_returned(m_before, v_before):
    """You return the moments that you were given, not the new ones: the next step would start from
    the old state."""
    return m_before, v_before


@wrong("returned m")
def m_not_returned(m_before):
    """You return the first moment that you were given, not the new one."""
    return m_before


@wrong("returned m")
def buffer_not_returned(m_before):
    """You return the buffer that you were given, not the new one: the next step would know nothing
    of this gradient."""
    return m_before


@wrong("returned v")
def v_not_returned(v_before):
    """You return the second moment that you were given, not the new one."""
    return v_before


@wrong("returned m", "returned v")
def corrected_returned(m_hat, v_hat):
    """What you hand on are the corrected moments. The next step must go on from m and v themselves,
    or the correction is applied again and again."""
    return m_hat, v_hat


@wrong("returned v")
def v_hat_returned(v_hat):
    """What you hand on as v is the corrected second moment. The next step must go on from v itself,
    or the correction is applied again and again."""
    return v_hat


@wrong("returned m")
def m_hat_returned(m_hat):
    """What you hand on as m is the corrected first moment. The next step must go on from m itself,
    or the correction is applied again and again."""
    return m_hat


@wrong("returned v")
def root_returned(v):
    """What you hand on as v is its root. The next step must go on from v itself: the root serves
    this step alone."""
    return np.sqrt(v)


@wrong("returned v")
def corrected_root_returned(v_hat):
    """What you hand on as v is its root, after the correction. The next step must go on from v
    itself: correction and root serve this step alone."""
    return np.sqrt(v_hat)


@wrong("returned v")
def denominator_returned(v_hat, eps):
    """What you leave in v is the whole denominator, corrected, with its root taken and epsilon
    added. The next step must go on from v itself: give the denominator a tensor of its own."""
    return np.sqrt(v_hat) + eps


@wrong("returned m", "returned v")
def moments_returned_swapped(m, v):
    """The two moments are returned in the wrong order: x, then m, then v."""
    return v, m


FIRST_MOMENT = (
    m_without_share,
    m_shares_swapped,
    m_forgets,
    m_with_beta2,
    m_never_decays,
    m_without_brackets,
    m_not_returned,
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
    v_not_returned,
)
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
TWO_CORRECTIONS = (not_corrected, corrected_as_at_first, correction_multiplies, corrected_returned)
COUNTING = (t_from_zero, t_one_too_many)
