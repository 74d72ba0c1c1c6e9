"""The exercise on a rate that falls along a cosine."""
# mypy: allow-untyped-defs

import math
from dataclasses import replace

from ..formula import formula
from ..mistake import wrong


@wrong("before")
def cosine_from_zero(t):
    """Your cosine takes t itself, so that the first step has less than the whole rate. Steps count
    from 1; before the first, nothing is done: take t - 1."""
    return t


@wrong("done")
def cosine_rises_again(before, steps):
    """After the last step your cosine comes up again. From there on the rate is 0: the share that
    is done is at most 1."""
    return before / steps


@wrong("done")
def cosine_ends_early(t, before, steps):
    """Your rate is 0 at step number steps already. That one is still to be taken, with a small
    rate; 0 is for the step after it."""
    return before / steps if t < steps else 1


@wrong("done")
def cosine_springs_back(t, before, steps):
    """After the last step your rate is the whole rate again. From there on it is 0."""
    return before / steps if t <= steps else 0


@wrong("done")
def cosine_starts_anew(before, steps):
    """After the last step your cosine starts anew, with the whole rate. From there on it is 0."""
    return before % steps / steps


@wrong("rate")
def cosine_quarter_wave(done, lr):
    """Yours is a quarter of a wave, from 1 to 0. It falls fastest at the end; half a wave, moved up
    and halved, ends as gently as it begins."""
    return lr * math.cos(math.pi / 2 * done)


@wrong("rate")
def cosine_goes_negative(done, lr):
    """Your cosine goes down to -1, and the rate below zero. Add 1 and halve it."""
    return lr * math.cos(math.pi * done)


@wrong("rate")
def cosine_cut_at_zero(done, lr):
    """Your cosine is cut off where it goes below zero, half-way: from there on nothing is learned.
    Add 1 and halve it instead."""
    return lr * max(math.cos(math.pi * done), 0)


@wrong("rate")
def cosine_in_degrees(done, lr):
    """Your cosine is given degrees. math.cos takes radians: pi, not 180."""
    return lr * (1 + math.cos(180 * done)) / 2


@wrong("rate")
def line_not_cosine(done, lr):
    """Your rate falls along a straight line."""
    return lr * (1 - done)


cosine_rate = replace(
    formula(
        "cosine_rate(t, steps, lr)",
        (
            "before = t - 1",
            "done = min(before / steps, 1)",
            "rate = lr * (1 + cos(pi * done)) / 2",
        ),
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
            cosine_quarter_wave,
            cosine_goes_negative,
            cosine_cut_at_zero,
            cosine_rises_again,
            cosine_ends_early,
            cosine_springs_back,
            cosine_starts_anew,
            cosine_in_degrees,
            line_not_cosine,
        ),
        read="schedules",
    ),
    places={
        "before": "the number of steps done before",
        "done": "the share of the way that is done",
        "rate": "your formula",
    },
)
