"""The exercises that ask for one step of an optimizer. What is right is the package's rule."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ..base import Rule, domains
from ..rules import Adam
from .exercise import Exercise
from .kinds import ARRAYS, FLOATS, LISTS, TENSORS
from .lines import lines_of
from .mistake import Mistake
from .mistakes.adam import ADAM

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
STRONG |= {"weight_decay": 0.2, "momentum_decay": 30.0}
STRONG |= {"final_lr": 0.3, "gamma": 0.5}

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
}


def step_exercise(
    name: str, rule: type[Rule], statement: str, mistakes: tuple[Mistake, ...], read: str
) -> Exercise:
    """Return the exercise to write one step of a rule, with the rule's own names and defaults."""
    defaults = rule()
    hyper = ", ".join(f"{f.name}={getattr(defaults, f.name):g}" for f in fields(rule))
    arguments = ", ".join(("x", "g", *rule.slots, *(["t"] if _counts(rule) else [])))
    return Exercise(
        signature=f"{name}({arguments}, {hyper})",
        returns=("x", *rule.slots),
        statement=statement,
        lines=lines_of(rule),
        probes=tuple(_probes(rule)),
        mistakes=mistakes,
        read=read,
        kinds=(ARRAYS, FLOATS, LISTS, TENSORS),
        places=PLACES,
    )


def _counts(rule: type[Rule]) -> bool:
    """Return whether a rule's step depends on t."""
    return bool(rule().scalars(1))


def _probes(rule: type[Rule]) -> Iterator[dict[str, Any]]:
    """Yield the calls of a few runs: with the defaults but for a rate that can be seen, with
    settings under which every hyper-parameter matters, and with each of these at zero."""
    strong = rule(**{field.name: STRONG[field.name] for field in fields(rule)})
    yield from _run(rule().scaled(10), START, GRADIENTS)
    yield from _run(strong, START, GRADIENTS)
    nowhere_zero = np.where(GRADIENTS == 0, 0.5, GRADIENTS)
    for name, domain in domains(rule).items():  # type: ignore[arg-type]
        if name != "lr" and 0.0 in domain:
            yield from _run(replace(strong, **{name: 0.0}), START, nowhere_zero)


def _run(rule: Rule, x: Any, gradients: Any) -> Iterator[dict[str, Any]]:
    """Yield the arguments of each step of a run."""
    slots: Sequence[Any] = rule.init(x)
    settings = {field.name: getattr(rule, field.name) for field in fields(rule)}
    for t, g in enumerate(gradients, start=1):
        count = {"t": t} if _counts(type(rule)) else {}
        yield {"x": x, "g": g} | dict(zip(rule.slots, slots, strict=True)) | count | settings
        x, *slots = rule.update(t, x, g, *slots)


adam_step = step_exercise(
    "adam_step",
    Adam,
    "Write one step of Adam. You are given the parameter x, its gradient g, the moments m and v, "
    "and the number t of the step, 1 for the first. Return the new x, m and v, in this order.",
    ADAM,
    "bias-correction",
)
