"""A program with the values of many calls, on which edits are tried.

All calls are stacked in arrays, and all edits of one place too, so that a few operations of NumPy
lift every one of them from its place to the result.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..program import FUNCTIONS, Array, Program, evaluated
from ..trees import Call, Name, Node, Number
from ..wrongs import Group, Wrong, singles


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
        self._stacks: dict[tuple[int, ...], Any] = {}
        self.mask = [1 << i for i in range(len(places))]
        fixed = {program.roots[name]: value for name, value in self.forced.items()}
        for i, place in enumerate(places):
            if i in fixed:
                self.base[i], self.mask[i] = fixed[i], 0  # whatever is edited there
                continue
            for arg in place.args:
                self.mask[i] |= self.mask[arg]
            self.base[i] = self._computed(i, self.base.__getitem__)
        if carried:
            over: dict[int, Any] = {}
            for wrong in carried:
                over |= {i: self.tried(wrong.at(i), i, over) for i in wrong.places if i not in over}
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
            stack = self._leaf_stack(leaves)
            stack = stack.reshape(len(stack), *[1] * (np.ndim(here) - 2), *stack.shape[1:])
            parts.append((rows, FUNCTIONS[op](here, stack)))
        for j in group.rest:
            values[j] = self._evaluated(group.wrongs[j].at(i), i, holes, inner, memo)
        shapes = {np.shape(value) for value in values.values()}
        shapes |= {part.shape[1:] for _, part in parts}
        stacked = np.empty((len(group.wrongs), *np.broadcast_shapes(*shapes)))
        for rows, part in parts:
            stacked[rows] = part
        for j, value in values.items():
            stacked[j] = value
        return stacked

    def _leaf_stack(self, leaves: list[Node]) -> Any:
        key = tuple(map(id, leaves))  # the lines' scopes hold them
        if key not in self._stacks:
            for leaf in leaves:
                if id(leaf) not in self._leaves:
                    self._leaves[id(leaf)] = self._evaluated(leaf, 0, {}, {}, {})
            values = [self._leaves[id(leaf)] for leaf in leaves]
            stack = np.empty((len(values), *np.broadcast_shapes(*map(np.shape, values))))
            for row, value in enumerate(values):
                stack[row] = value
            self._stacks[key] = stack
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


def together(bench: Bench, wrongs: Iterable[Wrong]) -> dict[int, Any]:
    """Return the values of the places that several edits change, the inner ones first."""
    over: dict[int, Any] = {}
    for wrong in wrongs:
        over |= {i: bench.tried(wrong.at(i), i, over) for i in wrong.places}
    return over
