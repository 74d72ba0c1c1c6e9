"""Expressions as trees, and lines that assign them: to evaluate, to print, to search, to edit.

All are small and immutable. The order of operations is kept as it was written, so a tree computes
the same bits as its source.
"""

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from . import ops


@dataclass(frozen=True)
class Name:
    """What a line, an argument or a hyper-parameter is called."""

    id: str

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True)
class Number:
    """A number that stands in the code; 1 and 1.0 are equal, though they are printed apart."""

    value: float

    def __str__(self) -> str:
        return _text(self)


@dataclass(frozen=True)
class Call:
    """An operation on trees.

    Attributes
    ----------
    op : a key of :data:`FUNCTIONS`, such as ``"+"``, ``"neg"``, ``"sqrt"``; or ``"product"``, whose
        arguments are a term, in which the name ``i`` counts from 1, and the last ``i``
    args : what it is applied to
    """

    op: str
    args: tuple["Node", ...] = ()

    def __str__(self) -> str:
        return _text(self)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.op, self.args))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What :func:`reads` returns: trees share branches, and are asked again and again."""
        found = dict.fromkeys(name for arg in self.args for name in reads(arg))
        return tuple(name for name in found if self.op != "product" or name != INDEX)


Node = Name | Number | Call
Path = tuple[int, ...]

INDEX = "i"

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "**": operator.pow,
    "<=": operator.le,
    "neg": operator.neg,
    "abs": abs,
    "min": lambda a, b: min(a, b),
    "sqrt": ops.sqrt,
    "sign": ops.sign,
    "maximum": ops.maximum,
    "clip": ops.clip,
    "cos": math.cos,
    "pi": lambda: math.pi,
    "if": lambda condition, value, other: value if condition else other,
}


def evaluate(
    node: Node,
    values: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]] = FUNCTIONS,
) -> Any:
    """Return what a tree computes: of floats, arrays, tensors or symbols, by name.

    Examples
    --------
    >>> from adam_edu.reading import parse
    >>> evaluate(parse("sqrt(v) + eps"), {"v": 9.0, "eps": 1.0})
    4.0
    """
    match node:
        case Name(name):
            return values[name]
        case Number(value):
            return value
        case Call("product", (term, last)):
            names = tuple(name for name in reads(term) if name != INDEX)
            arguments = [values[name] for name in names]
            return ops.product(_Term(term, names), evaluate(last, values, functions), *arguments)
        case Call(op, args):
            return functions[op](*[evaluate(arg, values, functions) for arg in args])


@dataclass(frozen=True)
class _Term:
    """The term of a product as a function; equal ones are one to :func:`adam_edu.ops.product`."""

    node: Node
    names: tuple[str, ...]

    def __call__(self, i: Any, *values: Any) -> Any:
        return evaluate(self.node, {INDEX: i, **dict(zip(self.names, values, strict=True))})


def compiled(node: Node) -> Callable[..., Any]:
    """Return a function of the names in a tree, in the order of :func:`reads`.

    It is several times faster than :func:`evaluate`, for who evaluates a tree often. The last index
    of a product must be an int.

    Examples
    --------
    >>> compiled(Call("product", (Name("i"), Name("n"))))(5)
    120
    """
    return eval(f"lambda {', '.join(reads(node))}: {node}", _COMPILED)


# Not that of ops, which remembers each term it is given: here every call has a new one.
_COMPILED = FUNCTIONS | {
    "math": math,
    "product": lambda term, last: math.prod(map(term, range(1, last + 1))),
}


def subtrees(node: Node) -> Iterator[tuple[Path, Node]]:
    """Yield a tree and each tree within it, with its path: which argument, level by level.

    Examples
    --------
    >>> from adam_edu.reading import parse
    >>> [(path, str(tree)) for path, tree in subtrees(parse("m / (1 - beta1)"))]
    [((), 'm / (1 - beta1)'), ((0,), 'm'), ((1,), '1 - beta1'), ((1, 0), '1'), ((1, 1), 'beta1')]
    """
    yield (), node
    for i, arg in enumerate(_args(node)):
        for path, tree in subtrees(arg):
            yield (i, *path), tree


def replaced(node: Node, path: Path, new: Node) -> Node:
    """Return a tree with another one in the place that a path leads to.

    Examples
    --------
    >>> from adam_edu.reading import parse
    >>> str(replaced(parse("m / (1 - beta1)"), (1, 1), parse("beta2 * beta2")))
    'm / (1 - beta2 * beta2)'
    """
    if not path:
        return new
    assert isinstance(node, Call)
    first, *rest = path
    args = [*node.args]
    args[first] = replaced(args[first], tuple(rest), new)
    return Call(node.op, tuple(args))


def substituted(node: Node, meanings: Mapping[str, Node]) -> Node:
    """Return a tree with other trees in the place of names.

    Examples
    --------
    >>> from adam_edu.reading import parse
    >>> str(substituted(parse("m / bias1"), {"bias1": parse("1 - beta1**t")}))
    'm / (1 - beta1**t)'
    """
    match node:
        case Name(name):
            return meanings.get(name, node)
        case Call(op, args):
            return Call(op, tuple(substituted(arg, meanings) for arg in args))
    return node


def reads(node: Node) -> tuple[str, ...]:
    """Return the names in a tree, each once, in the order of the code.

    Examples
    --------
    >>> from adam_edu.reading import parse
    >>> reads(parse("beta1 * m + (1 - beta1) * g"))
    ('beta1', 'm', 'g')
    """
    if isinstance(node, Call):
        return node.names
    return (node.id,) if isinstance(node, Name) else ()


def _args(node: Node) -> tuple[Node, ...]:
    return node.args if isinstance(node, Call) else ()


# How strongly an operator binds, as in Python.
BINDS = {"if": 0, "<=": 1, "+": 2, "-": 2, "*": 3, "/": 3, "//": 3, "neg": 4, "**": 5}
TIGHT = 6


def _text(node: Node, least: int = 0) -> str:
    """Return Python source, in brackets if it binds more weakly than ``least``."""
    if isinstance(node, Name):
        return node.id
    if isinstance(node, Number):
        text = repr(node.value).replace("inf", "math.inf")
        return f"({text})" if text.startswith("-") and least > BINDS["neg"] else text
    binds = BINDS.get(node.op, TIGHT)
    match node.op, node.args:
        case "if", (condition, value, other):
            text = f"{_text(value, 1)} if {_text(condition, 1)} else {_text(other)}"
        case "neg", (x,):
            text = f"-{_text(x, binds)}"
        case "**", (base, exponent):
            text = f"{_text(base, TIGHT)}**{_text(exponent, BINDS['neg'])}"
        case "product", (term, last):
            text = f"product(lambda {INDEX}: {_text(term)}, {_text(last)})"
        case "pi", ():
            text = "math.pi"
        case op, (left, right) if op in BINDS:
            text = f"{_text(left, binds)} {op} {_text(right, binds + 1)}"
        case op, args:
            text = f"{op}({', '.join(map(_text, args))})"
    return f"({text})" if binds < least else text


# Lines


@dataclass(frozen=True)
class Line:
    """One assignment: ``name = expression``.

    Attributes
    ----------
    scalar : whether it is one number a step, made of numbers alone; else one for each element
    """

    name: str
    expression: Node
    scalar: bool = True

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names that it is computed from, in the order of the code."""
        return reads(self.expression)

    def __str__(self) -> str:
        return f"{self.name} = {self.expression}"


def inlined(lines: Iterable[Line]) -> dict[str, Node]:
    """Return what every line's name means after all, in terms of names that the lines only read.

    Examples
    --------
    >>> from adam_edu.reading import parse
    >>> str(inlined([Line("a", parse("x - 1")), Line("b", parse("a * a"))])["b"])
    '(x - 1) * (x - 1)'
    """
    meanings: dict[str, Node] = {}
    for line in lines:
        meanings[line.name] = substituted(line.expression, meanings)
    return meanings


def run(lines: Iterable[Line], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every name after the lines, given those of the names that they read.

    Examples
    --------
    >>> run([Line("m", Call("+", (Name("m"), Name("g"))))], {"m": 1.0, "g": 2.0})["m"]
    3.0
    """
    known = dict(values)
    for line in lines:
        known[line.name] = evaluate(line.expression, known)
    return known
