"""Where a student's own program first departs: every value in it, and those of the right lines."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..program import Array
from .remote import inside
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
    part : the expression, if it is not all of the statement
    inner : the numbers of the expressions that it is computed from
    values : one for each traced call
    """

    line: int
    text: str
    inner: tuple[int, ...]
    values: tuple[Array, ...]
    part: str = ""


def trace(function: Callable[..., Any], calls: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Call a function, wherever it lives, and return its expressions."""
    rows = inside(function, traced, [[*arguments.values()] for arguments in calls])
    return [
        Step(line, text, tuple(inner), tuple(map(np.asarray, values)), part)
        for line, text, inner, values, part in rows
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
    for number, (line, text, inner, part) in enumerate(writer.expressions):
        values = recorded.get(number, [])
        if len(values) != calls or any(value is None for value in values):
            values = []
        yield [line, text, [*inner], [np.asarray(value, dtype=float) for value in values], part]


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
        self.whole: ast.AST | None = None  # the statement's value
        self.expressions: list[tuple[int, str, tuple[int, ...], str]] = []
        self.found: list[int] = []

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.stmt):
            self.statement, self.whole = node, getattr(node, "value", None)
            self.text = ast.unparse(node).partition("\n")[0]
        if isinstance(node, (ast.Lambda, ast.FunctionDef, ast.ClassDef, ast.JoinedStr)):
            return node
        if not isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Call, ast.IfExp)):
            return self.generic_visit(node)
        part = "" if node is self.whole else ast.unparse(node)
        outside, self.found = self.found, []
        if isinstance(node, ast.Call):
            node.args = [self.visit(arg) for arg in node.args]
        else:
            self.generic_visit(node)
        inner, number = tuple(self.found), len(self.expressions)
        self.found = [*outside, number]
        assert self.statement is not None
        line = self.first + self.statement.lineno - 1
        self.expressions.append((line, self.text, inner, part))
        if isinstance(node, ast.Call) and any(isinstance(arg, ast.Starred) for arg in node.args):
            return node
        name = ast.Name(SEEN, ast.Load())
        return ast.copy_location(ast.Call(name, [ast.Constant(number), node], []), node)
