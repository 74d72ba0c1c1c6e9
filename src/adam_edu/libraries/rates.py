"""The schedule of one library in the words of another, and how far the rates then differ.

All three count from 0, so that the first step has the schedule's value at 0: a warm-up that begins
at 0 wastes it. What differs is how long a step of the schedule is, what comes after its end, of
what a share is taken, and how many bad epochs a plateau is: see :mod:`adam_edu.libraries.plans`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from ..names import lookup
from .plans import MISSED, PLANS, Array, Numbers, Plan

STEPS = 1000


@dataclass(frozen=True)
class PortedSchedule:
    """A schedule in the words of another library.

    Attributes
    ----------
    library, schedule, settings : how to ask for it there
    notes : what cannot be carried, and what to know, a sentence each
    difference : how far the rates differ at most, over the largest; computed by running both
    parts : the first step whose rates differ, counted from 1, or None
    steps : how many were run
    """

    library: str
    schedule: str
    settings: Mapping[str, Any]
    notes: tuple[str, ...]
    difference: float
    parts: int | None
    steps: int = STEPS

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        lines = [f"{self.library}: {self.schedule}({given})"]
        if self.parts is None:
            lines.append(f"  the first {self.steps:,} rates are the same")
        else:
            lines.append(
                f"  of {self.steps:,} rates the first that differs is that of step {self.parts:,}, "
                f"and none by more than {self.difference:.2g} of the largest"
            )
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def port_schedule(
    settings: Mapping[str, Any], from_: str, to: str, steps: int = STEPS
) -> PortedSchedule:
    """Say one library's learning-rate schedule in the words of another.

    How far the rates then differ is computed, by running both.

    Parameters
    ----------
    settings : the schedule under "schedule", by its name, and its arguments by name; what is not
        given has the library's default. Torch's need "lr", the optimizer's rate; a plateau rule
        needs it in each library, and is run on a loss that never improves
    from_, to : "torch", "keras" or "optax"
    steps : how many rates are compared

    Raises
    ------
    KeyError
        If a library, a schedule or an argument has no such name.
    ValueError
        If an argument is missing or no number, or if the other library has no such schedule.

    Examples
    --------
    >>> cosine = {"schedule": "CosineAnnealingLR", "lr": 0.1, "T_max": 500}
    >>> print(port_schedule(cosine, "torch", "optax", steps=500))
    optax: cosine_decay_schedule(init_value=0.1, decay_steps=500, alpha=0.0)
      the first 500 rates are the same
      PyTorch's cosine rises again after T_max steps; the others stay at the end
      alpha is a share of the rate, eta_min is a rate
    >>> port_schedule(cosine, "torch", "optax").parts
    502
    """
    source, ours = _asked(settings, from_)
    options = [plan for plan in _plans(to) if plan.kind == source.kind]
    if not options:
        raise ValueError(f"{to.lower()} has no single schedule that is {source.kind}")
    (target,) = options
    words = dict(target.write(ours))
    carried = target.read({**target.defaults, **words, **target.chosen})
    t = np.arange(float(steps))
    wanted, found = source.rates(ours, t), target.rates(carried, t)
    apart = abs(found - wanted) / max(abs(wanted).max(), 1e-300)
    off = np.flatnonzero(apart > 1e-9)
    return PortedSchedule(
        target.library,
        target.schedule,
        {name: _short(value) for name, value in words.items()} | dict(target.chosen),
        tuple(_notes(source, target, ours, wanted)),
        float(apart.max()),
        int(off[0]) + 1 if len(off) else None,
        steps,
    )


def _asked(settings: Mapping[str, Any], library: str) -> tuple[Plan, Numbers]:
    given = dict(settings)
    if "schedule" not in given:
        raise ValueError('settings need the schedule\'s name, such as "schedule": "StepLR"')
    known = _plans(library)
    name = lookup(
        str(given.pop("schedule")),
        {plan.schedule: plan.schedule for plan in known},
        f"schedule of {known[0].library}",
    )
    own = [plan for plan in known if plan.schedule == name]
    terms = {term: term for plan in own for term in (*plan.defaults, *plan.chosen)}
    flat = {lookup(key, terms, f"argument of {name}"): value for key, value in given.items()}
    plan = next((plan for plan in own if _takes(plan, flat)), None)
    if plan is None:
        missing = [
            key for key, value in own[0].defaults.items() if value is None and key not in flat
        ]
        words = f"{missing[0]} is missing" if missing else f"these do not go together: {[*flat]}"
        raise ValueError(f"{name} of {known[0].library}: {words}")
    values = dict(plan.defaults) | flat
    for key in plan.defaults:
        if not isinstance(values[key], Real) or not np.isfinite(values[key]):
            raise ValueError(f"{key} must be a finite number, not {values[key]!r}")
    return plan, plan.read(values)


def _takes(plan: Plan, given: Mapping[str, Any]) -> bool:
    """Return whether a schedule is asked for by its arguments: all that it needs, and no other."""
    needed = {key for key, value in plan.defaults.items() if value is None}
    chosen = all(given.get(key, False) == value for key, value in plan.chosen.items())
    return chosen and needed <= given.keys() <= plan.defaults.keys() | plan.chosen.keys()


def _short(value: Any) -> Any:
    """Return a number as it would be typed."""
    return float(f"{value:.12g}") if isinstance(value, float) else value


def _notes(source: Plan, target: Plan, ours: Numbers, wanted: Array) -> list[str]:
    notes = []
    if wanted[0] == 0:
        notes.append(
            "the first step has a rate of 0: it moves nothing, and fills the moments. Begin at the "
            "first rate above it"
        )
    if target.schedule == "LinearLR" and ours["start"] == 0:
        notes.append(MISSED)
    if source.library != target.library:
        notes += [one.remark for one in (source, target) if one.remark]
    return notes


def _plans(library: str) -> list[Plan]:
    libraries = {plan.library: plan.library for plan in PLANS}
    known = lookup(library, libraries, "library")
    return [plan for plan in PLANS if plan.library == known]
