"""Autograd: functions that run a whole descent, given a function for the gradient."""

from autograd.misc import optimizers

from adam_edu.libraries.functions import asking


def walk(minimize):
    """Let it take a number of steps."""
    return lambda gradient, start, steps: minimize(gradient, start, num_iters=steps)


OPTIMIZERS = {
    f"autograd.misc.optimizers.{name}": asking(walk(getattr(optimizers, name)), name)
    for name in ("adam", "rmsprop", "sgd")
}
