"""Recorded runs as a live figure shows them: their state, and what it says at an epoch.

A state holds the curves themselves, rounded, since a page has nothing to ask for them: numbers, and
``None`` where a run had diverged. A seed that ran for fewer epochs is shorter. ``record.js``
computes the same ranking from the same numbers.
"""

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context
from itertools import pairwise
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from ..names import lookup
from ..recorded import SETTING, SHORT, Record, load_result

State = dict[str, Any]

VIEWS = ("record", "grid")
QUANTITIES = {"train": "training loss", "test_loss": "test loss", "test_error": "test error"}
SCALES = ("log", "linear")
DIGITS = 4
MAX_VALUES = 100_000

# What a run has beside its curves. A number from a browser may be whole.
PARTS: dict[str, dict[str, type]] = {
    "record": {"optimizer": str, "dropout": bool},
    "grid": {"corrected": bool, "beta1": Real, "beta2": Real, "lr": Real},
}
WORDS = {str: "a text", bool: "true or false", Real: "a number"}


class Standing(NamedTuple):
    """Where one optimizer stands after an epoch.

    Attributes
    ----------
    name : the optimizer
    median, low, high : over seeds; a diverged one counts as infinite; NaN if no seed got there
    seeds : how many of its seeds got there
    of : how many seeds it has
    diverged : how many of those that got there have no value
    overlaps : whether its range reaches into that of the one before
    """

    name: str
    median: float
    low: float
    high: float
    seeds: int
    of: int
    diverged: int
    overlaps: bool = False


# Making a state


def make(
    record: str | Record,
    quantity: str = "train",
    *,
    dropout: bool | None = None,
    beta1: float | None = None,
    epoch: int | None = None,
    scale: str = "log",
    title: str | None = None,
) -> State:
    """Return a state, checked; see :func:`adam_edu.lab.record` for its parts."""
    record = load_result(record) if isinstance(record, str) else record
    if not isinstance(record, Mapping):
        raise TypeError(f"record must be a record or the name of one, not {record!r}")
    runs = record.get("runs")
    if not runs:
        raise ValueError("the record has no runs to show; was it stopped before its first epoch?")
    lookup(quantity, QUANTITIES, "quantity")
    rates: dict[Any, set[float]] = {}
    for run in runs:
        rates.setdefault((run["optimizer"], run["dropout"]), set()).add(run["lr"])
    name = record.get("experiment", "runs") if title is None else title
    common: State = {"title": name, "scale": scale, "quantity": quantity}
    if max(map(len, rates.values())) > 1:
        if dropout is not None:
            raise ValueError("a grid of settings has one version: leave dropout out")
        state = common | {"view": "grid", "runs": _settings(runs)}
        state["beta1"] = min(run["beta1"] for run in state["runs"]) if beta1 is None else beta1
    else:
        if beta1 is not None:
            raise ValueError("this record is no grid of settings: leave beta1 out")
        state = common | {"view": "record", "runs": _entrants(runs)}
        state["dropout"] = state["runs"][0]["dropout"] if dropout is None else dropout
    _require_quantity(state)
    return checked(state | {"t": longest(state) if epoch is None else epoch})


def _entrants(runs: list[Mapping[str, Any]]) -> list[State]:
    """Return the curves of each optimizer, seed by seed, with dropout and without."""
    quantities = [key for key in QUANTITIES if all(key in run for run in runs)]
    found: dict[tuple[str, bool], State] = {}
    for run in runs:
        label, dropout = SHORT.get(run["optimizer"], run["optimizer"]), run["dropout"]
        empty: State = {"optimizer": label, "dropout": dropout} | {q: [] for q in quantities}
        for quantity in quantities:
            found.setdefault((label, dropout), empty)[quantity].append(_rounded(run[quantity]))
    return list(found.values())


def _settings(runs: list[Mapping[str, Any]]) -> list[State]:
    """Return the training curves of each setting of Adam, seed by seed."""
    found: dict[tuple[str, float], State] = {}
    for run in runs:
        setting = SETTING.fullmatch(run["optimizer"])
        if setting is None:
            raise ValueError(
                "a grid is of entrants such as 'Adam, beta1 0.9, beta2 0.999' or "
                f"'AdamUncorrected, ...', not {run['optimizer']!r}"
            )
        empty = {
            "corrected": setting[1] == "Adam",
            "beta1": float(setting[2]),
            "beta2": float(setting[3]),
            "lr": run["lr"],
            "train": [],
        }
        found.setdefault((run["optimizer"], run["lr"]), empty)["train"].append(
            _rounded(run["train"])
        )
    return list(found.values())


def _rounded(curve: list[float | None]) -> list[float | None]:
    return [
        None if value is None or not math.isfinite(value) else float(f"{value:.{DIGITS}g}")
        for value in curve
    ]


def checked(state: State) -> State:
    """Return a state of recorded runs if all its parts can be shown; see ``states.checked``."""
    runs = state["runs"]
    for run in runs:
        for key, kind in PARTS[state["view"]].items():
            if not isinstance(run[key], kind):
                raise TypeError(f"{key} of a run must be {WORDS[kind]}, not {run[key]!r}")
        _require(run.get("lr", 1) > 0, "lr of a run", run.get("lr"), "above 0")
    count = sum(map(_count, runs))
    _require(0 < count <= MAX_VALUES, "the number of values", count, f"1 to {MAX_VALUES}")
    _require_quantity(state)
    _require(state["scale"] in SCALES, "scale", state["scale"], "'log' or 'linear'")
    _require(isinstance(state["title"], str), "title", state["title"], "a text")
    key = "dropout" if state["view"] == "record" else "beta1"
    versions = sorted({run[key] for run in runs})
    right = "one of the runs': " + ", ".join(map(str, versions))
    _require(state[key] in versions, key, state[key], right)
    steps = longest(state)
    t = state["t"]
    fine = isinstance(t, int) and not isinstance(t, bool) and 1 <= t <= steps
    _require(fine, "epoch", t, f"from 1 to {steps}, as many as these runs have")
    return state | {"steps": steps}


def _count(run: Mapping[str, Any]) -> int:
    """Return how many values a run has, all of them numbers or None."""
    count = 0
    for quantity in QUANTITIES:
        for curve in run.get(quantity, []):
            for value in curve:
                if value is None:
                    continue
                if isinstance(value, bool) or not isinstance(value, Real):
                    raise TypeError(f"{quantity} must be numbers or None, not {value!r}")
                _require(math.isfinite(value), quantity, value, "finite, or None if diverged")
            count += len(curve)
    return count


def _require(condition: bool, name: str, value: Any, right: str) -> None:
    if not condition:
        raise ValueError(f"{name} must be {right}, not {value!r}")


# Reading a state


def quantities(state: State) -> list[str]:
    """Return what was recorded of every run."""
    return [key for key in QUANTITIES if all(key in run for run in state["runs"])]


def entrants(state: State) -> list[State]:
    """Return the runs that are shown: of one version, or of one beta1."""
    key = "dropout" if state["view"] == "record" else "beta1"
    return [run for run in state["runs"] if run[key] == state[key]]


def _require_quantity(state: State) -> None:
    there = quantities(state)
    if state["quantity"] not in there:
        lookup(state["quantity"], {key: key for key in there}, "quantity of these runs")


def longest(state: State) -> int:
    """Return how many epochs the longest of the shown runs has."""
    return max(
        (len(curve) for run in entrants(state) for curve in run[state["quantity"]]), default=0
    )


def values_at(curves: list[list[float | None]], epoch: int) -> np.ndarray:
    """Return the value of each seed that got to an epoch, from 1; infinite where it diverged."""
    reached = [curve[epoch - 1] for curve in curves if len(curve) >= epoch]
    return np.array([math.inf if value is None else value for value in reached], dtype=float)


def ranking(state: State, epoch: int | None = None) -> list[Standing]:
    """Return the optimizers in their order after an epoch, lowest median first.

    Those of which no seed got there come last.
    """
    t = state["t"] if epoch is None else epoch
    unit = 100.0 if state["quantity"] == "test_error" else 1.0
    found = []
    for run in entrants(state):
        curves = run[state["quantity"]]
        values = unit * values_at(curves, t)
        if len(values):
            middle = (float(np.median(values)), float(values.min()), float(values.max()))
        else:
            middle = (math.nan,) * 3
        diverged = int(np.isinf(values).sum())
        found.append(Standing(run["optimizer"], *middle, len(values), len(curves), diverged))
    found.sort(key=lambda one: (one.seeds == 0, one.median))
    for i, (before, one) in enumerate(pairwise(found), start=1):
        overlaps = one.low <= before.high and math.isfinite(one.low)
        found[i] = one._replace(overlaps=overlaps)
    return found


def axis_top(values: list[float], curves: Mapping[str, list[np.ndarray]]) -> float:
    """Return the highest value that the axis still shows: ten times a typical first one.

    Without a limit, one run that diverges would press all others flat.
    """
    first = [float(np.median(points[0])) for points in curves.values() if len(points[0])]
    typical = float(np.median(first)) if first else math.inf
    finite = [value for value in values if math.isfinite(value)]
    return 10 * typical if 0 < typical < math.inf else max(finite, default=1.0)


def show(value: float) -> str:
    """Return three digits, as the figure writes them: no exponent where none is needed.

    >>> show(0.3125), show(2.27e-06), show(float("inf"))
    ('0.313', '2.27e−6', '∞')
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "∞" if value > 0 else "−∞"
    digits = float(Context(prec=3, rounding=ROUND_HALF_UP).create_decimal(value))
    text = f"{digits:.10f}".rstrip("0").rstrip(".") if digits else "0"
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        base, power = f"{digits:.2e}".split("e")
        text = f"{base.rstrip('0').rstrip('.')}e{int(power)}"
    return text.replace("-", "−")


def spread(one: Standing) -> str:
    """Return the range over seeds in words."""
    if one.seeds == 0:
        return "no run is that long"
    if one.diverged == one.seeds:
        return "diverged" if one.seeds == 1 else f"all {one.seeds} seeds diverged"
    few = "" if one.seeds == one.of else f", {one.seeds} of {one.of} seeds"
    if one.seeds == 1:
        return "one seed" if one.of == 1 else few[2:]
    if one.diverged:
        return f"from {show(one.low)}, {one.diverged} of {one.seeds} seeds diverged{few}"
    low, high = show(one.low), show(one.high)
    return (low if low == high else f"{low} to {high}") + few


def subject(state: State) -> str:
    """Return what the vertical axis shows, such as "training loss with dropout"."""
    words = QUANTITIES[state["quantity"]]
    if state["quantity"] == "test_error":
        words += " (%)"
    if state["view"] == "record" and len({run["dropout"] for run in state["runs"]}) > 1:
        words += " with dropout" if state["dropout"] else " without dropout"
    return words


def summary(state: State) -> str:
    """Return in a sentence what the figure shows at its epoch."""
    place = f"{state['title']}, {subject(state)} after epoch {state['t']}"
    if state["view"] == "grid":
        return f"{place}, β₁ = {state['beta1']:g}. {_broken_in_words(state)}"
    return f"{place}, lowest first: {'; '.join(map(_in_words, ranking(state)))}"


def _in_words(one: Standing) -> str:
    overlap = ", overlaps with the one before" if one.overlaps else ""
    if one.seeds == 0 or math.isinf(one.median):
        return f"{one.name}: {spread(one)}{overlap}"
    return f"{one.name} {show(one.median)} ({spread(one)}{overlap})"


# The grid of settings


def limit(state: State) -> float:
    """Return above which loss a run counts as broken.

    It is a tenth above where the slowest runs with the correction began: their loss after the first
    epoch at the lowest rate. Infinite if there is none.
    """
    lowest = min(run["lr"] for run in state["runs"])
    first = [
        float(np.median(values_at(run["train"], 1)))
        for run in state["runs"]
        if run["corrected"] and run["lr"] == lowest
    ]
    return 1.1 * max((value for value in first if math.isfinite(value)), default=math.inf)


def losses(state: State) -> dict[tuple[float, bool], list[tuple[float, float]]]:
    """Return by beta2 and correction the pairs of rate and median loss at the epoch.

    A diverged run's is infinite; a rate at which no run is that long is left out.
    """
    found: dict[tuple[float, bool], list[tuple[float, float]]] = {}
    for run in sorted(entrants(state), key=lambda run: (run["beta2"], run["lr"])):
        values = values_at(run["train"], state["t"])
        if len(values):
            pairs = found.setdefault((run["beta2"], run["corrected"]), [])
            pairs.append((run["lr"], float(np.median(values))))
    return found


def broken(state: State) -> dict[tuple[float, bool], list[float]]:
    """Return by beta2 and correction the rates at which a run is broken at the epoch."""
    most = limit(state)
    return {
        key: [lr for lr, loss in pairs if math.isinf(loss) or loss > most]
        for key, pairs in losses(state).items()
    }


def _broken_in_words(state: State) -> str:
    rates = broken(state)
    words = []
    for beta2 in sorted({beta2 for beta2, _ in rates}):
        both = [
            f"{word} correction {broken_at(rates[beta2, corrected])}"
            for corrected, word in ((True, "with"), (False, "without"))
            if (beta2, corrected) in rates
        ]
        words.append(f"β₂ = {beta2:g}: {', '.join(both)}")
    return "; ".join(words)


def broken_at(rates: list[float]) -> str:
    """Return in words at which rates runs are broken."""
    return f"broken at {', '.join(map(show, rates))}" if rates else "none broken"
