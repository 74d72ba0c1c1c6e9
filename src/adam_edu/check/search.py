"""Which edits of a program's lines compute what was seen.

All calls are stacked in arrays, and all edits of one place too, so that a few operations of NumPy
lift every one of them from its place to the result.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edits import HOLE, Change, at, distinct
from ..trees import Call, Name, Node, Number, reads, subtrees
from .program import BEFORE, FUNCTIONS, Array, Program, evaluated

# More pairs than this at once would not fit into the processor's caches.
AT_ONCE = 200_000
# After these steps something may be done no longer.
STEPS = (1, 2, 3, 4, 5, 7, 10, 11, 25, 30, 60, 100, 101, 150, 500)
# So many pairs are tried at most.
PAIRS = 600_000


@dataclass(frozen=True)
class Wrong:
    """One thing written wrongly in a program, in one place or wherever a name is read.

    Attributes
    ----------
    places : where
    kind, new, cost : as in :class:`adam_edu.edits.Edit`
    """

    places: tuple[int, ...]
    kind: str
    new: Node
    cost: float


@dataclass(frozen=True, eq=False)
class Group:
    """The edits of some places.

    Attributes
    ----------
    places : each of them is changed
    wrongs : the edits
    """

    places: tuple[int, ...]
    wrongs: tuple[Wrong, ...]

    @cached_property
    def added(self) -> dict[str, tuple[list[int], list[Node]]]:
        """Those that put one operation and one leaf on what is there: for each operation, which
        they are and the leaves."""
        found: dict[str, tuple[list[int], list[Node]]] = {}
        for i, wrong in enumerate(self.wrongs):
            if _adds(wrong.new):
                assert isinstance(wrong.new, Call)
                rows, leaves = found.setdefault(wrong.new.op, ([], []))
                rows.append(i)
                leaves.append(wrong.new.args[1])
        return found

    @cached_property
    def rest(self) -> list[int]:
        """Which are of another form."""
        return [i for i, wrong in enumerate(self.wrongs) if not _adds(wrong.new)]

    def kept(self, wanted: Callable[[Wrong], bool]) -> "Group":
        """Return the group with some of its edits."""
        return Group(self.places, tuple(wrong for wrong in self.wrongs if wanted(wrong)))

    @cached_property
    def around(self) -> "Group":
        """Those that keep something of what is there."""
        return self.kept(lambda wrong: any(name[0] == HOLE for name in reads(wrong.new)))

    def likely(self, most: float) -> "Group":
        """Return those that may be one of two: no dearer than ``most``."""
        if most not in self._likely:
            self._likely[most] = self.kept(
                lambda wrong: wrong.cost <= most and wrong.kind != "reduction"
            )
        return self._likely[most]

    def minus(self, other: "Group") -> "Group":
        """Return the group without the edits of another one."""
        if other not in self._without:
            less = set(map(id, other.wrongs))
            self._without[other] = self.kept(lambda wrong: id(wrong) not in less)
        return self._without[other]

    @cached_property
    def _without(self) -> dict["Group", "Group"]:
        return {}

    @cached_property
    def _likely(self) -> dict[float, "Group"]:
        return {}


def _adds(new: Node) -> bool:
    return isinstance(new, Call) and len(new.args) == 2 and new.args[0] == Name(HOLE)


@cache
def singles(program: Program) -> tuple[Group, ...]:
    """Return every edit of a program."""
    groups = []
    for i, place in enumerate(program.places):
        changes = distinct(at(place.node, program.scopes[place.line]))
        if not place.path:
            changes += _whole(program, place.line)
        changes += _products_of(program, place.node)
        groups.append(_group((i,), changes, 0.0))
    groups += list(_twins(program))
    for places, extra in _shared(program):
        first = program.places[places[0]]
        assert isinstance(first.node, Name)
        changes = [*at(first.node, program.scopes[first.line]), *_usual(program, first.node)]
        if first.node == Name("t"):
            last = (*STEPS, *range(3, 21))
            changes += [("name", Call("min", (first.node, Number(n))), 1.6) for n in last]
        groups.append(_group(places, distinct(changes), extra))
    return tuple(group for group in groups if group.wrongs)


def _group(places: tuple[int, ...], changes: Iterable[Change], extra: float) -> Group:
    return Group(places, tuple(Wrong(places, kind, new, c + extra) for kind, new, c in changes))


def _products_of(program: Program, node: Node) -> Iterator[Change]:
    """Yield the products that end one factor earlier or later than a line that is one."""
    if isinstance(node, Name):
        match program.line.get(node.id):
            case Call("product", (term, last)):
                for op in "-+":
                    yield "product", Call("product", (term, Call(op, (last, Number(1))))), 1.2


def _twins(program: Program) -> Iterator[Group]:
    """Yield the edits that two like lines have both, such as the two corrections."""
    for one, other in combinations(program.lines, 2):
        if _form(one.expression) != _form(other.expression) or isinstance(one.expression, Name):
            continue
        pairs = zip(subtrees(one.expression), subtrees(other.expression), strict=True)
        index = {(place.line, place.path): i for i, place in enumerate(program.places)}
        for (path, node), _ in pairs:
            places = index[one.name, path], index[other.name, path]
            changes = list(at(node, program.scopes[one.name])) if node != Name("t") else []
            if not path:
                changes += _whole(program, one.name)
            general = [
                change
                for change in distinct(changes)
                if {n for n in reads(change[1]) if n[0] != HOLE} <= {"t"}
            ]
            yield _group(places, general, 0.1)


def _form(node: Node) -> Any:
    if isinstance(node, Call):
        return node.op, tuple(map(_form, node.args))
    return "name" if isinstance(node, Name) and node.id != "t" else node


def _whole(program: Program, line: str) -> Iterator[Change]:
    """Yield what a whole line can be beside: left out at the first step, or from some step on."""
    here: Node = Name(HOLE)
    scope = program.scopes[line]
    before: list[Node] = [Name(line + BEFORE)] if line + BEFORE in scope.names else []
    inner = program.line[line]
    operands: list[Node] = [Name(HOLE + "0")] if isinstance(inner, Call) and inner.op == "/" else []
    if "t" in scope.names:
        for other in (*before, *operands, Number(0)):
            yield "at first", Call("if", (Call("<=", (Name("t"), Number(1))), other, here)), 1.8
            for last in STEPS:
                stops = Call("<=", (Name("t"), Number(last)))
                yield "stops", Call("if", (stops, here, other)), 1.9


def _shared(program: Program) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield the places of each name that is read more than once: in a line, and in all."""
    everywhere: dict[str, list[int]] = {}
    for i, place in enumerate(program.places):
        if isinstance(place.node, Name):
            everywhere.setdefault(place.node.id, []).append(i)
    for name, places in everywhere.items():
        by_line: dict[str, list[int]] = {}
        for i in places:
            by_line.setdefault(program.places[i].line, []).append(i)
        if len(by_line) > 1:
            yield from ((tuple(some), 0.1) for some in by_line.values() if len(some) > 1)
        if len(places) > 1 or name in dict(program.usual):
            yield tuple(places), 0.05 if name in program.inputs else 0.2


def _usual(program: Program, name: Name) -> Iterator[Change]:
    """Yield the default of a setting in its place."""
    usual = dict(program.usual)
    if name.id in usual:
        yield "usual", Number(usual[name.id]), 0.9


def of_call(arrays: Mapping[str, Any]) -> dict[str, Array]:
    """Return arguments as arrays of two axes: the call, the coordinate."""
    return {name: np.atleast_2d(np.asarray(value, dtype=float)) for name, value in arrays.items()}


class Bench:
    """A program with the values of many calls, on which edits are tried.

    Parameters
    ----------
    program : the lines
    given : the inputs, each of shape (calls, coordinates) or (calls, 1)
    forced : the values of lines that are known, whatever the program would compute
    carried : edits that are taken for granted
    """

    def __init__(
        self,
        program: Program,
        given: Mapping[str, Array],
        forced: Mapping[str, Array] | None = None,
        carried: Sequence[Wrong] = (),
    ) -> None:
        self.program, self.given, self.forced = program, given, dict(forced or {})
        places = program.places
        self.base: list[Any] = [None] * len(places)
        self._leaves: dict[int, Any] = {}
        self._stacks: dict[tuple[int, str], Any] = {}
        self.mask = [1 << i for i in range(len(places))]
        fixed = {program.roots[name]: value for name, value in self.forced.items()}
        for i, place in enumerate(places):
            if i in fixed:
                self.base[i] = fixed[i]
                continue
            for arg in place.args:
                self.mask[i] |= self.mask[arg]
            self.base[i] = self._computed(i, self.base.__getitem__)
        if carried:
            over: dict[int, Any] = {}
            for wrong in carried:
                over |= {i: self.tried(wrong.new, i, over) for i in wrong.places if i not in over}
            self.base = [self.value(i, over, {}) for i in range(len(places))]

    def _computed(self, i: int, value: Any) -> Any:
        place = self.program.places[i]
        match place.node:
            case Name(name):
                return value(place.args[0]) if place.args else self.given[name]
            case Number(number):
                return np.full((1, 1), number, dtype=float)
            case Call("product", (term, _)):
                return evaluated(Call("product", (term, Name("last"))), self._with(value, i))
            case Call(op, _):
                return FUNCTIONS[op](*map(value, place.args))

    def _with(self, value: Any, i: int) -> dict[str, Any]:
        return {**self.given, "last": value(self.program.places[i].args[0])}

    def value(self, i: int, over: Mapping[int, Any], memo: dict[int, Any]) -> Any:
        """Return the value of a place, if those of the places in ``over`` are others."""
        changed = sum(1 << j for j in over)
        return self._value(i, over, memo, changed)

    def _value(self, i: int, over: Mapping[int, Any], memo: dict[int, Any], changed: int) -> Any:
        if not self.mask[i] & changed:
            return self.base[i]
        if i in over:
            return over[i]
        if i not in memo:
            memo[i] = self._computed(i, lambda arg: self._value(arg, over, memo, changed))
        return memo[i]

    def tried(self, new: Node, i: int, over: Mapping[int, Any] | None = None) -> Any:
        """Return the value of what an edit puts in a place."""
        return self._evaluated(new, i, self.program.holes[i], over or {}, {})

    def _evaluated(
        self,
        new: Node,
        i: int,
        holes: dict[str, int],
        over: Mapping[int, Any],
        memo: dict[int, Any],
    ) -> Any:
        match new:
            case Name(name):
                if name in holes:
                    return self.value(holes[name], over, memo)
                if name in self.program.roots:
                    return self.value(self.program.roots[name], over, memo)
                return self.given[name]
            case Number(number):
                return np.full((1, 1), number, dtype=float)
            case Call("product", (term, last)):
                value = self._evaluated(last, i, holes, over, memo)
                product = Call("product", (term, Name("last")))
                return evaluated(product, {**self.given, "last": value})
            case Call(op, args):
                values = [self._evaluated(arg, i, holes, over, memo) for arg in args]
                return FUNCTIONS[op](*values)

    def stacked(self, group: Group, over: Mapping[int, Any] | None = None) -> dict[int, Any]:
        """Return the values that edits give their places, one edit after the other.

        If ``over`` gives many values to a place, then they come after one another in the second
        axis.
        """
        return {i: self._stack(i, group, over or {}) for i in group.places}

    def _stack(self, i: int, group: Group, over: Mapping[int, Any]) -> Any:
        holes = self.program.holes[i]
        memo: dict[int, Any] = {}
        values: dict[int, Any] = {}
        inner = {j: value for j, value in over.items() if j != i}
        here = self.value(i, inner, memo)
        parts: list[tuple[Any, Any]] = []
        for op, (rows, leaves) in group.added.items():
            stack = self._leaf_stack(group, op, leaves)
            stack = stack.reshape(len(stack), *[1] * (np.ndim(here) - 2), *stack.shape[1:])
            parts.append((rows, FUNCTIONS[op](here, stack)))
        for j in group.rest:
            values[j] = self._evaluated(group.wrongs[j].new, i, holes, inner, memo)
        shapes = {np.shape(value) for value in values.values()}
        shapes |= {part.shape[1:] for _, part in parts}
        stacked = np.empty((len(group.wrongs), *np.broadcast_shapes(*shapes)))
        for rows, part in parts:
            stacked[rows] = part
        for j, value in values.items():
            stacked[j] = value
        return stacked

    def _leaf_stack(self, group: Group, op: str, leaves: list[Node]) -> Any:
        key = id(group), op
        if key not in self._stacks:
            for leaf in leaves:
                if id(leaf) not in self._leaves:
                    self._leaves[id(leaf)] = self._evaluated(leaf, 0, {}, {}, {})
            values = [self._leaves[id(leaf)] for leaf in leaves]
            self._stacks[key] = np.stack(np.broadcast_arrays(*values))
        return self._stacks[key]

    def reaches(self, places: Iterable[int], results: Iterable[str]) -> bool:
        """Return whether any of the places counts for any of the results."""
        ends = [self.mask[self.program.roots[name]] for name in results]
        return any(end >> i & 1 for end in ends for i in places)

    def groups(self, results: Sequence[str]) -> list[Group]:
        """Return the edits that count for the results."""
        key = tuple(results), tuple(sorted(self.forced))
        known = _GROUPS.setdefault(self.program, {})
        if key not in known:
            known[key] = list(self._groups(results))
        return known[key]

    def _groups(self, results: Sequence[str]) -> Iterator[Group]:
        for group in singles(self.program):
            counts = tuple(i for i in group.places if self.reaches([i], results))
            if counts and counts == group.places:
                yield group
            elif len(counts) > 1:
                yield Group(counts, group.wrongs)
            elif counts:
                usual = group.kept(lambda wrong: wrong.kind == "usual")
                if usual.wrongs:
                    yield Group(counts, usual.wrongs)


# What was found out about the edits of each program.
_GROUPS: dict[Program, dict[Any, list[Group]]] = {}


@dataclass(frozen=True)
class Target:
    """What came back: the values of each result, and how closely they must agree."""

    values: Mapping[str, Array]
    relative: float = 1e-7

    def agree(self, name: str, found: Any) -> NDArray[np.bool_]:
        """Return, for each of many stacked values, whether it is what came back."""
        seen = self.values[name]
        near = np.abs(found - seen) <= self.relative * np.abs(seen) + 1e-3 * self.relative
        both: Any = np.isnan(seen) & np.isnan(found)
        same = (near | both | (found == seen)).all(axis=(-2, -1))
        return np.asarray(same)


def single(bench: Bench, target: Target, results: Sequence[str]) -> list[tuple[Wrong, ...]]:
    """Return every edit under which the results are what came back."""
    hits: list[tuple[Wrong, ...]] = []
    for group in bench.groups(results):
        over = bench.stacked(group)
        memo: dict[int, Any] = {}
        agrees = np.ones(len(group.wrongs), dtype=bool)
        for name in results:
            agrees &= target.agree(name, bench.value(bench.program.roots[name], over, memo))
            if not agrees.any():
                break
        hits += [(_in(group.wrongs[i], group.places),) for i in np.flatnonzero(agrees)]
    return hits


def _in(wrong: Wrong, places: tuple[int, ...]) -> Wrong:
    return Wrong(places, wrong.kind, wrong.new, wrong.cost)


def pairs(
    bench: Bench, few: Bench, target: Target, seen: Array, result: str
) -> list[tuple[Wrong, ...]]:
    """Return every two edits under which a result is what came back.

    Parameters
    ----------
    bench : all calls
    few : a few numbers of them, on which all pairs are tried first
    seen : the result's values there
    """
    groups = bench.groups([result])
    likely, possible = _affordable(groups)
    near = Target({result: seen}, target.relative)
    hits: list[tuple[Wrong, ...]] = []
    hits += _products(few, near, result, likely, possible)
    rest = [group.minus(less) for group, less in zip(possible, likely, strict=True)]
    hits += _products(few, near, result, rest, likely, nested_only=True)
    return _checked(bench, target, result, hits)


def _products(
    few: Bench,
    near: Target,
    result: str,
    first: list[Group],
    second: list[Group],
    nested_only: bool = False,
) -> Iterator[tuple[Wrong, ...]]:
    """Yield the pairs of an edit of an inner or earlier place, and one of another place."""
    root, size = few.program.roots[result], near.values[result].size
    outers = [few.stacked(group) if group.wrongs and not nested_only else {} for group in second]
    # Places come after those that they are computed from.
    for a, inner in enumerate(first):
        if not inner.wrongs:
            continue
        stacks = few.stacked(inner)
        for b, outer in enumerate(second):
            if not outer.wrongs or b == a or set(inner.places) & set(outer.places):
                continue
            if any(few.mask[i] >> j & 1 for i in inner.places for j in outer.places):
                continue
            nested = any(few.mask[i] >> j & 1 for i in outer.places for j in inner.places)
            if not nested and nested_only:
                continue
            others = outer.around if nested else outer
            step = max(1, AT_ONCE // (max(len(others.wrongs), 1) * size))
            for start in range(0, len(inner.wrongs) if others.wrongs else 0, step):
                over = {i: stack[start : start + step] for i, stack in stacks.items()}
                more = few.stacked(others, over) if nested else outers[b]
                more = {i: s if s.ndim == 4 else s[:, None] for i, s in more.items()}
                value = few.value(root, {**over, **more}, {})
                count = len(inner.wrongs[start : start + step])
                shape = (len(others.wrongs), count, *near.values[result].shape)
                agrees = near.agree(result, value)
                agrees = np.broadcast_to(agrees, shape[:2])
                for j, i in np.argwhere(agrees)[:200]:
                    one, two = inner.wrongs[start + i], others.wrongs[j]
                    yield _in(one, inner.places), _in(two, others.places)


def _affordable(groups: list[Group]) -> tuple[list[Group], list[Group]]:
    """Return the likely edits of each group, and those that may come with one of them: as many as
    pairs can be tried of."""
    for one, other in ((1.3, 1.5), (1.2, 1.5), (1.2, 1.4), (1.2, 1.3), (1.1, 1.2), (1.0, 1.1)):
        likely = [group.likely(one) for group in groups]
        possible = [group.likely(other) for group in groups]
        if _count(likely) * _count(possible) < PAIRS:
            break
    return likely, possible


def _count(groups: list[Group]) -> int:
    return sum(len(group.wrongs) for group in groups)


def _checked(
    bench: Bench, target: Target, result: str, hits: list[tuple[Wrong, ...]]
) -> list[tuple[Wrong, ...]]:
    """Return those of the pairs that hold in all calls, the likeliest first."""
    hits.sort(key=lambda pair: sum(wrong.cost for wrong in pair))
    root = bench.program.roots[result]
    good = []
    for pair in hits:
        if target.agree(result, bench.value(root, together(bench, pair), {})):
            good.append(pair)
        if len(good) == 40:
            break
    return good


def together(bench: Bench, wrongs: Iterable[Wrong]) -> dict[int, Any]:
    """Return the values of the places that several edits change, the inner ones first."""
    over: dict[int, Any] = {}
    for wrong in wrongs:
        over |= {i: bench.tried(wrong.new, i, over) for i in wrong.places}
    return over


def classes(
    bench: Bench, hits: Iterable[tuple[Wrong, ...]], results: Sequence[str]
) -> list[list[tuple[Wrong, ...]]]:
    """Return explanations by what they compute in other calls, the likeliest first."""
    kinds: list[tuple[list[Any], list[tuple[Wrong, ...]]]] = []
    for hit in sorted(hits, key=lambda hit: sum(wrong.cost for wrong in hit))[:60]:
        over = together(bench, hit)
        memo: dict[int, Any] = {}
        values = [bench.value(bench.program.roots[name], over, memo) for name in results]
        for known, members in kinds:
            if all(map(_alike, known, values)):
                members.append(hit)
                break
        else:
            kinds.append((values, [hit]))
    return [members for _, members in kinds]


def _alike(some: Any, others: Any) -> bool:
    return bool(np.allclose(some, others, rtol=1e-6, atol=1e-12, equal_nan=True))


def line_of(program: Program, wrong: Wrong) -> str:
    """Return the name of the line in which an edit stands first."""
    return program.places[wrong.places[0]].line


def written(program: Program, wrong: Wrong) -> tuple[Node, Node]:
    """Return what belongs in the place of an edit, and what stands there."""
    place = program.places[wrong.places[0]]
    return place.node, _filled(place.node, wrong.new)


def _filled(node: Node, new: Node) -> Node:
    from ..edits import Edit

    return Edit("", (), new).instead(node)


__all__ = ["Bench", "Target", "Wrong", "classes", "line_of", "pairs", "reads", "single"]
