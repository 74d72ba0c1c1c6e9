"""paramz: minimizers that ask for the gradient; its Adam is climin's."""

from paramz.optimization import get_optimizer

from adam_edu.libraries.functions import asking


def walk(gradient, start, steps):
    """Let it take a number of steps."""
    minimizer = get_optimizer("adam")(max_iters=steps)
    minimizer.opt(start, fp=gradient)
    return minimizer.x_opt


OPTIMIZERS = {"paramz get_optimizer('adam')": asking(walk, "adam")}
