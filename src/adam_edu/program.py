"""An exercise's right lines as a program whose every place can be written wrongly."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Decay, Rule, domains
from .edits import HOLE, Scope
from .lines import lines_of
from .trees import INDEX, Call, Line, Name, Node, Number, Path, substituted

Array = NDArray[np.float64]
BEFORE = "_before"
# A product of more factors than this is not tried out.
LONGEST = 100


def _product(term: Node, last: Array, values: Mapping[str, Array]) -> Array:
    """Return a product whose last index is an array."""
    known = last <= LONGEST
    indices = np.arange(1.0, LONGEST + 1).reshape(-1, *[1] * np.ndim(last))
    indices = indices[: max(int(np.max(last, initial=1, where=known)), 1)]
    factors = evaluated(term, {**values, INDEX: indices})
    product = np.where(indices <= last, factors, 1.0).prod(axis=0)
    result: Array = np.where(known, product, np.nan)
    return result


def _over(reduce: Any) -> Any:
    """Return a reduction over the coordinates, the last axis; a number is one coordinate."""
    return lambda array: reduce(np.atleast_1d(array), axis=-1, keepdims=True)


def _one_hot(like: Array, place: Any) -> Array:
    """Return an array like another one of ones in one place of the last axis, and zeros."""
    return np.where(np.arange(like.shape[-1]) == place, np.ones_like(like), 0.0)


FUNCTIONS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "//": np.floor_divide,
    "**": np.power,
    "<=": np.less_equal,
    "neg": np.negative,
    "abs": np.abs,
    "min": np.minimum,
    "sqrt": np.sqrt,
    "sign": np.sign,
    "maximum": np.maximum,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "cos": np.cos,
    "sin": np.sin,
    "log": np.log,
    "exp": np.exp,
    "one_hot": lambda like, place: _one_hot(np.asarray(like, dtype=float), place),
    "ceil": np.ceil,
    "floor": np.floor,
    "round": np.round,
    "pi": lambda: np.full((1, 1), np.pi),
    "if": np.where,
    "sum": _over(np.sum),
    "mean": _over(np.mean),
    "max": _over(np.max),
    "minimum": _over(np.min),
    "norm": _over(np.linalg.norm),
}


def evaluated(node: Node, values: Mapping[str, Any]) -> Any:
    """Return what a tree computes of arrays, many calls at once."""
    match node:
        case Name(name):
            return values[name]
        case Number(value):
            return np.float64(value)
        case Call("product", (term, last)):
            return _product(term, evaluated(last, values), values)
        case Call(op, args):
            return FUNCTIONS[op](*[evaluated(arg, values) for arg in args])


@dataclass(frozen=True)
class Place:
    """A node of the program: which line, where in it, and which places it is computed from."""

    line: str
    path: Path
    node: Node
    args: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """Lines in which each name is assigned once.

    What a name held before the lines is called so with ``_before``.

    Attributes
    ----------
    lines : in order
    results : the names of what is returned: the new x, then the slots; or the one result
    inputs : what the lines read, the likelier to be mistaken for one another first
    decays : those of the inputs that are shares
    usual : the default of each setting, which may stand in its place
    """

    lines: tuple[Line, ...]
    results: tuple[str, ...]
    inputs: tuple[str, ...]
    decays: tuple[str, ...] = ()
    usual: tuple[tuple[str, float], ...] = ()

    @cached_property
    def line(self) -> dict[str, Node]:
        """Each line's tree, by its name."""
        return {line.name: line.expression for line in self.lines}

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place, after those that it is computed from."""
        return self._placed[0]

    @property
    def roots(self) -> dict[str, int]:
        """The place of each line as a whole."""
        return self._placed[1]

    @cached_property
    def _placed(self) -> tuple[tuple[Place, ...], dict[str, int]]:
        places: list[Place] = []
        roots: dict[str, int] = {}

        def put(line: str, path: Path, node: Node) -> int:
            args: tuple[int, ...] = ()
            if isinstance(node, Call):
                inner = [*enumerate(node.args)][node.op == "product" :]  # its term is no place
                args = tuple(put(line, (*path, i), arg) for i, arg in inner)
            elif isinstance(node, Name) and node.id in roots:
                args = (roots[node.id],)
            places.append(Place(line, path, node, args))
            return len(places) - 1

        for line in self.lines:
            roots[line.name] = put(line.name, (), line.expression)
        return tuple(places), roots

    @cached_property
    def around(self) -> dict[int, int]:
        """For each place that is part of an operation, the place of that."""
        calls = [(i, place) for i, place in enumerate(self.places) if isinstance(place.node, Call)]
        return {arg: i for i, place in calls for arg in place.args}

    def later(self, line: str) -> Iterator[str]:
        """Yield the names of later lines that could as well come before this one."""
        after = {line}
        for other in self.lines[[one.name for one in self.lines].index(line) + 1 :]:
            if after.isdisjoint(other.reads):
                yield other.name
            else:
                after.add(other.name)

    def has(self, *operations: str) -> bool:
        """Return whether any of some operations is in the lines."""
        return any(isinstance(p.node, Call) and p.node.op in operations for p in self.places)

    @cached_property
    def scopes(self) -> dict[str, Scope]:
        """What each line can read."""
        known, found = list(self.inputs), {}
        for line in self.lines:
            found[line.name] = Scope(tuple(known), self.decays)
            known.append(line.name)
        return found

    def run(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of every name, of many calls at once."""
        values = dict(given)
        with np.errstate(all="ignore"):
            for line in self.lines:
                values[line.name] = evaluated(line.expression, values)
        return values

    @cached_property
    def holes(self) -> tuple[dict[str, int], ...]:
        """For each place, the name of each hole of an edit there, and what it stands for."""
        return tuple(dict(self._holes(i)) for i in range(len(self.places)))

    def _holes(self, place: int) -> Iterator[tuple[str, int]]:
        yield HOLE, place
        first = self.places[place]
        stack = [("", place)]
        while stack:
            path, index = stack.pop()
            here = self.places[index]
            if not isinstance(here.node, Call) or here.line != first.line:
                continue
            numbers = [1] if here.node.op == "product" else range(len(here.args))
            for i, arg in zip(numbers, here.args, strict=True):
                yield f"{HOLE}{path}{i}", arg
                stack.append((f"{path}{i}", arg))


def program_of(rule: type[Rule]) -> Program:
    """Return a rule's lines as a student would write them.

    The new x is one line, numbers that are used once are written where they are used, and a square
    is a power.

    Examples
    --------
    >>> from adam_edu.rules import AdamW
    >>> print(*program_of(AdamW).lines, sep="\\n")
    m = beta1 * m_before + (1 - beta1) * g
    v = beta2 * v_before + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    decay = lr * weight_decay * x_before
    x = x_before - decay - lr * m_hat / (sqrt(v_hat) + eps)
    """
    return _program_of(rule)  # type: ignore[arg-type]


@cache
def _program_of(rule: type[Rule]) -> Program:
    own = lines_of(rule)
    new_x = Line("x", _moved(Name("x"), own.results[0]))
    named = any(line.name == "change" for line in own.step)
    lines = [line for line in own.whole_step if named or line.name != "change"]
    lines = _renamed([*own.scalars, *lines, new_x])
    lines = [Line(line.name, _squares(line.expression)) for line in lines]
    lines = _once(lines, set(own.factors))
    slots = rule.slots
    meanings: dict[str, Node] = {name: Name(name + BEFORE) for name in ("x", *slots)}
    found = []
    for line in lines:
        found.append(Line(line.name, substituted(line.expression, meanings)))
        meanings.pop(line.name, None)
    table = domains(rule)  # type: ignore[arg-type]
    decays = tuple(name for name, domain in table.items() if domain is DECAY)
    read = {name for line in found for name in line.reads}
    counts = ("t",) if "t" in read else ()
    inputs = (*(f"{name}{BEFORE}" for name in ("x", *slots)), "g", *own.hyper, *counts)
    defaults = rule()
    usual = tuple((name, float(getattr(defaults, name))) for name in own.hyper)
    return Program(tuple(found), ("x", *slots), inputs, decays, usual)


DECAY = Decay.__metadata__[0]  # type: ignore[attr-defined]


def _moved(x: Node, change: Node) -> Node:
    """Return x plus a change, with the change's minus as a subtraction."""
    match change:
        case Call("neg", (step,)):
            return Call("-", (x, step))
        case Call("-" | "+" as op, (first, second)):
            return Call(op, (_moved(x, first), second))
        case Call("*" | "/" as op, (first, second)):
            match _moved(x, first):
                case Call("-", (start, step)) if start == x:
                    return Call("-", (x, Call(op, (step, second))))
    return Call("+", (x, change))


def _renamed(lines: Sequence[Line]) -> list[Line]:
    """Return lines in which each name is assigned once: all but the last value of a name that has
    several have a number behind it."""
    left = Counter(line.name for line in lines)
    meanings: dict[str, Node] = {}
    found = []
    for line in lines:
        expression = substituted(line.expression, meanings)
        left[line.name] -= 1
        name = f"{line.name}_{left[line.name]}" if left[line.name] else line.name
        meanings[line.name] = Name(name)
        found.append(Line(name, expression))
    return found


def _squares(node: Node) -> Node:
    match node:
        case Call("*", (Call("*", (factor, one)), other)) if one == other:
            return Call("*", (_squares(factor), Call("**", (one, Number(2)))))
        case Call("*", (one, other)) if one == other:
            return Call("**", (one, Number(2)))
        case Call(op, args) if op != "product":
            return Call(op, tuple(map(_squares, args)))
    return node


def _once(lines: Sequence[Line], factors: set[str]) -> list[Line]:
    """Return lines with those of ``factors`` that are read once written where they are read."""
    lines = list(lines)
    for name in sorted(factors):
        (index,) = [i for i, line in enumerate(lines) if line.name == name]
        readers = [i for i, line in enumerate(lines) if name in line.reads]
        if len(readers) != 1 or _count(lines[readers[0]].expression, name) != 1:
            continue
        reader = lines[readers[0]]
        inlined = substituted(reader.expression, {name: lines[index].expression})
        lines[readers[0]] = Line(reader.name, inlined)
        del lines[index]
    return lines


def _count(node: Node, name: str) -> int:
    if isinstance(node, Call):
        return sum(_count(arg, name) for arg in node.args)
    return int(node == Name(name))


def drawn(program: Program, count: int = 40) -> dict[str, Array]:
    """Return values of a program's inputs in many calls: shares for decays, whole steps for t."""
    rng = np.random.default_rng(4)
    found = {name: rng.normal(0, 2, (count, 1)) for name in program.inputs}
    found |= {name: rng.uniform(0.3, 0.97, (count, 1)) for name in program.decays}
    return found | {"t": rng.integers(1, 9, (count, 1)).astype(float)}
