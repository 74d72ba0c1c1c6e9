"""Comparisons that hold: a rate tuned for each, many seeds, an interval, and words from the code.

:func:`tune` looks for an entrant's best rate on a grid that it refines; :func:`contest` does so for
several entrants, on seeds that it then puts aside, and reports on others; :func:`compare` sets
their losses side by side, seed by seed, and says "lower", "higher" or "no order seen".
:func:`final_losses` trains all seeds at once: a rule is elementwise, so seeds are an axis.

The interval is a percentile bootstrap (Efron and Tibshirani, 1993, *An Introduction to the
Bootstrap*, chapter 13), the test an exact sign test; both need NumPy alone, so that they run on a
page too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .base import Rule
from .descent import Optimizer
from .problems.base import Problem
from .schedules import Schedule

Array = NDArray[np.floating[Any]]
Seeds = Sequence[int]
Run = Callable[[float, Seeds], ArrayLike]  # a loss for each seed at a rate

FEWEST = 10  # seeds that carry a comparison
SURE = 0.05  # an order as clear as this comes by chance once in twenty
NEAR = 1.5  # a best rate's neighbors are no further than this factor
MOST = 40  # rates that are tried for one entrant
RESAMPLES = 9999
LARGEST = 700.0  # the logarithm of a ratio to a run that diverged


def final_losses(
    rule: Rule,
    problem: Problem,
    seeds: Seeds,
    steps: int,
    *,
    judge: Problem | None = None,
    schedule: Schedule | None = None,
) -> Array:
    """Train once for each seed, all side by side, and return the losses at the end.

    Each run begins at the problem's start and has random numbers of its own, so its loss does not
    depend on its company, up to rounding.

    Parameters
    ----------
    judge : whose value is returned, such as the model on held-out data; by default the problem's

    Returns
    -------
    Shape (seeds,); infinite where a run diverged.

    Raises
    ------
    ValueError
        If there is no seed, or ``steps`` is not 0 or more.

    Examples
    --------
    >>> from adam_edu.problems import NoisyQuadratic
    >>> from adam_edu.rules import SGD
    >>> final_losses(SGD(lr=0.1), NoisyQuadratic(), seeds=range(3), steps=50).round(2)
    array([0.11, 0.01, 0.03])
    """
    if len(seeds) == 0:
        raise ValueError("seeds is empty: give at least one, such as range(10)")
    if not isinstance(steps, int) or steps < 0:
        raise ValueError(f"steps must be a whole number, 0 or more, not {steps!r}")
    rngs = [np.random.default_rng(seed) for seed in seeds]
    x = np.tile(problem.start, (len(rngs), 1))
    optimizer = Optimizer(rule, x, schedule, engine="numpy")
    sound = np.ones(len(rngs), dtype=bool)
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(1, steps + 1):
            g = problem.sample_each(x, t, rngs)
            sound &= np.isfinite(g).all(axis=1)
            g[~sound] = 0.0
            optimizer.step(g)
            x[...] = problem.project(x)
        losses = (judge or problem).value_each(x)
    return np.where(sound & np.isfinite(losses), losses, np.inf)


@dataclass(frozen=True)
class Tuned:
    """What the search for a rate has tried.

    Attributes
    ----------
    rates : those tried, from the lowest, shape (rates,)
    losses : shape (rates, seeds)
    """

    rates: Array
    losses: Array

    @property
    def medians(self) -> Array:
        """The median loss at each rate, over the seeds; shape (rates,)."""
        return np.median(self.losses, axis=1)

    @property
    def best(self) -> float:
        """The rate of the lowest median."""
        return float(self.rates[self.medians.argmin()])


def tune(run: Run, rates: ArrayLike, seeds: Seeds) -> Tuned:
    """Look for the best rate: widen the grid until it is inside, refine it until others are near.

    The best is that of the lowest median loss. Its neighbors are near within a factor of 1.5.

    Parameters
    ----------
    run : takes a rate and seeds, returns a loss for each seed, infinite where a run diverged
    rates : where to begin, at least two, each above 0
    seeds : on which it is chosen; one will do where nothing is drawn

    Raises
    ------
    ValueError
        If there are no such rates or no seeds, if a loss is missing or NaN, if every run diverges,
        or if the best is still at an end of the grid after 40 rates.

    Examples
    --------
    >>> def run(rate, seeds):
    ...     return [(np.log10(rate) - 0.1) ** 2 + seed / 100 for seed in seeds]
    >>> found = tune(run, [0.01, 0.1], seeds=range(10))
    >>> found.rates.round(2).tolist(), round(found.best, 2)
    ([0.01, 0.1, 0.32, 0.56, 0.75, 1.0, 1.33, 1.78, 3.16, 10.0], 1.33)
    """
    wanted = _rates(rates)
    if len(seeds) == 0:
        raise ValueError("seeds is empty: give at least one, such as range(10)")
    tried: dict[float, Array] = {}
    while wanted:
        if len(tried) + len(wanted) > MOST:
            raise ValueError(
                f"no best rate after {len(tried)}, from {min(tried):.3g} to {max(tried):.3g}: the "
                "loss still falls at an end of the grid, or does not depend on the rate"
            )
        tried |= {
            rate: _losses(run(rate, seeds), len(seeds), f"at rate {rate:.3g}") for rate in wanted
        }
        found = Tuned(np.array(sorted(tried)), np.array([tried[rate] for rate in sorted(tried)]))
        wanted = _more(found)
    return found


def _rates(rates: ArrayLike) -> list[float]:
    found = np.unique(np.asarray(rates, dtype=float))
    if found.size < 2 or not (np.isfinite(found).all() and found[0] > 0):
        raise ValueError(f"rates must be two or more finite numbers above 0, not {rates!r}")
    return [float(rate) for rate in found]


def _more(found: Tuned) -> list[float]:
    """Return the rates to try next: beyond an end, or between the best and a distant neighbor."""
    rates, medians = found.rates, found.medians
    best = int(medians.argmin())
    if np.isinf(medians[best]):
        raise ValueError(f"half of the runs or more diverge at each rate from {rates[0]:.3g} on")
    if best in (0, len(rates) - 1):
        neighbor = rates[1] if best == 0 else rates[-2]
        return [float(rates[best] ** 2 / neighbor)]
    pairs = (rates[best - 1 : best + 1], rates[best : best + 2])
    return [float(np.sqrt(low * high)) for low, high in pairs if high > low * NEAR * (1 + 1e-9)]


def _losses(values: ArrayLike, seeds: int, where: str) -> Array:
    losses = np.asarray(values, dtype=float)
    if losses.shape != (seeds,):
        raise ValueError(
            f"{where} there are losses of shape {losses.shape}, not one per seed: ({seeds},)"
        )
    if np.isnan(losses).any():
        raise ValueError(f"{where} a loss is NaN; a run that diverged counts as infinite: np.inf")
    return losses


@dataclass(frozen=True)
class Comparison:
    """One set of losses against another, seed by seed. Its text is the sentence to print.

    Attributes
    ----------
    seeds : how many
    lower, higher : on how many of them the first is so
    center : the median over the seeds of first / second, or of first - second
    low, high : its 95 % interval
    p : the chance of so uneven a count if neither were ahead
    scale : ``"ratio"`` or ``"difference"``
    """

    seeds: int
    lower: int
    higher: int
    center: float
    low: float
    high: float
    p: float
    scale: Literal["ratio", "difference"] = "ratio"

    @property
    def verdict(self) -> Literal["lower", "higher", "no order seen"]:
        """The word that the seeds carry; an order needs both the sign test and the interval."""
        none = 1.0 if self.scale == "ratio" else 0.0
        if self.p < SURE and self.high < none:
            return "lower"
        if self.p < SURE and self.low > none:
            return "higher"
        return "no order seen"

    @property
    def order(self) -> str:
        """The verdict and the seeds alone: for runs whose losses, and where there is no order its
        counts too, hang on the last digits that a processor computes."""
        if self.verdict == "no order seen":
            return f"no order seen on {self.seeds} seeds"
        count = self.higher if self.verdict == "higher" else self.lower
        return f"{self.verdict} on {count} of {self.seeds} seeds"

    def __str__(self) -> str:
        way, count = ("higher", self.higher) if self.verdict == "higher" else ("lower", self.lower)
        center, low, high = (_told(value) for value in (self.center, self.low, self.high))
        size = f"{center} times" if self.scale == "ratio" else f"by {center}"
        begin = "no order seen: " if self.verdict == "no order seen" else ""
        return f"{begin}{way} on {count} of {self.seeds} seeds, {size} ({low} to {high})"


def _told(value: float) -> str:
    return f"{value:.2f}" if 0.1 <= abs(value) < 10 else f"{value:.2g}"


def compare(
    first: ArrayLike,
    second: ArrayLike,
    *,
    scale: Literal["ratio", "difference"] = "ratio",
) -> Comparison:
    """Set two entrants side by side, whose losses at one place of the arrays share a seed.

    The interval is the percentile bootstrap of the median over seeds, the test the two-sided sign
    test without ties.

    Parameters
    ----------
    first, second : a loss for each seed, shape (seeds,), at least ten; a run that diverged is
        infinite
    scale : ``"ratio"`` for first / second, of losses above 0, or ``"difference"``

    Raises
    ------
    ValueError
        If there are fewer than ten seeds, the shapes differ, a loss is NaN, or a ratio is asked for
        of losses that are not above 0.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> task, adam, sgd = rng.lognormal(sigma=((0.5,), (0.1,), (0.1,)), size=(3, 20))
    >>> print(compare(0.9 * task * adam, task * sgd))
    lower on 16 of 20 seeds, 0.89 times (0.81 to 0.95)
    >>> print(compare(task * adam, task * sgd))
    no order seen: lower on 13 of 20 seeds, 0.99 times (0.90 to 1.05)
    """
    if scale not in ("ratio", "difference"):
        raise ValueError(f"scale must be 'ratio' or 'difference', not {scale!r}")
    seeds = np.size(first)
    one, other = (_losses(values, seeds, "in a comparison") for values in (first, second))
    if seeds < FEWEST:
        raise ValueError(f"{seeds} seeds carry no comparison: give {FEWEST} or more")
    if scale == "ratio" and not (one.min() > 0 and other.min() > 0):
        raise ValueError("a ratio needs losses above 0; for others there is scale='difference'")
    lower, higher = int((one < other).sum()), int((one > other).sum())
    to, back = (np.log, np.exp) if scale == "ratio" else (np.positive, np.positive)
    with np.errstate(invalid="ignore"):
        apart = to(one) - to(other)
    apart = np.nan_to_num(apart, nan=0.0, posinf=LARGEST, neginf=-LARGEST)
    low, high = _interval(apart)
    center, low, high = (float(back(value)) for value in (np.median(apart), low, high))
    return Comparison(seeds, lower, higher, center, low, high, _sign_test(lower, higher), scale)


def _interval(values: Array) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the median; the same on every machine."""
    drawn = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.percentile(np.median(values[drawn], axis=-1), (2.5, 97.5))
    return float(low), float(high)


def _sign_test(lower: int, higher: int) -> float:
    """Return the p-value of the exact two-sided sign test: each side as probable as the other."""
    pairs = lower + higher
    tail = sum(comb(pairs, k) for k in range(min(lower, higher) + 1))
    return min(1.0, 2 * tail / 2**pairs)


@dataclass(frozen=True)
class Contest:
    """Several entrants, each at the rate that was best for it on other seeds.

    Attributes
    ----------
    tuned : the search for each entrant's rate
    losses : each entrant's, on the seeds of the report, shape (seeds,)
    """

    tuned: dict[str, Tuned]
    losses: dict[str, Array]

    def compare(
        self, first: str, second: str, scale: Literal["ratio", "difference"] = "ratio"
    ) -> Comparison:
        """Return :func:`compare` of two entrants."""
        return compare(self.losses[first], self.losses[second], scale=scale)

    def against(self, name: str) -> str:
        """Return a line for each other entrant: how this one did against it."""
        width = max(map(len, self.losses))
        others = (other for other in self.losses if other != name)
        return "\n".join(
            f"{name} against {other:{width}s} {self.compare(name, other)}" for other in others
        )


def contest(
    entrants: Mapping[str, Run],
    rates: ArrayLike | Mapping[str, ArrayLike],
    choose: Seeds = range(10),
    report: Seeds = range(100, 120),
) -> Contest:
    """Tune each entrant on some seeds, and report on others how they do.

    Parameters
    ----------
    entrants : a run each, see :func:`tune`
    rates : where to begin the search, for all, or by entrant
    choose, report : the seeds for the rates and those for the losses; at least ten each, none in
        both

    Raises
    ------
    ValueError
        If there are too few seeds, one is in both, or :func:`tune` finds no best rate.
    KeyError
        If an entrant has no rates.

    Examples
    --------
    >>> from functools import partial
    >>> from adam_edu.problems import NoisyQuadratic
    >>> from adam_edu.rules import SGD, Momentum
    >>> def run(kind, rate, seeds):
    ...     return final_losses(kind(rate), NoisyQuadratic(), seeds, steps=40)
    >>> runs = {kind.__name__: partial(run, kind) for kind in (SGD, Momentum)}
    >>> found = contest(runs, rates=[0.01, 0.1])
    >>> print(found.against("Momentum"))
    Momentum against SGD      no order seen: lower on 8 of 20 seeds, 1.23 times (0.68 to 4.16)
    """
    if min(len(choose), len(report)) < FEWEST:
        raise ValueError(
            f"{FEWEST} seeds or more must choose, and {FEWEST} or more report, "
            f"not {len(choose)} and {len(report)}"
        )
    if both := sorted(set(choose) & set(report)):
        raise ValueError(f"seeds {both} would both choose the rates and report on them")
    grids = {name: rates[name] if isinstance(rates, Mapping) else rates for name in entrants}
    tuned = {name: tune(run, grids[name], choose) for name, run in entrants.items()}
    losses = {
        name: _losses(run(tuned[name].best, report), len(report), f"of {name}")
        for name, run in entrants.items()
    }
    return Contest(tuned, losses)
