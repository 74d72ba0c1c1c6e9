"""Where a student's own program first departs: every value in it, and those of the right lines."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np

from ..trees import Call, Node, Number
from .calling import Observation
from .infer import stacked
from .program import Array, Program, evaluated
from .reference import Reference
from .remote import inside
from .report import apart
from .sandbox import call

# So many calls are traced: enough to tell two quantities apart.
CALLS = 8
SEEN = "_seen_by_the_checker"
CHAINS = {"*": ("*", "/"), "+": ("+", "-")}


@dataclass(frozen=True)
class Step:
    """One expression of the student's program.

    Attributes
    ----------
    line, text : where the statement stands in their file, and what it is
    inner : the numbers of the expressions that it is computed from
    values : one for each traced call
    """

    line: int
    text: str
    inner: tuple[int, ...]
    values: tuple[Array, ...]


def trace(function: Callable[..., Any], calls: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Call a function, wherever it lives, and return its expressions."""
    rows = inside(function, traced, [[*arguments.values()] for arguments in calls])
    return [
        Step(line, text, tuple(inner), tuple(map(np.asarray, values)))
        for line, text, inner, values in rows
    ]


def traced(function: Callable[..., Any], calls: list[list[Any]]) -> list[list[Any]]:
    """Call a function with its every expression recorded; return what :class:`Step` has of each.

    An expression within a loop has many values and is left out. Of a function that has no source,
    or that does not run when its source is compiled anew, nothing is returned.
    """
    try:
        lines, first = inspect.getsourcelines(inspect.unwrap(function))
        tree = ast.parse(textwrap.dedent("".join(lines)))
        closure = inspect.getclosurevars(inspect.unwrap(function))
    except (OSError, TypeError, SyntaxError, ValueError):
        return []
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef):
        return []
    definition.decorator_list = []
    writer = _Writer(first)
    definition.body = [writer.visit(statement) for statement in definition.body]
    recorded: dict[int, list[Any]] = {}

    def seen(number: int, value: Any) -> Any:
        recorded.setdefault(number, []).append(np.copy(value) if _is_number(value) else None)
        return value

    space = {**getattr(inspect.unwrap(function), "__globals__", {}), **closure.nonlocals}
    space[SEEN] = seen

    def run() -> None:
        exec(compile(ast.fix_missing_locations(tree), "<traced>", "exec"), space)
        made = space[definition.name]
        for arguments in calls:
            copies = [np.copy(v) if isinstance(v, np.ndarray) else v for v in arguments]
            made(*copies)

    outcome = call(run)
    if outcome.error is not None:
        return []
    return list(_steps(writer, recorded, len(calls)))


def _steps(writer: "_Writer", recorded: Mapping[int, list[Any]], calls: int) -> Iterator[list[Any]]:
    for number, (line, text, inner) in enumerate(writer.expressions):
        values = recorded.get(number, [])
        if len(values) != calls or any(value is None for value in values):
            values = []
        yield [line, text, [*inner], [np.asarray(value, dtype=float) for value in values]]


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, (int, float, np.ndarray, np.generic))
        and np.asarray(value).dtype.kind in "fiu"
    )


class _Writer(ast.NodeTransformer):
    """Writes a call around each expression, which records its value."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.statement: ast.stmt | None = None
        self.expressions: list[tuple[int, str, tuple[int, ...]]] = []
        self.found: list[int] = []

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.stmt):
            self.statement = node
            self.text = ast.unparse(node).partition("\n")[0]
        if isinstance(node, (ast.Lambda, ast.FunctionDef, ast.ClassDef, ast.JoinedStr)):
            return node
        if not isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Call, ast.IfExp)):
            return self.generic_visit(node)
        outside, self.found = self.found, []
        if isinstance(node, ast.Call):
            node.args = [self.visit(arg) for arg in node.args]
        else:
            self.generic_visit(node)
        inner, number = tuple(self.found), len(self.expressions)
        self.found = [*outside, number]
        assert self.statement is not None
        self.expressions.append((self.first + self.statement.lineno - 1, self.text, inner))
        if isinstance(node, ast.Call) and any(isinstance(arg, ast.Starred) for arg in node.args):
            return node
        name = ast.Name(SEEN, ast.Load())
        return ast.copy_location(ast.Call(name, [ast.Constant(number), node], []), node)


def departure(
    exercise: Reference, program: Program, seen: Sequence[Observation], steps: Sequence[Step]
) -> str:
    """Return where a program first has a value that is no quantity of the algorithm, or ""."""
    given, found = stacked(exercise, program, seen)
    with np.errstate(all="ignore"):
        known = _Known(program, given, found)
        familiar = [known(step.values) for step in steps]
        excused = set()
        for number, step in enumerate(steps):
            if familiar[number]:
                excused |= set(_within(steps, step))
    for number, step in enumerate(steps):
        if familiar[number] or number in excused or not step.values:
            continue
        if all(familiar[i] or i in excused for i in step.inner):
            return f"{_said(step, seen)}."
    return ""


def _within(steps: Sequence[Step], step: Step) -> Iterator[int]:
    for number in step.inner:
        yield number
        yield from _within(steps, steps[number])


def _said(step: Step, seen: Sequence[Observation]) -> str:
    value = float(np.ravel(step.values[0])[0])
    t = seen[0].arguments.get("t")
    when = f" after step {t}" if isinstance(t, int) else ""
    number = apart(value, value + max(abs(value), 1e-9))[0]
    return (
        f"line {step.line}, {step.text}: it has {number}{when}, which is no quantity of the "
        "algorithm"
    )


class _Known:
    """Says whether values are a quantity of the algorithm: of its lines or a part of one."""

    def __init__(
        self, program: Program, given: Mapping[str, Array], found: Mapping[str, Array]
    ) -> None:
        own = {name: found[name] for name in program.results[1:]}
        right = program.run(given)
        states = [right]
        mine = dict(given)
        for line in program.lines:  # and those that follow from the student's own state
            mine[line.name] = own.get(line.name, evaluated(line.expression, mine))
        states.append(mine)
        self.values: list[Array] = []
        for state in states:
            for line in program.lines:
                for node in _parts(line.expression):
                    value = evaluated(node, state)
                    self.values += [value] if node is line.expression else [value, -value]
            self.values += [np.asarray(state[line.name]) for line in program.lines]
        self.values += list(given.values())

    def __call__(self, values: Sequence[Array]) -> bool:
        if not values:
            return True  # what was not recorded raises no suspicion
        size = max(np.size(value) for value in values)
        try:
            mine = np.array([np.broadcast_to(np.ravel(value), size) for value in values])
        except ValueError:
            return False
        for value in self.values:
            try:
                if np.allclose(mine, value, rtol=1e-6, atol=1e-12, equal_nan=True):
                    return True
            except ValueError:
                continue
        return not np.ptp(mine)  # a constant


def _parts(node: Node) -> Iterator[Node]:
    """Yield every tree within a tree, and what part of a sum or of a product could be."""
    if not isinstance(node, Call):
        return
    for group, operators in CHAINS.items():
        if node.op in operators:
            members = [*_members(node, operators, False)]
            for count in range(2, len(members)):
                for some in combinations(members, count) if len(members) <= 6 else ():
                    yield _joined(some, group)
    yield node
    if node.op == "**":
        yield Call("*", (node.args[0], node.args[0]))
    for arg in node.args if node.op != "product" else ():
        yield from _parts(arg)


def _members(node: Node, operators: tuple[str, ...], less: bool) -> Iterator[tuple[Node, bool]]:
    if isinstance(node, Call) and node.op in operators:
        first, second = node.args
        yield from _members(first, operators, less)
        yield from _members(second, operators, less != (node.op == operators[1]))
    else:
        yield node, less


def _joined(members: Sequence[tuple[Node, bool]], group: str) -> Node:
    operators = CHAINS[group]
    start = [node for node, less in members if not less]
    rest = [node for node, less in members if less]
    whole = reduce(lambda a, b: Call(group, (a, b)), start) if start else None
    for node in rest:
        if whole is None:
            whole = Call("neg", (node,)) if group == "+" else Call("**", (node, _MINUS_ONE))
        else:
            whole = Call(operators[1], (whole, node))
    assert whole is not None
    return whole


_MINUS_ONE = Number(-1)
