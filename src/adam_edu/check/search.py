"""Which edits of a program's lines compute what was seen.

All calls are stacked in arrays, and all edits of one place too, so that a few operations of NumPy
lift every one of them from its place to the result.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edits import HOLE, Change, at, distinct
from ..trees import Call, Name, Node, Number, reads, substituted
from .program import BEFORE, FUNCTIONS, Array, Program, evaluated

# More pairs than this at once would not fit into the processor's caches.
AT_ONCE = 400_000


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


@cache
def singles(program: Program) -> tuple[tuple[tuple[int, ...], tuple[Wrong, ...]], ...]:
    """Return every edit of a program, by the places that it changes."""
    groups: list[tuple[tuple[int, ...], tuple[Wrong, ...]]] = []
    for i, place in enumerate(program.places):
        changes = distinct(at(place.node, program.scopes[place.line]))
        if not place.path:
            changes += _whole(program, place.line, i)
        groups.append(((i,), _wrongs((i,), changes, 0.0)))
    for places, extra in _shared(program):
        first = program.places[places[0]]
        assert isinstance(first.node, Name)
        changes = distinct([*at(first.node, program.scopes[first.line]), *_usual(program, first.node)])
        groups.append((places, _wrongs(places, changes, extra)))
    return tuple(groups)


def _wrongs(places: tuple[int, ...], changes: Iterable[Change], extra: float) -> tuple[Wrong, ...]:
    return tuple(Wrong(places, kind, new, cost + extra) for kind, new, cost in changes)


def _whole(program: Program, line: str, root: int) -> Iterator[Change]:
    """Yield what a whole line can be beside: left out at the first step, or from some step on."""
    here = Name(HOLE)
    scope = program.scopes[line]
    before = [Name(line + BEFORE)] if line + BEFORE in scope.names else []
    inner = program.line[line]
    operands = [Name(HOLE + "0")] if isinstance(inner, Call) and inner.op == "/" else []
    if "t" in scope.names:
        for other in (*before, *operands, Number(0)):
            yield "at first", Call("if", (Call("<=", (Name("t"), Number(1))), other, here)), 1.8
            for last in (1, 2, 3, 5, 10, 20, 50, 100):
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
        if i in over:
            return over[i]
        if not any(self.mask[i] >> j & 1 for j in over):
            return self.base[i]
        if i not in memo:
            memo[i] = self._computed(i, lambda arg: self.value(arg, over, memo))
        return memo[i]

    def tried(self, new: Node, i: int, over: Mapping[int, Any] | None = None) -> Any:
        """Return the value of what an edit puts in a place."""
        return self._evaluated(new, i, dict(self.program.holes(i)), over or {}, {})

    def _evaluated(
        self, new: Node, i: int, holes: dict[str, int], over: Mapping[int, Any], memo: dict[int, Any]
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

    def stacked(
        self, places: tuple[int, ...], wrongs: Sequence[Wrong], over: Mapping[int, Any] | None = None
    ) -> dict[int, Any]:
        """Return the values that edits give their places, one edit after the other."""
        return {i: self._stack(i, wrongs, over or {}) for i in places}

    def _stack(self, i: int, wrongs: Sequence[Wrong], over: Mapping[int, Any]) -> Any:
        holes, memo = dict(self.program.holes(i)), {}
        values = []
        here = self.value(i, over, memo)
        leaves = self._leaves
        for wrong in wrongs:
            new = wrong.new
            if isinstance(new, Call) and len(new.args) == 2 and new.args[0] == Name(HOLE):
                leaf = new.args[1]
                if leaf not in leaves:
                    leaves[leaf] = self._evaluated(leaf, i, {}, {}, {})
                values.append(FUNCTIONS[new.op](here, leaves[leaf]))
            else:
                values.append(self._evaluated(new, i, holes, over, memo))
        shape = np.broadcast_shapes(*{np.shape(value) for value in values})
        stack = np.empty((len(values), *shape))
        for row, value in zip(stack, values, strict=True):
            row[...] = value
        return stack

    @property
    def _leaves(self) -> dict[Node, Any]:
        if not hasattr(self, "_kept"):
            self._kept: dict[Node, Any] = {}
        return self._kept

    def reaches(self, places: Iterable[int], results: Iterable[str]) -> bool:
        """Return whether any of the places counts for any of the results."""
        ends = [self.mask[self.program.roots[name]] for name in results]
        return any(end >> i & 1 for end in ends for i in places)

    def groups(self, results: Sequence[str]) -> list[tuple[tuple[int, ...], tuple[Wrong, ...]]]:
        """Return the edits that count for the results."""
        found = []
        for places, wrongs in singles(self.program):
            counts = tuple(i for i in places if self.reaches([i], results))
            if counts and (len(places) == 1 or len(counts) > 1 or len(counts) == len(places)):
                found.append((counts, wrongs))
            elif counts:
                kept = tuple(wrong for wrong in wrongs if wrong.kind == "usual")
                found += [(counts, kept)] if kept else []
        return found


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
    hits = []
    for places, wrongs in bench.groups(results):
        over, memo = bench.stacked(places, wrongs), {}
        agrees = np.ones(len(wrongs), dtype=bool)
        for name in results:
            agrees &= target.agree(name, bench.value(bench.program.roots[name], over, memo))
            if not agrees.any():
                break
        hits += [(_in(wrongs[i], places),) for i in np.flatnonzero(agrees)]
    return hits


def _in(wrong: Wrong, places: tuple[int, ...]) -> Wrong:
    return Wrong(places, wrong.kind, wrong.new, wrong.cost)


def pairs(bench: Bench, few: Bench, target: Target, seen: Array, result: str) -> list[tuple[Wrong, ...]]:
    """Return every two edits under which a result is what came back.

    Parameters
    ----------
    bench : all calls
    few : a few numbers of them, on which all pairs are tried first
    seen : the result's values there
    """
    root = bench.program.roots[result]
    groups = [(places, _likely(wrongs)) for places, wrongs in bench.groups([result])]
    groups = [(places, wrongs) for places, wrongs in groups if wrongs]
    stacks = [few.stacked(places, wrongs) for places, wrongs in groups]
    near = Target({result: seen}, target.relative)
    hits: list[tuple[Wrong, ...]] = []
    for a, b in combinations(range(len(groups)), 2):
        (first, some), (second, others) = groups[a], groups[b]
        if set(first) & set(second):
            continue
        # An edit of the outer place has the inner one, edited, in it.
        if any(few.mask[i] >> j & 1 for i in first for j in second):
            continue  # places come after those that they are computed from
        step = max(1, AT_ONCE // (len(others) * seen.size))
        for start in range(0, len(some), step):
            part = slice(start, start + step)
            inner = {i: stack[part, None] for i, stack in stacks[a].items()}
            nested = any(few.mask[i] >> j & 1 for i in second for j in first)
            if nested:
                outer = {i: np.moveaxis(_nested(few, i, others, inner), 0, 1) for i in second}
                over = {**outer, **{i: value for i, value in inner.items()}}
            else:
                over = {**inner, **{i: stack[None] for i, stack in stacks[b].items()}}
            value = few.value(root, over, {})
            shape = (len(some[part]), len(others), *seen.shape)
            agrees = near.agree(result, np.broadcast_to(value, shape))
            for i, j in np.argwhere(agrees)[:200]:
                hits.append((_in(some[start + i], first), _in(others[j], second)))
            if len(hits) > 4000:
                return _checked(bench, target, result, hits)
    return _checked(bench, target, result, hits)


def _likely(wrongs: Sequence[Wrong]) -> tuple[Wrong, ...]:
    return tuple(wrong for wrong in wrongs if wrong.cost <= 1.45 and wrong.kind != "reduction")


def _nested(bench: Bench, i: int, wrongs: Sequence[Wrong], over: Mapping[int, Any]) -> Any:
    """Return the values that edits give a place in which ``over`` changes something."""
    first = next(iter(over.values()))
    shape = (len(first), 1, *bench.base[bench.program.roots[bench.program.results[0]]].shape)
    stack = np.empty((len(wrongs), len(first), *shape[2:]))
    for row, wrong in zip(stack, wrongs, strict=True):
        value = bench.tried(wrong.new, i, over)
        row[...] = value[:, 0] if np.ndim(value) == len(shape) else value
    return stack


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
        over, memo = together(bench, hit), {}
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


__all__ = ["Bench", "Target", "Wrong", "classes", "line_of", "pairs", "reads", "single", "substituted"]
