r"""A rule's lines as symbols, and as formulas.

Symbols need SymPy, formulas do not: ``pip install adam-edu[lab]``. Each line of a rule
(:mod:`adam_edu.lines`) is one line of the formula, so the names that a reader meets in the code
(``m_hat``) stand in the formula (:math:`\hat m`); :mod:`adam_edu.lab.javascript` makes it a line of
the live figure. The formula is typeset from the tree of its expression, since SymPy sorts the terms
of a sum and readers want :math:`\beta_1 m + (1 - \beta_1) g` in this order.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from .base import Rule
from .lines import lines_of
from .trees import FUNCTIONS, Call, Name, Node, Number, evaluate, reads, substituted

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
    "mix": r"\kappa",
    "difference": "d",
    "ahead": "u",
    "begun": "b_t",
    "bound": "c_t",
    "kept": "k_t",
    "scaled": "u",
    "agreed": r"\phi",
}


def value(
    node: Node,
    symbols: Mapping[str, Any] = MappingProxyType({}),
    functions: Mapping[str, Callable[..., Any]] = FUNCTIONS,
) -> Any:
    """Return a tree in SymPy.

    Parameters
    ----------
    symbols : for names that are more than a plain symbol
    functions : what its operations are

    Raises
    ------
    ImportError
        Without SymPy.

    Examples
    --------
    >>> import sympy
    >>> from adam_edu.reading import parse
    >>> value(parse("g + sqrt(eps * eps)"), {"eps": sympy.Symbol("eps", positive=True)})
    eps + g
    """
    try:
        import sympy  # here, since a formula does without it
    except ImportError as error:
        raise ImportError("symbols need SymPy: pip install adam-edu[lab]") from error
    plain = {name: sympy.Symbol(name) for name in reads(node)}
    return sympy.sympify(evaluate(node, plain | dict(symbols), functions))


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
    rows = [f"{left} &{arrow} {right}" for left, arrow, right in _rows(_class(rule))]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def step_latex(rule: Rule | type[Rule]) -> str:
    r"""Return the line of a rule's formula that changes the parameter.

    What has no symbol of its own, such as the step of a weight decay, is written out. So is a hat
    over another letter than the one that is corrected: AMSGrad's ``v_hat`` is made of ``w``.

    Examples
    --------
    >>> from adam_edu.rules import Adam, AMSGrad
    >>> print(step_latex(Adam))
    x \leftarrow x - \frac{\alpha \hat m}{\sqrt{\hat v} + \epsilon}
    >>> print(step_latex(AMSGrad))
    x \leftarrow x - \frac{\alpha \hat m}{\sqrt{\frac{w}{1 - \beta_2^{t}}} + \epsilon}
    """
    (row,) = (row for row in _rows(_class(rule), worded=False) if row[0] == "x")
    return " ".join(row)


def _rows(rule: type[Rule], worded: bool = True) -> list[tuple[str, str, str]]:
    """Return what each line assigns, the arrow or sign, and the expression.

    Unless ``worded``, names that are words, or hats over another letter, are written out.
    """
    assigned = {"g", *rule.slots}
    inlined: dict[str, Node] = {}
    rows = []
    for line in lines_of(rule):
        node = substituted(line.expression, inlined)
        if line.name == "change":
            rows.append(("x", r"\leftarrow", _sum(_plus(Name("x"), node))))
        elif line.name.startswith("bias") or (
            not worded and (symbol(line.name).startswith(r"\text") or _is_borrowed(line.name, node))
        ):
            inlined[line.name] = node
        else:
            arrow = r"\leftarrow" if line.name in assigned else "="
            rows.append((symbol(line.name), arrow, _sum(node)))
    return rows


def _is_borrowed(name: str, node: Node) -> bool:
    """Return whether a name has a hat over a letter that its expression does not read."""
    base, _, mark = name.partition("_")
    return mark == "hat" and base not in reads(node)


def _class(rule: Rule | type[Rule]) -> type[Rule]:
    if isinstance(rule, Rule):
        return type(rule)
    if isinstance(rule, type) and issubclass(rule, Rule):
        return rule
    raise TypeError(f"rule must be a rule such as Adam or Adam(lr=0.1), not {rule!r}")


def _plus(left: Node, right: Node) -> Node:
    """Return left + right, with the signs of right's terms kept apart."""
    match right:
        case Call("+" | "-" as op, (first, last)):
            return Call(op, (_plus(left, first), last))
    return Call("+", (left, right))


def _is_sum(node: Node) -> bool:
    return isinstance(node, Call) and node.op in ("+", "-")


def _sum(node: Node) -> str:
    """Typeset an expression whose surroundings need no brackets around it."""
    match node:
        case Call("+", (left, right)):
            text = _product(right)
        case Call("-", (left, right)):
            text = f"-{_bracketed(right)}"
        case _:
            return _product(node)
    sign = "-" if text.startswith("-") else "+"
    return f"{_sum(left)} {sign} {text.removeprefix('-')}"


def _bracketed(node: Node) -> str:
    return rf"\left({_sum(node)}\right)" if _is_sum(node) else _product(node)


def _factors(node: Node) -> tuple[int, list[Node], list[Node]]:
    """Return the sign of a product, the factors above and those below its fraction bar."""
    match node:
        case Call("neg", (x,)):
            sign, above, below = _factors(x)
            return -sign, above, below
        case Call("*" | "/" as op, (left, right)):
            sign, above, below = _factors(left)
            right_sign, right_above, right_below = _factors(right)
            if op == "/":
                right_above, right_below = right_below, right_above
            return sign * right_sign, above + right_above, below + right_below
    return 1, [node], []


def _product(node: Node) -> str:
    sign, above, below = _factors(node)
    text = _row([factor for factor in above if str(factor) != "1"])
    if below:
        text = rf"\frac{{{text}}}{{{_row(below)}}}"
    return f"-{text}" if sign < 0 else text


def _row(factors: list[Node]) -> str:
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


def _atom(node: Node) -> str:
    """Typeset one factor."""
    match node:
        case Name(name):
            return symbol(name)
        case Number(number):
            return f"{number:g}"
        case Call("**", (base, exponent)):
            return f"{_atom(base)}^{{{_sum(exponent)}}}"
        case Call("sqrt", (x,)):
            return rf"\sqrt{{{_sum(x)}}}"
        case Call("abs", (x,)):
            return rf"\left|{_sum(x)}\right|"
        case Call("sign", (x,)):
            return rf"\operatorname{{sign}}\left({_sum(x)}\right)"
        case Call("maximum", (x, low)):
            return rf"\max\left({_sum(x)},\, {_sum(low)}\right)"
        case Call("clip", args):
            inner = r",\, ".join(map(_sum, args))
            return rf"\operatorname{{clip}}\left({inner}\right)"
        case Call("product", (term, last)):
            return rf"\prod_{{i=1}}^{{{_sum(last)}}} {_row([term])}"
        case _:
            return rf"\left({_sum(node)}\right)"


def symbol(name: str) -> str:
    """Return the symbol of the paper for a name of the code."""
    if name in SYMBOLS:
        return SYMBOLS[name]
    base, _, mark = name.partition("_")
    if mark in ("hat", "bar"):
        return rf"\{mark} {symbol(base)}"
    match = re.fullmatch(r"([a-z]+?)(\d*)", name)
    letters, digits = match.groups() if match else (name, "")
    if len(letters) > 1:
        greek = letters in ("alpha", "beta", "gamma", "rho")
        letters = rf"\{letters}" if greek else rf"\text{{{letters}}}"
    return f"{letters}_{digits}" if digits else letters
