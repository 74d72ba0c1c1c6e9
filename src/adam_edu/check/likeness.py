"""Which of several explanations is most like what the student has written."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..edits import HOLE
from ..program import Array, Program
from ..trees import INDEX, Call, reads, subtrees
from ..wrongs import Wrong
from .bench import Bench, together
from .calling import Observation
from .observed import stacked
from .reference import Reference
from .tracing import Step

ELSEWHERE = 0.4
UNEXPLAINED = 0.3


class Likeness:
    """The values of a student's own expressions, by which an explanation is measured.

    Many edits compute the same. The one to speak of is the one whose parts are the student's.

    Parameters
    ----------
    seen : the calls that were traced
    steps : the expressions, with their values in these calls
    """

    def __init__(
        self,
        exercise: Reference,
        program: Program,
        seen: Sequence[Observation],
        steps: Sequence[Step],
    ) -> None:
        self.program = program
        self.given, self.found = stacked(exercise, program, seen)
        shapes = (np.shape(array) for array in (*self.given.values(), *self.found.values()))
        self.shape = np.broadcast_shapes(*shapes)
        rows = [(step, self._row(step.values)) for step in steps if step.values]
        known = [(step, row) for step, row in rows if row is not None]
        self.rows = np.array([row for _, row in known])
        places = [(step.line, step.text) for step, _ in known]
        self.statements = np.array([places.index(place) for place in places])

    def _row(self, values: Sequence[Array]) -> Array | None:
        """Return the values of an expression in all calls, or None if they have another form."""
        try:
            return np.array([np.broadcast_to(np.ravel(v), self.shape[1:]) for v in values]).ravel()
        except ValueError:
            return None

    def strange(self, wrongs: Sequence[Wrong], forced: tuple[str, ...] = ()) -> tuple[int, int]:
        """Return how many values of the edited lines the student's program does not have at all,
        or has right, though they are edited; and how many stand in another of its statements."""
        if not self.rows.size:
            return 0, 0
        bench = self._bench(forced)
        over = together(bench, wrongs)
        absent, elsewhere = 0, 0
        for wrong in wrongs:
            *inner, whole = [self._where(value) for value in self._values(bench, wrong, over)]
            here = set(self.statements[whole])
            absent += sum(not where.any() for where in (*inner, whole))
            edited = wrong.places[0]
            if isinstance(self.program.places[edited].node, Call):
                still = set(self.statements[self._where(bench.base[edited])])
                keeps = HOLE in reads(wrong.new)
                absent += int(bool(still & here if here else still) and not keeps)
                elsewhere += int(still.isdisjoint(here) if keeps else bool(still - here))
            there = [set(self.statements[where]) for where in inner if where.any()]
            elsewhere += sum(map(here.isdisjoint, there)) if here else 0
        return absent, elsewhere

    def once(self, line: str) -> bool:
        """Return whether a single statement of the student's computes what a line does."""
        if not self.rows.size:
            return False
        bench = self._bench(())
        return len({*self.statements[self._where(bench.base[self.program.roots[line]])]}) == 1

    def cost(self, wrongs: Sequence[Wrong], forced: tuple[str, ...] = ()) -> float:
        """Return how unlikely it is that this is what the student has written."""
        absent, elsewhere = self.strange(wrongs, forced)
        less = absent + ELSEWHERE * elsewhere + UNEXPLAINED * self._left(wrongs, forced)
        return sum(wrong.cost for wrong in wrongs) + less

    def _left(self, wrongs: Sequence[Wrong], forced: tuple[str, ...]) -> int:
        """Return how many of the student's values neither the right program has nor the edited."""
        if not self.rows.size:
            return 0
        bench = self._bench(forced)
        over, memo = together(bench, wrongs), dict[int, Any]()
        changed = [i for i, mask in enumerate(bench.mask) if any(mask >> j & 1 for j in over)]
        values = [bench.value(i, over, memo) for i in changed]
        for wrong in wrongs:
            values += self._values(bench, wrong, over)
        return int((self._odd(forced) & ~np.any([*map(self._where, values)], axis=0)).sum())

    @cache  # noqa: B019
    def _odd(self, forced: tuple[str, ...]) -> Any:
        """Return which of the student's expressions are no value of the right program."""
        return ~np.any([*map(self._where, self._bench(forced).base)], axis=0)

    @cache  # noqa: B019 (it lives as long as one verdict takes)
    def _bench(self, forced: tuple[str, ...]) -> Bench:
        return Bench(self.program, self.given, {name: self.found[name] for name in forced})

    def _values(self, bench: Bench, wrong: Wrong, over: dict[int, Any]) -> Iterator[Any]:
        """Yield the values of an edit's operations, and of those around it up to the whole line."""
        place = wrong.places[0]
        for path, node in subtrees(wrong.at(place)):
            if path and isinstance(node, Call) and INDEX not in reads(node):
                yield bench.tried(node, place, {i: v for i, v in over.items() if i != place})
        memo: dict[int, Any] = {}
        if isinstance(wrong.at(place), Call) or place not in self.program.around:
            yield bench.value(place, over, memo)
        while place in self.program.around:
            place = self.program.around[place]
            yield bench.value(place, over, memo)

    def _where(self, value: Any) -> Any:
        """Return which of the student's expressions have a value."""
        row = np.broadcast_to(value, self.shape).ravel()
        same = np.isclose(self.rows, row, rtol=1e-6, atol=1e-12, equal_nan=True)
        return same.all(axis=1)
