"""Mistakes in the step itself: its direction, its rate, and what divides it."""
# mypy: allow-untyped-defs

import numpy as np

from ...ops import maximum, sqrt
from ..mistake import wrong


@wrong("x")
def ascent(x, change):
    """Your step goes up the slope. The gradient points the way in which the loss rises; subtract
    the step."""
    return x - change


@wrong("returned x")
def change_returned(change):
    """You return the change of x, not the new x."""
    return change


@wrong("returned x")
def step_returned(change):
    """You return the step itself. Asked for is the new x: x minus the step."""
    return -change


@wrong("returned x")
def x_not_changed(x_before):
    """You return the x that you were given: the step was computed but not taken."""
    return x_before


@wrong("lr")
def lr_missing():
    """The learning rate is not used: your step is as long as with a rate of 1."""
    return 1.0


@wrong("lr")
def lr_divides(lr):
    """Your step is divided by the learning rate. A larger rate must make a longer step."""
    return 1 / lr


@wrong("lr")
def lr_over_root_of_t(lr, t):
    """Your rate is divided by the root of t. The paper's proof and its logistic regression have
    that as a schedule; the rate that you are given is the one to use in this step."""
    return lr / t**0.5


@wrong("eps")
def eps_missing():
    """Epsilon is not used. Where the gradient has always been zero, your step is 0 / 0."""
    return 0.0


@wrong("denominator")
def eps_inside_root(v_hat, eps):
    """Epsilon is inside the root. It is added to the root: sqrt(v_hat) + eps. Inside, an epsilon of
    1e-8 acts as one of 1e-4 would. (The Adam of Dive into Deep Learning's Chinese edition had it
    there, issue 502.)"""
    return sqrt(v_hat + eps)


@wrong("denominator")
def eps_before_correction(v_hat, bias2, eps):
    """Epsilon is added to sqrt(v) before the correction, and is scaled with it: at the first step
    it acts as one 30 times as large. That is the paper's "epsilon hat", which would have to be
    eps * sqrt(1 - beta2**t). (TensorFlow's issue 9047, PyTorch's 22628 and nanochat's 304 are about
    it.)"""
    return sqrt(v_hat) + eps / sqrt(bias2)


@wrong("denominator")
def root_missing(v_hat, eps):
    """The root is missing. v_hat is of the size of a squared gradient; only its root has the
    gradient's unit, so that their quotient has none."""
    return v_hat + eps


@wrong("denominator")
def eps_squared_inside_root(v_hat, eps):
    """You add epsilon squared under the root. Alone under a root it would be epsilon again, but the
    root of a sum is not the sum of the roots: where sqrt(v_hat) is as large as epsilon, you divide
    by 1.4 times epsilon, and the algorithm by 2. Add epsilon to the root: sqrt(v_hat) + eps."""
    return sqrt(v_hat + eps * eps)


@wrong("denominator")
def eps_is_maximum(v_hat, eps):
    """You divide by the larger of the root and epsilon. That guards against zero as well; asked for
    is the sum of the two, as in the paper."""
    return maximum(sqrt(v_hat), eps)


@wrong("denominator")
def half_not_root(v_hat, eps):
    """v_hat**1/2 is half of v_hat: the power comes before the division. Write v_hat**0.5, or
    sqrt(v_hat)."""
    return v_hat / 2 + eps


@wrong("denominator", "change")
def moments_upside_down(m_hat, v_hat, lr, eps):
    """Your quotient is upside down: the second moment stands above the root of the first."""
    return sqrt(m_hat) + eps, -lr * v_hat / (sqrt(m_hat) + eps)


@wrong("change")
def eps_added_to_x(m_hat, v_hat, lr, eps):
    """Epsilon is added to the parameter, not to the denominator: a bracket is missing around
    sqrt(v_hat) + eps."""
    return -lr * m_hat / sqrt(v_hat) + eps


@wrong("change")
def eps_added_to_quotient(m_hat, v_hat, lr, eps):
    """Epsilon is added to the quotient, not to what divides: brackets are missing around
    sqrt(v_hat) + eps."""
    return -lr * (m_hat / sqrt(v_hat) + eps)


@wrong("change")
def whole_division(m_hat, denominator, lr):
    """Your step uses //, which cuts off the fraction of a quotient. Divide with one stroke."""
    return -lr * (m_hat // denominator)


@wrong("change")
def sign_of_step(m_hat, lr):
    """Your step is the sign of the first moment times the rate: all lengths are alike. The root of
    the second moment belongs below it."""
    return -lr * np.sign(m_hat)


DIRECTION = (ascent, change_returned, step_returned, x_not_changed, lr_missing, lr_divides)
DENOMINATOR = (
    eps_inside_root,
    eps_before_correction,
    root_missing,
    eps_missing,
    eps_squared_inside_root,
    eps_is_maximum,
    half_not_root,
)
