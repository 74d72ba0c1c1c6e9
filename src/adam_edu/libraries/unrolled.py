"""The lines of one step over all steps at once.

What a line computes of gradients alone is computed for every step together; a loop over the steps
is left only where something is remembered, and in it only what depends on that.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..program import BEFORE, FUNCTIONS, evaluated
from ..trees import Call, Line, Name, Node, Number, reads, substituted

Array = NDArray[np.float64]
# Operators keep their signs in the source of a loop; these are called by name.
CALLED = {name: function for name, function in FUNCTIONS.items() if name.isidentifier()}
CALLED |= {"where": np.where}
# The operation of a line that several edits share, each of which has a row of its own: its
# arguments are the trees, and in each of them a name stands for that row.
ROWS = "rows"
MANY = "many"  # of a tree and a number: it has so many rows


class Circular(ValueError):
    """Within one step, lines are computed from each other."""


@dataclass(frozen=True)
class Unrolled:
    """Lines whose names are histories: arrays with the steps along the first axis.

    Attributes
    ----------
    lines : of one step; the value of ``name_before`` is that of the line ``name`` one step earlier
    given : names with ``_before`` that are given instead
    """

    lines: tuple[Line, ...]
    given: frozenset[str] = frozenset()

    @cached_property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The names of lines that belong together, in order: those of a loop, or a single one.

        Raises
        ------
        Circular
            If lines of one step need each other.
        """
        return _parts(tuple((line.name, line.reads) for line in self.lines), self.given)

    @cached_property
    def line(self) -> dict[str, Line]:
        """Each line by its name."""
        return {line.name: line for line in self.lines}

    def run(
        self,
        given: Mapping[str, Any],
        first: Mapping[str, Array],
        value: Callable[[Node, Mapping[str, Any]], Any] = evaluated,
    ) -> dict[str, Any]:
        """Return the history of every name, given and computed.

        Parameters
        ----------
        given : histories of what the lines read and do not compute, of shape (T, w, k, n), or
            numbers of shape (1, k, 1), for w edits and k choices of numbers; one called
            ``name_before`` takes the place of what was computed
        first : what each slot is before the first step, of shape (w, k, n)
        value : evaluates a tree
        """
        values = dict(given)
        steps = max(np.shape(value)[0] for value in given.values() if np.ndim(value) == 4)
        for names in self.parts:
            lagged = {
                read for name in names for read in self.line[name].reads if read.endswith(BEFORE)
            }
            looped = {n + BEFORE for n in names} & lagged - given.keys()
            for read in lagged - looped - given.keys():
                slot = read.removesuffix(BEFORE)
                values[read] = shifted(values[slot], first[slot], steps)
            if looped:
                self._loop(names, looped, values, first, value)
            else:
                for name in names:
                    node = self.line[name].expression
                    if isinstance(node, Call) and node.op == ROWS:
                        values[name] = _every(node, values)
                    else:
                        values[name] = value(node, values)
        return values

    def _loop(
        self,
        names: Sequence[str],
        looped: set[str],
        values: dict[str, Any],
        first: Mapping[str, Array],
        value: Callable[[Node, Mapping[str, Any]], Any],
    ) -> None:
        moving = {*names, *looped}
        hoisted: dict[Node, str] = {}
        steps = max(np.shape(value)[0] for value in values.values() if np.ndim(value) == 4)
        own = [self.line[name].expression for name in names]
        rows = {_count(n.args) for n in own if isinstance(n, Call) and n.op == ROWS} | {1}
        tall = {
            name
            for name, value in values.items()
            if np.ndim(value) == 4 and value.shape[1] == max(rows) > 1
        }
        body = [
            (name, _source(self.line[name].expression, moving, hoisted, tall)) for name in names
        ]
        parts = [_of_step(value(node, values)) for node in hoisted]
        over = tuple(np.ndim(part) == 4 for part in parts)
        loop = _compiled(tuple(body), tuple(sorted(looped)), tuple(hoisted.values()), over)
        rows |= {np.shape(part)[-3] for part in parts if np.ndim(part) > 2}
        begin = [_tall(first[slot.removesuffix(BEFORE)], max(rows)) for slot in sorted(looped)]
        found = loop(range(steps), *begin, *parts)
        for name, rows in zip(names, found, strict=True):
            # What is made of slots alone has the shape of these, at first.
            values[name] = np.array(np.broadcast_arrays(*rows) if _differ(rows) else rows)


@lru_cache(maxsize=4096)
def _parts(
    lines: tuple[tuple[str, tuple[str, ...]], ...], given: frozenset[str]
) -> tuple[tuple[str, ...], ...]:
    """Return what :attr:`Unrolled.parts` says, of each line's name and what it reads."""
    own = dict(lines)
    at_once = {name: {*read} & own.keys() for name, read in own.items()}
    try:
        order = list(TopologicalSorter(at_once).static_order())
    except CycleError:
        raise Circular("lines are computed from each other") from None
    # A slot is needed where it, or what it was before, is read.
    needs = {
        name: {r.removesuffix(BEFORE) for r in read if r not in given} & own.keys()
        for name, read in own.items()
    }
    reached = {name: _reached(name, needs) for name in own}
    loops = {
        name: frozenset(
            other for other in order if other in reached[name] and name in reached[other]
        )
        for name in own
    }
    groups = {loops[name] or frozenset([name]) for name in own}
    inside = {name: group for group in groups for name in group}
    graph = {
        group: {inside[need] for name in group for need in needs[name]} - {group}
        for group in groups
    }
    sorted_groups = TopologicalSorter(graph).static_order()
    return tuple(tuple(n for n in order if n in group) for group in sorted_groups)


def _every(node: Call, values: Mapping[str, Any]) -> Array:
    """Return the rows of all edits that share a line."""
    ends = [end for _, _, end in _of_rows(node.args)]

    def part(name: str, begin: int, end: int) -> Any:
        value = values[name]
        tall = np.ndim(value) == 4 and value.shape[1] == ends[-1]
        return value[:, begin:end] if tall else value

    each = [
        evaluated(tree, {name: part(name, begin, end) for name in reads(tree)})
        for tree, begin, end in _of_rows(node.args)
    ]
    shapes = [(1,) * (4 - np.ndim(value)) + np.shape(value) for value in each]
    steps, _, *rest = np.broadcast_shapes(*((one[0], 1, *one[2:]) for one in shapes))
    found = np.empty((steps, ends[-1], *rest))
    for value, begin, end in zip(each, [0, *ends], ends, strict=False):
        found[:, begin:end] = value
    return found


def _of_rows(trees: Sequence[Node]) -> Iterator[tuple[Node, int, int]]:
    """Yield each tree with the first of its rows and the one after its last."""
    end = 0
    for tree in trees:
        begin, size = end, 1
        match tree:
            case Call("many", (tree, Number(count))):
                size = int(count)
        end += size
        yield tree, begin, end


def _of_step(history: Any) -> Any:
    """Return what is the same in every step as that of one step."""
    return history[0] if np.ndim(history) == 4 and len(history) == 1 else history


def _tall(first: Array, rows: int) -> Array:
    return np.broadcast_to(first, (rows, *first.shape[1:]))


def _reached(name: str, needs: Mapping[str, Iterable[str]]) -> set[str]:
    """Return what a name needs, directly or not; itself only if it does."""
    found: set[str] = set()
    stack = list(needs[name])
    while stack:
        other = stack.pop()
        if other not in found:
            found.add(other)
            stack += needs[other]
    return found


def _differ(rows: Sequence[Any]) -> bool:
    return np.shape(rows[0]) != np.shape(rows[-1])


def shifted(history: Any, first: Array, steps: int) -> Array:
    """Return what a slot was before each of so many steps; one that is set to a number, of shape
    (1, k, 1), is the same after each."""
    history = np.asarray(history)
    if history.ndim < 4:
        history = np.broadcast_to(history, (steps, 1, *history.shape[-2:]))
    shape = np.broadcast_shapes(history.shape[1:], first.shape)
    rows = np.empty((steps, *shape))
    rows[0], rows[1:] = first, history[:-1]
    return rows


def _count(trees: Sequence[Node]) -> int:
    return max(end for _, _, end in _of_rows(trees))


def _source(
    node: Node, moving: set[str], hoisted: dict[Node, str], tall: Collection[str] = ()
) -> Node:
    """Return an expression with names in the place of what does not depend on the loop; ``tall``
    are those with a row for each edit, which shares of them read."""
    if moving.isdisjoint(reads(node)):
        return Name(hoisted.setdefault(node, f"h{len(hoisted)}"))
    match node:
        case Call("product"):
            raise Circular("a product of what is remembered")
        case Call(op, args) if op == ROWS:
            found: list[Node] = []
            for arg, begin, end in _of_rows(args):
                rows = f"[{begin}:{end}]"
                names = {name: f"{name}{rows}" for name in moving}
                for name in {*tall} & {*reads(arg)}:
                    names[name] = hoisted.setdefault(Name(name), f"h{len(hoisted)}") + rows
                tree = _source(arg, moving | {*tall}, hoisted)
                found += [Number(begin), Number(end), substituted(tree, _named(names))]
            return Call(ROWS, tuple(found))
        case Call(op, args):
            op = {"if": "where"}.get(op, op)
            return Call(op, tuple(_source(arg, moving, hoisted) for arg in args))
    return node


def _named(names: Mapping[str, str]) -> dict[str, Node]:
    return {name: Name(other) for name, other in names.items()}


def _rows(like: Array, *parts: Any) -> Array:
    found = np.empty(like.shape)
    for begin, end, value in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        found[begin:end] = value
    return found


@lru_cache(maxsize=4096)
def _compiled(
    body: tuple[tuple[str, Node], ...],
    looped: tuple[str, ...],
    hoisted: tuple[str, ...],
    over: tuple[bool, ...],
) -> Callable[..., Any]:
    """Return a function of the steps, what slots are at first, and the hoisted histories."""
    moves = [name for name, is_over in zip(hoisted, over, strict=True) if is_over]
    text = [f"def loop({', '.join(['steps', *looped, *hoisted])}):"]
    text += [f"    all_{name} = []" for name, _ in body]
    text += ["    for step in steps:"]
    text += [f"        {name}_now = {name}[step]" for name in moves]
    for name, node in body:
        text += [
            f"        {name} = {_now(node, moves, looped[0])}",
            f"        all_{name}.append({name})",
        ]
    text += [f"        {slot} = {slot.removesuffix(BEFORE)}" for slot in looped]
    text += [f"    return {''.join(f'all_{name}, ' for name, _ in body)}"]
    space: dict[str, Any] = CALLED | {ROWS: _rows}
    exec("\n".join(text), space)
    function: Callable[..., Any] = space["loop"]
    return function


def _now(node: Node, moves: Sequence[str], like: str) -> Node:
    match node:
        case Name(name) if name.partition("[")[0] in moves:
            return Name(name.replace("[", "_now[") if "[" in name else f"{name}_now")
        case Call(op, args) if op == ROWS:
            return Call(ROWS, (Name(like), *(_now(arg, moves, like) for arg in args)))
        case Call(op, args):
            return Call(op, tuple(_now(arg, moves, like) for arg in args))
    return node
