"""Rules, surfaces and schedules as JavaScript, printed by SymPy from their own lines."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from textwrap import indent
from typing import Any

from ..base import Rule
from ..lines import lines_of
from ..problems.surfaces import Surface
from ..reading import SCHEDULE, read
from ..schedules import Schedule
from ..symbolic import value
from ..trees import FUNCTIONS, Line

try:
    import sympy
    from sympy.printing.jscode import JavascriptCodePrinter
except ImportError as error:
    raise ImportError("the live figures need SymPy: pip install adam-edu[lab]") from error


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
        term = self._print(expr.function)
        values = f"[{', '.join(names)}]"
        return f'product("{term}", {values}, ({index}) => {term}, {self._print(high)})'


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
    lines = lines_of(rule)
    hyper, slots, factors = map(", ".join, (lines.hyper, rule.slots, lines.factors))
    symbols = {name: sympy.Symbol(name, positive=True) for name in lines.hyper}
    body = "\n".join([*_let(lines.scalars, symbols), f"return [{factors}];"])
    first = _function("scalars", f"{{ {hyper} }}, t", body)

    named = dict.fromkeys(["g", *(line.name for line in lines.whole_step), *rule.slots])
    step = _let(lines.whole_step, symbols, {"g", *rule.slots})
    body = "\n".join([*step, f"return {{ {', '.join(named)} }};"])
    parameters = f"{{ {hyper} }}, x, g, [{slots}], [{factors}]"
    return f"{first},\n{_function('step', parameters, body)}"


def _let(
    lines: Iterable[Line], symbols: Mapping[str, Any], known: Collection[str] = ()
) -> list[str]:
    """Return lines as JavaScript; a name that is known already is assigned, not declared."""
    return [
        f"{'' if line.name in known else 'const '}{line.name} = "
        f"{_code(value(line.expression, symbols))};"
        for line in lines
    ]


def surface_javascript(surface: type[Surface]) -> str:
    """Return two JavaScript methods: ``height(shape, a, b)`` and ``slope(shape, a, b)``."""
    symbols = {name: sympy.Symbol(name, real=True) for name in ("a", "b")}
    names = [field.name for field in fields(surface)]  # type: ignore[arg-type]
    parameters = f"{{ {', '.join(names)} }}, a, b"
    height, slope = (
        [value(result, symbols) for result in read(surface, method).inlined]
        for method in ("height", "slope")
    )
    return (
        f"{_function('height', parameters, _returned(height, '{}'))},\n"
        f"{_function('slope', parameters, _returned(slope, '[{}, {}]'))}"
    )


SCHEDULE_FUNCTIONS = FUNCTIONS | {
    "cos": sympy.cos,
    "pi": lambda: sympy.pi,
    "min": sympy.Min,
    "if": lambda condition, one, other: sympy.Piecewise((one, condition), (other, True)),
    "then": sympy.Function("then"),
}


def schedule_javascript(schedule: type[Schedule]) -> str:
    """Return a JavaScript method ``factor(parameters, t)``; ``then`` stands for a later schedule.

    Only schedules that are functions of t have one: ``ReduceOnPlateau`` looks at the loss.
    """
    names = [field.name for field in fields(schedule) if field.init and field.name != "then"]
    (result,) = read(schedule, "__call__", SCHEDULE).inlined
    factor = value(result, functions=SCHEDULE_FUNCTIONS)
    printed = _Printer({"user_functions": {"then": "then"}}).doprint(factor)
    return _function("factor", f"{{ {', '.join(names)} }}, t, then", f"return {printed};")
