"""The exercise to find a learning rate in ten runs."""
# mypy: allow-untyped-defs

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...rules import Adam
from ..challenge import Challenge, Flaw, is_number
from ..kinds import Array, Misfit

RUNS = 10
STEPS = 300
RATES = 10.0 ** np.arange(-5, 4.01, 0.25)
# A noisy quadratic whose parameters are far larger than one is used to.
CURVATURES = np.geomspace(1 / 30, 1, 20)
START, NOISE = 400.0, 100.0


def losses(rates: Sequence[float] | Array, seeds: int) -> Array:
    """Return the loss after training, as a share of the first: a row a rate, a column a seed.

    All are trained at once, by a rule of rate 1 whose change is multiplied by each rate.
    """
    rule, rng = Adam(lr=1.0), np.random.default_rng(0)
    x = np.full((len(rates), seeds, len(CURVATURES)), START)
    slots = list(rule.init(x))
    for t in range(1, STEPS + 1):
        g = CURVATURES * x + NOISE * rng.standard_normal(x.shape[1:])
        change, *slots = rule.step(x, g, *slots, *rule.scalars(t))
        x = x + np.reshape(rates, (-1, 1, 1)) * change
    final: Array = np.sum(CURVATURES * x * x, axis=-1) / np.sum(CURVATURES * START**2)
    return np.where(np.isfinite(final), final, math.inf)


class Run:
    """What the student is given: trains with a rate and returns the loss; counts the calls."""

    def __init__(self) -> None:
        self.tried: dict[float, float] = {}
        self.count = 0

    def __call__(self, lr: float) -> float:
        """Return the loss after training by Adam with a learning rate."""
        self.count += 1
        if self.count > RUNS:
            raise Misfit(
                "ran_too_often", f"You may call run {RUNS} times, and you called it again."
            )
        if not is_number(lr) or float(lr) <= 0:
            raise ValueError(f"run(lr) takes a number above 0, not {lr!r}")
        self.tried[float(lr)] = float(losses([float(lr)], seeds=1)[0, 0])
        return self.tried[float(lr)]

    def __repr__(self) -> str:
        return "run"


def _measure(lr: float, run: Run) -> Mapping[str, Any]:
    grid = losses(RATES, seeds=3).mean(axis=1)
    return {
        "count": run.count,
        "loss": float(losses([float(lr)], seeds=3).mean()),
        "best": float(grid.min()),
        "best_lr": float(RATES[grid.argmin()]),
        "runs": RUNS,
    }


@Flaw
def lr_is_no_number(lr):
    """What you return must be one number, the learning rate that you found."""
    return not is_number(lr)


@Flaw
def lr_not_positive(lr):
    """The rate that you return must be above 0."""
    return float(lr) <= 0


@Flaw
def ran_on(run):
    """You called run more than ten times, and caught the error. It counts all the same."""
    return run.count > RUNS


@Flaw
def never_ran(run):
    """You never called run. A rate that nobody tried is a guess."""
    return run.count == 0


@Flaw
def returned_another(lr, run):
    """Of the rates that you tried, one had a lower loss by far than the one you return is likely
    to have. Keep the losses in a dict by rate, and return the best one's."""
    best = min(run.tried, key=lambda rate: run.tried[rate])
    return float(lr) in run.tried and run.tried[float(lr)] > 2 * run.tried[best]


@Flaw
def returned_a_loss(lr, run):
    """What you return is one of the losses. Asked for is the rate that had it: keep the losses in a
    dict by rate, then min(losses, key=losses.get) is the rate with the lowest."""
    return float(lr) in run.tried.values() and float(lr) not in run.tried


@Flaw
def returned_its_place(lr, run):
    """What you return is the place of the best rate in your list, as np.argmin gives it. Asked for
    is the rate itself: rates[place]."""
    losses = list(run.tried.values())
    place = losses.index(min(losses))
    return isinstance(lr, (int, np.integer)) and lr == place and float(lr) not in run.tried


@Flaw
def rate_diverges(loss):
    """With the rate that you return, training diverges."""
    return not math.isfinite(loss)


@Flaw
def rate_far_too_small(lr, loss, best, best_lr):
    """Your rate is too small by more than a factor of three. Did you look far enough up? Rates are
    tried on a logarithmic scale, over many powers of ten, before anything is refined."""
    return loss > 1.5 * best and float(lr) < best_lr / 3


@Flaw
def rate_far_too_large(lr, loss, best, best_lr):
    """Your rate is too large by more than a factor of three: the noise keeps the loss up."""
    return loss > 1.5 * best and float(lr) > best_lr * 3


@Flaw
def not_refined(loss, best):
    """You are near. Use the runs that are left to look between those that you tried: the best loss
    is more than a third lower."""
    return loss > 1.5 * best


tune_in_ten_runs = Challenge(
    signature="tune_in_ten_runs(run)",
    returns=("lr",),
    statement="You are given run, a function: run(lr) trains a model by Adam with the learning "
    "rate lr and returns the loss, as a share of the first. You may call it ten times; nobody "
    "tells you the scale of the parameters. Return a rate whose loss is at most one and a "
    "half times the best one's.",
    read="hyper-parameters",
    measure=_measure,
    flaws=(
        lr_is_no_number,
        lr_not_positive,
        ran_on,
        never_ran,
        returned_another,
        returned_a_loss,
        returned_its_place,
        rate_diverges,
        rate_far_too_small,
        rate_far_too_large,
        not_refined,
    ),
    said="{count} of {runs} runs; the mean loss over three seeds is {loss:.2g} of the first. On a "
    "fine grid the best is {best:.2g}, at a rate of {best_lr:.2g}.",
    arguments=lambda: {"run": Run()},
)
