"""Rules, surfaces and schedules as JavaScript, printed by SymPy from their own lines."""

import ast
import inspect
from collections.abc import Callable, Sequence
from dataclasses import fields
from textwrap import indent
from types import SimpleNamespace
from typing import Any

# Without SymPy, symbolic says how to install it, so it comes first.
# isort: off
from ..symbolic import Line, evaluate, evaluated_lines, statements, target_of
import sympy
from sympy.printing.jscode import JavascriptCodePrinter

# isort: on
from ..base import Rule
from ..problems.surfaces import Surface
from ..schedules import Schedule


class _Printer(JavascriptCodePrinter):
    """SymPy's printer, with numbers in full, squares as products, and products over an index."""

    def _print_Float(self, expr: Any) -> str:
        return repr(float(expr))

    def _print_Pow(self, expr: Any) -> str:
        if expr.base.is_Symbol and expr.exp in (2, 3, 4):
            return f"({' * '.join([self._print(expr.base)] * int(expr.exp))})"
        return super()._print_Pow(expr)

    def _print_Product(self, expr: Any) -> str:
        (index, low, high) = expr.limits[0]
        assert low == 1
        names = sorted(s.name for s in expr.function.free_symbols - {index})
        term = f"({index}) => {self._print(expr.function)}"
        return f"product([{', '.join(names)}], {term}, {self._print(high)})"


def _code(expression: Any) -> str:
    return str(_Printer().doprint(expression))


def _returned(values: Sequence[Any], form: str) -> str:
    """Return the body of a function: common subexpressions first, then ``return form``."""
    common, simple = sympy.cse([sympy.sympify(v) for v in values], sympy.numbered_symbols("c"))
    body = [f"const {name} = {_code(value)};" for name, value in common]
    return "\n".join([*body, f"return {form.format(*map(_code, simple))};"])


def _function(name: str, parameters: str, body: str) -> str:
    return f"{name}({parameters}) {{\n{indent(body, '  ')}\n}}"


def rule_javascript(rule: type[Rule]) -> str:
    """Return JavaScript methods ``scalars(hyper, t)`` and ``step(hyper, x, g, slots, scalars)``.

    ``scalars`` returns an array, ``step`` an object that holds everything the rule has named: the
    gradient, the slots, intermediate results such as ``m_hat``, and ``change``.
    """
    hyper = "{ " + ", ".join(field.name for field in fields(rule)) + " }"
    _, _, *rest = list(inspect.signature(rule.step).parameters)[1:]
    slots, scalars = rest[: len(rule.slots)], rest[len(rule.slots) :]
    before = evaluated_lines(rule, rule.scalars, ["t"], scalars)
    body = "\n".join([*_let(before, set()), f"return [{', '.join(scalars)}];"])
    first = _function("scalars", f"{hyper}, t", body)

    of_step = evaluated_lines(rule, rule.step, ["x", "g", *rest], ["change", *rule.slots])
    named = dict.fromkeys(["g", *(line.name for line in of_step), *rule.slots])
    body = "\n".join([*_let(of_step, {"g", *slots}), f"return {{ {', '.join(named)} }};"])
    parameters = f"{hyper}, x, g, [{', '.join(slots)}], [{', '.join(scalars)}]"
    return f"{first},\n{_function('step', parameters, body)}"


def _let(found: list[Line], known: set[str]) -> list[str]:
    """Return the lines as JavaScript; a name that is known already is assigned, not declared."""
    return [
        f"{'' if line.name in known else 'const '}{line.name} = {_code(line.value)};"
        for line in found
    ]


def surface_javascript(surface: type[Surface]) -> str:
    """Return two JavaScript methods: ``height(shape, a, b)`` and ``slope(shape, a, b)``."""
    a, b = sympy.symbols("a b", real=True)
    names = [field.name for field in fields(surface)]  # type: ignore[arg-type]
    symbols: Any = SimpleNamespace(**{name: sympy.Symbol(name) for name in names})
    parameters = f"{{ {', '.join(names)} }}, a, b"
    height = _returned([surface.height(symbols, a, b)], "{}")
    slope = _returned(surface.slope(symbols, a, b), "[{}, {}]")
    return f"{_function('height', parameters, height)},\n{_function('slope', parameters, slope)}"


def schedule_javascript(schedule: type[Schedule]) -> str:
    """Return a JavaScript method ``factor(parameters, t)``; ``then`` stands for a later schedule.

    Only schedules that are functions of t have one: ``ReduceOnPlateau`` looks at the loss.
    """
    names = [field.name for field in fields(schedule) if field.init and field.name != "then"]
    then = sympy.Function("then")
    symbols = {name: sympy.Symbol(name) for name in names} | {"then": then}
    scope = {
        "self": SimpleNamespace(**symbols),
        "t": sympy.Symbol("t"),
        "math": sympy,
        "min": sympy.Min,
    }
    *assignments, last = statements(schedule.__call__)
    for statement in assignments:
        name = target_of(schedule.__call__, statement)
        scope[name] = _value(statement.value, schedule.__call__, scope)  # type: ignore[attr-defined]
    assert isinstance(last, ast.Return)
    assert last.value is not None
    result = _value(last.value, schedule.__call__, scope)
    printed = _Printer({"user_functions": {"then": "then"}}).doprint(result)
    return _function("factor", f"{{ {', '.join(names)} }}, t, then", f"return {printed};")


def _value(node: ast.expr, function: Callable[..., Any], scope: dict[str, Any]) -> Any:
    """Evaluate an expression that may be a choice ``a if condition else b`` on symbols."""
    if not isinstance(node, ast.IfExp):
        return evaluate(node, function, scope)
    body, test, other = (evaluate(n, function, scope) for n in (node.body, node.test, node.orelse))
    return sympy.Piecewise((body, test), (other, True))
