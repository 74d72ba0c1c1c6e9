"""Exercises on learning-rate schedules: the rate at step t = 1, 2, ..."""
# mypy: allow-untyped-defs

import math

from ..formula import formula
from ..mistake import wrong


@wrong("rate")
def rate_over_t(lr, t):
    """Your rate falls as 1 / t. Asked for is the root: after 100 steps, a tenth."""
    return lr / t


@wrong("rate")
def root_multiplies(lr, t):
    """Your rate rises. Divide by the root of t."""
    return lr * math.sqrt(t)


@wrong("rate")
def root_counts_from_zero(lr, t):
    """Your t is one too small: at the first step you divide by the root of 0. t counts from 1."""
    return lr / math.sqrt(t - 1)


@wrong("rate")
def root_of_t_plus_1(lr, t):
    """Your t is one too large: the first step, t = 1, has the whole rate."""
    return lr / math.sqrt(t + 1)


@wrong("rate")
def one_plus_root(lr, t):
    """You divide by 1 plus the root. The first step would have half the rate."""
    return lr / (1 + math.sqrt(t))


@wrong("rate")
def root_of_all(lr, t):
    """Your root covers the rate as well: lr stands outside it."""
    return math.sqrt(lr / t)


@wrong("rate")
def root_by_precedence(lr, t):
    """t**1/2 is half of t: the power comes before the division. Write t**0.5 or t ** (1 / 2)."""
    return lr / t / 2


@wrong("rate")
def rate_of_one(t):
    """Your first rate is 1. Multiply by lr."""
    return 1 / math.sqrt(t)


@wrong("rate")
def rate_constant(lr):
    """Your rate does not depend on t."""
    return lr


inverse_sqrt = formula(
    "inverse_sqrt(t, lr)",
    "lr / sqrt(t)",
    returns="rate",
    statement="Return the learning rate of step t = 1, 2, ... if it falls as 1 over the root of t "
    "and the first is lr.",
    probes=[{"t": t, "lr": lr} for t, lr in ((1, 0.1), (2, 0.1), (100, 0.3), (10_000, 2.0))],
    mistakes=(
        rate_over_t,
        root_multiplies,
        root_counts_from_zero,
        root_of_t_plus_1,
        one_plus_root,
        root_of_all,
        rate_constant,
        root_by_precedence,
        rate_of_one,
    ),
    read="stochastic-gradients",
)


@wrong("rate")
def warmup_starts_at_zero(t, steps, lr):
    """Your first step has the rate 0 and is wasted. Steps count from 1: the first has lr / steps.
    (nanoGPT and GPT-NeoX once had it so.)"""
    return lr * min((t - 1) / steps, 1)


@wrong("rate")
def warmup_never_ends(t, steps, lr):
    """Your rate rises beyond lr. After the warm-up it stays there."""
    return lr * t / steps


@wrong("rate")
def warmup_falls(t, steps, lr):
    """Your rate falls from lr to 0. A warm-up rises."""
    return lr * max(1 - t / steps, 0)


@wrong("rate")
def warmup_upside_down(t, steps, lr):
    """Your fraction is upside down: t / steps is the share of the warm-up that is done."""
    return lr * min(steps / t, 1)


@wrong("rate")
def warmup_then_nothing(t, steps, lr):
    """After the warm-up your rate is 0. It stays at lr."""
    return lr * t / steps if t <= steps else 0.0


@wrong("rate")
def warmup_one_too_long(t, steps, lr):
    """Your warm-up takes a step too many: at step number steps it has arrived."""
    return lr * min(t / (steps + 1), 1)


@wrong("rate")
def warmup_whole_numbers(t, steps, lr):
    """Your // cuts the fraction off: the rate is 0 until the warm-up is over. Divide with /."""
    return lr * min(t // steps, 1)


@wrong("rate")
def warmup_one_ahead(t, steps, lr):
    """Your first step has 2 / steps of the rate: t counts from 1, so nothing has to be added."""
    return lr * min((t + 1) / steps, 1)


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
def warmup_of_one(t, steps):
    """Your rate rises to 1. Multiply by lr."""
    return min(t / steps, 1)


@wrong("rate")
def warmup_capped_by_lr(t, steps, lr):
    """You compare the share that is done with lr. The share is at most 1; then multiply by lr."""
    return min(t / steps, lr)


@wrong("rate")
def warmup_capped_at_one(t, steps, lr):
    """You cut the rate off at 1, not at lr. Take min(t / steps, 1) first and multiply by lr after
    it."""
    return min(lr * t / steps, 1)


@wrong("rate")
def warmup_takes_larger(t, steps, lr):
    """You take the larger of the two, so that the rate is lr from the start and then rises."""
    return lr * max(t / steps, 1)


warmup_rate = formula(
    "warmup_rate(t, steps, lr)",
    "lr * min(t / steps, 1)",
    returns="rate",
    statement="Return the learning rate of step t = 1, 2, ... if it rises in a straight line from "
    "lr / steps at the first step to lr at step number steps, and stays there.",
    probes=[
        {"t": t, "steps": steps, "lr": lr}
        for t, steps, lr in ((1, 10, 0.1), (4, 10, 0.1), (10, 10, 0.1), (11, 10, 0.1), (3, 2, 5.0))
    ],
    mistakes=(
        warmup_starts_at_zero,
        warmup_never_ends,
        warmup_falls,
        warmup_upside_down,
        warmup_then_nothing,
        warmup_one_too_long,
        warmup_whole_numbers,
        warmup_takes_larger,
        warmup_one_ahead,
        warmup_from_zero_to_one,
        warmup_without_t,
        warmup_of_one,
        warmup_capped_by_lr,
        warmup_capped_at_one,
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
def decay_without_one(t, lr, decay):
    """The 1 is missing below the line: at the first step you divide by zero."""
    return lr / (decay * (t - 1)) if t > 1 else math.inf


@wrong("rate")
def decay_under_root(t, lr, decay):
    """You divide by a root. There is none in Keras's decay."""
    return lr / math.sqrt(1 + decay * (t - 1))


@wrong("rate")
def decay_multiplies(t, lr, decay):
    """Your rate rises: divide, not multiply."""
    return lr * (1 + decay * (t - 1))


@wrong("rate")
def decay_per_step_added(t, lr, decay):
    """You divide by 1 + decay at every step anew: a power. It is 1 + decay times the steps done."""
    return lr / (1 + decay) ** (t - 1)


@wrong("rate")
def decay_without_brackets(t, lr, decay):
    """Brackets are missing: lr / 1 + ... adds to the rate. Divide by all of
    (1 + decay * (t - 1))."""
    return lr / 1 + decay * (t - 1)


@wrong("rate")
def decay_is_power(t, lr, decay):
    """You multiply by decay at every step. It is a small number, 1e-6 or so, and nothing would be
    left after the first step. It goes below the line, times the steps done."""
    return lr * decay ** (t - 1)


@wrong("rate")
def decay_subtracted(t, lr, decay):
    """You subtract decay at every step, and the rate ends below zero. It is divided."""
    return lr - decay * (t - 1)


@wrong("rate")
def decay_compounds(t, lr, decay):
    """You divide the rate that was divided before. Keras divides the first one anew at every
    step."""
    for i in range(t):
        lr = lr / (1 + decay * i)
    return lr


@wrong("rate")
def decay_of_one(t, decay):
    """Your first rate is 1. Multiply by lr."""
    return 1 / (1 + decay * (t - 1))


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
        decay_without_one,
        decay_under_root,
        decay_multiplies,
        decay_per_step_added,
        decay_without_brackets,
        decay_is_power,
        decay_subtracted,
        decay_compounds,
        decay_of_one,
    ),
    read="schedules",
)
