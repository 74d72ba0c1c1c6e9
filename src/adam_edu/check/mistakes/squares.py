"""Mistakes in AdaGrad, RMSProp and AdaDelta, which divide by the root of squared gradients."""
# mypy: allow-untyped-defs

import numpy as np

from ...ops import sqrt
from ..mistake import wrong
from . import moments, steps

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
        steps.product_not_quotient,
        steps.eps_added_to_x,
    )
)

ADAGRAD = (
    *steps.DIRECTION,
    sum_forgets,
    sum_of_g,
    sum_of_abs,
    sum_is_average,
    sum_shared,
    old_sum_divides,
    square_of_sum,
    step_not_divided,
    *_ROOT_OF_S,
    sum_not_returned,
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


AVERAGE = tuple(
    mistake.on(beta2="rho")
    for mistake in (
        moments.g_not_squared,
        moments.v_without_share,
        moments.v_shares_swapped,
        moments.v_forgets,
        moments.g_abs_not_squared,
        moments.v_shared,
        moments.v_of_dot_product,
        moments.v_not_returned,
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
            steps.product_not_quotient,
            steps.eps_added_to_x,
        )
    ),
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
