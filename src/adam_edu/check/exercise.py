"""An exercise whose right answer is known: what is asked for, and what is often wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .algorithm import RETURNED, Algorithm, exchanged, run
from .kinds import ARRAYS, FLOATS, Kind
from .mistake import Mistake
from .report import Report
from .task import Task


@dataclass(frozen=True, repr=False)
class Exercise(Task):
    """A function to write whose results are compared with those of the right algorithm.

    Attributes
    ----------
    lines : the right algorithm
    probes : the arguments that it is called with, by name and in the order of the signature
    mistakes : the known ones, the likelier first
    kinds : the kinds of number that a solution may be written for, in the order of trying
    places : how to speak of a line, where "the line that computes NAME" would not be clear
    body : what the stub has in place of its body: three dots, a program with a gap, or one with a
        bug in it
    planted : the names of the mistakes that the body makes; the report does not give them away
    """

    lines: Algorithm
    probes: tuple[Mapping[str, Any], ...]
    mistakes: tuple[Mistake, ...]
    kinds: tuple[Kind, ...] = (ARRAYS,)
    places: Mapping[str, str] = field(default_factory=dict)
    body: str = "..."
    planted: tuple[str, ...] = ()

    def __call__(self, function: Callable[..., Any]) -> Report:
        """Check a solution, and return a report of what is right, what differs, and why."""
        from .examine import examine

        # in_place() says what an exercise asks for when it is handed such a function.
        asked = getattr(function, "asked", None)
        return examine(asked(self) if asked else self, function)

    @property
    def stub(self) -> str:
        """What the student begins with."""
        body = "\n".join(f"    {line}".rstrip() for line in self.body.splitlines())
        return f"def {self.signature}:\n{body}\n"

    @property
    def one_by_one(self) -> bool:
        """Whether each coordinate stands for itself, as in an optimizer's step."""
        return FLOATS in self.kinds

    def values(self, arguments: Mapping[str, Any], *mistakes: Mistake) -> dict[str, Any]:
        """Return the value of every name, right or with mistakes."""
        lines = self.lines
        for mistake in mistakes:
            lines = exchanged(lines, mistake.line)
        return run(lines, arguments)

    def results(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what is returned, out of the value of every name."""
        return tuple(values.get(RETURNED + name, values[name]) for name in self.returns)

    def place(self, line: str) -> str:
        """Return how to speak of a line."""
        if line.startswith(RETURNED):
            return self.places.get(RETURNED, "the return statement")
        return self.places.get(line, f"the line that computes {line}")
