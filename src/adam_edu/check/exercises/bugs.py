"""Exercises that begin with a program with one bug in it, to be found and repaired."""

from ...rules import Adam, AdamW, Momentum, RMSProp
from ..mistakes import buffers, relatives, squares
from ..mistakes.adam import ADAM
from ..steps import step_exercise

bug_in_momentum = step_exercise(
    "bug_in_momentum",
    Momentum,
    "Find the bug in this step of momentum, and repair it. The buffer is a decaying sum of the "
    "gradients.",
    buffers.MOMENTUM,
    "momentum",
    body="x = x - lr * m\nm = momentum * m + g\nreturn x, m",
    planted=("step_with_old_buffer",),
)

bug_in_rmsprop = step_exercise(
    "bug_in_rmsprop",
    RMSProp,
    "Find the bug in this step of RMSProp, and repair it. The loss falls with it, too, unless the "
    "gradients are small.",
    squares.RMSPROP,
    "rmsprop-adadelta",
    body="v = rho * v + (1 - rho) * g**2\nx = x - lr * g / (v + eps) ** 0.5\nreturn x, v",
    planted=("eps_inside_root",),
)

bug_in_adam = step_exercise(
    "bug_in_adam",
    Adam,
    "Find the bug in this step of Adam, and repair it. The first step is right.",
    ADAM,
    "bias-correction",
    body="""\
m = beta1 * m + (1 - beta1) * g
v = beta2 * v + (1 - beta2) * g**2
m = m / (1 - beta1**t)
v = v / (1 - beta2**t)
x = x - lr * m / (v**0.5 + eps)
return x, m, v""",
    planted=("corrected_returned",),
)

bug_in_adamw = step_exercise(
    "bug_in_adamw",
    AdamW,
    "Find the bug in this step of AdamW, and repair it. With a weight decay of zero it is right.",
    relatives.ADAMW,
    "adamw",
    body="""\
g = g + weight_decay * x
m = beta1 * m + (1 - beta1) * g
v = beta2 * v + (1 - beta2) * g**2
m_hat = m / (1 - beta1**t)
v_hat = v / (1 - beta2**t)
x = x - lr * m_hat / (v_hat**0.5 + eps)
return x, m, v""",
    planted=("decay_through_moments",),
)
