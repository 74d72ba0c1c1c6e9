"""Mistakes in AdaGrad, RMSProp and AdaDelta, which divide by the root of squared gradients."""
# mypy: allow-untyped-defs

import numpy as np

from ...ops import sqrt
from ..mistake import wrong
from . import moments, returned, steps

# AdaGrad


@wrong("s")
def sum_forgets(g):
    """Your sum is the last square alone. Each square is added to those before."""
    return g * g


@wrong("s")
def sum_of_g(s, g):
    """Your sum adds the gradient, not its square."""
    return s + g


@wrong("s")
def sum_of_double(s, g):
    """Your sum adds g * 2, twice the gradient. Its square is g * g, or g**2."""
    return s + g * 2


@wrong("s")
def sum_of_abs(s, g):
    """Your sum adds the gradient's absolute value, not its square."""
    return s + abs(g)


@wrong("s")
def sum_is_average(s, g):
    """Your sum decays, as RMSProp's average does. AdaGrad's sum forgets nothing."""
    return 0.9 * s + 0.1 * g * g


@wrong("s")
def sum_shared(s, g):
    """All your parameters share one sum. Each needs its own: that is what gives each its rate."""
    return s + np.sum(g * g)


@wrong("denominator")
def old_sum_divides(s_before, eps):
    """Your step is divided by the root of the old sum. The new square goes in first; else the first
    step divides by epsilon alone."""
    return sqrt(s_before) + eps


@wrong("s", "denominator")
def square_of_sum(s, g, eps):
    """Your slot adds up gradients and is squared later: (sum of g) squared. Asked for is the sum of
    the squares."""
    return s + g, abs(s + g) + eps


@wrong("change")
def step_not_divided(g, lr):
    """Your step is not divided by the root: it is that of SGD."""
    return -lr * g


@wrong("returned s")
def sum_not_returned(s_before):
    """You return the sum that you were given, not the new one."""
    return s_before


_ROOT_OF_S = tuple(
    mistake.on(v_hat="s", m_hat="g")
    for mistake in (
        steps.eps_inside_root,
        steps.root_missing,
        steps.eps_missing,
        steps.eps_squared_inside_root,
        steps.eps_squared,
        steps.eps_rooted,
        steps.eps_is_maximum,
        steps.product_not_quotient,
        steps.eps_added_to_x,
        steps.eps_added_to_quotient,
        steps.half_not_root,
        steps.nothing_above,
    )
)


@wrong("returned s")
def root_of_sum_returned(s):
    """What you hand on as s is its root. The next step must go on from the sum itself: the root
    serves this step alone."""
    return sqrt(s)


ADAGRAD = (
    *steps.DIRECTION,
    sum_forgets,
    sum_of_g,
    sum_of_abs,
    sum_of_double,
    sum_is_average,
    sum_shared,
    old_sum_divides,
    square_of_sum,
    step_not_divided,
    *_ROOT_OF_S,
    sum_not_returned,
    root_of_sum_returned,
)

# RMSProp


@wrong("v")
def average_is_sum(v, g):
    """Your average adds up the squares and forgets none, as AdaGrad does."""
    return v + g * g


@wrong("denominator")
def old_average_divides(v_before, eps):
    """Your step is divided by the root of the old average. The new square goes in first; else the
    first step divides by epsilon alone."""
    return sqrt(v_before) + eps


@wrong("v", "denominator")
def abs_under_root(v, g, rho, eps):
    """Your average is one of gradients, not of their squares, and you take its absolute value under
    the root. It hides the NaN that would have told you. Square first: in an average of gradients
    those of opposite sign cancel, and its root does not have the gradient's unit."""
    v = rho * v + (1 - rho) * g
    return v, sqrt(abs(v)) + eps


@wrong("v", "denominator")
def abs_of_average(v, g, rho, eps):
    """Your average is one of gradients, and you divide by its absolute value. Square before you
    average and take the root after: in an average of gradients those of opposite sign cancel, and
    the step becomes endless where they do."""
    v = rho * v + (1 - rho) * g
    return v, abs(v) + eps


AVERAGE = tuple(
    mistake.on(beta2="rho")
    for mistake in (
        moments.g_not_squared,
        moments.old_v_squared,
        moments.v_without_brackets,
        moments.v_share_squared,
        moments.v_squared_after,
        moments.v_without_share,
        moments.v_shares_swapped,
        moments.v_forgets,
        moments.v_never_decays,
        moments.v_of_double,
        moments.g_abs_not_squared,
        moments.v_shared,
        moments.v_of_dot_product,
        returned.v_not_returned,
    )
)

RMSPROP = (
    *steps.DIRECTION,
    *AVERAGE,
    average_is_sum,
    old_average_divides,
    step_not_divided,
    *(
        mistake.on(v_hat="v", m_hat="g")
        for mistake in (
            steps.eps_inside_root,
            steps.root_missing,
            steps.eps_missing,
            steps.eps_squared_inside_root,
            steps.eps_squared,
            steps.eps_rooted,
            steps.eps_is_maximum,
            steps.product_not_quotient,
            steps.eps_added_to_x,
            steps.eps_added_to_quotient,
            steps.half_not_root,
            steps.nothing_above,
        )
    ),
    abs_under_root,
    abs_of_average,
    returned.root_returned,
)

# AdaDelta


@wrong("delta")
def roots_upside_down(v, d, g, eps):
    """Your two roots are upside down. The root of the steps d stands above that of the gradients v,
    so that the result has the unit of a step."""
    return sqrt(v + eps) / sqrt(d + eps) * g


@wrong("delta")
def roots_missing(v, d, g, eps):
    """The roots are missing: d and v are of the size of squares."""
    return (d + eps) / (v + eps) * g


@wrong("delta")
def eps_outside_roots(v, d, g, eps):
    """Epsilon is outside your roots. In AdaDelta it is inside both, and the size of the first step
    depends on it."""
    return (sqrt(d) + eps) / (sqrt(v) + eps) * g


@wrong("delta")
def eps_outside_above(v, d, g, eps):
    """Epsilon is outside the root above the line and inside the one below. In AdaDelta it is inside
    both. Above, outside, it makes the first step as long as epsilon, where the root of epsilon is
    meant: with the default of 1e-6 that is a thousand times too short."""
    return (sqrt(d) + eps) / sqrt(v + eps) * g


@wrong("delta")
def eps_outside_below(v, d, g, eps):
    """Epsilon is outside the root below the line, as in RMSProp, and inside the one above. In
    AdaDelta it is inside both, so that the quotient is 1 before anything has been seen."""
    return sqrt(d + eps) / (sqrt(v) + eps) * g


@wrong("delta")
def eps_outside_below_only(v, d, g, eps):
    """Epsilon stands below the line alone, and outside the root. It belongs inside both roots.
    Above, d starts at zero, so that without it the first step is zero, and so is every later
    one."""
    return sqrt(d) / (sqrt(v) + eps) * g


@wrong("delta")
def eps_outside_above_only(v, d, g, eps):
    """Epsilon stands above the line alone, and outside the root. It belongs inside both roots:
    below, you divide by zero where gradients have always been zero."""
    return (sqrt(d) + eps) / sqrt(v) * g


@wrong("delta")
def root_missing_below(v, d, g, eps):
    """The root below the line is missing: v is of the size of a squared gradient, and only its root
    cancels the unit of g."""
    return sqrt(d + eps) / (v + eps) * g


@wrong("delta")
def root_missing_above(v, d, g, eps):
    """The root above the line is missing: d is of the size of a squared step, and a step is
    meant."""
    return (d + eps) / sqrt(v + eps) * g


@wrong("delta")
def delta_without_g(v, d, eps):
    """Your step has no gradient in it: the quotient of the roots says how long it is for each unit
    of g, and is multiplied by g."""
    return sqrt(d + eps) / sqrt(v + eps)


@wrong("delta")
def no_units(v, g, eps):
    """Your step is that of RMSProp: the root of the earlier steps d is missing above the line."""
    return g / sqrt(v + eps)


@wrong("delta")
def eps_below_only(v, d, g, eps):
    """Epsilon is missing above the line. Since d starts at zero, the first step is zero, and so is
    every later one."""
    return sqrt(d) / sqrt(v + eps) * g


@wrong("delta")
def eps_above_only(v, d, g, eps):
    """Epsilon is missing below the line: where gradients have always been zero you divide by
    zero."""
    return sqrt(d + eps) / sqrt(v) * g


@wrong("d")
def steps_not_squared(d, delta, rho):
    """Your d averages the steps themselves; it should average their squares."""
    return rho * d + (1 - rho) * delta


@wrong("d")
def d_of_gradients(d, g, rho):
    """Your d averages the squared gradients. That is v; d averages the squared *steps*."""
    return rho * d + (1 - rho) * g * g


@wrong("d")
def d_forgets(delta, rho):
    """Your d does not contain the old one."""
    return (1 - rho) * delta * delta


@wrong("d")
def d_without_share(d, delta, rho):
    """Your d adds the whole square of the step. An average takes the share 1 - rho of it."""
    return rho * d + delta * delta


@wrong("d")
def d_shares_swapped(d, delta, rho):
    """The shares in your d are swapped: rho belongs to the past, 1 - rho to the new step."""
    return (1 - rho) * d + rho * delta * delta


@wrong("d")
def lr_in_d(d, delta, lr, rho):
    """Your d averages steps that the learning rate has already shortened. It goes in before."""
    return rho * d + (1 - rho) * (lr * delta) ** 2


@wrong("returned d")
def d_not_returned(d_before):
    """You return the average of squared steps that you were given, not the new one."""
    return d_before


ADADELTA = (
    *steps.DIRECTION,
    *AVERAGE,
    average_is_sum,
    roots_upside_down,
    roots_missing,
    eps_outside_roots,
    eps_outside_above,
    eps_outside_below,
    eps_outside_below_only,
    eps_outside_above_only,
    root_missing_below,
    root_missing_above,
    delta_without_g,
    no_units,
    eps_below_only,
    eps_above_only,
    steps.eps_missing,
    steps_not_squared,
    d_of_gradients,
    d_forgets,
    d_without_share,
    d_shares_swapped,
    lr_in_d,
    d_not_returned,
)
