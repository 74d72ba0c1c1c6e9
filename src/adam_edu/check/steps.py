"""How to make an exercise of one step of an optimizer. What is right is the package's rule."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np

from ..base import Rule, domains
from ..program import BEFORE, Array, program_of
from .algorithm import algorithm_of
from .exercise import Exercise
from .kinds import ARRAYS, FLOATS, LISTS, TENSORS
from .mistake import Mistake, all_hard_coded
from .reference import Material

# No coordinate comes near zero, where rounding would look like a mistake. The last one's gradient
# is zero at first, as a rare word's is.
START = np.array([2.0, -3.0, 4.0, 2.5, -6.0])
GRADIENTS = np.array(
    [
        [5.0, -3.0, 0.1, 2.0, 0.0],
        [4.0, 1.0, -0.3, 2.5, 0.0],
        [-2.0, -4.0, 0.2, 3.0, 1.0],
    ]
)
STRONG = {"lr": 0.5, "eps": 0.3, "beta1": 0.5, "beta2": 0.6, "rho": 0.6, "momentum": 0.5}
STRONG |= {"beta3": 0.7}
STRONG |= {"weight_decay": 0.2, "momentum_decay": 30.0}
STRONG |= {"final_lr": 0.6, "gamma": 0.5}

PLACES = {
    "change": "the line that computes the new x",
    "x": "the line that computes the new x",
    "denominator": "the denominator of the step",
    "bias1": "the correction of m",
    "bias2": "the correction of v",
    "t": "where t is used",
    "lr": "the line that computes the new x",
    "eps": "the denominator of the step",
    "beta1": "where beta1 and beta2 are used",
    "beta2": "where beta1 and beta2 are used",
    "beta3": "where beta3 is used",
    "rho": "where rho is used",
    "momentum": "where momentum is used",
    "weight_decay": "where weight_decay is used",
    "momentum_decay": "where momentum_decay is used",
    "final_lr": "where final_lr is used",
    "gamma": "where gamma is used",
}


def step_exercise(
    name: str,
    rule: type[Rule],
    statement: str,
    mistakes: tuple[Mistake, ...],
    read: str,
    body: str = "...",
    planted: tuple[str, ...] = (),
    more: tuple[Any, ...] = (),
) -> Exercise:
    """Return the exercise to write one step of a rule, with the rule's own names and defaults.

    ``more`` are further gradients to run on, each of shape (steps, 5).
    """
    defaults = rule()
    usual = {f.name: float(getattr(defaults, f.name)) for f in fields(rule)}
    fixed = [all_hard_coded(usual)] if len(usual) > 1 else []
    values = {f.name: f"{getattr(defaults, f.name):g}".replace("e-0", "e-") for f in fields(rule)}
    hyper = ", ".join(f"{name}={value}" for name, value in values.items())
    arguments = ", ".join(("x", "g", *rule.slots, *(["t"] if _counts(rule) else [])))
    return Exercise(
        signature=f"{name}({arguments}, {hyper})",
        returns=("x", *rule.slots),
        statement=statement,
        made=lambda: _material(rule, more),
        mistakes=(*mistakes, *fixed),
        read=read,
        kinds=(ARRAYS, FLOATS, LISTS, TENSORS),
        places=PLACES,
        body=body,
        planted=planted,
    )


def _material(rule: type[Rule], more: tuple[Any, ...]) -> Material:
    return Material(
        lines=algorithm_of(rule),
        probes=tuple(_probes(rule)) + tuple(probe for gs in more for probe in _strong(rule, gs)),
        further=tuple(_further(rule)),
        program=program_of(rule),
        rich=_rich(rule),
    )


def _counts(rule: type[Rule]) -> bool:
    """Return whether a rule's step depends on t."""
    return bool(rule().scalars(1))


def _probes(rule: type[Rule]) -> Iterator[dict[str, Any]]:
    """Yield the calls of a few runs: with the defaults but for a rate that can be seen, with
    settings under which every hyper-parameter matters, and with each of these at zero."""
    strong = rule(**{field.name: STRONG[field.name] for field in fields(rule)})
    yield from _run(rule().scaled(10), START, GRADIENTS)
    yield from _strong(rule, GRADIENTS)
    # Nor twice the same: where the two sides of a sign are equal, right answers may differ.
    nowhere_zero = np.where(GRADIENTS == 0, [[0.5], [0.7], [0.9]], GRADIENTS)
    for name, domain in domains(rule).items():  # type: ignore[arg-type]
        if name != "lr" and 0.0 in domain:
            yield from _run(replace(strong, **{name: 0.0}), START, nowhere_zero)


def _strong(rule: type[Rule], gradients: Any) -> Iterator[dict[str, Any]]:
    """Yield the calls of a run with settings under which every hyper-parameter matters."""
    settings = {field.name: STRONG[field.name] for field in fields(rule)}
    yield from _run(rule(**settings), START, gradients)


def _run(rule: Rule, x: Any, gradients: Any) -> Iterator[dict[str, Any]]:
    """Yield the arguments of each step of a run."""
    slots: Sequence[Any] = rule.init(x)
    settings = {field.name: getattr(rule, field.name) for field in fields(rule)}
    counts = _counts(type(rule))
    for t, g in enumerate(gradients, start=1):
        count = {"t": t} if counts else {}
        yield {"x": x, "g": g} | dict(zip(rule.slots, slots, strict=True)) | count | settings
        x, *slots = rule.update(t, x, g, *slots)


# What the runs do not reach: late steps, settings pairwise unlike, a large epsilon, slots that no
# run would have, zeros. Each setting stands in a row, each row is a call.
TIMES = (1, 2, 3, 4, 7, 10, 11, 25, 60, 100, 101, 1000, 5, 30, 500, 150)
ODD = {
    "lr": (0.37, 0.11, 1.3, 0.05),
    "eps": (0.29, 2.5, 0.07, 0.6),
    "beta1": (0.83, 0.62, 0.93, 0.97),
    "beta2": (0.71, 0.88, 0.54, 0.9991),
    "beta3": (0.77, 0.91, 0.64, 0.96),
    "rho": (0.83, 0.58, 0.91, 0.97),
    "momentum": (0.83, 0.58, 0.91, 0.97),
    "weight_decay": (0.23, 0.47, 0.05, 0.9),
    "momentum_decay": (0.9, 0.31, 2.3, 0.07),
    "final_lr": (0.61, 0.17, 0.9, 0.33),
    "gamma": (0.19, 0.053, 1.7, 0.4),
}
SIGNED = ("m",)
NEARLY = np.array([0.02, -0.05, 0.1, -0.3, 0.6])


@cache
def _drawn(count: int, slots: tuple[str, ...], seed: int) -> Mapping[str, Array]:
    """Return parameters, gradients and slots of many calls: unequal, of all signs."""
    rng = np.random.default_rng(seed)
    arrays = {name: rng.normal(0, 3, (count, len(START))) for name in ("x", "g", *slots)}
    return {
        name: array if name in ("x", "g", *SIGNED) else abs(array) + 0.05
        for name, array in arrays.items()
    }


def _further(rule: type[Rule]) -> Iterator[dict[str, Any]]:
    """Yield calls that no run would make."""
    drawn, counts = _drawn(len(TIMES), rule.slots, 1), _counts(rule)
    for i, t in enumerate(TIMES):
        arrays = {name: array[i].round(3) for name, array in drawn.items()}
        arrays["x"][i % 5] = 0.0
        if i % 3 == 1:
            arrays["g"][(i + 2) % 5] = 0.0
        count = {"t": t} if counts else {}
        settings = {field.name: ODD[field.name][i % 4] for field in fields(rule)}
        if rule.slots == ("m",) and "beta1" in settings and i % 2:
            # Where only the sign of a mixture counts: mixtures that are nearly zero.
            balance = settings["beta1"] / (1 - settings["beta1"])
            arrays["g"] = -balance * arrays["m"] * (1 + NEARLY * (-1) ** (i // 2))
        yield arrays | count | settings


def _rich(rule: type[Rule], count: int = 36) -> dict[str, Array]:
    """Return what a rule's lines read, in many calls that nobody makes."""
    drawn = _drawn(count, rule.slots, 2)
    rng = np.random.default_rng(3)
    values: dict[str, Array] = {
        name if name == "g" else name + BEFORE: array for name, array in drawn.items()
    }
    values["g"][::4, 0] = 0.0
    for field in fields(rule):
        low, high = min(ODD[field.name]), max(ODD[field.name])
        values[field.name] = rng.uniform(low, high, (count, 1))
    values["t"] = rng.choice([1.0, 2.0, 3.0, 6.0, 17.0, 40.0], (count, 1))
    return values
