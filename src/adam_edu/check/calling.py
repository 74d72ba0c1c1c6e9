"""Calling a solution with probing arguments, and comparing what comes back with what is right."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kinds import Array, Kind, Misfit
from .reference import Reference
from .sandbox import Outcome, call
from .task import Task

# float32 keeps seven digits, and loses four of them in 1 - 0.999. A known mistake is off by more.
RELATIVE, ABSOLUTE = 1e-4, 1e-6


@dataclass(frozen=True)
class Observation:
    """One call: what was given, what is right, and what came back.

    Attributes
    ----------
    number : which call it is, from 1
    arguments : by name
    expected : the right results
    found : those of the solution, or None if it ended otherwise
    outcome : how the call ended
    kept : whether it left its arguments as they were
    """

    number: int
    arguments: Mapping[str, Any]
    expected: tuple[Array, ...]
    found: tuple[Array, ...] | None
    outcome: Outcome
    kept: bool = True

    @property
    def agrees(self) -> tuple[bool, ...]:
        """For each result, whether it is right."""
        if self.found is None:
            return (False,) * len(self.expected)
        pairs = zip(self.found, self.expected, strict=True)
        return tuple(bool(close(found, expected).all()) for found, expected in pairs)

    @property
    def right(self) -> bool:
        """Whether all of it is right."""
        return all(self.agrees)

    def same(self, other: "Observation") -> bool:
        """Return whether another call with the same arguments had the same results."""
        if self.found is None or other.found is None:
            return self.found is other.found
        pairs = zip(self.found, other.found, strict=True)
        return all(close(one, another).all() for one, another in pairs)


@dataclass(frozen=True)
class Trial:
    """All calls with one kind of number."""

    kind: Kind
    observations: list[Observation]

    @property
    def right(self) -> bool:
        """Whether every call was right."""
        return all(seen.right for seen in self.observations)

    @property
    def right_results(self) -> tuple[bool, ...]:
        """For each result, whether it is right in every call."""
        columns = zip(*(seen.agrees for seen in self.observations), strict=True)
        return tuple(all(column) for column in columns)

    @property
    def error(self) -> BaseException | None:
        """The first error, if there was one."""
        errors = [seen.outcome.error for seen in self.observations if seen.outcome.error]
        if errors and isinstance(errors[0], Misfit) and errors[0].hints:
            every = [error.hints for error in errors if isinstance(error, Misfit) and error.hints]
            common = [hint for hint in errors[0].hints if all(hint in hints for hints in every)]
            return Misfit(errors[0].name, " ".join([str(errors[0]), *common[:1]]))
        return next(iter(errors), None)

    @property
    def ran(self) -> bool:
        """Whether any call came back with values."""
        return any(seen.found is not None for seen in self.observations)

    @property
    def collapsed(self) -> bool:
        """Whether one number came back where an array was asked for.

        Of single floats that would be right: the sum of one number is that number.
        """
        errors = [seen.outcome.error for seen in self.observations]
        return any(isinstance(error, Misfit) and error.name == "collapsed" for error in errors)

    @property
    def printed(self) -> str:
        """What the first call that printed anything printed."""
        return next((o.outcome.printed for o in self.observations if o.outcome.printed), "")


def close(found: Array, expected: Array) -> NDArray[np.bool_]:
    """Return where two results agree, as far as float32 can tell, as an array of one axis or more.

    >>> close(np.array(1.0), np.array(1.00001))
    array([ True])
    """
    found, expected = np.atleast_1d(found, expected)
    equal: NDArray[np.bool_] = found == expected
    if equal.all():  # as most are: rounding is not often to be judged
        return equal
    with np.errstate(all="ignore"):
        near = abs(found - expected) <= ABSOLUTE + RELATIVE * abs(expected)
    same: NDArray[np.bool_] = (near & np.isfinite(expected)) | equal
    return same | (np.isnan(found) & np.isnan(expected))


def has_names(task: Task, function: Callable[..., Any]) -> bool:
    """Return whether the function takes the exercise's arguments by their names."""
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:
        return False
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    names = {n for n, p in parameters.items() if p.kind is not inspect.Parameter.POSITIONAL_ONLY}
    return takes_any or set(task.parameters) <= names


def by_name(task: Task, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, to be called by the names of the exercise.

    A student may call alpha what the exercise calls lr; then the order of the arguments counts.
    """
    if has_names(task, function):
        return function
    return lambda **arguments: function(*arguments.values())


def trial_of(exercise: Reference, function: Callable[..., Any]) -> Trial:
    """Try the kinds of number in turn, and return the first trial in which every call gave values.

    If none did, return the one to speak of: the first that gave any, else the first that ended in
    an error which is not about the kind of number.
    """
    trials = []
    for kind in exercise.kinds:
        if not kind.available:
            continue
        trial = Trial(kind, list(_observations(exercise, function, kind)))
        trials.append(trial)
        if trial.error is None or trial.observations[-1].outcome.out_of_time or trial.collapsed:
            return trial
    return min(trials, key=_rank)


def _rank(trial: Trial) -> int:
    if trial.ran:
        return 0
    of_kind = (TypeError, AttributeError, ValueError, NotImplementedError)
    return 2 if isinstance(trial.error, of_kind) else 1


def _observations(
    exercise: Reference, function: Callable[..., Any], kind: Kind
) -> Iterator[Observation]:
    """Call the solution with every probe; the first call that takes too long is the last."""
    for number, arguments in enumerate((*exercise.probes, *exercise.material.further), start=1):
        seen = observe(exercise, function, kind, arguments, number)
        yield seen
        if seen.outcome.out_of_time:
            return


def observe(
    exercise: Reference,
    function: Callable[..., Any],
    kind: Kind,
    arguments: Mapping[str, Any],
    number: int = 1,
) -> Observation:
    """Call the solution once, by the exercise's names, and note what happened."""
    outcome = call(lambda: kind.call(function, arguments, exercise.returns))
    # Only now, so that nothing right stands in a frame while the solution runs.
    results = exercise.results(exercise.values(arguments))
    expected = tuple(np.asarray(result, dtype=float) for result in results)
    if outcome.error is not None:
        return Observation(number, arguments, expected, None, outcome)
    found, kept = outcome.value
    try:
        found = tuple(map(_of_shape, found, expected, exercise.returns))
    except Misfit as misfit:
        more = misfit.hints or tuple(_by_column(arguments, expected))
        misfit.hints = (*_known_so(exercise, arguments, found), *more)
        outcome = Outcome(error=misfit, printed=outcome.printed)
        return Observation(number, arguments, expected, None, outcome, kept)
    return Observation(number, arguments, expected, found, outcome, kept)


def _of_shape(found: Array, expected: Array, name: str) -> Array:
    if found.shape == expected.shape:
        return found
    if found.size == expected.size == 1:
        return found.reshape(expected.shape)
    text = f"For {name} it returned {_shape(found)}; asked for: {_shape(expected)}."
    if found.size == 1:
        raise Misfit("collapsed", text, tuple(_could_be(found.ravel(), expected)))
    raise Misfit("wrong_shape", text)


def _known_so(
    exercise: Reference, arguments: Mapping[str, Any], found: tuple[Array, ...]
) -> Iterator[str]:
    """Yield the words of the known mistakes that make just these numbers: all equal where one came
    back, or more or fewer than asked for."""
    for mistake in exercise.mistakes if len(found) == 1 else ():
        with np.errstate(all="ignore"), suppress(ArithmeticError, ValueError):
            (result,) = exercise.results(exercise.values(arguments, mistake))
            if close(found[0].ravel(), np.asarray(result, dtype=float)).all():
                yield mistake.words


REDUCED = (
    "Functions such as np.sum, np.mean, np.max and np.linalg.norm make one number of an array; "
    "here each coordinate has its own."
)


def _by_column(arguments: Mapping[str, Any], expected: tuple[Array, ...]) -> Iterator[str]:
    """Yield what to do where a table is given and a number for each of its columns asked for."""
    for name, value in arguments.items():
        if np.ndim(value) == 2 and any(result.shape == (value.shape[1],) for result in expected):
            yield (
                f"Asked for is a number for each column of {name}: a sum or a mean goes over its "
                "rows, with axis=0."
            )


def _could_be(found: Array, expected: Array) -> Iterator[str]:
    """Yield what one number can be where several were asked for, in a sentence each."""
    if expected.ndim == 1 and close(found, expected[0]).all():
        yield "It is the first of them; all are asked for. Does a return stand inside of a loop?"
    if expected.ndim == 1 and close(found, expected[-1]).all():
        yield "It is the last of them; all are asked for."
    for what, value in {"sum": expected.sum(), "mean": expected.mean()}.items():
        if close(found, value).all():
            yield f"It is the {what} of them all; each is asked for by itself."
    yield REDUCED


def _shape(array: Array) -> str:
    if array.size == 1:
        return "one number"
    return f"{len(array)} numbers" if array.ndim == 1 else f"numbers of shape {array.shape}"
