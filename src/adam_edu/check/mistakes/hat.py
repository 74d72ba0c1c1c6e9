"""Mistakes in Adam with epsilon hat, the form of Keras and TensorFlow."""
# mypy: allow-untyped-defs

from ...ops import sqrt
from ..mistake import wrong
from . import bias_correction, moments, returned, steps


@wrong("denominator")
def algorithm_1(v, eps, bias2):
    """This is Algorithm 1: your epsilon is added to the root of the corrected moment. Epsilon hat
    is added to the root of v as it is, and the correction multiplies the quotient."""
    return sqrt(v) + eps * sqrt(bias2)


@wrong("rate")
def rate_upside_down(lr, bias1, bias2):
    """The correction in your rate is upside down: sqrt(1 - beta2**t) stands above, 1 - beta1**t
    below."""
    return lr * bias1 / sqrt(bias2)


@wrong("rate")
def rate_without_power(lr, beta1, beta2):
    """The power t is missing in your rate: 1 - beta is right at the first step alone."""
    return lr * sqrt(1 - beta2) / (1 - beta1)


@wrong("denominator", "change")
def corrected_twice(m, v, rate, bias1, bias2, eps):
    """You correct both moments, and the rate for them as well. In this form m and v stay as they
    are, and the rate has the whole correction."""
    return sqrt(v / bias2) + eps, -rate * (m / bias1) / (sqrt(v / bias2) + eps)


@wrong("change")
def m_corrected_twice(m, rate, bias1, denominator):
    """Your m is corrected twice: itself, and in the rate. In this form the rate has the whole
    correction."""
    return -rate * (m / bias1) / denominator


HAT = (
    algorithm_1,
    rate_upside_down,
    rate_without_power,
    corrected_twice,
    m_corrected_twice,
    *bias_correction.COUNTING,
    steps.eps_missing,
    *steps.DIRECTION,
    moments.betas_swapped,
    *moments.FIRST_MOMENT,
    *moments.SECOND_MOMENT,
    returned.state_not_returned,
)
