"""Exercises on learning-rate schedules: the rate at step t = 1, 2, ..."""
# mypy: allow-untyped-defs

import math

from ..schedules import Cosine, InverseSqrt, KerasDecay, Warmup
from .formula import formula
from .mistake import wrong


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
    lambda t, lr: lr * InverseSqrt()(t),
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
def cosine_from_zero(t, steps, lr):
    """Your cosine takes t itself, so that the first step has less than the whole rate. Steps count
    from 1; before the first, nothing is done: take t - 1."""
    return lr * (1 + math.cos(math.pi * min(t / steps, 1))) / 2


@wrong("rate")
def cosine_whole_wave(t, steps, lr):
    """Your cosine makes a whole wave: the rate comes up again. Half a wave goes from 1 to -1."""
    return lr * (1 + math.cos(2 * math.pi * min((t - 1) / steps, 1))) / 2


@wrong("rate")
def cosine_quarter_wave(t, steps, lr):
    """Yours is a quarter of a wave, from 1 to 0. It falls fastest at the end; half a wave, moved up
    and halved, ends as gently as it begins."""
    return lr * math.cos(math.pi / 2 * min((t - 1) / steps, 1))


@wrong("rate")
def cosine_goes_negative(t, steps, lr):
    """Your cosine goes down to -1, and the rate below zero. Add 1 and halve it."""
    return lr * math.cos(math.pi * min((t - 1) / steps, 1))


@wrong("rate")
def cosine_not_halved(t, steps, lr):
    """1 plus a cosine starts at 2: halve it."""
    return lr * (1 + math.cos(math.pi * min((t - 1) / steps, 1)))


@wrong("rate")
def cosine_without_pi(t, steps, lr):
    """Your cosine lacks its pi: it takes radians, and half a wave is pi of them."""
    return lr * (1 + math.cos(min((t - 1) / steps, 1))) / 2


@wrong("rate")
def cosine_rises_again(t, steps, lr):
    """After the last step your cosine comes up again. From there on the rate is 0."""
    return lr * (1 + math.cos(math.pi * (t - 1) / steps)) / 2


@wrong("rate")
def cosine_in_degrees(t, steps, lr):
    """Your cosine is given degrees. math.cos takes radians: pi, not 180."""
    return lr * (1 + math.cos(180 * min((t - 1) / steps, 1))) / 2


@wrong("rate")
def line_not_cosine(t, steps, lr):
    """Your rate falls along a straight line."""
    return lr * (1 - min((t - 1) / steps, 1))


cosine_rate = formula(
    "cosine_rate(t, steps, lr)",
    lambda t, steps, lr: lr * Cosine(steps)(t),
    returns="rate",
    statement="Return the learning rate of step t = 1, 2, ... if it falls along half a cosine "
    "wave: lr at the first step, 0 at step steps + 1 and from there on.",
    probes=[
        {"t": t, "steps": steps, "lr": lr}
        for t, steps, lr in (
            (1, 10, 0.1),
            (2, 10, 0.1),
            (4, 10, 0.1),
            (6, 10, 0.1),
            (10, 10, 0.1),
            (11, 10, 0.1),
            (13, 10, 0.1),
            (500, 1000, 3.0),
        )
    ],
    mistakes=(
        cosine_from_zero,
        cosine_whole_wave,
        cosine_quarter_wave,
        cosine_goes_negative,
        cosine_not_halved,
        cosine_without_pi,
        cosine_rises_again,
        cosine_in_degrees,
        line_not_cosine,
    ),
    read="schedules",
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
def warmup_takes_larger(t, steps, lr):
    """You take the larger of the two, so that the rate is lr from the start and then rises."""
    return lr * max(t / steps, 1)


warmup_rate = formula(
    "warmup_rate(t, steps, lr)",
    lambda t, steps, lr: lr * Warmup(steps)(t),
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


keras_decay = formula(
    "keras_decay(t, lr, decay)",
    lambda t, lr, decay: lr * KerasDecay(decay)(t),
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
    ),
    read="schedules",
)
