"""Everything that can be written wrongly in a program: edits of its places, grouped by place."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, combinations

from .brackets import without_brackets
from .edits import HOLE, ONE, SQUARE, Change, Scope, at, distinct, filled, part
from .program import BEFORE, Place, Program
from .trees import Call, Line, Name, Node, Number, Path, reads, replaced, substituted, subtrees

# After these steps something may be done no longer.
STEPS = (1, 2, 3, 4, 5, 7, 10, 11, 25, 30, 60, 100, 101, 150, 500)


@dataclass(frozen=True)
class Wrong:
    """One thing written wrongly in a program, in one place or wherever a name is read.

    Attributes
    ----------
    places : where
    kind, new, cost : as in :class:`adam_edu.edits.Edit`
    also : places that have another new tree
    """

    places: tuple[int, ...]
    kind: str
    new: Node
    cost: float
    also: tuple[tuple[int, Node], ...] = ()

    def at(self, place: int) -> Node:
        """Return what the edit puts in one of its places."""
        return dict(self.also).get(place, self.new)


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
            if _adds(wrong.new) and not wrong.also:
                assert isinstance(wrong.new, Call)
                rows, leaves = found.setdefault(wrong.new.op, ([], []))
                rows.append(i)
                leaves.append(wrong.new.args[1])
        return found

    @cached_property
    def rest(self) -> list[int]:
        """Which are of another form."""
        added = {i for rows, _ in self.added.values() for i in rows}
        return [i for i in range(len(self.wrongs)) if i not in added]

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
    """Return whether an edit puts an operation and a leaf on what is there."""
    match new:
        case Call(_, (Name("@"), leaf)):
            return not any(name[0] == HOLE for name in reads(leaf))
    return False


@cache
def singles(program: Program) -> tuple[Group, ...]:
    """Return every edit of a program."""
    groups = []
    for i, place in enumerate(program.places):
        changes = distinct(_at(program, i))
        if not place.path:
            changes += _whole(program, place.line)
        groups.append(_group((i,), changes, 0.0))
    groups += list(_twins(program))
    groups += list(_exchanged(program))
    for places, extra in _shared(program):
        groups.append(_group(places, distinct(_everywhere(program, places[0])), extra))
    return tuple(group for group in groups if group.wrongs)


def _group(places: tuple[int, ...], changes: Iterable[Change], extra: float) -> Group:
    return Group(places, tuple(Wrong(places, kind, new, c + extra) for kind, new, c in changes))


def _at(program: Program, i: int) -> Iterator[Change]:
    """Yield the edits of a place, without those that its neighbors have too.

    A factor that is one too many may stand anywhere in a product: it is put behind all of it. So
    is a term.
    """
    place = program.places[i]
    around = _op(program.places[program.around[i]].node) if i in program.around else ""
    for change in at(place.node, program.scopes[place.line]):
        again = change[0] == "added" and _op(change[1]) in CHAINS.get(around, ())
        if around == "one_hot" and not (place.node == Name("y") and change[0] == "added"):
            continue  # of where the one stands, no more than its number is mistaken
        if not again or place.node == Name("t"):
            yield change
    if isinstance(place.node, Name):
        scope = program.scopes[place.line]
        if place.node.id.endswith(BEFORE) and place.node.id != f"x{BEFORE}":
            yield from _at_start(scope, place.node, ONE)
        for other in program.later(place.line):
            early = place.node.id == other + BEFORE
            yield "order" if early else "name", Name(other), 1.55
        yield from _anew(program, place)
        match program.line.get(place.node.id):
            case Call("product", (term, last)):
                for op in "-+":
                    yield "product", Call("product", (term, Call(op, (last, Number(1))))), 1.2


def _anew(program: Program, place: Place) -> Iterator[Change]:
    """Yield an earlier line as it is if it is computed again, with what has changed since."""
    order = [line.name for line in program.lines]
    assert isinstance(place.node, Name)
    if place.node.id in order:
        since = order[order.index(place.node.id) + 1 : order.index(place.line)]
        old = {name + BEFORE: Name(name) for name in since}
        again = program.line[place.node.id]
        if old.keys() & reads(again):
            yield "anew", substituted(again, old), 1.2


CHAINS = {"*": ("*", "/"), "/": ("*", "/"), "+": ("+", "-"), "-": ("+", "-")}


def _op(node: Node) -> str:
    return node.op if isinstance(node, Call) else ""


def _everywhere(program: Program, i: int) -> Iterator[Change]:
    """Yield what can stand wherever a name is read: that of a place."""
    place, here = program.places[i], Name(HOLE)
    assert isinstance(place.node, Name)
    yield from at(place.node, program.scopes[place.line])
    usual = dict(program.usual)
    if place.node.id in usual:
        yield "usual", Number(usual[place.node.id]), 0.9
    if place.node.id in program.decays:
        yield from (("usual", Number(value), 1.6) for value in (0.5, 0.9, 0.99, 0.999))
    if place.node == Name("t"):
        last = (*STEPS, *range(3, 21))
        yield from (("name", Call("min", (here, Number(step))), 1.6) for step in last)
    if place.node == Name("g"):
        yield "clipped", Call("clip", (here, Number(-1), Number(1))), 1.7
        yield "normalized", Call("/", (here, Call("norm", (here,)))), 1.7


def _twins(program: Program) -> Iterator[Group]:
    """Yield the edits that like lines have all, such as the two corrections, or the values of one
    formula at several steps, one of which may be the term of a product."""
    for i, one in enumerate(program.lines):
        rest = program.lines[i + 1 :]
        alike = ((line, _aligned(one.expression, _formula(line))) for line in rest)
        found = [(line, paths) for line, paths in alike if paths]
        for line, paths in found:
            yield from _twin(program, one, [line], paths)
        if len(found) > 1:
            yield from _twin(program, one, [line for line, _ in found], found[0][1])


def _formula(line: Line) -> Node:
    match line.expression:
        case Call("product", (term, _)):
            return term
    return line.expression


def _aligned(one: Node, other: Node, path: Path = ()) -> list[Path]:
    """Return the paths in which two trees are alike but for names, where t stands for anything; or
    none if they are not."""
    match one, other:
        case Name("t"), _:
            return [path]
        case Name(), Name():
            return [path]
        case Number(), Number() if one == other:
            return [path]
        case Call(op, args), Call(like, others) if op == like and len(args) == len(others):
            pairs = enumerate(zip(args, others, strict=True))
            inner = [_aligned(a, b, (*path, i)) for i, (a, b) in pairs]
            return [path, *chain.from_iterable(inner)] if all(inner) else []
    return []


def _twin(program: Program, one: Line, others: list[Line], paths: list[Path]) -> Iterator[Group]:
    """Yield the edits that some lines have all, in the same places."""
    index = {(place.line, place.path): i for i, place in enumerate(program.places)}
    products = [line for line in others if _formula(line) is not line.expression]
    common = set(one.reads).intersection(*(line.reads for line in others))
    common = common - {"t"} if products else common | {"t"}
    for path in paths:
        node = part(one.expression, path)
        changes = list(at(node, program.scopes[one.name])) if node != Name("t") else []
        if not path and not products:
            changes += _whole(program, one.name)
        places = [index[line.name, () if line in products else path] for line in (one, *others)]
        wrongs = []
        for kind, new, cost in distinct(changes):
            if all(name[0] == HOLE or name in common for name in reads(new)):
                also = tuple(
                    (index[line.name, ()], _within_product(line, path, new)) for line in products
                )
                wrongs.append(Wrong(tuple(places), kind, new, cost + 0.1, also))
        yield Group(tuple(places), tuple(wrongs))


def _within_product(line: Line, path: Path, new: Node) -> Node:
    """Return a product with an edit in its term."""
    term = _formula(line)
    edited = replaced(term, path, filled(new, part(term, path)))
    return Call("product", (edited, Name(HOLE + "1")))


def _whole(program: Program, line: str) -> Iterator[Change]:
    """Yield what a whole line can be beside: left out at the first step, or from some step on."""
    here: Node = Name(HOLE)
    scope = program.scopes[line]
    before: list[Name] = [Name(line + BEFORE)] if line + BEFORE in scope.names else []
    inner = program.line[line]
    operands: list[Node] = [Name(HOLE + "0")] if isinstance(inner, Call) and inner.op == "/" else []
    yield from (("bracket", new, 1.15) for new in without_brackets(inner))
    yield from _twice(line, inner)
    for name in before:
        yield from _at_start(scope, name, Name("g"), SQUARE)
    if "t" in scope.names:
        for other in (*before, *operands, Number(0)):
            yield "at first", Call("if", (Call("<=", (Name("t"), Number(1))), other, here)), 1.8
            for last in STEPS:
                stops = Call("<=", (Name("t"), Number(last)))
                yield "stops", Call("if", (stops, here, other)), 1.9


def _twice(line: str, inner: Node) -> Iterator[Change]:
    """Yield a line that is done once more, with what the first time has left."""
    here, moved, read = Name(HOLE), f"x{BEFORE}", set(reads(inner))
    if line + BEFORE in read:
        yield "twice", substituted(inner, {line + BEFORE: here}), 1.5
    elif moved in read and "lr" in read:  # it is a part of the change of x
        again = substituted(inner, {moved: Call("-", (Name(moved), here))})
        yield "twice", Call("+", (here, again)), 1.5


def _at_start(scope: Scope, before: Name, *others: Node) -> Iterator[Change]:
    """Yield what stands at the first step alone, which a step without its number knows by a slot
    of zero."""
    if "t" not in scope.names and "g" in scope.names:
        size = Call("abs", (before,))
        for zero in (size, Call("max", (size,))):  # place by place, or the slot as a whole
            starts = Call("<=", (zero, Number(0)))
            yield from (("at start", Call("if", (starts, new, Name(HOLE))), 1.8) for new in others)


@cache
def moves(program: Program) -> tuple[tuple[Wrong, Wrong], ...]:
    """Return every move of a term or a factor to another place, as two edits: the inner place
    first."""
    found = []
    for i, place in enumerate(program.places):
        match place.node:
            case Call("+" | "-" | "*" | "/" as op, (_, Name() | Call("-", (Number(1), _)) as part)):
                gone = Wrong((i,), "left out", Name(HOLE + "0"), 1.0)
            case _:
                continue
        for j, other in enumerate(program.places):
            known = program.scopes[other.line].names
            if j in (i, place.args[1]) or not set(reads(part)) <= {*known}:
                continue
            here = Wrong((j,), "added", Call(op, (Name(HOLE), part)), 1.3)
            found.append((gone, here) if i < j else (here, gone))
    return tuple(found)


def _exchanged(program: Program) -> Iterator[Group]:
    """Yield two names of one sort that have changed places throughout a line, and two parts that
    stand alike in the two arguments of an operation."""
    lines: dict[str, list[int]] = {}
    for i, place in enumerate(program.places):
        lines.setdefault(place.line, []).append(i)
    for line, indices in lines.items():
        names: dict[Name, list[int]] = {}
        for i in indices:
            node = program.places[i].node
            if isinstance(node, Name):
                names.setdefault(node, []).append(i)
        for one, other in combinations(names, 2):
            if _sort(program, one) == _sort(program, other):
                yield _exchange(names[one], names[other], one, other)
        index = {program.places[i].path: i for i in indices}
        for path, node in subtrees(program.line[line]):
            if isinstance(node, Call) and node.op != "product" and path in index:
                for first, second in combinations(range(len(node.args)), 2):
                    for rest, part in subtrees(node.args[first]):
                        two = [index.get((*path, k, *rest)) for k in (first, second)]
                        if rest and isinstance(part, Call) and None not in two:
                            here, there = (program.places[i or 0].node for i in two)
                            if here != there:
                                yield _exchange([two[0] or 0], [two[1] or 0], here, there)


def _sort(program: Program, name: Name) -> str:
    if name.id in program.decays:
        return "decay"
    if name.id.endswith(BEFORE) or name.id == "g":
        return "array"
    return "setting" if name.id in program.inputs else "line"


def _exchange(these: list[int], those: list[int], one: Node, other: Node) -> Group:
    places = (*these, *those)
    also = tuple((i, one) for i in those)
    return Group(places, (Wrong(places, "exchanged", other, 1.25, also),))


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
        if len(places) > 1 or name == "g" or name in dict(program.usual):
            yield tuple(places), 0.05 if name in program.inputs else 0.2
