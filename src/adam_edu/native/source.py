"""A rule's lines as the C++ of one loop: each number read once, written once.

The loop has a line for each of the rule's, ``m_new`` where a slot gets its new value. What is made
of numbers alone is computed before it, in double.
"""

import re
from collections.abc import Callable, Sequence
from itertools import chain, count
from math import inf

from ..lines import Lines
from ..trees import BINDS, TIGHT, Call, Line, Name, Node, Number, reads
from .template import ONE_PLACE, RESERVED, SOURCE, TWO_PLACES

# A dtype's type in C++, and its bytes.
CTYPES = {
    "float32": ("float", 4),
    "float64": ("double", 8),
    "bfloat16": ("bfloat16", 2),
    "float16": ("_Float16", 2),
}


class Unprintable(TypeError):
    """An operation has no C++ form."""


def source(lines: Lines, dtypes: Sequence[str]) -> str:
    """Return the C++ of one step.

    Parameters
    ----------
    lines : what it computes
    dtypes : the names of those of ``lines.arrays``; what is computed in between has float64 if the
        parameter has, else float32

    Raises
    ------
    Unprintable
        If an operation has no C++ form.
    """
    printer = _Printer()
    for i, (name, dtype) in enumerate(zip(lines.arrays, dtypes, strict=True)):
        ctype, _ = CTYPES[dtype]
        printer.array(name, ctype, f"addresses[{i} * tensors]")
    for i, name in enumerate(lines.numbers):
        printer.number(name, f"numbers[{i}]")
    for line in lines.step:
        printer.line(line)
    results = zip(("change", *lines.rule.slots), lines.results, strict=True)
    change, *slots = [printer.computed(name, node) for name, node in results]
    printer.store("x", f"{printer.elements['x']} + {change}")
    for name, value in zip(lines.rule.slots, slots, strict=True):
        printer.store(name, value)
    walk = TWO_PLACES if len(lines.arrays) <= 3 else ONE_PLACE
    return SOURCE.substitute(
        real="double" if dtypes[0] == "float64" else "float",
        gradient=CTYPES[dtypes[1]][0],
        columns=len(dtypes),
        widths=", ".join(str(CTYPES[dtype][1]) for dtype in dtypes),
        once="\n".join(f"    {line}" for line in printer.once),
        walk=walk.substitute(loop="\n".join(f"        {line}" for line in printer.loop)),
    )


class _Printer:
    """Prints what is made of numbers alone in double, before the loop; all else in real, within it.

    A division by a number becomes a multiplication by its reciprocal, computed before the loop.

    Attributes
    ----------
    once, loop : the statements so far
    pointers : the name of each array's pointer
    elements, numbers : what a name of the rule means at this point: the value of an element, or a
        number, by its name in C++
    constants : what was brought from double to real before the loop, and its name
    """

    def __init__(self) -> None:
        self.once: list[str] = []
        self.loop: list[str] = []
        self.pointers: dict[str, str] = {}
        self.elements: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        self.constants: dict[str, str] = {}
        self.taken = set(RESERVED)

    def array(self, name: str, ctype: str, address: str) -> None:
        """Load an element of an array."""
        self.pointers[name], self.elements[name] = self.fresh(f"{name}_"), self.fresh(name)
        self.once.append(f"{ctype}* __restrict {self.pointers[name]} = ({ctype}*){address};")
        self.loop.append(f"const real {self.elements[name]} = load({self.pointers[name]}[i]);")

    def number(self, name: str, value: str) -> None:
        """Compute a number."""
        self.elements.pop(name, None)
        self.numbers[name] = self.fresh(name)
        self.once.append(f"const double {self.numbers[name]} = {value};")

    def line(self, line: Line) -> None:
        """Compute what a line of the rule does."""
        if line.scalar:
            self.number(line.name, self.in_double(line.expression))
        else:
            self.elements[line.name] = self.computed(line.name, line.expression)
            self.numbers.pop(line.name, None)

    def computed(self, name: str, node: Node) -> str:
        """Compute the value of an element; return the name of what holds it."""
        text = self.in_real(node)
        if isinstance(node, Name):
            return text
        new = self.fresh(name, f"{name}_new")
        self.loop.append(f"const real {new} = {text};")
        return new

    def store(self, name: str, value: str) -> None:
        """Store an element of an array."""
        self.loop.append(f"store({self.pointers[name]}[i], {value});")

    def fresh(self, *wishes: str) -> str:
        """Return the first of the names that is free, else the last with a number."""
        numbered = (f"{wishes[-1]}_{i}" for i in count(2))
        name = next(name for name in chain(wishes, numbered) if name not in self.taken)
        self.taken.add(name)
        return name

    def in_double(self, node: Node, least: int = 0) -> str:
        """Return what is made of numbers alone."""
        match node:
            case Name(name):
                return self.numbers[name]
            case Number(value):
                return _number(value)
            case Call(op, args):
                return _operation(op, args, self.in_double, least)

    def in_real(self, node: Node, least: int = 0) -> str:
        """Return what an element is computed by."""
        if isinstance(node, Number):
            return f"(real){_number(node.value)}"
        if self.is_number(node):
            return self.constant(self.in_double(node), f"{self.words(node)}_r")
        match node:
            case Call("/", (a, b)) if self.is_number(b) and not isinstance(b, Number):
                value = f"1.0 / {self.in_double(b, BINDS['/'] + 1)}"
                per_b = self.constant(value, f"per_{self.words(b)}")
                text = f"{self.in_real(a, BINDS['*'])} * {per_b}"
                return f"({text})" if BINDS["*"] < least else text
            case Call(op, args):
                return _operation(op, args, self.in_real, least)
        assert isinstance(node, Name)
        return self.elements[node.id]

    def is_number(self, node: Node) -> bool:
        return self.elements.keys().isdisjoint(reads(node))

    def constant(self, value: str, name: str) -> str:
        if value not in self.constants:
            self.constants[value] = self.fresh(name)
            self.once.append(f"const real {self.constants[value]} = (real)({value});")
        return self.constants[value]

    def words(self, node: Node) -> str:
        """Return a name for what is made of numbers alone, such as one_minus_beta1."""
        match node:
            case Name(name):
                return self.numbers[name]
            case Number(value):
                return "one" if value == 1 else re.sub(r"\W", "_", f"n{value:g}")
            case Call(op, (x,)):
                return f"{WORDS.get(op, op)}_{self.words(x)}"
            case Call(op, args):
                return f"_{WORDS.get(op, op)}_".join(map(self.words, args))


WORDS = {"+": "plus", "-": "minus", "*": "times", "/": "over", "**": "to", "neg": "minus"}


def _number(value: float) -> str:
    return repr(float(value)).replace("inf", "INFINITY")


def _operation(
    op: str, args: tuple[Node, ...], show: Callable[[Node, int], str], least: int
) -> str:
    """Return an operation in C++, in brackets if it binds more weakly than ``least``."""
    match op, args:
        case "+" | "-" | "*" | "/", (a, b):
            text = f"{show(a, BINDS[op])} {op} {show(b, BINDS[op] + 1)}"
            return f"({text})" if BINDS[op] < least else text
        case "neg", (x,):
            text = f"-{show(x, TIGHT)}"
            return f"({text})" if BINDS[op] < least else text
        case "maximum", (x, low):
            return f"ops::larger({show(x, 0)}, {show(low, 0)})"
        case "clip", (x, low, high):
            text = show(x, 0)
            if low != Call("neg", (Number(inf),)):
                text = f"ops::larger({text}, {show(low, 0)})"
            return text if high == Number(inf) else f"ops::smaller({text}, {show(high, 0)})"
    if op not in FUNCTIONS:
        raise Unprintable(f"{op} has no C++ form")
    return f"{FUNCTIONS[op]}({', '.join(show(arg, 0) for arg in args)})"


FUNCTIONS = {"**": "std::pow", "abs": "std::fabs", "sqrt": "std::sqrt", "sign": "ops::sign"}
