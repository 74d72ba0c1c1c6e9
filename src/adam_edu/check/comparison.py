"""One solution's results beside what the lines compute, as they are and with edits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ..program import BEFORE, Array, Program
from ..wrongs import Group, Wrong, moves
from .bench import Bench, Target, together
from .calling import Observation, close
from .likeness import Likeness
from .mistake import Mistake
from .observed import stacked, telling
from .reference import Reference
from .search import pairs, single

# So many numbers of a result must be seen for an explanation to mean anything.
ENOUGH = 8


def likely(group: Group) -> Group:
    """Return the edits that are tried before all others."""
    return group.likely(1.25)


def unlikely(group: Group) -> Group:
    """Return the others."""
    return group.minus(likely(group))


@dataclass
class Comparison:
    """The observations of one solution, and the program that they are compared with.

    Attributes
    ----------
    exercise, program : what is right
    seen : the calls that came back with numbers, all with as many coordinates
    likeness : to the student's own expressions, if these were seen
    given, found : their arguments and results, stacked
    """

    exercise: Reference
    program: Program
    seen: list[Observation]
    likeness: Likeness | None = None
    given: dict[str, Array] = field(init=False)
    found: dict[str, Array] = field(init=False)

    def __post_init__(self) -> None:
        given, found = stacked(self.exercise, self.program, self.seen)
        bench = Bench(self.program, given)
        if self.exercise.material.unrolled is not None:
            self.given, self.found = given, found
        else:
            self._keep(given, found, bench)
        self.target = Target(self.found, self._precision())
        self.right = Bench(self.program, self.given)
        self.rich = Bench(self.program, self.exercise.material.rich)
        self.good = {name for name in self.program.results if self.agrees(name, self.right)}

    def _keep(self, given: dict[str, Array], found: dict[str, Array], bench: Bench) -> None:
        """Keep all calls but those whose products have too many factors."""
        told = np.ones(len(self.seen), dtype=bool)
        for name in self.program.results:
            told &= ~np.isnan(bench.base[self.program.roots[name]]).any(axis=1)
        self.seen = [one for one, good in zip(self.seen, told, strict=True) if good]
        self.given = {name: array[told] for name, array in given.items()}
        self.found = {name: array[told] for name, array in found.items()}

    def _precision(self) -> float:
        rounded = all(np.array_equal(v, v.astype(np.float32), True) for v in self.found.values())
        return 1e-4 if rounded else 1e-7

    def value(self, name: str, bench: Bench) -> Array:
        """Return what a line computes on a bench."""
        value: Array = np.broadcast_to(bench.base[self.program.roots[name]], self.found[name].shape)
        return value

    def agrees(self, name: str, bench: Bench) -> bool:
        """Return whether a result is what a bench computes, without any edit."""
        return bool(close(self.found[name], self.value(name, bench)).all())

    def given_slots(self, names: list[str]) -> Bench:
        """Return the program with the student's own numbers in some slots alone."""
        return Bench(self.program, self.given, {name: self.found[name] for name in names})

    def bench(self, forced: Iterable[str] = (), carried: Sequence[Wrong] = ()) -> Bench:
        """Return the program with the student's own numbers in some lines, and in each slot that
        is right."""
        slots = [n for n in self.program.results[1:] if n in self.good or n in forced]
        return Bench(self.program, self.given, {n: self.found[n] for n in slots}, carried)

    def singles(self, bench: Bench, results: Sequence[str]) -> list[tuple[Wrong, ...]]:
        """Return the edits under which the results are what came back: of the likelier ones alone,
        if one of these is just what the student has written."""
        wrong = [name for name in results if name not in self.good]
        hits = single(bench, self.target, results, wrong, likely)
        if self.likeness is not None:
            strange = (self.likeness.strange(hit, tuple(bench.forced)) for hit in hits[:30])
            if any(counts == (0, 0) for counts in strange):
                return hits
        return hits + single(bench, self.target, results, wrong, unlikely)

    def tells(self, name: str) -> bool:
        """Return whether enough of a result are numbers for an explanation to mean anything."""
        return int(np.isfinite(self.found[name]).sum()) >= ENOUGH

    def matches(self, mistake: Mistake, name: str, forced: Mapping[str, Array]) -> bool:
        """Return whether an entry of the catalogue explains a result, given some lines' values,
        and leaves what is right as it is."""
        kept = [other for other in self.program.results if other != name and other in self.good]
        for i, seen in enumerate(self.seen):
            own = {n: values[i] for n, values in forced.items() if n not in self.good}
            try:
                with np.errstate(all="ignore"):
                    values = self.exercise.values(seen.arguments, mistake, forced=own)
                    value = self.exercise.result(values, name)
            except (ArithmeticError, ValueError):
                return False
            if not np.all(close(self.found[name][i], np.asarray(value, dtype=float))):
                return False
            for other in kept:
                value = self.exercise.result(values, other)
                if not np.all(close(self.found[other][i], np.asarray(value, dtype=float))):
                    return False
        return True

    def likeliest(
        self, kinds: list[list[tuple[Wrong, ...]]], forced: tuple[str, ...] = ()
    ) -> list[tuple[Wrong, ...]]:
        """Return the explanation to speak of, and those that are as good, where ``kinds`` has
        those that compute the same together, the likelier first."""
        if self.likeness is None or sum(map(len, kinds)) == 1:
            return [members[0] for members in kinds[:4]]
        best = []
        for members in kinds[:4]:
            wrongs = min(members[:30], key=partial(self.likeness.cost, forced=forced))
            best.append((self.likeness.strange(wrongs, forced)[0], wrongs))
        least = min(absent for absent, _ in best)
        return [wrongs for absent, wrongs in best if absent == least]

    def moves(self, bench: Bench, name: str) -> list[tuple[Wrong, ...]]:
        """Return the moves of a part of a line to another place under which a result is what came
        back."""
        root = self.program.roots[name]
        return [
            pair
            for pair in moves(self.program)
            if all(bench.reaches(wrong.places, [name]) for wrong in pair)
            and self.target.agree(name, bench.value(root, together(bench, pair), {}))
        ]

    def pairs(self, bench: Bench, name: str) -> list[tuple[Wrong, ...]]:
        """Return the pairs of edits under which a result is what came back."""
        found = self.found[name]
        steps = self.program.has("sign", "clip", "maximum", "min")
        places = telling(found, self.value(name, self.right), 6 if steps else 2)
        if len(places) < 2:
            return []
        calls, coordinates = map(list, zip(*places, strict=True))

        def few(array: Array) -> Array:
            if self.program.has("sum", "max"):
                return array[calls]
            part: Array = np.broadcast_to(array, found.shape)[calls, coordinates]
            return part[:, None]

        given = {key: few(value) for key, value in self.given.items()}
        small = Bench(self.program, given, {key: few(v) for key, v in bench.forced.items()})
        return pairs(bench, small, self.target, few(found), name)

    def odd(self, forced: Iterable[str]) -> dict[str, Array]:
        """Return values of some slots, for calls that nobody makes, that are not theirs."""
        values = self.exercise.material.rich
        names = [name for name in forced if name + BEFORE in values]
        return {name: values[name + BEFORE][::-1] for name in names}
