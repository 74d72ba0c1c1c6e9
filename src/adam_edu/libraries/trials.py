"""All edits of a rule's lines at once, over the steps that were seen.

What an edit writes is computed of what is known, or in a loop where something is remembered; then
only the lines that are computed from it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..edits import HOLE, filled
from ..program import BEFORE, FUNCTIONS, Program, evaluated
from ..trees import Call, Line, Name, Node, Number, reads, subtrees
from ..wrongs import Group, Wrong, singles
from .candidate import Candidate, Seen
from .edited import begins, decaying, edited, inputs, numbers, program_for
from .unrolled import MANY, ROWS, Circular, Unrolled, shifted

Array = NDArray[np.float64]
Values = Mapping[str, Any]

# Of an optimizer, not of a pupil: nobody's library stops correcting after a step of our choice, and
# numbers are fitted anyway.
NOT_ASKED = {"stops", "usual"}
SEEN = frozenset(["x" + BEFORE])
SIZE = 2e5  # numbers of an array of edits; more would not fit into the processor's caches
MOST = 128  # edits of one


class Known:
    """What lines compute without an edit, and whatever is computed of that: each tree once.

    Parameters
    ----------
    values : the history of each name
    shape : of a history of one edit, (T, k, n)
    """

    def __init__(self, values: Values, shape: tuple[int, ...]) -> None:
        self.values, self.shape = values, shape
        self.found: dict[Node, Any] = {}
        self._stacks: dict[tuple[Node, ...], Array] = {}

    def stack(self, nodes: tuple[Node, ...]) -> Array:
        """Return the histories of some trees as one, of shape (T, w, k, n); whatever for those that
        cannot be computed."""
        if nodes not in self._stacks:
            names = self.values.keys()
            can = [names >= {*reads(node)} for node in nodes]
            each = [self.of(node) if ok else np.nan for node, ok in zip(nodes, can, strict=True)]
            self._stacks[nodes] = stacked(each, self.shape)
        return self._stacks[nodes]

    def of(self, node: Node, holes: Mapping[str, Any] = {}) -> Any:
        """Return the history of a tree, in which holes stand for histories of their own."""
        match node:
            case Name(name):
                return holes[name] if name[0] == HOLE else self.values[name]
            case Number(value):
                return np.float64(value)
        if node in self.found:
            return self.found[node]
        if node.op == "product":
            value = evaluated(node, {**self.values, **holes})
        else:
            value = FUNCTIONS[node.op](*[self.of(arg, holes) for arg in node.args])
        if not holes or not any(name[0] == HOLE for name in reads(node)):
            self.found[node] = value
        return value

    def beside(self, changed: set[str]) -> Callable[[Node, Values], Any]:
        """Return what evaluates trees beside edits that change some names: what is computed of
        others is known."""

        def value(node: Node, values: Values) -> Any:
            match node:
                case Name(name):
                    return values[name]
                case Number(number):
                    return np.float64(number)
            names = reads(node)
            if changed.isdisjoint(names) and self.values.keys() >= {*names}:
                return self.of(node)
            if node.op == "product":
                return evaluated(node, values)
            return FUNCTIONS[node.op](*[value(arg, values) for arg in node.args])

        return value


def trials(
    plain: Candidate, seen: Seen, table: Sequence[Values]
) -> Iterator[tuple[Sequence[Wrong | None], Array]]:
    """Yield edits, None first, with the changes of their steps, of shape (T, w, k, n); the
    parameter is that which was seen, in the place of the one computed."""
    program = program_for(plain.rule)
    lines = decaying(program.lines, plain.decay)
    given = inputs(seen.gradients) | numbers(
        {name: np.array([values[name] for values in table]) for name in table[0]}
    )
    before = np.vstack([seen.start, seen.points[:-1]])[:, None, None]
    given |= dict.fromkeys(SEEN, before)
    begin = begins(plain.rule, np.zeros((1, len(table), len(seen.start))), seen.start)
    shape = len(seen.gradients), len(table), len(seen.start)
    with np.errstate(all="ignore"):
        values = Unrolled(lines, SEEN).run(given, begin)
        yield [None], np.broadcast_to(values["x"] - before, (shape[0], 1, *shape[1:]))
        late = {
            slot + BEFORE: shifted(values[slot], begin[slot], shape[0]) for slot in plain.rule.slots
        }
        known = Known(late | values, shape)
        room = min(int(SIZE / np.prod(shape)) + 1, MOST)
        for group in singles(program):
            after = downstream(lines, {program.places[i].line for i in group.places})
            if "x" not in after:
                continue
            changed = (after | {name + BEFORE for name in after}) - SEEN
            kept = {name: v for name, v in known.values.items() if name not in changed}
            written = _Written(program, group, known, changed, plain.decay)
            for wrongs, own, more in written.all(room):
                rest = Unrolled(
                    tuple(one for one in own if one.name in after or one.name[0] == MARK), SEEN
                )
                try:
                    x = rest.run(kept | more, begin, known.beside(changed))["x"]
                except Circular:
                    continue
                yield wrongs, np.broadcast_to(x - before, (shape[0], len(wrongs), *shape[1:]))


MARK = "_"  # a name begins so that stands for what edits write, or for one of their leaves


class _Written:
    """The edits of one group, with the lines that compute them.

    Parameters
    ----------
    changed : names whose histories an edit here changes
    """

    def __init__(
        self, program: Program, group: Group, known: Known, changed: set[str], decay: str
    ) -> None:
        self.program, self.group, self.known, self.changed = program, group, known, changed
        stands = {i: Name(f"{MARK}edit{k}") for k, i in enumerate(group.places)}
        one, *others = group.places
        named = Wrong(group.places, "", stands[one], 0, tuple((i, stands[i]) for i in others))
        self.lines = decaying(edited(program, named), decay)
        self.stands = stands
        self.holes = {}
        for i in group.places:
            inner = subtrees(program.places[i].node)
            found = ((HOLE + "".join(map(str, path)), node) for path, node in inner)
            self.holes[i] = {name: known.of(node) for name, node in found if self._kept(node)}
        kept = known.values.keys() - changed
        self.readable = {i: kept | holes.keys() for i, holes in self.holes.items()}
        self.common = set.intersection(*self.readable.values())

    def _kept(self, node: Node) -> bool:
        """Return whether a tree is what it is without the edit, and can be computed at all."""
        names = reads(node)
        return self.changed.isdisjoint(names) and self.known.values.keys() >= {*names}

    def _direct(self, wrong: Wrong) -> bool:
        """Return whether all that an edit writes is known."""
        if not wrong.also:
            return self.common.issuperset(reads(wrong.new))
        return all(self.readable[i].issuperset(reads(wrong.at(i))) for i in self.group.places)

    def all(self, room: int) -> Iterator[tuple[Sequence[Wrong], Sequence[Line], dict[str, Any]]]:
        """Yield so many at once with the lines that compute them, and what these read beside what
        is known."""
        group = self.group
        asked = [wrong for i in group.rest if (wrong := group.wrongs[i]).kind not in NOT_ASKED]
        direct = [wrong for wrong in asked if self._direct(wrong)]
        rest = [wrong for wrong in asked if not self._direct(wrong)]
        leaves: dict[str, Array] = {}
        added: list[Wrong] = []
        for op, (rows, nodes) in group.added.items():
            kept = [j for j, node in enumerate(nodes) if self._kept(node)]
            rest += [group.wrongs[rows[j]] for j in {*range(len(rows))} - {*kept}]
            if kept:
                stack = self.known.stack(tuple(nodes))
                leaves[op] = stack if len(kept) == len(nodes) else stack[:, kept]
                added += [group.wrongs[rows[j]] for j in kept]
        whole = all(HOLE in holes for holes in self.holes.values())
        if whole:
            direct += added
        more = {
            self.stands[i].id: self._values(direct, leaves if whole else {}, i) for i in self.stands
        }
        for begin in range(0, len(direct), room):
            part = slice(begin, begin + room)
            yield direct[part], self.lines, {name: value[:, part] for name, value in more.items()}
        if added and not whole:
            names = {op: Name(f"{MARK}leaves{k}") for k, op in enumerate(leaves)}
            written = self._rows(partial(self._beside, names, leaves))
            yield added, written, {names[op].id: stack for op, stack in leaves.items()}
        for begin in range(0, len(rest), room):
            some = rest[begin : begin + room]
            yield some, self._rows(partial(self._instead, some)), {}

    def _rows(self, trees: Callable[[int], list[Node]]) -> list[Line]:
        """Return lines that compute what stands in each place, with a row for each edit."""
        written = [Line(one.id, Call(ROWS, tuple(trees(i)))) for i, one in self.stands.items()]
        return [*written, *self.lines]

    def _values(self, direct: Sequence[Wrong], leaves: Mapping[str, Array], i: int) -> Array:
        """Return what edits write in a place, the last of them one of ``leaves`` beside what is
        there."""
        shape, own = self.known.shape, self.holes[i]
        found = np.empty((shape[0], len(direct), *shape[1:]))
        end = len(direct) - sum(stack.shape[1] for stack in leaves.values())
        for k, wrong in enumerate(direct[:end]):
            value = self.known.of(wrong.at(i), own)
            found[:, k] = value[:, 0] if np.ndim(value) == 4 else value
        for op, stack in leaves.items():
            begin, end = end, end + stack.shape[1]
            FUNCTIONS[op](own[HOLE], stack, out=found[:, begin:end])
        return found

    def _beside(self, names: Mapping[str, Name], leaves: Mapping[str, Array], i: int) -> list[Node]:
        """Return what stands in a place beside the leaves of each operation."""
        old = self.program.places[i].node
        return [
            Call(MANY, (Call(op, (old, names[op])), Number(stack.shape[1])))
            for op, stack in leaves.items()
        ]

    def _instead(self, wrongs: Sequence[Wrong], i: int) -> list[Node]:
        return [filled(wrong.at(i), self.program.places[i].node) for wrong in wrongs]


def stacked(each: Sequence[Any], shape: tuple[int, ...]) -> Array:
    """Return histories of one edit each as those of all, of shape (T, w, k, n)."""
    stack = np.empty((shape[0], len(each), *shape[1:]))
    for k, value in enumerate(each):
        stack[:, k] = value[:, 0] if np.ndim(value) == 4 else value
    return stack


def downstream(lines: Sequence[Line], changed: set[str]) -> set[str]:
    """Return the names of lines that are computed from some of them, in this step or a later one,
    and of these."""
    found, size = set(changed), 0
    while size < len(found):
        size = len(found)
        found |= {
            line.name
            for line in lines
            if any(read.removesuffix(BEFORE) in found for read in line.reads)
        }
    return found
