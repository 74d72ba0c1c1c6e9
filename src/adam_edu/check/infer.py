"""What explains the numbers that came back: entries of the catalogue, and edits of the lines.

The state comes first, slot by slot. The new x is then judged by the student's own state, so that
two mistakes in two places cost two searches and not their product.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from ..edits import Edit
from ..trees import Call, Name, Node
from .algorithm import RETURNED
from .calling import Observation, close
from .mistake import Mistake
from .program import BEFORE, Array, Program
from .reference import Reference
from .search import Bench, Target, Wrong, classes, line_of, pairs, single, together
from .wording import Said, both_said, said, shown

# So many numbers of a result must be seen for an explanation to mean anything.
ENOUGH = 8


@dataclass(frozen=True)
class Cause:
    """One explanation.

    Attributes
    ----------
    name : of the mistake, or made of the line and the kind of the edit
    text : what the student reads
    code : the line as it is, or ""
    line : which one
    edits : those of the program, if it is not from the catalogue
    mistake : the catalogue's entry, if it is
    others : what else could be meant, in a few words each
    """

    name: str
    text: str
    code: str
    line: str
    edits: tuple[Wrong, ...] = ()
    mistake: Mistake | None = None
    others: tuple[str, ...] = ()

    @classmethod
    def known(cls, mistake: Mistake) -> "Cause":
        """Return the explanation by an entry of the catalogue."""
        return cls(mistake.name, mistake.words, mistake.code, mistake.lines[0], mistake=mistake)


@dataclass(frozen=True)
class Explanation:
    """What was found.

    Attributes
    ----------
    causes : in the order of the lines
    open : the results that nothing explains
    """

    causes: tuple[Cause, ...] = ()
    open: tuple[str, ...] = ()


@dataclass
class Search:
    """The search for what explains the observations of one solution.

    Attributes
    ----------
    exercise, program : what is right
    seen : the calls that came back with numbers, all with as many coordinates
    given, found : their arguments and results, stacked
    """

    exercise: Reference
    program: Program
    seen: list[Observation]
    given: dict[str, Array] = field(init=False)
    found: dict[str, Array] = field(init=False)

    def __post_init__(self) -> None:
        given, found = stacked(self.exercise, self.program, self.seen)
        bench = Bench(self.program, given)
        if self.exercise.unrolled is not None:
            self.given, self.found = given, found
        else:
            self._keep(given, found, bench)
        self.target = Target(self.found, self._precision())
        self.right = Bench(self.program, self.given)
        self.rich = Bench(self.program, self.exercise.rich)
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

    def bench(self, forced: Iterable[str] = (), carried: Sequence[Wrong] = ()) -> Bench:
        """Return the program with the student's own numbers in some lines."""
        return Bench(self.program, self.given, {n: self.found[n] for n in forced}, carried)

    def explanation(self) -> Explanation:
        """Return what explains the results, as far as it goes."""
        wrong = [name for name in self.program.results if name not in self.good]
        told = [name for name in wrong if self._tells(name)]
        if not told:
            return Explanation(open=tuple(wrong))
        hits = single(self.right, self.target, self.program.results)
        if hits:
            return Explanation((self.cause(hits, wrong),))
        slots = [name for name in wrong if name in self.program.results[1:]]
        if not slots:
            causes = self.stage(wrong[0], [self.right])
            return Explanation(causes or (), () if causes is not None else tuple(wrong))
        return self.in_stages(slots, "x" in wrong or wrong[0] == self.program.results[0])

    def in_stages(self, slots: list[str], last: bool) -> Explanation:
        """Return what explains each slot, given those before it, and then the new x."""
        causes: list[Cause] = []
        unexplained: list[str] = []
        handed = [name for name in slots if self.only_returned(name, slots)]
        carried: list[Wrong] = []
        shared = single(self.right, self.target, slots) if len(slots) > 1 else []
        both = self.across(slots)
        if both is not None:
            causes.append(both)
        elif shared:
            causes.append(self.cause(shared, slots))
            carried += causes[0].edits
        else:
            earlier: list[str] = []
            order = [line.name for line in self.program.lines]
            for name in sorted(slots, key=order.index):
                benches = [self.bench(earlier), self.right] if earlier else [self.right]
                found = self.returned(name) if name in handed else None
                found = found or self.stage(name, benches, name in handed)
                if found is None:
                    unexplained.append(name)
                else:
                    causes += found
                    carried += [wrong for cause in found for wrong in cause.edits]
                earlier.append(name)
        if last:
            name, benches = self.program.results[0], list(self.contexts(slots, carried))
            found = self.stage(name, benches, deep=False)
            if found is None:
                found = self.widen(causes, name, slots)
            if found is None:
                found = self.stage(name, benches)
            if found is None:
                unexplained.append(name)
            else:
                causes += found
        return Explanation(tuple(causes), tuple(unexplained))

    def widen(self, causes: list[Cause], name: str, slots: list[str]) -> tuple[Cause, ...] | None:
        """Return what else explains the last result if one of the causes holds wherever its name
        is read; that cause is then put in the place of the narrower one."""
        for i, cause in enumerate(causes):
            wide = self.widened(cause.edits)
            if wide is None:
                continue
            found = self.stage(name, [self.bench(slots, [wide])], deep=False)
            if found is not None:
                causes[i] = self.of_edit(wide)
                return found
        return None

    def widened(self, edits: tuple[Wrong, ...]) -> Wrong | None:
        """Return an edit of one place of a name as the same one wherever the name is read."""
        if len(edits) != 1:
            return None
        places = self.program.places
        name = places[edits[0].places[0]].node
        alike = tuple(i for i, place in enumerate(places) if place.node == name)
        if not isinstance(name, Name) or alike == edits[0].places:
            return None
        return Wrong(alike, edits[0].kind, edits[0].new, edits[0].cost)

    def of_edit(self, wrong: Wrong, others: tuple[str, ...] = ()) -> Cause:
        """Return an edit as a cause."""
        words = self.words(wrong)
        return Cause(words.name, words.text, words.code, words.line, (wrong,), others=others)

    def only_returned(self, name: str, slots: list[str]) -> bool:
        """Return whether a slot is wrong in what is returned alone: the new x, or a later slot, is
        computed from the right one."""
        for end in self.program.results:
            if end != name and self.right.reaches([self.program.roots[name]], [end]):
                for own in product((True, False), repeat=len(slots)):
                    mine = [
                        n for n, m in zip(slots, own, strict=True) if m and n not in (name, end)
                    ]
                    if self.agrees(end, self.bench(mine)):
                        return not self.agrees(end, self.bench([*mine, name]))
        return False

    def contexts(self, slots: list[str], carried: list[Wrong]) -> Iterator[Bench]:
        """Yield what the new x can have been computed from: the student's own slots, or the right
        ones, if a slot is wrong only in what is returned."""
        for own in product((True, False), repeat=len(slots)):
            yield self.bench([name for name, mine in zip(slots, own, strict=True) if mine])
        if carried:
            yield self.bench(carried=carried)
            yield self.bench(slots, carried)

    def across(self, slots: list[str]) -> Cause | None:
        """Return the catalogue's entry that explains several slots at once, if there is one."""
        if len(slots) < 2:
            return None
        for mistake in self.exercise.mistakes:
            if len(mistake.lines) > 1 and all(self._matches(mistake, name, {}) for name in slots):
                return Cause.known(mistake)
        return None

    def stage(
        self, name: str, benches: list[Bench], handed: bool = False, deep: bool = True
    ) -> tuple[Cause, ...] | None:
        """Return what explains one result: nothing, one cause or two; or None.

        ``handed`` says that the result is right in the program, and wrong where it is returned;
        ``deep``, that two edits may be tried.
        """
        if any(self.agrees(name, bench) for bench in benches):
            return ()
        if not self._tells(name):
            return None
        for bench in benches:
            for mistake in self.exercise.mistakes if self.exercise.unrolled is None else ():
                if handed and not mistake.lines[0].startswith(RETURNED):
                    continue
                if self._matches(mistake, name, bench.forced):
                    return (Cause.known(mistake),)
        for bench in benches:
            hits = single(bench, self.target, [name])
            if hits and handed:
                return (self._hands_on(name, hits[0][0]),)
            if hits:
                return (self.cause(hits, [name], bench),)
        returned = self.returned(name)
        if returned is not None or handed or not deep:
            return returned
        for bench in benches:
            hits = self._pairs(bench, name)
            if hits:
                return self._both(hits, name, bench)
        return None

    def _tells(self, name: str) -> bool:
        return int(np.isfinite(self.found[name]).sum()) >= ENOUGH

    def _matches(self, mistake: Mistake, name: str, forced: Mapping[str, Array]) -> bool:
        """Return whether an entry of the catalogue explains a result, given some lines' values,
        and leaves what is right as it is."""
        kept = [other for other in self.program.results if other != name and other in self.good]
        for i, seen in enumerate(self.seen):
            own = {line: values[i] for line, values in forced.items()}
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

    def cause(
        self, hits: list[tuple[Wrong, ...]], results: Sequence[str], bench: Bench | None = None
    ) -> Cause:
        """Return the likeliest of single edits, and what else they could mean."""
        rich = self.rich
        if bench is not None and bench.forced:
            rich = Bench(self.program, self.exercise.rich, self._odd(bench.forced))
        kinds = classes(rich, hits, results)
        (first,) = kinds[0][0]
        others = tuple(self._short(members[0]) for members in kinds[1:4])
        return self.of_edit(first, others)

    def _odd(self, forced: Iterable[str]) -> dict[str, Array]:
        values = self.exercise.rich
        names = [name for name in forced if name + BEFORE in values]
        return {name: values[name + BEFORE][::-1] for name in names}

    def words(self, wrong: Wrong) -> Said:
        """Return how to speak of an edit: as the catalogue does, if it has it."""
        return said(self.program, wrong, dict(self.exercise.places))

    def _short(self, wrongs: tuple[Wrong, ...]) -> str:
        codes = [self.words(wrong) for wrong in wrongs]
        return " with ".join(said.code or said.text for said in codes)

    def _hands_on(self, name: str, wrong: Wrong) -> Cause:
        line, places = self.program.line[name], self.program.places[wrong.places[0]]
        if wrong.kind in ("at first", "stops"):
            text = f"{said(self.program, wrong, {}).text} So you return it."
            return Cause(f"{name}_returned_wrongly", text, "", f"returned {name}")
        if places.line != name:
            return self._returns(name, "another number", "")
        node = Edit("", places.path, wrong.new).of(line)
        if not places.path and isinstance(node, Call) and line in node.args:
            node = substituted_tree(node, line, Name(name))
        return self._returns(name, shown(self.program, name, node), "")

    def returned(self, name: str) -> tuple[Cause, ...] | None:
        """Return the cause if what is returned for a slot is another value of the lines."""
        values = self.right.base
        candidates = [
            (line.name, values[self.program.roots[line.name]]) for line in self.program.lines
        ]
        candidates += [(n, v) for n, v in self.given.items() if v.shape[-1] > 1]
        for other, value in candidates:
            if other == name:
                continue
            for kind, seen in (("", value), ("root of ", np.sqrt(np.abs(value)))):
                if np.shape(seen) == self.found[name].shape and self.target.agree(name, seen):
                    return (self._returns(name, other, kind),)
        return None

    def _returns(self, name: str, other: str, kind: str) -> Cause:
        what = other.removesuffix(BEFORE)
        if other == name + BEFORE:
            what = f"the {name} that you were given"
        elif kind:
            what = f"the {kind}{what}"
        text = (
            f"For {name} you return {what}. The next step goes on from the new {name} itself: "
            f"{self._line(name)}."
        )
        return Cause(f"{name}_returned_wrongly", text, "", f"returned {name}")

    def _line(self, name: str) -> str:
        return f"{name} = {shown(self.program, name, self.program.line[name])}"

    def _pairs(self, bench: Bench, name: str) -> list[tuple[Wrong, ...]]:
        found = self.found[name]
        steps = self.program.has("sign", "clip", "maximum", "min")
        places = _telling(found, self.value(name, self.right), 6 if steps else 2)
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

    def _both(self, hits: list[tuple[Wrong, ...]], name: str, bench: Bench) -> tuple[Cause, ...]:
        kinds = classes(self.rich, hits, [name])
        others = tuple(self._short(members[0]) for members in kinds[1:3])
        one, two = kinds[0][0]
        if line_of(self.program, one) == line_of(self.program, two):
            words = both_said(self.program, one, two, dict(self.exercise.places))
            cause = Cause(words.name, words.text, words.code, words.line, (one, two), None, others)
            return (cause,)
        causes = []
        for wrong in (one, two):
            entry = self._entry(wrong, name, bench)
            causes.append(Cause.known(entry) if entry else self.of_edit(wrong, others))
            others = ()
        return tuple(causes)

    def _entry(self, wrong: Wrong, name: str, bench: Bench) -> Mistake | None:
        """Return the entry of the catalogue that is this edit alone, if there is one."""
        value = bench.value(self.program.roots[name], together(bench, [wrong]), {})
        alone = Search.__new__(Search)
        alone.__dict__.update(self.__dict__)
        alone.found = {**self.found, name: np.broadcast_to(value, self.found[name].shape)}
        for mistake in self.exercise.mistakes:
            if alone._matches(mistake, name, bench.forced):
                return mistake
        return None


def substituted_tree(node: Call, part: Node, new: Node) -> Node:
    """Return an operation with one of its arguments exchanged."""
    return Call(node.op, tuple(new if arg == part else arg for arg in node.args))


def _telling(found: Array, right: Array, most: int) -> list[tuple[int, int]]:
    """Return a few places of a result that are wrong, finite, and in different calls."""
    good = np.isfinite(found) & np.isfinite(right) & ~np.isclose(found, right, rtol=1e-6)
    places = [(int(i), int(j)) for i, j in np.argwhere(good)]
    # Each from another call and coordinate, from the later ones, which are the richer.
    chosen: dict[int, tuple[int, int]] = {}
    for i, j in places:
        if (i + j) % max(found.shape[1], 1) == 0 or i not in chosen:
            chosen[i] = (i, j)
    return list(chosen.values())[-most:]


def stacked(
    exercise: Reference, program: Program, seen: Sequence[Observation]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the arguments and the results of many calls as arrays: the call, the coordinate."""
    if exercise.unrolled is not None:
        parts = [exercise.unrolled(one.arguments, one.found or one.expected) for one in seen]
        names = (*program.inputs, *program.results)
        whole = {name: np.concatenate([part[name] for part in parts])[:, None] for name in names}
        return whole, {name: whole[name] for name in program.results}
    given: dict[str, Any] = {}
    renamed = {name.removesuffix(BEFORE): name for name in program.inputs}
    for name in exercise.parameters:
        values = [np.atleast_1d(np.asarray(one.arguments[name], dtype=float)) for one in seen]
        given[renamed.get(name, name)] = np.array(values)
    found = {}
    for i, name in enumerate(exercise.returns):
        found[name] = np.array([np.atleast_1d(one.found[i]) for one in seen if one.found])
    return given, found


def with_and_without(
    exercise: Reference, program: Program, seen: Observation, cause: Cause
) -> tuple[Array, Array]:
    """Return the value of a cause's line in one call, and what it would be."""
    given, _ = stacked(exercise, program, [seen])
    bench = Bench(program, given)
    root = program.roots[cause.line]
    return bench.value(root, together(bench, cause.edits), {})[0], bench.base[root][0]


__all__ = ["Cause", "Explanation", "Name", "Search", "line_of", "stacked"]
