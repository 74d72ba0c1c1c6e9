"""Mistakes in AdaGrad, RMSProp and AdaDelta, which divide by the root of squared gradients."""
# mypy: allow-untyped-defs

from ...ops import sqrt
from ..mistake import wrong
from . import moments, steps

# AdaGrad


@wrong("s")
def sum_is_average(s, g):
    """Your sum decays, as RMSProp's average does. AdaGrad's sum forgets nothing."""
    return 0.9 * s + 0.1 * g * g


@wrong("s", "denominator")
def square_of_sum(s, g, eps):
    """Your slot adds up gradients and is squared later: (sum of g) squared. Asked for is the sum of
    the squares."""
    return s + g, abs(s + g) + eps


_ROOT_OF_S = tuple(
    mistake.on(v_hat="s", m_hat="g")
    for mistake in (
        steps.eps_inside_root,
        steps.root_missing,
        steps.eps_missing,
        steps.eps_squared_inside_root,
        steps.eps_is_maximum,
        steps.eps_added_to_x,
        steps.eps_added_to_quotient,
        steps.half_not_root,
    )
)


ADAGRAD = (
    *steps.DIRECTION,
    sum_is_average,
    square_of_sum,
    *_ROOT_OF_S,
)

# RMSProp


@wrong("v")
def average_is_sum(v, g):
    """Your average adds up the squares and forgets none, as AdaGrad does."""
    return v + g * g


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
        moments.v_squared_after,
        moments.v_without_share,
    )
)

RMSPROP = (
    *steps.DIRECTION,
    *AVERAGE,
    average_is_sum,
    *(
        mistake.on(v_hat="v", m_hat="g")
        for mistake in (
            steps.eps_inside_root,
            steps.root_missing,
            steps.eps_missing,
            steps.eps_squared_inside_root,
            steps.eps_is_maximum,
            steps.eps_added_to_x,
            steps.eps_added_to_quotient,
            steps.half_not_root,
        )
    ),
    abs_under_root,
    abs_of_average,
)

# AdaDelta


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
def no_units(v, g, eps):
    """Your step is that of RMSProp: the root of the earlier steps d is missing above the line."""
    return g / sqrt(v + eps)


ADADELTA = (
    *steps.DIRECTION,
    *AVERAGE,
    average_is_sum,
    roots_missing,
    eps_outside_roots,
    eps_outside_above,
    eps_outside_below_only,
    eps_outside_above_only,
    no_units,
    steps.eps_missing,
)
