"""Read the LaTeX of an update rule back into SymPy, so that formulas on pages can be tested.

It knows what the course writes, no more: sums, products, fractions, roots, powers, maxima, clip and
products over an index.
"""

import re

import sympy

TOKEN = re.compile(r"\s*(?:(\\[a-zA-Z]+)|(\d+(?:\.\d+)?)|(.))", re.DOTALL)
ACCENTS = {r"\hat": "hat", r"\bar": "bar"}
NAMES = {
    r"\alpha": "lr",
    r"\alpha^\ast": "final_lr",
    r"\epsilon": "eps",
    r"\mu": "momentum",
    r"\kappa": "mix",
    r"\lambda": "weight_decay",
    r"\psi": "momentum_decay",
}
MEANINGLESS = re.compile(r"\\(left|right)(?![a-z])|\\[,;]|&|\\(begin|end)\{aligned\}")


def symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(NAMES.get(name, name.removeprefix("\\")))


def rows(latex: str) -> list[tuple]:
    """Return (left side, right side) of each row, such as ``m \\leftarrow \\mu m + g``."""
    found = []
    for row in re.split(r"\\\\|\\qquad", MEANINGLESS.sub(" ", latex)):
        if not row.strip():
            continue
        left, right = re.split(r"\\leftarrow|=", row, maxsplit=1)
        found.append((Reader(left).expression(), Reader(right).expression()))
    return found


def fold(found: list[tuple]) -> dict:
    """Carry out the rows one after the other; return what each name holds at the end."""
    t = sympy.Symbol("t")
    values: dict = {}
    for left, right in found:
        functions = {
            f: v for f, v in values.items() if isinstance(f, sympy.core.function.UndefinedFunction)
        }
        for function, definition in functions.items():
            left, right = left.replace(function, definition), right.replace(function, definition)
        right = right.subs(
            {k: v for k, v in values.items() if isinstance(k, sympy.Symbol)}, simultaneous=True
        )
        if isinstance(left, sympy.core.function.AppliedUndef):
            assert left.args == (t,), "a function is defined at t"
            values[left.func] = sympy.Lambda(t, right)
        elif isinstance(left, sympy.Symbol):
            values[left] = right
        else:
            assert sympy.simplify(left - right) == 0, f"{left} = {right} contradicts an earlier row"
    return values


class Reader:
    """A parser by recursive descent."""

    def __init__(self, text: str) -> None:
        self.tokens = [next(filter(None, match)) for match in TOKEN.findall(text.strip())]
        self.at = 0

    def peek(self, *wanted: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at] in wanted

    def take(self, *wanted: str) -> str:
        token = self.tokens[self.at]
        assert not wanted or token in wanted, f"{token!r} where {wanted} was expected"
        self.at += 1
        return token

    def group(self):
        """Read {...}, or the single token that LaTeX takes in its place."""
        if self.peek("{"):
            self.take()
            inner = self.expression()
            self.take("}")
            return inner
        if re.fullmatch(r"\d+", self.tokens[self.at]) and len(self.tokens[self.at]) > 1:
            first, rest = self.tokens[self.at][0], self.tokens[self.at][1:]  # as in \tfrac12
            self.tokens[self.at : self.at + 1] = [first, rest]
        return self.base()

    def expression(self):
        total = sympy.Integer(0)
        sign = -1 if self.peek("-") and self.take() else 1
        while True:
            total += sign * self.term()
            if not self.peek("+", "-"):
                return total
            sign = 1 if self.take() == "+" else -1

    def term(self):
        value = self.power()
        while self.at < len(self.tokens) and not self.peek("+", "-", ")", "}", ",", "|"):
            if self.peek("/"):
                self.take()
                value /= self.power()
            else:
                if self.peek(r"\cdot"):
                    self.take()
                value *= self.power()
        return value

    def power(self):
        base = self.base()
        while self.peek("^"):
            self.take()
            base = base ** self.group()
        return base

    def arguments(self):
        self.take("(")
        found = [self.expression()]
        while self.peek(","):
            self.take()
            found.append(self.expression())
        self.take(")")
        return found

    def base(self):
        token = self.take()
        if token[0].isdigit():
            return sympy.nsimplify(token)
        if token in ("(", "|"):
            inner = self.expression()
            self.take(")" if token == "(" else "|")
            return inner if token == "(" else sympy.Abs(inner)
        if token in (r"\frac", r"\tfrac"):
            return self.group() / self.group()
        if token == r"\sqrt":
            return sympy.sqrt(self.group())
        if token == r"\max":
            return sympy.Max(*self.arguments())
        if token == r"\operatorname":
            name = self.name()
            if name == "sign":
                return sympy.sign(*self.arguments())
            assert name == "clip"
            x, low, high = self.arguments()
            return sympy.Min(sympy.Max(x, low), high)
        if token == r"\prod":
            return self.product()
        if token in ACCENTS:
            return sympy.Symbol(f"{self.group()}_{ACCENTS[token]}")
        if token == r"\text":
            return sympy.Symbol(self.name())
        return self.symbol(token)

    def name(self) -> str:
        self.take("{")
        letters = ""
        while not self.peek("}"):
            letters += self.take()
        self.take("}")
        return letters

    def product(self):
        self.take("_")
        self.take("{")
        index = symbol(self.take())
        self.take("=")
        low = self.expression()
        self.take("}")
        self.take("^")
        high = self.group()
        term = self.term()
        t = sympy.Symbol("t")
        if high == t + 1:  # split the last factor off, as it is done in the code
            return sympy.Product(term, (index, low, t)) * term.subs(index, high)
        return sympy.Product(term, (index, low, high))

    def symbol(self, token: str):
        """Read a name with its index: beta_1 is a name, mu_t a function of t."""
        if self.tokens[self.at : self.at + 2] in (["^", r"\ast"], ["^", "*"]):
            self.at += 2
            return symbol(token + r"^\ast")
        if token == r"\sigma":
            return sympy.sqrt(sympy.Symbol("variance"))
        if not self.peek("_"):
            return symbol(token)
        self.take()
        if self.tokens[self.at : self.at + 2] == ["{", r"\mathrm"] or self.peek(r"\mathrm"):
            self.take(r"\mathrm")
            return sympy.Symbol(f"{token[1:]}_{self.name()}")
        if self.peek(r"\infty"):
            self.take()
            return sympy.Symbol(f"{token.removeprefix(chr(92))}_inf")
        index = self.group()
        if index.is_number or token == "w":
            return sympy.Symbol(f"{token.removeprefix(chr(92))}{index}")
        return sympy.Function(token.removeprefix("\\"))(index)
