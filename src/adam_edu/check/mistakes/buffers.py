"""Mistakes in SGD and in the buffer of momentum and of Nesterov's method."""
# mypy: allow-untyped-defs

from ..mistake import wrong
from . import steps

SGD = (*steps.DIRECTION,)


@wrong("m", "change")
def lr_in_buffer(m, g, lr, momentum):
    """The learning rate is inside your buffer. Polyak and Keras have it there, and while the rate
    is constant the path is the same; but asked for is the buffer of gradients, and under a schedule
    the two differ."""
    return momentum * m + lr * g, -(momentum * m + lr * g)


@wrong("m", "change")
def buffer_has_minus(m, g, lr, momentum):
    """Your buffer has the opposite sign: it adds up the way down. The path is right the first time;
    but asked for is the buffer of gradients, momentum * m + g."""
    return momentum * m - g, lr * (momentum * m - g)


@wrong("m", "change")
def steps_in_buffer(m, g, lr, momentum):
    """Your buffer holds steps, with the rate and the minus in them, as in Keras. The path is the
    same while the rate is constant; but asked for is the buffer of gradients, momentum * m + g, and
    under a schedule the two differ."""
    m = momentum * m - lr * g
    return m, m


@wrong("m")
def buffer_shares_swapped(m, g, momentum):
    """Your buffer keeps the share 1 - momentum of the past and takes the share momentum of the
    gradient: that is an average, with its shares swapped. Asked for is the sum
    momentum * m + g."""
    return (1 - momentum) * m + momentum * g


@wrong("change")
def step_with_old_buffer(m_before, lr):
    """Your step uses the buffer that you were given. The new gradient goes into the buffer first,
    then the step is taken with the new one."""
    return -lr * m_before


@wrong("change")
def looks_ahead(m, g, lr, momentum):
    """Your step looks ahead, as Nesterov's does. Plain momentum steps along the buffer."""
    return -lr * (g + momentum * m)


@wrong("change")
def momentum_on_g_ahead(m, g, lr, momentum):
    """momentum multiplies the gradient in your step. It multiplies the buffer, and the gradient is
    added whole: the next buffer would be momentum * m + g."""
    return -lr * (m + momentum * g)


@wrong("change")
def brackets_missing_for_g(m, g, lr, momentum):
    """Brackets are missing in your step: the rate multiplies the buffer alone, and the gradient is
    added, with the wrong sign. The rate multiplies all of (momentum * m + g)."""
    return -lr * momentum * m + g


@wrong("returned m")
def ahead_kept(m, g, momentum):
    """You keep the buffer of the look ahead. It serves this step alone; the next one must go on
    from m, in which this gradient is once."""
    return momentum * m + g


MOMENTUM = (
    *steps.DIRECTION,
    buffer_shares_swapped,
    lr_in_buffer,
    buffer_has_minus,
    steps_in_buffer,
    step_with_old_buffer,
    looks_ahead,
)
NESTEROV = (
    *steps.DIRECTION,
    momentum_on_g_ahead,
    brackets_missing_for_g,
    ahead_kept,
    buffer_shares_swapped,
)
