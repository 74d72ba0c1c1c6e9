"""The exercise to make Adam fail."""
# mypy: allow-untyped-defs

from collections.abc import Mapping, Sequence
from typing import Any

from ...rules import SGD, Adam
from ..challenge import Challenge, Flaw, is_number

STEPS = 3000


def _end(rule: Adam | SGD, slopes: Sequence[float]) -> float:
    """Return where a rule ends on [-1, 1] under slopes that repeat, with a rate as 1/sqrt(t)."""
    x, *slots = 0.0, *rule.init(0.0)
    for t in range(1, STEPS + 1):
        before = x
        x, *slots = rule.update(t, x, float(slopes[(t - 1) % len(slopes)]), *slots)
        x = min(max(before + (x - before) / t**0.5, -1.0), 1.0)
    return x


def _measure(slopes: Sequence[float], beta2: float) -> Mapping[str, Any]:
    mean = sum(map(float, slopes)) / len(slopes)
    largest = max(abs(float(slope)) for slope in slopes)
    return {
        "mean": mean,
        "adam": _end(Adam(lr=0.5, beta1=0.0, beta2=float(beta2)), slopes),
        "sgd": _end(SGD(lr=0.5 / largest) if largest else SGD(), slopes),
        "steps": STEPS,
    }


@Flaw
def slopes_are_no_list(slopes):
    """slopes must be a list of two to ten numbers; they repeat in this order for ever."""
    try:
        return not 2 <= len(slopes) <= 10 or not all(map(is_number, slopes))
    except TypeError:
        return True


@Flaw
def beta2_outside(beta2):
    """beta2 must be a number, at least 0 and below 1."""
    return not is_number(beta2) or not 0 <= float(beta2) < 1


@Flaw
def all_slopes_zero(slopes):
    """All your slopes are zero: nobody would move, and nobody be wrong."""
    return not any(map(float, slopes))


@Flaw
def one_sign_only(slopes):
    """Your slopes all have the same sign. Then any method finds the way; some must point against
    the mean."""
    return min(map(float, slopes)) >= 0 or max(map(float, slopes)) <= 0


@Flaw
def mean_not_positive(mean):
    """The mean of your slopes is not above 0, so -1 is not the best point. The loss of step t is
    slope * x; over one round the slopes must add up to more than 0."""
    return mean <= 1e-9


@Flaw
def sgd_fails_too(sgd):
    """Gradient descent does not reach -1 either, so the trouble is not Adam's. Give the mean slope
    more weight."""
    return sgd > -0.9


@Flaw
def adam_succeeds(adam):
    """Adam ends on the right side. Let it forget the large slope before the next one comes: what
    are a large slope and many small ones worth after each has been divided by the root of v?"""
    return adam <= 0


@Flaw
def adam_is_undecided(adam):
    """Adam ends on the wrong side, but not at its end. You are close: a little more."""
    return adam < 0.9


make_adam_fail = Challenge(
    signature="make_adam_fail()",
    returns=("slopes", "beta2"),
    statement="On the interval from -1 to 1, the loss of step t is slope * x, and the slopes "
    "repeat. Return a list of two to ten slopes with a mean above 0, so that -1 is the "
    "best point, and a beta2, so that Adam without momentum (beta1 = 0) ends at +1, the "
    "worst.",
    read="amsgrad",
    measure=_measure,
    flaws=(
        slopes_are_no_list,
        beta2_outside,
        all_slopes_zero,
        one_sign_only,
        mean_not_positive,
        sgd_fails_too,
        adam_succeeds,
        adam_is_undecided,
    ),
    said="The mean slope is {mean:.3g}. After {steps} steps gradient descent is at {sgd:.2f} and "
    "Adam at {adam:.2f}.",
)
