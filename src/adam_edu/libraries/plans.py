"""Learning-rate schedules of other libraries: their arguments, and the rates that these ask for.

All count from 0, so that the first step has the schedule's value at 0. What differs is how long a
step of the schedule is, what comes after its end, of what a share is taken, and how many bad epochs
a plateau is. Each :class:`Plan` is held to the real library by a test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Plan:
    """One library's schedule of a kind.

    Attributes
    ----------
    library, schedule, kind : "torch", "CosineAnnealingLR" and "cosine", for instance
    defaults : its arguments by the library's names; None where there is no default. "lr" is Torch's
        rate, which the optimizer has
    read : from its arguments to ours
    write : from ours to its arguments
    rates : the rate of each step t = 0, 1, ..., from our arguments
    chosen : arguments that ask for this kind and no other
    remark : what a user should know who comes from another library
    """

    library: str
    schedule: str
    kind: str
    defaults: Mapping[str, Any]
    read: Callable[[Any], Numbers]
    write: Callable[[Any], Mapping[str, Any]]
    rates: Callable[[Any, Array], Array]
    chosen: Mapping[str, Any]
    remark: str = ""


# The kinds, in our words. Rates are absolute, and so are floors.


def _cosine(v: Numbers, t: Array) -> Array:
    done = np.minimum(t / v["steps"], 1.0)
    return np.asarray(v["floor"] + (v["rate"] - v["floor"]) * (1 + np.cos(np.pi * done)) / 2)


def _cosine_waves(v: Numbers, t: Array) -> Array:
    waves = (1 + np.cos(np.pi * t / v["steps"])) / 2
    return np.asarray(v["floor"] + (v["rate"] - v["floor"]) * waves)


def _warmed_cosine(v: Numbers, t: Array) -> Array:
    up = v["start"] + (v["rate"] - v["start"]) * t / max(v["warmup"], 1)
    return np.where(t < v["warmup"], up, _cosine(v, np.maximum(t - v["warmup"], 0)))


def _exponential(v: Numbers, t: Array) -> Array:
    return np.asarray(v["rate"] * v["factor"] ** (t / v["steps"]))


def _stairs(v: Numbers, t: Array) -> Array:
    return np.asarray(v["rate"] * v["factor"] ** np.floor(t / v["steps"]))


def _linear(v: Numbers, t: Array) -> Array:
    done = np.minimum(t / v["steps"], 1.0) if v["steps"] > 0 else np.zeros_like(t)
    return np.asarray(v["start"] + (v["end"] - v["start"]) * done)


def _plateau(behind: int) -> Callable[[Numbers, Array], Array]:
    """Return the rates under a loss that never improves, where the rule has seen all losses but
    the last ``behind`` when it sets a rate."""

    def rates(v: Numbers, t: Array) -> Array:
        return np.asarray(v["rate"] * v["factor"] ** np.floor(np.maximum(t - behind, 0) / v["bad"]))

    return rates


EPOCHS = "PyTorch's scheduler counts calls of its step(), of which many scripts make one an epoch"
AGAIN = "PyTorch's cosine rises again after T_max steps; the others stay at the end"
SHARE = "alpha is a share of the rate, eta_min is a rate"
PATIENCE = (
    "PyTorch cuts when more than patience epochs were bad, Keras and Optax when patience were: "
    "add or take 1"
)
TOTAL = "decay_steps of Optax contain the warm-up, those of Keras follow it"
MISSED = "PyTorch takes no start of 0: it begins at the first rate above it"


def _renamed(**names: str) -> tuple[Callable[[Any], Numbers], Callable[[Any], Mapping[str, Any]]]:
    """Return how to read and write where our names are exchanged for theirs, and no more."""
    return (
        lambda given: {ours: given[theirs] for ours, theirs in names.items()},
        lambda ours: {theirs: ours[name] for name, theirs in names.items()},
    )


def _alpha(rate: str, **others: str) -> tuple[Any, Any]:
    """Return how to read and write a floor that is a share of the rate."""
    read, write = _renamed(rate=rate, **others)
    return (
        lambda given: {**read(given), "floor": given["alpha"] * given[rate]},
        lambda ours: {
            **write(ours),
            "alpha": ours["floor"] / (ours["rate"] or 1.0),
        },
    )


def _one_step(given: Any) -> Numbers:
    return {"rate": given["lr"], "factor": given["gamma"], "steps": 1}


def _per_step(ours: Any) -> Mapping[str, Any]:
    return {"lr": ours["rate"], "gamma": ours["factor"] ** (1 / ours["steps"])}


def _of_factors(given: Any) -> Numbers:
    rate = given["lr"]
    start, end = rate * given["start_factor"], rate * given["end_factor"]
    return {"start": start, "end": end, "steps": given["total_iters"]}


def _as_factors(ours: Any) -> Mapping[str, Any]:
    rate = max(ours["start"], ours["end"])
    first = ours["start"] or ours["end"] / ours["steps"]
    factors = {"start_factor": first / rate, "end_factor": ours["end"] / rate}
    late = int(ours["start"] == 0)  # what was the second rate is the first
    return {"lr": rate, **factors, "total_iters": ours["steps"] - late}


def _of_total(given: Any) -> Numbers:
    return {
        **{"start": given["init_value"], "rate": given["peak_value"]},
        **{"warmup": given["warmup_steps"], "floor": given["end_value"]},
        "steps": given["decay_steps"] - given["warmup_steps"],
    }


def _as_total(ours: Any) -> Mapping[str, Any]:
    return {
        **{"init_value": ours["start"], "peak_value": ours["rate"]},
        "warmup_steps": ours["warmup"],
        "decay_steps": ours["steps"] + ours["warmup"],
        "end_value": ours["floor"],
    }


def _of_target(given: Any) -> Numbers:
    rate = given["warmup_target"]
    return {
        **{"start": given["initial_learning_rate"], "rate": rate, "warmup": given["warmup_steps"]},
        **{"steps": given["decay_steps"], "floor": given["alpha"] * rate},
    }


def _as_target(ours: Any) -> Mapping[str, Any]:
    return {
        **{"initial_learning_rate": ours["start"], "decay_steps": ours["steps"]},
        "alpha": ours["floor"] / (ours["rate"] or 1.0),
        **{"warmup_target": ours["rate"], "warmup_steps": ours["warmup"]},
    }


def _counted(more: int, **names: str) -> tuple[Any, Any]:
    """Return how to read and write a patience, to which ``more`` is added for the bad epochs."""
    read, write = _renamed(rate="lr", factor="factor", **names)
    return (
        lambda given: {**read(given), "bad": given["patience"] + more},
        lambda ours: {**write(ours), "patience": ours["bad"] - more},
    )


def _plan(
    library: str,
    schedule: str,
    kind: str,
    defaults: Mapping[str, Any],
    words: tuple[Any, Any],
    rates: Callable[[Any, Array], Array],
    remark: str = "",
    **chosen: Any,
) -> Plan:
    return Plan(library, schedule, kind, defaults, *words, rates, chosen, remark)


_TORCH = {"lr": None}
_KERAS = {"initial_learning_rate": None, "decay_steps": None}
_OPTAX = {"init_value": None}
_PATIENCE = {"lr": None, "factor": 0.1, "patience": 10}
_KERAS_NAMES = {"rate": "initial_learning_rate", "steps": "decay_steps", "factor": "decay_rate"}
_OPTAX_NAMES = {"rate": "init_value", "steps": "transition_steps", "factor": "decay_rate"}

PLANS: tuple[Plan, ...] = (
    _plan(
        "torch",
        "CosineAnnealingLR",
        "cosine",
        _TORCH | {"T_max": None, "eta_min": 0.0},
        _renamed(rate="lr", steps="T_max", floor="eta_min"),
        _cosine_waves,
        AGAIN,
    ),
    _plan(
        "torch",
        "ExponentialLR",
        "exponential",
        _TORCH | {"gamma": None},
        (_one_step, _per_step),
        _exponential,
        EPOCHS,
    ),
    _plan(
        "torch",
        "StepLR",
        "stairs",
        _TORCH | {"step_size": None, "gamma": 0.1},
        _renamed(rate="lr", steps="step_size", factor="gamma"),
        _stairs,
        EPOCHS,
    ),
    _plan(
        "torch",
        "LinearLR",
        "linear",
        _TORCH | {"start_factor": 1 / 3, "end_factor": 1.0, "total_iters": 5},
        (_of_factors, _as_factors),
        _linear,
    ),
    _plan(
        "torch",
        "ReduceLROnPlateau",
        "plateau",
        _PATIENCE,
        _counted(1),
        _plateau(1),
        PATIENCE,
    ),
    _plan(
        "keras",
        "CosineDecay",
        "cosine",
        _KERAS | {"alpha": 0.0},
        _alpha("initial_learning_rate", steps="decay_steps"),
        _cosine,
        SHARE,
    ),
    _plan(
        "keras",
        "ExponentialDecay",
        "exponential",
        _KERAS | {"decay_rate": None},
        _renamed(**_KERAS_NAMES),
        _exponential,
        staircase=False,
    ),
    _plan(
        "keras",
        "ExponentialDecay",
        "stairs",
        _KERAS | {"decay_rate": None},
        _renamed(**_KERAS_NAMES),
        _stairs,
        staircase=True,
    ),
    _plan(
        "keras",
        "PolynomialDecay",
        "linear",
        _KERAS | {"end_learning_rate": 1e-4},
        _renamed(start="initial_learning_rate", steps="decay_steps", end="end_learning_rate"),
        _linear,
    ),
    _plan(
        "keras",
        "CosineDecay",
        "cosine after a warm-up",
        _KERAS | {"alpha": 0.0, "warmup_target": None, "warmup_steps": None},
        (_of_target, _as_target),
        _warmed_cosine,
        TOTAL,
    ),
    _plan("keras", "ReduceLROnPlateau", "plateau", _PATIENCE, _counted(0), _plateau(1)),
    _plan(
        "optax",
        "cosine_decay_schedule",
        "cosine",
        _OPTAX | {"decay_steps": None, "alpha": 0.0},
        _alpha("init_value", steps="decay_steps"),
        _cosine,
        SHARE,
    ),
    _plan(
        "optax",
        "exponential_decay",
        "exponential",
        _OPTAX | {"transition_steps": None, "decay_rate": None},
        _renamed(**_OPTAX_NAMES),
        _exponential,
        staircase=False,
    ),
    _plan(
        "optax",
        "exponential_decay",
        "stairs",
        _OPTAX | {"transition_steps": None, "decay_rate": None},
        _renamed(**_OPTAX_NAMES),
        _stairs,
        staircase=True,
    ),
    _plan(
        "optax",
        "linear_schedule",
        "linear",
        _OPTAX | {"end_value": None, "transition_steps": None},
        _renamed(start="init_value", end="end_value", steps="transition_steps"),
        _linear,
    ),
    _plan(
        "optax",
        "warmup_cosine_decay_schedule",
        "cosine after a warm-up",
        {
            **{"init_value": None, "peak_value": None, "warmup_steps": None},
            **{"decay_steps": None, "end_value": 0.0},
        },
        (_of_total, _as_total),
        _warmed_cosine,
        TOTAL,
    ),
    _plan(
        "optax",
        "reduce_on_plateau",
        "plateau",
        _PATIENCE,
        _counted(0),
        _plateau(0),
        "Optax's rule sees the loss of a step before it takes it, and so acts one step sooner",
    ),
)
