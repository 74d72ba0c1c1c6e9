"""Examining a solution: call it, compare, and find what explains the difference."""

from collections.abc import Callable
from typing import Any

from .calling import Trial, by_name, trial_of
from .explain import (
    Parts,
    difference,
    explain,
    explained,
    order_of,
    shown,
    unknown,
    wrong_order,
)
from .faults import Fault, described, faults_of, has_gap, not_written_yet, refusal
from .reference import Reference
from .report import Report
from .sandbox import RandomState


def examine(exercise: Reference, function: Callable[..., Any]) -> Report:
    """Check a solution, and return the report."""
    refused = refusal(exercise, function)
    if refused is not None:
        return refused
    state = RandomState(function)
    try:
        trial = trial_of(exercise, by_name(exercise, function))
        faults = faults_of(exercise, function, trial, state.changed())
    finally:
        state.restore()
    if has_gap(function, trial):
        return not_written_yet(exercise)
    if not trial.right:
        names, parts = _numbers(exercise, trial, faults)
        return _report(exercise, trial, names, parts, faults)
    if faults:
        return _report(exercise, trial, (), [("Right", "the numbers, in every call.")], faults)
    count = len(exercise.probes)
    said = f"It agrees with the reference in each of {count} calls, with {trial.kind.name}."
    agrees = (("Right", said), *_note(trial))
    return Report(exercise.name, True, (), "right", agrees, _results(exercise, trial))


def _numbers(
    exercise: Reference, trial: Trial, faults: list[Fault]
) -> tuple[tuple[str, ...], Parts]:
    """Return the mistakes' names and what to say, where the numbers are wrong or missing."""
    if any(fault.name == "remembers_between_calls" for fault in faults):
        return (), difference(exercise, trial, shown(exercise, trial))
    found = explain(exercise, trial)
    names = tuple(cause.name for cause in found.causes)
    if found.causes and names == exercise.planted:
        said = [("Cause", "The bug is still there. Compare the lines with the algorithm.")]
        return names, difference(exercise, trial, shown(exercise, trial)) + said
    one = shown(exercise, trial, found.causes)
    if found.causes and not found.open:
        return names, difference(exercise, trial, one) + explained(exercise, one, found.causes)
    if trial.error is not None and not found.causes:
        fault = described(trial.error)
        return (fault.name,), [("Problem", fault.text)]
    order = order_of(exercise, trial.observations)
    if order:
        return ("wrong_order",), difference(exercise, trial, one) + wrong_order(exercise, order)
    said = explained(exercise, one, found.causes)[:-1] if found.causes else []
    parts = difference(exercise, trial, one) + said + unknown(exercise, trial, found.open)
    return (*names, "unknown"), parts


def _report(
    exercise: Reference, trial: Trial, names: tuple[str, ...], parts: Parts, faults: list[Fault]
) -> Report:
    """Return the report on a solution that is not right; where to read comes last."""
    said = [("Besides" if names else "Problem", fault.text) for fault in faults]
    every = (*names, *(fault.name for fault in faults))
    parts = [*parts, *said, *_note(trial), exercise.reading]
    return Report(
        exercise.name, False, every, "not right yet", tuple(parts), _results(exercise, trial)
    )


def _results(exercise: Reference, trial: Trial) -> dict[str, bool]:
    return dict(zip(exercise.returns, trial.right_results, strict=True))


def _note(trial: Trial) -> Parts:
    if not trial.printed:
        return []
    line = trial.printed.strip().partition("\n")[0]
    return [("Note", f"It prints, first {line[:60]!r}. The checker kept that off the page.")]
