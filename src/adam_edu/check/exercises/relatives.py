"""The exercise on the family tree: a relative of Adam, written as a change of it."""
# mypy: allow-untyped-defs

from ...recent_rules import AdaBelief
from ..mistake import wrong
from ..mistakes import moments, steps
from ..steps import step_exercise


@wrong("s")
def adabelief_is_adam(s, g, beta2):
    """Your s averages the square of the gradient: that is Adam's line. AdaBelief's averages the
    square of g - m, how far the gradient is from the one expected."""
    return beta2 * s + (1 - beta2) * g * g


@wrong("s")
def difference_of_squares(s, g, m, beta2, eps):
    """Your s averages g squared minus m squared. The difference is squared, not the parts: yours
    can be negative, and its root is then not a number."""
    return beta2 * s + (1 - beta2) * (g * g - m * m) + eps


@wrong("s")
def difference_not_squared(s, g, m, beta2, eps):
    """Your s averages the size of g - m, not its square."""
    return beta2 * s + (1 - beta2) * abs(g - m) + eps


@wrong("s")
def eps_in_the_average(s, g, m, beta2, eps):
    """Your epsilon is inside the average, where a share of 1 - beta2 of it counts. The paper adds
    it whole, beside the average, at every step."""
    return beta2 * s + (1 - beta2) * ((g - m) * (g - m) + eps)


@wrong("s")
def corrected_mean_subtracted(s, g, m, bias1, beta2, eps):
    """You subtract the corrected average. The paper subtracts m as it is kept, before its
    correction."""
    return beta2 * s + (1 - beta2) * (g - m / bias1) * (g - m / bias1) + eps


adabelief_step = step_exercise(
    "adabelief_step",
    AdaBelief,
    "Write one step of AdaBelief as a change of Adam: in the place of v stands s, an average of "
    "(g - m)**2 with the new m, to which eps is added at every step; the rest is Adam's, with s "
    "for v. Return the new x, m and s.",
    (
        adabelief_is_adam,
        difference_of_squares,
        difference_not_squared,
        eps_in_the_average,
        corrected_mean_subtracted,
        *steps.DIRECTION,
        *moments.FIRST_MOMENT,
    ),
    "family-tree",
)
