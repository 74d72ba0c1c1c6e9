"""Mistakes in Lion, whose two betas belong to one moment."""
# mypy: allow-untyped-defs

from ...ops import sign
from ..mistake import wrong
from . import relatives, steps


@wrong("change")
def sign_missing(c, decay, lr):
    """Your step is c itself. Lion takes its sign: every entry moves by the learning rate, however
    large its gradient."""
    return -decay - lr * c


@wrong("c")
def sign_of_g_alone(g):
    """Your step is the sign of the gradient: there is no memory in it. The sign is taken of a share
    beta1 of m and a share 1 - beta1 of g."""
    return 1 * g


@wrong("c")
def sign_of_m_alone(m):
    """Your step is the sign of the old moment: the gradient of this step has no part in it."""
    return 1 * m


@wrong("c")
def c_of_new_m(m, g, beta1, beta2):
    """Your c mixes the gradient with the new m, so that the gradient is counted twice. It is mixed
    with m as it was before the step."""
    return beta1 * (beta2 * m + (1 - beta2) * g) + (1 - beta1) * g


@wrong("c")
def c_shares_swapped(m, g, beta1):
    """The shares in c are swapped: beta1 belongs to m, 1 - beta1 to the gradient."""
    return (1 - beta1) * m + beta1 * g


@wrong("c")
def c_with_beta2(m, g, beta2):
    """Your c is mixed with beta2. Lion has two decay rates for one moment: beta1 mixes what the
    step sees, beta2 what is remembered."""
    return beta2 * m + (1 - beta2) * g


@wrong("m")
def m_is_c(m, g, beta1):
    """You remember c. The step and the memory are mixed differently: the new m takes the share
    1 - beta2 of the gradient."""
    return beta1 * m + (1 - beta1) * g


@wrong("m")
def m_of_sign(m, g, beta2):
    """Your m averages the sign of the gradient. It averages the gradient; the sign is taken of the
    step alone."""
    return beta2 * m + (1 - beta2) * sign(g)


@wrong("returned m")
def lion_m_not_returned(m_before):
    """You return the m that you were given, so that nothing is remembered."""
    return m_before


@wrong("change")
def sign_without_lr(c, decay):
    """Your step is the sign itself, a step of length 1: the rate is missing."""
    return -decay - sign(c)


@wrong("change")
def sign_times_size(c, g, decay, lr):
    """You multiply the sign by the gradient's size. Lion forgets all sizes: every entry moves by
    the learning rate."""
    return -decay - lr * sign(c) * abs(g)


@wrong("change")
def size_in_place_of_sign(c, decay, lr):
    """You take the size of c where its sign is meant."""
    return -decay - lr * abs(c)


@wrong("change")
def decay_inside_sign(c, x, lr, weight_decay):
    """Your weight decay is inside the sign, where only its direction is left. It stands beside the
    step, as in AdamW."""
    return -lr * sign(c + weight_decay * x)


LION = (
    steps.ascent,
    steps.change_returned,
    steps.x_not_changed,
    sign_missing,
    sign_of_g_alone,
    sign_of_m_alone,
    c_of_new_m,
    c_shares_swapped,
    c_with_beta2,
    m_is_c,
    m_of_sign,
    lion_m_not_returned,
    decay_inside_sign,
    sign_without_lr,
    sign_times_size,
    size_in_place_of_sign,
    relatives.decay_after_step,
    relatives.decay_missing,
    relatives.decay_without_lr,
    relatives.decay_grows,
)
