"""An algorithm as named lines, so that a line can be exchanged for a wrong one.

The lines of a step exercise are the rule's own, read from its source: no formula is written twice.
"""

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any

from .. import rules
from ..base import Rule

RETURNED = "returned "


@dataclass(frozen=True)
class Line:
    """What a line assigns, what it reads, and how it computes the one from the other."""

    names: tuple[str, ...]
    reads: tuple[str, ...]
    compute: Callable[..., Any]

    @classmethod
    def of(cls, names: tuple[str, ...], function: Callable[..., Any]) -> "Line":
        """Return the line that ``function`` computes from what its parameters are called."""
        return cls(names, tuple(inspect.signature(function).parameters), function)


def run(lines: tuple[Line, ...], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run the lines in order, and return the value of every name.

    What an argument was at first stays readable under its name with ``_before``.
    """
    values = dict(arguments)
    values |= {f"{name}_before": value for name, value in arguments.items()}
    for line in lines:
        result = line.compute(*[values[name] for name in line.reads])
        values.update(zip(line.names, result if len(line.names) > 1 else (result,), strict=True))
    return values


def exchanged(lines: tuple[Line, ...], wrong: Line) -> tuple[Line, ...]:
    """Return the lines with a wrong one in the place of those that assign its names.

    Where one of the names is an argument, the wrong line comes first. Where they say what is
    returned, it comes last.
    """
    assigned = {name for line in lines for name in line.names}
    kept = [line for line in lines if not set(line.names) & set(wrong.names)]
    if wrong.names[0].startswith(RETURNED):
        return (*kept, wrong)
    if set(wrong.names) - assigned:
        return (wrong, *kept)
    last = max(i for i, line in enumerate(lines) if set(line.names) & set(wrong.names))
    before = [line for line in lines[:last] if line in kept]
    return (*before, wrong, *kept[len(before) :])


def lines_of(rule: type[Rule]) -> tuple[Line, ...]:
    """Return a rule's lines: its scalars, the lines of ``step``, and the new x.

    What the change of x is divided by becomes a line of its own, ``denominator``, since so many
    mistakes are made there.

    Examples
    --------
    >>> from adam_edu.rules import Adam
    >>> [*[line.names[0] for line in lines_of(Adam)]]
    ['bias1', 'bias2', 'm', 'v', 'm_hat', 'v_hat', 'denominator', 'change', 'x']
    """
    step = ast.parse(textwrap.dedent(inspect.getsource(rule.step))).body[0]
    assert isinstance(step, ast.FunctionDef)
    names = [arg.arg for arg in step.args.args]
    lines = list(_scalar_lines(rule, names[len(("self", "x", "g", *rule.slots)) :]))
    hyper = {field.name for field in fields(rule)}
    for statement in step.body:
        if isinstance(statement, ast.Assign):
            lines.append(_line(ast.unparse(statement.targets[0]), statement.value, hyper))
        elif isinstance(statement, ast.Return) and isinstance(statement.value, ast.Tuple):
            change, denominator = _divided(statement.value.elts[0])
            if denominator is not None:
                lines.append(_line("denominator", denominator, hyper))
            lines.append(_line("change", change, hyper))
    return (*lines, Line.of(("x",), lambda x, change: x + change))


def _scalar_lines(rule: type[Rule], names: list[str]) -> Iterator[Line]:
    """Yield a line for each of a rule's scalars; it reads the hyper-parameters and t."""
    hyper = tuple(field.name for field in fields(rule))
    helpers = {name: getattr(rule, name) for name in vars(rule) if name not in hyper}
    for i, name in enumerate(names):

        def compute(t: Any, *values: Any, i: int = i) -> Any:
            settings = SimpleNamespace(**(helpers | dict(zip(hyper, values, strict=True))))
            return rule.scalars(settings, t)[i]  # type: ignore[arg-type]

        yield Line((name,), ("t", *hyper), compute)


class _WithoutSelf(ast.NodeTransformer):
    """Turns ``self.beta1`` into ``beta1``."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return ast.copy_location(ast.Name(node.attr, ast.Load()), node)
        return self.generic_visit(node)


def _line(name: str, expression: ast.expr, hyper: set[str]) -> Line:
    """Return the line that assigns the value of an expression of a rule's ``step``."""
    tree = ast.fix_missing_locations(_WithoutSelf().visit(expression))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    reads = tuple(sorted(used - (set(vars(rules)) | set(vars(builtins)) - hyper)))
    compute = eval(f"lambda {', '.join(reads)}: {ast.unparse(tree)}", dict(vars(rules)))
    return Line((name,), reads, compute)


def _divided(expression: ast.expr) -> tuple[ast.expr, ast.expr | None]:
    """Return an expression with its outermost denominator named, and that denominator."""
    for node in ast.walk(expression):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            denominator = node.right
            node.right = ast.Name("denominator", ast.Load())
            return expression, denominator
    return expression, None
