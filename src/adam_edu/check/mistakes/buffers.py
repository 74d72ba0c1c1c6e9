"""Mistakes in SGD and in the buffer of momentum and of Nesterov's method."""
# mypy: allow-untyped-defs

from ..mistake import wrong
from . import returned, steps

SGD = (
    *steps.DIRECTION,
    steps.sign_of_g,
    steps.step_along_g_squared,
    steps.step_multiplies_x,
    steps.step_along_abs,
    steps.step_without_g,
    steps.step_along_x,
)


@wrong("m")
def buffer_is_average(m, g, momentum):
    """Your buffer takes the share 1 - momentum of the gradient. That is the moving average of Adam;
    here the buffer is a sum, and under a constant gradient grows to g / (1 - momentum)."""
    return momentum * m + (1 - momentum) * g


@wrong("m")
def buffer_is_g(g):
    """Your buffer is the last gradient alone: it remembers nothing."""
    return 1 * g


@wrong("m")
def buffer_never_decays(m, g):
    """Your buffer adds up all gradients and forgets none. The old buffer is multiplied by momentum
    first."""
    return m + g


@wrong("m")
def momentum_on_g(m, g, momentum):
    """momentum multiplies the gradient in your buffer. It multiplies the old buffer."""
    return m + momentum * g


@wrong("m")
def buffer_decays_by_rest(m, g, momentum):
    """Your old buffer is multiplied by 1 - momentum. It is multiplied by momentum: 0.9 means that
    nine tenths are kept."""
    return (1 - momentum) * m + g


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
def lr_twice(m, g, lr, momentum):
    """The learning rate is inside your buffer and in the step as well: it counts twice. The buffer
    holds gradients, and the step multiplies it by the rate."""
    return momentum * m + lr * g


@wrong("m")
def momentum_on_both(m, g, momentum):
    """momentum multiplies the new gradient in your buffer as well. It multiplies the old buffer
    alone: brackets have slipped in."""
    return momentum * (m + g)


@wrong("m")
def buffer_shares_swapped(m, g, momentum):
    """Your buffer keeps the share 1 - momentum of the past and takes the share momentum of the
    gradient: that is an average, with its shares swapped. Asked for is the sum
    momentum * m + g."""
    return (1 - momentum) * m + momentum * g


@wrong("change")
def gradient_twice(m, g, lr):
    """Your step adds the gradient to the buffer, which has it in already."""
    return -lr * (m + g)


@wrong("change")
def momentum_on_step(m, lr, momentum):
    """Your step multiplies the buffer by momentum once more. That was done when the gradient went
    in."""
    return -lr * momentum * m


@wrong("change")
def buffer_unused(g, lr):
    """Your step follows the gradient alone: the buffer is computed, and not used."""
    return -lr * g


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
def does_not_look_ahead(m, lr):
    """Your step is that of plain momentum, along the new buffer, which is g plus momentum times the
    *old* one. Nesterov's goes on to where the next step would lead: g plus momentum times the new
    buffer."""
    return -lr * m


@wrong("change")
def looks_ahead_without_g(m, lr, momentum):
    """Your step is momentum times the buffer, without the gradient. The gradient is added."""
    return -lr * momentum * m


@wrong("change")
def momentum_on_g_ahead(m, g, lr, momentum):
    """momentum multiplies the gradient in your step. It multiplies the buffer, and the gradient is
    added whole: the next buffer would be momentum * m + g."""
    return -lr * (m + momentum * g)


@wrong("change")
def momentum_on_both_ahead(m, g, lr, momentum):
    """momentum multiplies the gradient in your step as well. The next buffer would be
    momentum * m + g: brackets have slipped in."""
    return -lr * momentum * (m + g)


@wrong("change")
def brackets_missing(m, g, lr, momentum):
    """Brackets are missing in your step: the rate multiplies the gradient alone, and the buffer is
    added, with the wrong sign. The rate multiplies all of (g + momentum * m)."""
    return -lr * g + momentum * m


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


@wrong("change")
def looks_ahead_whole(m, g, lr):
    """Your step adds the gradient to the whole buffer. The buffer is multiplied by momentum again
    before the gradient is added."""
    return -lr * (g + m)


_BUFFER = (
    buffer_is_average,
    buffer_is_g,
    buffer_never_decays,
    momentum_on_g,
    momentum_on_both,
    buffer_decays_by_rest,
    buffer_shares_swapped,
    lr_twice,
    returned.buffer_not_returned,
)
MOMENTUM = (
    *steps.DIRECTION,
    *_BUFFER,
    lr_in_buffer,
    buffer_has_minus,
    steps_in_buffer,
    buffer_unused,
    step_with_old_buffer,
    looks_ahead,
    gradient_twice,
    momentum_on_step,
)
NESTEROV = (
    *steps.DIRECTION,
    does_not_look_ahead,
    looks_ahead_without_g,
    looks_ahead_whole,
    momentum_on_g_ahead,
    momentum_on_both_ahead,
    brackets_missing,
    brackets_missing_for_g,
    ahead_kept,
    buffer_unused,
    *_BUFFER,
)
