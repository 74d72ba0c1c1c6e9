r"""A rule as formulas and as JavaScript, both read from the lines of its ``step()``.

Needs SymPy: ``pip install adam-edu[lab]``. Each line ``name = expression`` of a rule is one line of
the formula and one line of the JavaScript, so the names that a reader meets in the code (``m_hat``)
stand in the formula (:math:`\hat m`) and in the live figure. SymPy evaluates the lines on symbols
and prints the JavaScript. The formula is typeset from the syntax tree instead, since SymPy sorts
the terms of a sum and readers want :math:`\beta_1 m + (1 - \beta_1) g` in this order.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from textwrap import dedent, indent
from types import SimpleNamespace
from typing import Any

from .base import Rule
from .problems.surfaces import Surface
from .schedules import Schedule

try:
    import sympy
    from sympy.printing.jscode import JavascriptCodePrinter
except ImportError as error:
    raise ImportError("formulas need SymPy: pip install adam-edu[lab]") from error

SYMBOLS = {
    "lr": r"\alpha",
    "final_lr": r"\alpha^\ast",
    "rate": r"\eta",
    "low": r"\eta_\mathrm{low}",
    "high": r"\eta_\mathrm{high}",
    "momentum": r"\mu",
    "mu": r"\mu_t",
    "mu_next": r"\mu_{t+1}",
    "mu_product": r"\Pi_t",
    "weight_m": "w_m",
    "weight_g": "w_g",
    "momentum_decay": r"\psi",
    "weight_decay": r"\lambda",
    "eps": r"\epsilon",
    "delta": r"\Delta",
    "rho_inf": r"\rho_\infty",
    "rho_t": r"\rho_t",
    "adaptive": "a_t",
    "square": "q_t",
    "rect": "r_t",
    "share": "c_t",
    "variance": r"\sigma^2",
}


# The lines of a rule


@dataclass(frozen=True)
class Line:
    """One assignment: ``name = node`` in the code, ``value`` in SymPy, in terms of names."""

    name: str
    node: ast.expr
    value: Any


def lines(rule: type[Rule]) -> list[Line]:
    """Return the assignments of ``scalars(t)`` and of ``step()``, in the order of the code.

    What the methods return follows as assignments too: the scalars under the names of the last
    parameters of ``step``, and the change of x under the name ``change``. In each value, the names
    assigned before are symbols.

    Raises
    ------
    TypeError
        If a method holds anything else than assignments to a name and one return.
    """
    parameters = list(inspect.signature(rule.step).parameters)[1:]
    scalars = parameters[2 + len(rule.slots) :]
    found = _lines(rule, rule.scalars, ["t"], scalars)
    return found + _lines(rule, rule.step, parameters, ["change", *rule.slots])


def _lines(
    rule: type[Rule], method: Callable[..., Any], known: Iterable[str], results: Sequence[str]
) -> list[Line]:
    """Return the lines of one method; those that return a name under itself are left out."""
    hyper = {field.name: sympy.Symbol(field.name, positive=True) for field in fields(rule)}
    scope: dict[str, Any] = {"self": rule(**hyper)} | {name: sympy.Symbol(name) for name in known}
    *assignments, last = _statements(method)
    if not isinstance(last, ast.Return) or not isinstance(last.value, ast.Tuple):
        raise TypeError(f"{method.__qualname__} must end with a return of a tuple")
    named = [(_target(method, statement), statement.value) for statement in assignments]  # type: ignore[attr-defined]
    named += zip(results, last.value.elts, strict=True)
    found = []
    for name, node in named:
        if isinstance(node, ast.Name) and node.id == name:
            continue
        found.append(Line(name, node, _evaluate(node, method, scope)))
        scope[name] = sympy.Symbol(name)
    return found


def _statements(method: Callable[..., Any]) -> list[ast.stmt]:
    """Return the statements of a function, without its docstring."""
    definition = ast.parse(dedent(inspect.getsource(method))).body[0]
    assert isinstance(definition, ast.FunctionDef)
    return [
        statement
        for statement in definition.body
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]


def _target(method: Callable[..., Any], statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    raise TypeError(
        f"{method.__qualname__}: {ast.unparse(statement)!r} is no assignment to one name"
    )


def _evaluate(node: ast.expr, function: Callable[..., Any], scope: dict[str, Any]) -> Any:
    """Evaluate an expression of the package's own source on symbols."""
    code = compile(ast.Expression(node), function.__code__.co_filename, "eval")
    return sympy.sympify(eval(code, {**function.__globals__, **scope}))


# Formulas


@dataclass(frozen=True)
class Formula:
    """A rule's formula, which a notebook typesets."""

    rule: type[Rule]

    def __repr__(self) -> str:
        return f"formula({self.rule.__name__})"

    def _repr_latex_(self) -> str:
        return f"$$\n{latex(self.rule)}\n$$"


def formula(rule: Rule | type[Rule]) -> Formula:
    """Return what a notebook shows as the rule's formula.

    Examples
    --------
    >>> from adam_edu.rules import Adam
    >>> formula(Adam)
    formula(Adam)
    """
    return Formula(_class(rule))


def latex(rule: Rule | type[Rule]) -> str:
    r"""Return a rule's formula as LaTeX, one line for each line of its ``step()``.

    Scalars without a division, such as :math:`1 - \beta_1^t`, stand where they are used; others
    have a line of their own.

    Examples
    --------
    >>> from adam_edu.rules import Momentum
    >>> print(latex(Momentum))
    \begin{aligned}
    m &\leftarrow \mu m + g \\
    x &\leftarrow x - \alpha m
    \end{aligned}
    """
    rule = _class(rule)
    assigned = {"g", *rule.slots}
    inlined: dict[str, ast.expr] = {}
    rows = []
    for line in lines(rule):
        node = _Typeset(rule, inlined).visit(line.node)
        if line.name == "change":
            rows.append(r"x &\leftarrow " + _sum(_plus("x", node)))
        elif line.name.startswith("bias"):
            inlined[line.name] = node
        else:
            arrow = r"\leftarrow" if line.name in assigned else "="
            rows.append(f"{_symbol(line.name)} &{arrow} {_sum(node)}")
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _class(rule: Rule | type[Rule]) -> type[Rule]:
    if isinstance(rule, Rule):
        return type(rule)
    if isinstance(rule, type) and issubclass(rule, Rule):
        return rule
    raise TypeError(f"rule must be a rule such as Adam or Adam(lr=0.1), not {rule!r}")


class _Typeset(ast.NodeTransformer):
    """Bring an expression into names, numbers, operators and the functions of ops.

    ``self.beta1`` becomes ``beta1``; inlined names and the rule's own methods become what they
    stand for.
    """

    def __init__(self, rule: type[Rule], inlined: dict[str, ast.expr]) -> None:
        self.rule = rule
        self.inlined = inlined

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.inlined.get(node.id, node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return ast.Name(node.attr)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        arguments = [self.visit(argument) for argument in node.args]
        if isinstance(node.func, ast.Attribute):
            return self.method(node.func.attr, arguments)
        assert isinstance(node.func, ast.Name)
        if node.func.id == "product":
            term, n, *rest = arguments
            arguments = [self.method(term.id, [ast.Name("i"), *rest]), n]
        return ast.Call(node.func, arguments, [])

    def method(self, name: str, arguments: list[ast.expr]) -> ast.expr:
        function = getattr(self.rule, name)
        (result,) = _statements(function)
        assert isinstance(result, ast.Return)
        assert result.value is not None
        given = dict(zip(inspect.signature(function).parameters, arguments, strict=True))
        return _Typeset(self.rule, given).visit(result.value)


def _plus(left: str, right: ast.expr) -> ast.expr:
    """Return left + right, with the signs of right's terms kept apart."""
    if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Add | ast.Sub):
        return ast.BinOp(_plus(left, right.left), right.op, right.right)
    return ast.BinOp(ast.Name(left), ast.Add(), right)


def _is_sum(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def _sum(node: ast.expr) -> str:
    """Typeset an expression whose surroundings need no brackets around it."""
    if not _is_sum(node):
        return _product(node)
    assert isinstance(node, ast.BinOp)
    right = _product(node.right)
    if isinstance(node.op, ast.Sub):
        right = f"-{_bracketed(node.right)}"
    sign = "-" if right.startswith("-") else "+"
    return f"{_sum(node.left)} {sign} {right.removeprefix('-')}"


def _bracketed(node: ast.expr) -> str:
    return rf"\left({_sum(node)}\right)" if _is_sum(node) else _product(node)


def _factors(node: ast.expr) -> tuple[int, list[ast.expr], list[ast.expr]]:
    """Return the sign of a product, the factors above and those below its fraction bar."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, above, below = _factors(node.operand)
        return -sign, above, below
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        sign, above, below = _factors(node.left)
        right_sign, right_above, right_below = _factors(node.right)
        if isinstance(node.op, ast.Div):
            right_above, right_below = right_below, right_above
        return sign * right_sign, above + right_above, below + right_below
    return 1, [node], []


def _product(node: ast.expr) -> str:
    sign, above, below = _factors(node)
    above = [factor for factor in above if ast.unparse(factor) != "1"]
    text = _row(above)
    if below:
        text = rf"\frac{{{text}}}{{{_row(below)}}}"
    return f"-{text}" if sign < 0 else text


def _row(factors: list[ast.expr]) -> str:
    """Typeset a product of factors; one that is repeated becomes a power."""
    if not factors:
        return "1"
    if len(factors) == 1 and _is_sum(factors[0]):
        return _sum(factors[0])
    counts: dict[str, int] = {}
    for text in map(_atom, factors):
        counts[text] = counts.get(text, 0) + 1
    row = " ".join(text if n == 1 else f"{text}^{n}" for text, n in counts.items())
    return re.sub(r"(?<=[\d.]) (?=\d)", r" \\cdot ", row)


def _atom(node: ast.expr) -> str:
    """Typeset one factor."""
    match node:
        case ast.Name(id=name):
            return _symbol(name)
        case ast.Constant(value=int() | float() as number):
            return f"{number:g}"
        case ast.BinOp(op=ast.Pow(), left=base, right=exponent):
            return f"{_atom(base)}^{{{_sum(exponent)}}}"
        case ast.Call(func=ast.Name(id="sqrt"), args=[x]):
            return rf"\sqrt{{{_sum(x)}}}"
        case ast.Call(func=ast.Name(id="abs"), args=[x]):
            return rf"\left|{_sum(x)}\right|"
        case ast.Call(func=ast.Name(id="sign"), args=[x]):
            return rf"\operatorname{{sign}}\left({_sum(x)}\right)"
        case ast.Call(func=ast.Name(id="maximum"), args=[x, low]):
            return rf"\max\left({_sum(x)},\, {_sum(low)}\right)"
        case ast.Call(func=ast.Name(id="clip"), args=[x, low, high]):
            inner = r",\, ".join(map(_sum, (x, low, high)))
            return rf"\operatorname{{clip}}\left({inner}\right)"
        case ast.Call(func=ast.Name(id="product"), args=[term, n]):
            return rf"\prod_{{i=1}}^{{{_sum(n)}}} {_row([term])}"
        case ast.BinOp():
            return rf"\left({_sum(node)}\right)"
    raise TypeError(f"no formula for {ast.unparse(node)!r}")


def _symbol(name: str) -> str:
    """Return the symbol of the paper for a name of the code."""
    if name in SYMBOLS:
        return SYMBOLS[name]
    base, _, mark = name.partition("_")
    if mark in ("hat", "bar"):
        return rf"\{mark} {_symbol(base)}"
    match = re.fullmatch(r"([a-z]+?)(\d*)", name)
    letters, digits = match.groups() if match else (name, "")
    if len(letters) > 1:
        greek = letters in ("alpha", "beta", "gamma", "rho")
        letters = rf"\{letters}" if greek else rf"\text{{{letters}}}"
    return f"{letters}_{digits}" if digits else letters


# JavaScript


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
    before = _lines(rule, rule.scalars, ["t"], scalars)
    body = "\n".join([*_let(before, set()), f"return [{', '.join(scalars)}];"])
    first = _function("scalars", f"{hyper}, t", body)

    of_step = _lines(rule, rule.step, ["x", "g", *rest], ["change", *rule.slots])
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
    *assignments, last = _statements(schedule.__call__)
    for statement in assignments:
        name = _target(schedule.__call__, statement)
        scope[name] = _value(statement.value, schedule.__call__, scope)  # type: ignore[attr-defined]
    assert isinstance(last, ast.Return)
    assert last.value is not None
    result = _value(last.value, schedule.__call__, scope)
    printed = _Printer({"user_functions": {"then": "then"}}).doprint(result)
    return _function("factor", f"{{ {', '.join(names)} }}, t, then", f"return {printed};")


def _value(node: ast.expr, function: Callable[..., Any], scope: dict[str, Any]) -> Any:
    """Evaluate an expression that may be a choice ``a if condition else b`` on symbols."""
    if not isinstance(node, ast.IfExp):
        return _evaluate(node, function, scope)
    body, test, other = (_evaluate(n, function, scope) for n in (node.body, node.test, node.orelse))
    return sympy.Piecewise((body, test), (other, True))
