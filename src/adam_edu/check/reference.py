"""What a solution is compared with: the right algorithm, how to call it, what is often wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..program import Program
from .algorithm import RETURNED, Algorithm, exchanged, run
from .kinds import ARRAYS, FLOATS, Array, Kind
from .mistake import Mistake
from .task import Task


@dataclass(frozen=True)
class Material:
    """The right algorithm, and the calls in which a solution is compared with it.

    Attributes
    ----------
    lines : the right algorithm
    probes : the arguments that it is called with, by name and in the order of the signature
    further : more arguments, unlike the probes: late steps, odd settings, zeros
    program : the right lines as trees, of which mistakes are inferred; None if they are no lines
    rich : for each name that the program reads, its values in many more calls, which tell apart
        what two explanations would compute
    also : the same lines written otherwise, of which mistakes are inferred if they are none of
        the program's
    unrolled : if the program is one step of a run, gives its inputs and its result in every step:
        of the arguments and the results of a call
    """

    lines: Algorithm
    probes: tuple[Mapping[str, Any], ...]
    further: tuple[Mapping[str, Any], ...] = ()
    program: Program | None = None
    rich: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[Program, ...] = ()
    unrolled: Callable[[Mapping[str, Any], tuple[Array, ...]], Mapping[str, Array]] | None = None


@dataclass(frozen=True, repr=False)
class Reference(Task):
    """A function to write whose results are compared with those of the right algorithm.

    Attributes
    ----------
    made : makes what it is compared with, once, when a solution is first checked: who lists the
        exercises, or solves one, does not wait for all
    mistakes : the known ones, the likelier first
    kinds : the kinds of number that a solution may be written for, in the order of trying
    places : how to speak of a line, where "the line that computes NAME" would not be clear
    body : what the stub has in place of its body: three dots, a program with a gap, or one with a
        bug in it
    planted : the names of the mistakes that the body makes; the report does not give them away
    """

    made: Callable[[], Material]
    mistakes: tuple[Mistake, ...]
    kinds: tuple[Kind, ...] = (ARRAYS,)
    places: Mapping[str, str] = field(default_factory=dict)
    body: str = "..."
    planted: tuple[str, ...] = ()

    @cached_property
    def material(self) -> Material:
        """What a solution is compared with."""
        return self.made()

    @property
    def lines(self) -> Algorithm:
        """The right algorithm."""
        return self.material.lines

    @property
    def probes(self) -> tuple[Mapping[str, Any], ...]:
        """The arguments that a solution is called with."""
        return self.material.probes

    @property
    def program(self) -> Program | None:
        """The right lines as trees, or None if they are no lines."""
        return self.material.program

    @property
    def stub(self) -> str:
        """What the student begins with."""
        body = "\n".join(f"    {line}".rstrip() for line in self.body.splitlines())
        return f"def {self.signature}:\n{body}\n"

    @property
    def one_by_one(self) -> bool:
        """Whether each coordinate stands for itself, as in an optimizer's step."""
        return FLOATS in self.kinds

    def values(
        self,
        arguments: Mapping[str, Any],
        *mistakes: Mistake,
        forced: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the value of every name, right or with mistakes; of some, as it is given."""
        lines = self.lines
        for mistake in mistakes:
            lines = exchanged(lines, mistake.line)
        return run(lines, arguments, forced)

    def results(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what is returned, out of the value of every name."""
        return tuple(self.result(values, name) for name in self.returns)

    def result(self, values: Mapping[str, Any], name: str) -> Any:
        """Return one result, out of the value of every name."""
        return values.get(RETURNED + name, values[name])

    def place(self, line: str) -> str:
        """Return how to speak of a line."""
        if line.startswith(RETURNED):
            return self.places.get(RETURNED, "the return statement")
        return self.places.get(line, f"the line that computes {line}")
