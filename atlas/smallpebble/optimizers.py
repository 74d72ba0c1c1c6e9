"""SmallPebble: gradients come as a dict by variable."""

import smallpebble

from adam_edu.libraries.frameworks import Adapter


def begin(arrays):
    """Make variables."""
    return smallpebble.Adam(), [smallpebble.Variable(x) for x in arrays]


def step(optimizer, variables, gradients):
    """Take one step, in place."""
    optimizer.training_step(variables, dict(zip(variables, gradients, strict=True)))
    return variables


OPTIMIZERS = {"smallpebble.Adam": Adapter("Adam", begin, step, lambda variable: variable.array)}
