"""Examining a solution: call it, compare, and find what explains the difference."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .calling import Observation, Trial, by_name, trial_of
from .departure import departure
from .explain import (
    Parts,
    difference,
    explain,
    explained,
    likely_orders,
    order_of,
    other_order,
    reordered,
    shown,
    unknown,
    wrong_order,
)
from .faults import Fault, described, faults_of, has_gap, lengths, not_written_yet, refusal
from .observed import alike, tried_out
from .reference import Reference
from .report import Report
from .sandbox import RandomState
from .tracing import CALLS, Step, trace
from .weights import weighed


@dataclass(frozen=True)
class Evidence:
    """What a solution did, as data: nothing of it is judged by code that the student can reach.

    Attributes
    ----------
    trial : the calls, and what came back
    faults : what it does beside computing
    gap : whether a line is still to be finished
    steps : the values of its own expressions, if numbers are wrong
    traced : the calls in which they were seen
    weighed : what it weighs otherwise, if it is a weighted sum
    """

    trial: Trial
    faults: tuple[Fault, ...] = ()
    gap: bool = False
    steps: tuple[Step, ...] = ()
    traced: tuple[Observation, ...] = ()
    weighed: str = ""


def examine(exercise: Reference, function: Callable[..., Any]) -> Report:
    """Check a solution, and return the report."""
    refused = refusal(exercise, function)
    if refused is not None:
        return refused
    return judge(exercise, gather(exercise, function))


def gather(exercise: Reference, function: Callable[..., Any]) -> Evidence:
    """Call a solution, and return what it did."""
    state = RandomState(function)
    try:
        trial = trial_of(exercise, by_name(exercise, function))
        faults = tuple(faults_of(exercise, function, trial, state.changed()))
        steps: tuple[Step, ...] = ()
        traced: tuple[Observation, ...] = ()
        weights = ""
        if not trial.right and trial.error is None:
            weights = weighed(exercise, by_name(exercise, function), trial.kind)
        if not trial.right and trial.ran and exercise.program is not None:
            traced = tuple(tried_out(exercise.program, alike(trial.observations))[-CALLS:])
            arguments = [seen.arguments for seen in traced]
            steps = tuple(trace(function, arguments))
    finally:
        state.restore()
    return Evidence(trial, faults, has_gap(function, trial), steps, traced, weights)


def judge(exercise: Reference, evidence: Evidence) -> Report:
    """Return the report on what a solution did."""
    trial, faults = evidence.trial, list(evidence.faults)
    if evidence.gap:
        return not_written_yet(exercise)
    if not trial.right:
        names, parts = _numbers(exercise, evidence)
        return _report(exercise, trial, names, parts, faults)
    if faults:
        return _report(exercise, trial, (), [("Right", "the numbers, in every call.")], faults)
    count = len(exercise.probes)
    said = f"It agrees with the reference in each of {count} calls, with {trial.kind.name}."
    agrees = (("Right", said), *_note(trial))
    return Report(exercise.name, True, (), "right", agrees, _results(exercise, trial))


def _numbers(exercise: Reference, evidence: Evidence) -> tuple[tuple[str, ...], Parts]:
    """Return the mistakes' names and what to say, where the numbers are wrong or missing."""
    trial = evidence.trial
    if any(fault.name == "remembers_between_calls" for fault in evidence.faults):
        return (), difference(exercise, trial, shown(exercise, trial))
    order = order_of(exercise, trial.observations)
    for other in () if order else likely_orders(exercise, trial.observations):
        names, parts = _numbers(exercise, _turned(evidence, other))
        if not {"unknown", f"{exercise.returns[0]}_replaced"} & {*names}:
            first = next(i for i, (label, _) in enumerate(parts) if label == "Cause")
            said = [*parts[:first], *other_order(exercise, other), *parts[first:]]
            return ("wrong_order", *names), said
    found = explain(exercise, trial, evidence.traced, evidence.steps)
    names = tuple(cause.name for cause in found.causes)
    if found.causes and names == exercise.planted:
        said = [("Cause", "The bug is still there. Compare the lines with the algorithm.")]
        return names, difference(exercise, trial, shown(exercise, trial)) + said
    one = shown(exercise, trial, found.causes)
    if found.causes and not found.open:
        return names, difference(exercise, trial, one) + explained(exercise, one, found.causes)
    if evidence.weighed:
        said = [
            ("Cause", evidence.weighed),
            ("Look at", "what you add up, and what you divide by."),
        ]
        return ("weights",), difference(exercise, trial, one) + said
    if trial.error is not None and not found.causes:
        fault = described(trial.error)
        failed = next(seen for seen in trial.observations if seen.outcome.error is not None)
        return (fault.name,), [("Problem", f"{fault.text} {lengths(failed)}".rstrip())]
    if order:
        return ("wrong_order",), difference(exercise, trial, one) + wrong_order(exercise, order)
    said = explained(exercise, one, found.causes)[:-1] if found.causes else []
    departs = ""
    # Exponentials have any factor that they are divided by afterwards.
    if exercise.program is not None and evidence.steps and not exercise.program.has("exp"):
        departs = departure(exercise, exercise.program, evidence.traced, evidence.steps)
    parts = difference(exercise, trial, one) + said + unknown(exercise, trial, departs)
    return (*names, "unknown"), parts


def _turned(evidence: Evidence, order: tuple[int, ...]) -> Evidence:
    """Return what a solution did as if it had returned its results in the order asked for."""
    seen = [reordered(one, order) for one in evidence.trial.observations]
    traced = tuple(reordered(one, order) for one in evidence.traced)
    return replace(evidence, trial=replace(evidence.trial, observations=seen), traced=traced)


def _report(
    exercise: Reference, trial: Trial, names: tuple[str, ...], parts: Parts, faults: list[Fault]
) -> Report:
    """Return the report on a solution that is not right; where to read comes last."""
    said = [("Besides" if names else "Problem", fault.text) for fault in faults]
    every = (*names, *(fault.name for fault in faults))
    parts = [*parts, *said, *_note(trial), exercise.reading]
    title, begun = "not right yet", True
    if every and every == exercise.planted:
        title, begun = "not repaired yet", False
    results = _results(exercise, trial)
    return Report(exercise.name, False, every, title, tuple(parts), results, begun)


def _results(exercise: Reference, trial: Trial) -> dict[str, bool]:
    return dict(zip(exercise.returns, trial.right_results, strict=True))


def _note(trial: Trial) -> Parts:
    if not trial.printed:
        return []
    line = trial.printed.strip().partition("\n")[0]
    return [("Note", f"It prints, first {line[:60]!r}. The checker kept that off the page.")]
