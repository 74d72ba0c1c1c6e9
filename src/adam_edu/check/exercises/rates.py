"""Exercises on learning-rate schedules: the rate at step t = 1, 2, ..."""
# mypy: allow-untyped-defs

import math

from ..formula import formula
from ..mistake import wrong


@wrong("rate")
def root_by_precedence(lr, t):
    """t**1/2 is half of t: the power comes before the division. Write t**0.5 or t ** (1 / 2)."""
    return lr / t / 2


@wrong("rate")
def rate_of_one(t):
    """Your first rate is 1. Multiply by lr."""
    return 1 / math.sqrt(t)


inverse_sqrt = formula(
    "inverse_sqrt(t, lr)",
    "lr / sqrt(t)",
    returns="rate",
    statement="Return the learning rate of step t = 1, 2, ... if it falls as 1 over the root of t "
    "and the first is lr.",
    probes=[{"t": t, "lr": lr} for t, lr in ((1, 0.1), (2, 0.1), (100, 0.3), (10_000, 2.0))],
    mistakes=(
        root_by_precedence,
        rate_of_one,
    ),
    read="stochastic-gradients",
)


@wrong("rate")
def warmup_never_ends(t, steps, lr):
    """Your rate rises beyond lr. After the warm-up it stays there."""
    return lr * t / steps


@wrong("rate")
def warmup_then_nothing(t, steps, lr):
    """After the warm-up your rate is 0. It stays at lr."""
    return lr * t / steps if t <= steps else 0.0


@wrong("rate")
def warmup_from_zero_to_one(t, steps, lr):
    """Your first step has the rate 0 and is wasted. Divide t by steps, without taking 1 from
    either."""
    return lr * min((t - 1) / (steps - 1), 1)


@wrong("rate")
def warmup_without_t(t, steps, lr):
    """During the warm-up your rate stays at lr / steps. That is right at the first step; at step t
    it is t times as much."""
    return lr / steps if t < steps else lr


@wrong("rate")
def warmup_capped_by_lr(t, steps, lr):
    """You compare the share that is done with lr. The share is at most 1; then multiply by lr."""
    return min(t / steps, lr)


warmup_rate = formula(
    "warmup_rate(t, steps, lr)",
    "lr * min(t / steps, 1)",
    also="lr * min(t, steps) / steps",
    returns="rate",
    statement="Return the learning rate of step t = 1, 2, ... if it rises in a straight line from "
    "lr / steps at the first step to lr at step number steps, and stays there.",
    probes=[
        {"t": t, "steps": steps, "lr": lr}
        for t, steps, lr in ((1, 10, 0.1), (4, 10, 0.1), (10, 10, 0.1), (11, 10, 0.1), (3, 2, 5.0))
    ],
    mistakes=(
        warmup_never_ends,
        warmup_then_nothing,
        warmup_from_zero_to_one,
        warmup_without_t,
        warmup_capped_by_lr,
    ),
    read="schedules",
)


@wrong("rate")
def decay_is_exponential(t, lr, decay):
    """Your rate falls by a fixed share at each step. Keras's decay divides by a number that grows
    steadily."""
    return lr * (1 - decay) ** (t - 1)


@wrong("rate")
def decay_is_a_line(t, lr, decay):
    """Your rate falls along a straight line, and below zero in the end. It is divided."""
    return lr * (1 - decay * (t - 1))


@wrong("rate")
def decay_from_zero(t, lr, decay):
    """Your first step has less than the whole rate already. Keras counts steps from 0: take
    t - 1."""
    return lr / (1 + decay * t)


@wrong("rate")
def decay_per_step_added(t, lr, decay):
    """You divide by 1 + decay at every step anew: a power. It is 1 + decay times the steps done."""
    return lr / (1 + decay) ** (t - 1)


@wrong("rate")
def decay_is_power(t, lr, decay):
    """You multiply by decay at every step. It is a small number, 1e-6 or so, and nothing would be
    left after the first step. It goes below the line, times the steps done."""
    return lr * decay ** (t - 1)


@wrong("rate")
def decay_subtracted(t, lr, decay):
    """You subtract decay at every step, and the rate ends below zero. It is divided."""
    return lr - decay * (t - 1)


keras_decay = formula(
    "keras_decay(t, lr, decay)",
    "lr / (1 + decay * (t - 1))",
    returns="rate",
    statement="Return the learning rate of step t = 1, 2, ... under the argument decay of old "
    "Keras optimizers: lr divided by 1 plus decay times the number of steps done before.",
    probes=[
        {"t": t, "lr": lr, "decay": decay}
        for t, lr, decay in ((1, 0.1, 0.5), (2, 0.1, 0.5), (4, 2.0, 0.25), (1001, 0.1, 0.01))
    ],
    mistakes=(
        decay_is_exponential,
        decay_is_a_line,
        decay_from_zero,
        decay_per_step_added,
        decay_is_power,
        decay_subtracted,
    ),
    read="schedules",
)
