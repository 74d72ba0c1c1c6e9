"""Edits of a line: what it becomes when one thing in it is written wrongly.

The grammar is small and knows no algorithm: another name, a factor left out, a root too many. Who
looks for a mistake tries them all (:mod:`adam_edu.check.search`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from .reading import parse
from .trees import INDEX, Call, Name, Node, Number, Path, reads, replaced, substituted, subtrees

# In the new tree of an edit, a name that begins so stands for what was there: "@" for the whole of
# it, "@0" for its first argument, "@01" for the second one of that.
HOLE = "@"

ONE, TWO, HALF = Number(1), Number(2), Number(0.5)
SQUARE = Call("**", (Name("g"), TWO))
FUNCTIONS = ("sqrt", "abs", "sign", "neg")
REDUCTIONS = ("sum", "mean", "max", "norm")
OPERATORS = ("+", "-", "*", "/")
COMMUTE = {"+", "*", "maximum", "min"}
INSTEAD = {"maximum": ("min", "+"), "min": ("maximum",), "cos": ("sin",), "max": ("minimum",)}
INSTEAD |= {"sum": ("mean", "max"), "minimum": ("max",), "ceil": ("floor", "round")}
# Names of whole numbers, in which one too many or too few is the likeliest mistake.
COUNTS = {"t", INDEX, "steps", "window", "batch", "parts", "epochs", "examples", "y"}
# An operator binds its neighbors in these: where brackets or a function end can be mistaken.
BRACKETS = {"+", "-", "*", "/", "**", "neg", "ceil", *FUNCTIONS}


@dataclass(frozen=True)
class Edit:
    """One thing written wrongly.

    Attributes
    ----------
    kind : what sort of thing, such as ``"name"``, ``"left out"``, ``"bracket"``
    path : where in the line's tree
    new : what stands there, with holes for what stood there before
    cost : how unlikely it is, from about 1
    """

    kind: str
    path: Path
    new: Node
    cost: float = 1.0

    def instead(self, old: Node) -> Node:
        """Return what stands in the place of ``old``.

        Examples
        --------
        >>> str(Edit("left out", (), Name("@0")).instead(parse("m / bias1")))
        'm'
        """
        return filled(self.new, old)

    def of(self, line: Node) -> Node:
        """Return the whole line with the edit in it."""
        return replaced(line, self.path, self.instead(part(line, self.path)))


@dataclass(frozen=True)
class Scope:
    """What a line can read.

    Attributes
    ----------
    names : of values; the likelier first
    decays : those of them that are shares, so that 1 - beta is as likely a value as beta
    numbers : constants that could stand where a name belongs
    """

    names: tuple[str, ...]
    decays: tuple[str, ...] = ()
    numbers: tuple[float, ...] = (1, 0, 2)

    @cached_property
    def leaves(self) -> tuple[Node, ...]:
        """What can stand where something else belongs, or be one factor or term too many."""
        return (*map(Name, self.names), *self.compound)

    @cached_property
    def shares(self) -> tuple[Node, ...]:
        """What decays leave."""
        return tuple(parse(f"1 - {name}") for name in self.decays)

    @cached_property
    def weighted(self) -> tuple[Node, ...]:
        """Products that may be a term too many, such as a decay of x, or a share of a slot."""
        weights = [n for n in self.names if n in ("weight_decay", "lr", *self.decays)]
        arrays = [n for n in self.names if n in ("x", "g") or n.endswith("_before")]
        terms: list[Node] = []
        terms += [Call("*", (Name(w), Name(array))) for w in weights for array in arrays]
        if {"weight_decay", "lr", "x_before"} <= {*self.names}:  # of an x that has decayed already
            terms.append(parse("weight_decay * (x_before * (1 - lr * weight_decay))"))
        return tuple(terms)

    @cached_property
    def compound(self) -> tuple[Node, ...]:
        """What is so often made of a decay, and of the number of the step."""
        if "t" not in self.names:
            return self.shares
        powers = [f"{name}**t" for name in self.decays]
        biases = [f"1 - {power}" for power in powers]
        texts = [*powers, *biases, *(f"sqrt({bias})" for bias in biases), "sqrt(t)"]
        return (*self.shares, *map(parse, texts))


def filled(new: Node, old: Node) -> Node:
    """Return the new tree of an edit with the parts of the old one in its holes."""
    trees = {HOLE + "".join(map(str, path)): tree for path, tree in subtrees(old)}
    return substituted(new, trees)


def part(node: Node, path: Path) -> Node:
    """Return the tree within a tree that a path leads to."""
    for i in path:
        assert isinstance(node, Call)
        node = node.args[i]
    return node


def edits(line: Node, scope: Scope) -> Iterator[Edit]:
    """Yield every edit of a line.

    Examples
    --------
    >>> line = parse("m / (1 - beta1)")
    >>> found = edits(line, Scope(("m", "beta1", "beta2"), ("beta1", "beta2")))
    >>> print(*[edit.of(line) for edit in found if edit.kind in ("bracket", "operator")], sep="\\n")
    m + (1 - beta1)
    m - (1 - beta1)
    m * (1 - beta1)
    m**(1 - beta1)
    m // (1 - beta1)
    m / 1 - beta1
    m / (1 + beta1)
    m / (1 * beta1)
    m / (1 / beta1)
    m / 1**beta1
    """
    for path, node in subtrees(line):
        if not any(_is_term(line, path[:end]) for end in range(len(path) + 1)):
            yield from (Edit(kind, path, new, cost) for kind, new, cost in at(node, scope))


def _is_term(line: Node, path: Path) -> bool:
    """Return whether a path leads to the term of a product: it is edited together with it."""
    if not path or path[-1] != 0:
        return False
    above = part(line, path[:-1])
    return isinstance(above, Call) and above.op == "product"


Change = tuple[str, Node, float]


def at(node: Node, scope: Scope) -> Iterator[Change]:
    """Yield the kind, the new tree and the cost of each edit that begins at a node."""
    here: Node = Name(HOLE)
    match node:
        case Name(name):
            yield from _names(name, scope)
        case Number(value):
            yield from _numbers(value, scope)
        case Call("product", (term, _)):
            near = {*reads(term), *scope.decays, "t"}
            inner = Scope((INDEX, *(name for name in scope.names if name in near)))
            for edit in (edit for edit in edits(term, inner) if edit.cost < 1.5):
                whole = Call("product", (edit.of(term), Name(HOLE + "1")))
                yield f"product {edit.kind}", whole, edit.cost + 0.5
            first, second = (substituted(term, {INDEX: Number(start)}) for start in (0, 1))
            yield "product from 0", Call("*", (here, first)), 1.2
            yield "product from 2", Call("/", (here, second)), 1.3
            yield "product of 0", Number(0), 1.3
            yield "product off", substituted(term, {INDEX: Name(HOLE + "1")}), 1.3
            yield "replaced", parse("beta1**t") if "beta1" in scope.decays else ONE, 1.6
        case Call(op, args):
            yield from _operations(op, args)
            if op == "min":
                yield from _branches(args, scope)
            yield from _squares(node, scope)
            yield from _brackets(op, args)
            yield from _grouped(node)
            for leaf in scope.leaves:
                yield "replaced", leaf, 1.6
            for number in scope.numbers:
                yield "replaced", Number(number), 1.7
    yield from _functions(here, node)
    yield from _added(here, node, scope)


def _names(name: str, scope: Scope) -> Iterator[Change]:
    for other in scope.names:
        if other != name:
            near = other.removesuffix("_before") == name.removesuffix("_before")
            yield "name", Name(other), 0.9 if near or other[:-1] == name[:-1] else 1.0
    if name in COUNTS:
        yield "added", Call("-", (Name(HOLE), ONE)), 1.0
        yield "added", Call("+", (Name(HOLE), ONE)), 1.1
    if "g" in scope.names:
        yield "name", SQUARE, 1.5
    for number in scope.numbers:
        yield "number for name", Number(number), 1.3
    for leaf in scope.compound:
        complement = leaf == parse(f"1 - {name}")
        yield ("complement" if complement else "name"), leaf, 1.1 if complement else 1.5


def _numbers(value: float, scope: Scope) -> Iterator[Change]:
    for other in dict.fromkeys((0, 1, 2, 3, 0.5, -value, value + 1, value - 1)):
        if other != value:
            yield "number", Number(other), 1.2
    for name in scope.names:
        yield "name for number", Name(name), 1.4


def _operations(op: str, args: tuple[Node, ...]) -> Iterator[Change]:
    holes = tuple(Name(HOLE + str(i)) for i in range(len(args)))
    for hole, arg in zip(holes, args, strict=True):
        # That a number alone is left is less likely; so is one of three.
        cost = 1.0 + 0.3 * (op == "clip") + 0.1 * isinstance(arg, Number)
        yield ("function off" if len(holes) == 1 else "left out"), hole, cost
    for other in (*INSTEAD.get(op, ()), *(OPERATORS if op in (*OPERATORS, "**") else ())):
        if other != op:
            yield "operator", Call(other, holes), 1.0
    if op in OPERATORS:
        yield "operator", Call("**", holes), 1.4
    if op == "/":
        yield "operator", Call("//", holes), 1.15
    if op == "ceil":
        yield "rounded", Call("maximum", (Call("floor", holes), ONE)), 1.2
    if op == "+":
        yield "operator", Call("maximum", holes), 1.4
    if len(holes) == 2 and op not in COMMUTE:
        yield "swapped", Call(op, holes[::-1]), 1.1
    if op in ("-", "/") and not isinstance(args[0], Number):
        yield "left out", Call(op, (Number(int(op == "/")), holes[1])), 1.15
    if op == "clip":
        _, low, high = holes
        yield "left out", Call("maximum", (holes[0], low)), 1.1
        yield "left out", Call("min", (holes[0], high)), 1.1
        yield "swapped", Call("clip", (holes[0], high, low)), 1.2


def _branches(args: tuple[Node, ...], scope: Scope) -> Iterator[Change]:
    """Yield what the smaller of two can be if it is written by if and else, with an edit in one."""
    first, second = Name(HOLE + "0"), Name(HOLE + "1")
    for arg, here, other in ((args[0], first, second), (args[1], second, first)):
        for edit in (edit for edit in edits(arg, scope) if edit.cost < 1.25):
            edited = edit.of(arg)
            yield "branch", Call("if", (Call("<=", (other, here)), other, edited)), edit.cost + 0.5
            yield "branch", Call("if", (Call("<=", (here, other)), edited, other)), edit.cost + 0.5


def _grouped(node: Call) -> Iterator[Change]:
    """Yield what a product or quotient can be if its last two parts are taken together: by a
    function, or as a term."""
    match node:
        case Call("*" | "/" as op, (Call("*"), _)):
            start, last = Name(HOLE + "00"), Call(op, (Name(HOLE + "01"), Name(HOLE + "1")))
            for taken in (
                Call("**", (last, TWO)),
                *(Call(name, (last,)) for name in FUNCTIONS[:3]),
            ):
                yield "function on", Call("*", (start, taken)), 1.4
            for other in "+-":
                yield "grouped", Call(other, (start, last)), 1.3


def _squares(node: Call, scope: Scope) -> Iterator[Change]:
    """Yield what a square or a root can be instead, as they are also written: g * g, v**0.5."""
    first: Node = Name(HOLE + "0")
    if node.op == "**" and node.args[1] == TWO:
        for name in scope.names:
            yield "name", Call("*", (first, Name(name))), 1.2
        for function in (*FUNCTIONS, *REDUCTIONS):
            yield "function on", Call("*", (first, Call(function, (first,)))), 1.3
        yield "operator", Call("/", (first, first)), 1.4
        yield "function", Call("abs", (first,)), 1.05
    if node.op == "sqrt":
        for op in OPERATORS:
            yield "operator", Call(op, (first, HALF)), 1.3
        for number in (0, 1.5, -0.5, 2, 1, 1 / 3):
            yield "number", Call("**", (first, Number(number))), 1.3
    if node.op == "sign":  # of zero, it is zero
        zero, up, down = Number(0), ONE, Number(-1)
        yield "sign of zero", Call("if", (Call("<=", (first, zero)), down, up)), 1.2
        yield "sign of zero", Call("if", (Call("<=", (zero, first)), up, down)), 1.2
    if len(node.args) == 1:
        for function in (*FUNCTIONS, *REDUCTIONS):
            if function != node.op:
                yield "function", Call(function, (first,)), 1.2
        yield "function", Call("**", (first, TWO)), 1.2


def _brackets(op: str, args: tuple[Node, ...]) -> Iterator[Change]:
    """Yield what it is if brackets, or the end of a function's, stand elsewhere."""
    if op not in BRACKETS:
        return
    holes = tuple(Name(HOLE + str(i)) for i in range(len(args)))
    for i, arg in enumerate(args):
        if not isinstance(arg, Call) or arg.op not in BRACKETS:
            continue
        inner = tuple(Name(f"{HOLE}{i}{j}") for j in range(len(arg.args)))
        # a op (b o c) as (a op b) o c, and (a o b) op c as a o (b op c)
        whole: list[Node] = [*holes]
        moved = 0 if i == len(args) - 1 and len(args) > 1 else len(inner) - 1
        if len(args) == 1 and len(inner) == 2:
            for j in (0, 1):  # sqrt(a + b) as sqrt(a) + b
                split: list[Node] = [*inner]
                split[j] = Call(op, (inner[j],))
                yield "bracket", Call(arg.op, tuple(split)), 1.0
            both = tuple(Call(op, (one,)) for one in inner)
            yield "bracket", Call(arg.op, both), 1.2
            continue
        if len(args) == 1:
            continue
        whole[i] = inner[moved]
        inside: list[Node] = [*inner]
        inside[moved] = Call(op, tuple(whole))
        new = Call(arg.op, tuple(inside))
        yield "bracket", new, 1.0
        if len(inner) == 2 and op in ("*", "/") and arg.op in ("+", "-"):
            other: list[Node] = [*holes]  # (a + b) / c as a / c + b
            other[i] = inner[1 - moved]
            outer: list[Node] = [*inner]
            outer[1 - moved] = Call(op, tuple(other))
            if i == 0:
                yield "bracket", Call(arg.op, tuple(outer)), 1.2


def _functions(here: Node, node: Node) -> Iterator[Change]:
    if isinstance(node, Number):
        return
    for name in (*FUNCTIONS, "log") if isinstance(node, Call) and node.op == "log" else FUNCTIONS:
        if not (isinstance(node, Call) and node.op == name):
            yield "function on", Call(name, (here,)), 1.1 if name == "sqrt" else 1.2
    yield "function on", Call("**", (here, TWO)), 1.1
    yield "function on", Call("**", (here, Number(3))), 1.6
    yield "function on", Call("/", (ONE, here)), 1.3
    if node != Name("t"):
        yield "complement", Call("-", (ONE, here)), 1.3
    for name in REDUCTIONS:
        yield "reduction", Call(name, (here,)), 1.3


def _added(here: Node, node: Node, scope: Scope) -> Iterator[Change]:
    leaves = (*scope.leaves, ONE, TWO)
    yield from (("added", Call("*", (here, Number(size))), 1.7) for size in (0.1, 10))
    for leaf in leaves:
        cost = 1.3 if isinstance(leaf, (Name, Number)) else 1.4
        cost += 0.2 * isinstance(node, (Name, Number))
        for op in OPERATORS:
            if leaf is ONE and op in "*/":
                continue
            share = op == "*" and leaf in scope.shares
            yield "added", Call(op, (here, leaf)), 1.3 if share else cost
    if "p" in scope.decays:  # the derivative of one probability by its own score
        yield "added", Call("*", (here, parse("p * (1 - p)"))), 1.5
    if "t" in scope.names and not isinstance(node, Number):
        yield "added", Call("**", (here, Name("t"))), 1.3
    for op in "+-":
        yield from (("added", Call(op, (here, term)), 1.6) for term in scope.weighted)


def everywhere(name: str, scope: Scope) -> Iterator[Change]:
    """Yield what can stand in a line, or in all of them, wherever a name belongs."""
    yield from at(Name(name), scope)


def distinct(changes: Iterable[Change]) -> list[Change]:
    """Return changes without those that are written alike, the cheapest of each."""
    best: dict[Node, Change] = {}
    for change in changes:
        if change[1] not in best or change[2] < best[change[1]][2]:
            best[change[1]] = change
    return list(best.values())
