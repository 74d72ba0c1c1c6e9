"""What explains the numbers that came back: entries of the catalogue, and edits of the lines.

The state comes first, slot by slot. The new x is then judged by the student's own state, so that
two mistakes in two places cost two searches and not their product.
"""

from collections.abc import Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import product

import numpy as np

from ..edits import Edit
from ..program import BEFORE, Array, Program
from ..trees import Call, Name, Node, reads
from ..wrongs import Wrong
from .algorithm import RETURNED
from .bench import Bench, together
from .calling import Observation
from .comparison import ENOUGH, Comparison
from .mistake import Mistake
from .observed import stacked
from .reference import Reference
from .search import classes, line_of
from .wording import Said, both_said, said, shown

# An edit that costs no more is taken without a look at what else there is.
SIMPLE = 1.2


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
    program : the lines that the edits are edits of
    """

    name: str
    text: str
    code: str
    line: str
    edits: tuple[Wrong, ...] = ()
    mistake: Mistake | None = None
    others: tuple[str, ...] = ()
    program: Program | None = None

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


class Search(Comparison):
    """The search for what explains the observations of one solution."""

    used: Collection[str] = ()  # the names that are read in edits of slots

    def explanation(self) -> Explanation:
        """Return what explains the results, as far as it goes."""
        wrong = [name for name in self.program.results if name not in self.good]
        told = [name for name in wrong if self.tells(name)]
        if not told:
            return Explanation(open=tuple(wrong))
        other = self.only_computed(wrong[0]) if len(wrong) == 1 else ""
        if other:
            return Explanation((self._returns(wrong[0], other, ""),))
        hits = self.singles(self.right, self.program.results)
        if hits:
            return Explanation((self.cause(hits, wrong),))
        slots = [name for name in wrong if name in self.program.results[1:]]
        if not slots:
            causes = self.stage(wrong[0], [self.bench()])
            return Explanation(causes or (), () if causes is not None else tuple(wrong))
        return self.in_stages(slots, "x" in wrong or wrong[0] == self.program.results[0])

    def in_stages(self, slots: list[str], last: bool) -> Explanation:
        """Return what explains each slot, given those before it, and then the new x."""
        causes: list[Cause] = []
        unexplained: list[str] = []
        handed = [name for name in slots if self.only_returned(name, slots)]
        carried: list[Wrong] = []
        shared = self.singles(self.right, slots) if len(slots) > 1 else []
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
                benches = [self.bench(earlier), self.bench()] if earlier else [self.bench()]
                if name in handed:
                    found = self.returned(name) or self.handed(name)
                else:
                    found = self.stage(name, benches)
                if found is None:
                    unexplained.append(name)
                else:
                    causes += found
                    carried += [wrong for cause in found for wrong in cause.edits]
                earlier.append(name)
        self.used = {name for wrong in carried for name in reads(wrong.new)}
        if last:
            kept = [name for name in slots if name not in handed]
            name, benches = self.program.results[0], list(self.contexts(slots, kept, carried))
            found = self.one(name, benches)
            if found is None:
                found = self.widen(causes, name, slots)
            if found is None:
                found = self.two(name, benches[: 1 if unexplained else 2])
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
            found = self.one(name, [self.bench(slots, [wide])])
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
        said = words.name, words.text, words.code, words.line
        return Cause(*said, (wrong,), None, others, self.program)

    def only_returned(self, name: str, slots: list[str]) -> bool:
        """Return whether a slot is wrong in what is returned alone: the new x, or a later slot, is
        computed from the right one."""
        for end in self.program.results:
            if end != name and self.right.reaches([self.program.roots[name]], [end]):
                for own in product((True, False), repeat=len(slots)):
                    mine = [
                        n for n, m in zip(slots, own, strict=True) if m and n not in (name, end)
                    ]
                    if self.agrees(end, self.given_slots(mine)):
                        return not self.agrees(end, self.given_slots([*mine, name]))
        return False

    def contexts(self, slots: list[str], kept: list[str], carried: list[Wrong]) -> Iterator[Bench]:
        """Yield what the new x can have been computed from: the student's own slots, but for those
        that are wrong only in what is returned; or all of them, or the right ones."""
        for own in {tuple(kept): None, tuple(slots): None, (): None}:
            yield self.bench(own)
        if carried:
            yield self.bench(carried=carried)
            yield self.bench(slots, carried)

    def across(self, slots: list[str]) -> Cause | None:
        """Return the catalogue's entry that explains several slots at once, if there is one."""
        if len(slots) < 2:
            return None
        for mistake in self.exercise.mistakes:
            if len(mistake.lines) > 1 and all(self.matches(mistake, name, {}) for name in slots):
                return Cause.known(mistake)
        return None

    def stage(self, name: str, benches: list[Bench]) -> tuple[Cause, ...] | None:
        """Return what explains one result: nothing, one cause or two; or None."""
        found = self.one(name, benches)
        return self.two(name, benches) if found is None else found

    def one(self, name: str, benches: list[Bench]) -> tuple[Cause, ...] | None:
        """Return the one cause that explains a result, or none if it is right; or None."""
        if any(self.agrees(name, bench) for bench in benches):
            return ()
        if not self.tells(name):
            return None
        for bench in benches:
            for mistake in (
                self.exercise.mistakes if self.exercise.material.unrolled is None else ()
            ):
                # What stands elsewhere is not to be called unused.
                if mistake.lines[0] in self.used:
                    continue
                if self.matches(mistake, name, bench.forced):
                    return (Cause.known(mistake),)
        # With what was found of the slots carried over, it may be a far simpler edit.
        found: list[tuple[float, int, list[tuple[Wrong, ...]], Bench]] = []
        for bench in benches:
            hits = self.singles(bench, [name])
            if hits:
                found.append((min(hit[0].cost for hit in hits), len(found), hits, bench))
                if found[-1][0] <= SIMPLE:
                    break
        if found:
            _, _, hits, bench = min(found, key=lambda one: one[:2])
            return (self.cause(hits, [name], bench),)
        return self.returned(name) or self.constant(name, benches)

    def constant(self, name: str, benches: list[Bench]) -> tuple[Cause, ...] | None:
        """Return the cause if a result is the right one but for a number that is the same in all
        calls: a factor, of x of its change, or a term."""
        start = self.given.get(name + BEFORE, np.zeros(1)) if name == "x" else np.zeros(1)
        for bench in benches:
            found, right = self.found[name] - start, self.value(name, bench) - start
            told = np.isfinite(found) & np.isfinite(right) & (right != 0)
            if told.sum() < ENOUGH:
                continue
            factor = float(np.median(found[told] / right[told]))
            term = float(np.median(found[told] - right[told]))
            what = "Your step" if name == "x" else f"Your {name}"
            if self.target.agree(name, start + factor * right):
                text = f"{what} is {factor:.5g} times what is asked for, in every call."
                return (Cause(f"{name}_factor", text, "", name),)
            if name != "x" and self.target.agree(name, right + term):
                text = f"{what} is {term:.5g} more than what is asked for, in every call."
                return (Cause(f"{name}_term", text, "", name),)
        return None

    def two(self, name: str, benches: list[Bench]) -> tuple[Cause, ...] | None:
        """Return the two causes that explain a result, or None."""
        for bench in benches if self.tells(name) else ():
            hits = self.moves(bench, name) or self.pairs(bench, name)
            if hits:
                return self._both(hits, name, bench)
        return None

    def handed(self, name: str) -> tuple[Cause, ...] | None:
        """Return what explains a slot that is right in the program, and wrong as it is returned."""
        for mistake in self.exercise.mistakes:
            if mistake.lines[0].startswith(RETURNED) and self.matches(mistake, name, {}):
                return (Cause.known(mistake),)
        hits = self.singles(self.right, [name])
        return (self._hands_on(name, hits[0][0]),) if hits else None

    def cause(
        self, hits: list[tuple[Wrong, ...]], results: Sequence[str], bench: Bench | None = None
    ) -> Cause:
        """Return the likeliest of single edits, and what else they could mean."""
        rich = self.rich
        if bench is not None and bench.forced:
            rich = Bench(self.program, self.exercise.material.rich, self.odd(bench.forced))
        forced = tuple(bench.forced) if bench is not None else ()
        (first,), *rest = self.likeliest(classes(rich, hits, results), forced)
        return self.of_edit(first, tuple(map(self._short, rest)))

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
        values, roots = self.right.base, self.program.roots
        named = {other: values[root] for other, root in roots.items() if other != name}
        named |= {other: value for other, value in self.given.items() if value.shape[-1] > 1}
        candidates = [(other, "", value) for other, value in named.items()]
        candidates += [(n, "root of ", np.sqrt(np.abs(value))) for n, value in named.items()]
        parts = ((place, values[i]) for i, place in enumerate(self.program.places) if place.path)
        candidates += [
            (shown(self.program, place.line, place.node), "", value)
            for place, value in parts
            if isinstance(place.node, Call)
        ]
        for other, kind, value in candidates:
            if np.shape(value) == self.found[name].shape and self.target.agree(name, value):
                return (self._returns(name, other, kind),)
        return None

    def only_computed(self, name: str) -> str:
        """Return the line whose value is returned for a slot, if it is computed but once, or ""."""
        slot = self.likeness is not None and name in self.program.results[1:]
        for other, root in self.program.roots.items() if slot else ():
            value = self.right.base[root]
            if other != name and np.shape(value) == self.found[name].shape:
                assert self.likeness is not None
                if self.target.agree(name, value) and self.likeness.once(other):
                    return other
        return ""

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

    def _both(self, hits: list[tuple[Wrong, ...]], name: str, bench: Bench) -> tuple[Cause, ...]:
        kinds = classes(self.rich, hits, [name])
        (one, two), *rest = self.likeliest(kinds, tuple(bench.forced))
        others = tuple(map(self._short, rest[:2]))
        if line_of(self.program, one) == line_of(self.program, two):
            words = both_said(self.program, one, two, dict(self.exercise.places))
            told = words.name, words.text, words.code, words.line
            return (Cause(*told, (one, two), None, others, self.program),)
        causes = []
        # What is missing in one place and stands in another is not to be called unused.
        moved = {one.kind, two.kind} == {"left out", "added"}
        for wrong in (one, two):
            entry = self._entry(wrong, name, bench)
            if entry and moved and entry.lines[0] in self.program.inputs:
                entry = None
            causes.append(Cause.known(entry) if entry else self.of_edit(wrong, others))
            others = ()
        return tuple(causes)

    def _entry(self, wrong: Wrong, name: str, bench: Bench) -> Mistake | None:
        """Return the entry of the catalogue that is this edit alone, if there is one."""
        value = bench.value(self.program.roots[name], together(bench, [wrong]), {})
        alone = copy(self)
        alone.found = {**self.found, name: np.broadcast_to(value, self.found[name].shape)}
        for mistake in self.exercise.mistakes:
            if alone.matches(mistake, name, bench.forced):
                return mistake
        return None


def substituted_tree(node: Call, part: Node, new: Node) -> Node:
    """Return an operation with one of its arguments exchanged."""
    return Call(node.op, tuple(new if arg == part else arg for arg in node.args))


def with_and_without(
    exercise: Reference, program: Program, seen: Observation, cause: Cause
) -> tuple[Array, Array]:
    """Return the value of a cause's line in one call, and what it would be."""
    given, _ = stacked(exercise, program, [seen])
    bench = Bench(program, given)
    root = program.roots[cause.line]
    return bench.value(root, together(bench, cause.edits), {})[0], bench.base[root][0]
