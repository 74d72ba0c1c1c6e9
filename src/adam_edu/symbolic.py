r"""A rule's lines as symbols, and as formulas.

Needs SymPy: ``pip install adam-edu[lab]``. Each line ``name = expression`` of a rule is one line of
the formula, so the names that a reader meets in the code (``m_hat``) stand in the formula
(:math:`\hat m`); :mod:`adam_edu.lab.javascript` makes it a line of the live figure. The formula is
typeset from the syntax tree, since SymPy sorts the terms of a sum and readers want
:math:`\beta_1 m + (1 - \beta_1) g` in this order.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from textwrap import dedent
from typing import Any

from .base import Rule

try:
    import sympy
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
    found = evaluated_lines(rule, rule.scalars, ["t"], scalars)
    return found + evaluated_lines(rule, rule.step, parameters, ["change", *rule.slots])


def evaluated_lines(
    rule: type[Rule], method: Callable[..., Any], known: Iterable[str], results: Sequence[str]
) -> list[Line]:
    """Return the lines of one method; those that return a name under itself are left out."""
    hyper = {field.name: sympy.Symbol(field.name, positive=True) for field in fields(rule)}
    scope: dict[str, Any] = {"self": rule(**hyper)} | {name: sympy.Symbol(name) for name in known}
    *assignments, last = statements(method)
    if not isinstance(last, ast.Return) or not isinstance(last.value, ast.Tuple):
        raise TypeError(f"{method.__qualname__} must end with a return of a tuple")
    named = [(target_of(method, statement), statement.value) for statement in assignments]  # type: ignore[attr-defined]
    named += zip(results, last.value.elts, strict=True)
    found = []
    for name, node in named:
        if isinstance(node, ast.Name) and node.id == name:
            continue
        found.append(Line(name, node, evaluate(node, method, scope)))
        scope[name] = sympy.Symbol(name)
    return found


def statements(method: Callable[..., Any]) -> list[ast.stmt]:
    """Return the statements of a function, without its docstring."""
    definition = ast.parse(dedent(inspect.getsource(method))).body[0]
    assert isinstance(definition, ast.FunctionDef)
    return [
        statement
        for statement in definition.body
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]


def target_of(method: Callable[..., Any], statement: ast.stmt) -> str:
    """Return the name that a line assigns to; refuse any other statement."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    raise TypeError(
        f"{method.__qualname__}: {ast.unparse(statement)!r} is no assignment to one name"
    )


def evaluate(node: ast.expr, function: Callable[..., Any], scope: dict[str, Any]) -> Any:
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
        (result,) = statements(function)
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
