"""An exercise without one right answer: what is returned is tried out, and must have an effect."""

import inspect
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .calling import by_name
from .faults import changes_random_state, described, refusal, replaces_functions
from .kinds import Misfit
from .report import Report
from .sandbox import Outcome, RandomState, call
from .task import Task

SECONDS = 20.0


@dataclass(frozen=True)
class Flaw:
    """Something that a solution can lack.

    Attributes
    ----------
    function : says whether the solution lacks it; its name is the flaw's, its docstring what the
        student reads, its parameters the names of what was returned or measured
    """

    function: Callable[..., bool]

    @property
    def name(self) -> str:
        """The flaw's name."""
        return self.function.__name__

    @property
    def words(self) -> str:
        """The explanation, on one line."""
        return " ".join((self.function.__doc__ or "").split())

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names that it looks at."""
        return tuple(inspect.signature(self.function).parameters)


@dataclass(frozen=True, repr=False)
class Challenge(Task):
    """A function to write whose results are judged by what they do.

    Attributes
    ----------
    measure : tries the results out; its parameters are their names, its result what it measured
    flaws : what a solution can lack, in the order of looking; those that need no measurement are
        looked for before anything is tried out
    said : the measurement in words, with the names of what was measured in braces
    arguments : makes the arguments that the solution is called with, by name, or what is measured
        with it; raises Misfit where something is missing
    called : whether the solution is called, and its results tried out; else it is tried out itself
    """

    measure: Callable[..., Mapping[str, Any]]
    flaws: tuple[Flaw, ...]
    said: str
    arguments: Callable[[], Mapping[str, Any]] = dict
    called: bool = True

    def __call__(self, function: Callable[..., Any]) -> Report:
        """Call a solution, try out what it returns, and report what came of it."""
        refused = refusal(self, function)
        if refused is not None:
            return refused
        state = RandomState(function)
        try:
            return self._judged(by_name(self, function) if self.called else function, state)
        finally:
            state.restore()

    def _judged(self, function: Callable[..., Any], state: RandomState) -> Report:
        try:
            arguments = self.arguments()
        except Misfit as misfit:
            return self.refused(*described(misfit))
        outcome = Outcome(function)
        if self.called:
            outcome = call(lambda: function(**arguments), SECONDS)
        if outcome.error is None and not outcome.replaced:
            outcome = call(lambda: self._measured(outcome.value, arguments), SECONDS)
        if outcome.error is not None:
            return self.refused(*described(outcome.error))
        if outcome.replaced:
            return self.refused(*replaces_functions(outcome.replaced))
        flaw, seen = outcome.value
        if flaw is not None:
            parts = [("Problem", flaw.words)]
            if all(name in seen for name in _names(self.said)):
                parts.append(("Result", self.said.format(**seen)))
            parts.append(self.reading)
            return Report(self.name, False, (flaw.name,), "not there yet", tuple(parts))
        if state.changed():
            return self.refused(*changes_random_state(state.changed()))
        return Report(self.name, True, (), "right", (("Result", self.said.format(**seen)),))

    def _measured(
        self, value: Any, arguments: Mapping[str, Any]
    ) -> tuple[Flaw | None, dict[str, Any]]:
        """Return the first flaw, if there is one, and all that was measured."""
        seen = dict(arguments) | _unpacked(value, self.returns)
        for flaw in self.flaws:
            if not set(flaw.reads) <= set(seen):
                seen |= self.measure(**{name: seen[name] for name in _reads(self.measure)})
            if flaw.function(**{name: seen[name] for name in flaw.reads}):
                return flaw, seen
        return None, seen


def _reads(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def _unpacked(value: Any, returns: tuple[str, ...]) -> dict[str, Any]:
    if value is None:
        raise Misfit(
            "returns_nothing", "It returned None. Is there a return statement on every way through?"
        )
    values = (value,)
    if len(returns) > 1 and isinstance(value, (tuple, list)):
        values = tuple(value)
    if len(values) != len(returns):
        given = "1 value" if len(values) == 1 else f"{len(values)} values"
        wanted = f"{len(returns)}, ({', '.join(returns)})"
        raise Misfit("wrong_count", f"It returned {given}; asked for: {wanted}.")
    return dict(zip(returns, values, strict=True))


def is_number(value: Any) -> bool:
    """Return whether a value is one finite number.

    >>> is_number(0.1), is_number("0.1"), is_number(float("nan"))
    (True, False, False)
    """
    try:
        return abs(float(value)) < float("inf") and not isinstance(value, (str, bool))
    except (TypeError, ValueError):
        return False
