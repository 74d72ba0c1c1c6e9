"""What can be wrong with a solution beside its numbers."""

import dis
import inspect
import linecache
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .calling import Observation, Trial, by_name, has_names, observe
from .guard import spied
from .kinds import WHOLE, Kind, Misfit
from .reference import Reference
from .remote import Ended, inside
from .report import Report, listed
from .sandbox import OutOfTime, text_of
from .task import Task


class Fault(NamedTuple):
    """A name, as the report's ``mistakes`` has it, and what to say about it."""

    name: str
    text: str


def refusal(task: Task, function: Any) -> Report | None:
    """Return a report if there is nothing that could be called, else None."""
    if not callable(function):
        text = (
            f"The checker was given {function!r:.60}. Give it the function itself, without "
            f"brackets: check.{task.name}({task.name})."
        )
        return task.refused("not_a_function", text)
    if inside(function, is_stub):
        return not_written_yet(task)
    spying = inside(function, spied)
    if spying:
        text = f"It looks at the checker's own frames, by {spying}. Nothing here needs that."
        return task.refused("looks_at_the_checker", text)
    try:
        signature = inspect.signature(function)
        if has_names(task, function):
            signature.bind(**dict.fromkeys(task.parameters))
        else:
            signature.bind(*task.parameters)
    except TypeError as error:
        text = f"It should be callable as {task.signature}, but: {error}."
        return task.refused("wrong_arguments", text)
    except ValueError:
        pass  # a built-in without a signature: the call will tell
    return None


def not_written_yet(task: Task) -> Report:
    """Return the report on a stub."""
    text = f"Put your lines in the place of the three dots. {task.statement}"
    parts = (("To do", text), task.reading)
    return Report(task.name, False, ("not_written_yet",), "not written yet", parts, begun=False)


# The instructions of a body such as "...", "pass" or "raise NotImplementedError".
NOTHING_DONE = ("RESUME", "NOP", "LOAD_CONST", "POP_TOP", "RETURN", "LOAD_GLOBAL", "RAISE")


def is_stub(function: Any) -> bool:
    """Return whether a function looks at nothing and returns nothing of its own."""
    function = inspect.unwrap(function)
    if not inspect.isfunction(function):
        return False
    constants = set(function.__code__.co_consts) - {function.__doc__}
    return (
        constants <= {None, ...}
        and set(function.__code__.co_names) <= {"NotImplementedError"}
        and all(step.opname.startswith(NOTHING_DONE) for step in dis.get_instructions(function))
    )


def has_gap(function: Any, trial: Trial) -> bool:
    """Return whether a program still has three dots where a line is to be finished."""
    if trial.ran or trial.error is None or "llipsis" not in text_of(trial.error):
        return False
    return inside(function, has_dots)


def has_dots(function: Any) -> bool:
    """Return whether three dots stand in a function as a value."""
    return ... in getattr(getattr(function, "__code__", None), "co_consts", ())


def described(error: BaseException | None) -> Fault:
    """Return the name and the description of an error that a call ended with."""
    if isinstance(error, Misfit):
        return Fault(error.name, str(error))
    if isinstance(error, OutOfTime):
        text = f"After {error} seconds it was still running. Is there a loop that never ends?"
        return Fault("takes_too_long", text)
    where = ""
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        theirs = [frame for frame in frames if not _is_ours(frame.filename)]
        if theirs:
            line = linecache.getline(theirs[0].filename, theirs[0].lineno or 0).strip()
            where = f" in its line {line!r}" if line else f" in line {theirs[0].lineno}"
    said = "" if error is None else text_of(error).rstrip(".")
    message = f": {said}" if said else ""
    hints = [hint for known, part, hint in HINTS if known == type(error).__name__ and part in said]
    text = f"It raised {type(error).__name__}{where}{message}."
    return Fault("raises", " ".join([text, *hints[:1]]))


# What the commoner errors mean here: the type, a part of the message, and a sentence.
HINTS = [
    ("TypeError", "for ^", "A power is written ** in Python."),
    ("TypeError", "bitwise_xor", "A power is written ** in Python; ^ is something else."),
    ("ValueError", "to unpack", "To the right of = stand more values, or fewer, than names."),
    (
        "TypeError",
        "scalar index",
        "The second argument of np.max, np.min and np.sum is an axis. The larger of two arrays, "
        "place by place, is np.maximum(a, b); range takes one whole number.",
    ),
    (
        "TypeError",
        "as an integer",
        "The second argument of np.max, np.min and np.sum is an axis. The larger of two arrays, "
        "place by place, is np.maximum(a, b).",
    ),
    (
        "IndexError",
        "too many indices",
        "A tuple as an index means one number for each axis. To take several rows, make a list of "
        "it: array[list(rows)].",
    ),
    (
        "IndexError",
        "boolean index",
        "A mask says of each entry of an array whether to take it. Yours says it of another list's "
        "entries.",
    ),
    (
        "RuntimeError",
        "since the last update",
        "A scaler does that once, until scaler.update() ends the step. Is update() missing, or "
        "does the line stand in a loop?",
    ),
    (
        "AssertionError",
        "No inf checks",
        "scaler.step(optimizer) takes the step, in the place of optimizer.step(); "
        "scaler.update() comes after it.",
    ),
    (
        "RuntimeError",
        "called after step()",
        "scaler.update() ends the step: without it the next one finds the scaler where it was.",
    ),
    ("IndexError", "valid indices", "An index is a whole number, a slice or a list of them."),
    (
        "TypeError",
        "positional-only",
        "That function takes its arguments by place: leave NAME= out.",
    ),
    ("TypeError", "object is not callable", "Is a * missing before the bracket?"),
    ("NameError", "is not defined", "Is it spelled as where it was assigned?"),
    (
        "TypeError",
        "converted to Python scalars",
        "An array has no single value: use the function of NumPy in the place of that of math.",
    ),
    (
        "TypeError",
        "length-1 arrays",
        "An array has no single value: use the function of NumPy in the place of that of math.",
    ),
    (
        "ValueError",
        "truth value",
        "An array is neither true nor false as a whole: use np.where, or np.maximum.",
    ),
]


def lengths(seen: Observation) -> str:
    """Return how long the lists were with which a call failed, if it is of that that it speaks."""
    error = seen.outcome.error
    of_shape = isinstance(error, ValueError) and "shape" in text_of(error)
    if not (of_shape or isinstance(error, IndexError)):
        return ""
    long: dict[int, list[str]] = {}
    for name, value in seen.arguments.items():
        if isinstance(value, (tuple, list)) or np.ndim(value):
            long.setdefault(len(value), []).append(name)
    said = [
        f"{listed(tuple(names))} {'has' if len(names) == 1 else 'have'} {count} entries"
        for count, names in long.items()
    ]
    return f"{listed(tuple(said))}." if len(said) > 1 else ""


def _is_ours(path: str) -> bool:
    return Path(__file__).parent in Path(path).parents


def faults_of(
    exercise: Reference, function: Callable[..., Any], trial: Trial, changed: list[str]
) -> list[Fault]:
    """Return what a solution does beside computing; ``changed`` names changed random states."""
    return list(_faults(exercise, function, trial, changed)) if trial.ran else []


def _faults(
    exercise: Reference, function: Callable[..., Any], trial: Trial, changed: list[str]
) -> Iterator[Fault]:
    if not all(seen.kept for seen in trial.observations):
        yield Fault(
            "changes_its_input",
            "It changes the arrays that it is given, so that the caller's own numbers are "
            "overwritten. Lines such as m *= beta1 and m[:] = ... do that; write m = beta1 * m.",
        )
    replaced = {name for seen in trial.observations for name in seen.outcome.replaced}
    if replaced:
        yield replaces_functions(sorted(replaced))
    if changed:
        yield changes_random_state(changed)
    named = by_name(exercise, function)
    first = trial.observations[0]
    again = observe(exercise, named, trial.kind, first.arguments)
    ended = isinstance(again.outcome.error, (Ended, OutOfTime))
    if first.found is not None and not ended and not again.same(first):
        yield Fault(
            "remembers_between_calls",
            "Called twice with the same arguments, it gives two different answers. It keeps "
            "something between the calls, as in a global variable or a default argument that "
            "is a list; two parameters would then share one state.",
        )
    elif trial.right and not _right_with_whole_numbers(exercise, named, trial.kind):
        yield Fault(
            "integer_arrays",
            "Given whole numbers, it returns whole numbers: the fractions are cut off. An "
            "array made with zeros_like or copy has the type of its model; add dtype=float.",
        )
    yield from _wrong_defaults(exercise, function)


def changes_random_state(changed: list[str]) -> Fault:
    """Return the fault of a solution that draws from the global random numbers."""
    return Fault(
        "changes_random_state",
        f"It changes the random state of {listed(changed)}, and with it every random "
        "number drawn later. The checker has put it back. Nothing here needs chance.",
    )


def replaces_functions(names: Sequence[str]) -> Fault:
    """Return the fault of a solution that puts others in the place of functions it shares."""
    return Fault(
        "replaces_functions",
        f"It replaces {listed(tuple(names))}, which everybody here shares. The checker has put "
        "that back.",
    )


def _right_with_whole_numbers(
    exercise: Reference, function: Callable[..., Any], kind: Kind
) -> bool:
    """Return whether whole numbers do no harm. A refusal to take them does none."""
    first = exercise.probes[0]
    arrays = any(isinstance(value, np.ndarray) for value in first.values())
    if kind not in WHOLE or not arrays:
        return True
    rounded = {
        name: np.round(value) if isinstance(value, np.ndarray) else value
        for name, value in first.items()
    }
    seen = observe(exercise, function, WHOLE[kind], rounded)
    return seen.found is None or seen.right


def _wrong_defaults(exercise: Reference, function: Any) -> Iterator[Fault]:
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:
        return
    for name, value in exercise.defaults.items():
        theirs = parameters[name].default if name in parameters else inspect.Parameter.empty
        if theirs is not inspect.Parameter.empty and theirs != value:
            text = f"The default of {name} is {theirs!r} where {value!r} was asked for."
            yield Fault(f"default_of_{name}", text)
