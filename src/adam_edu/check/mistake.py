"""A known mistake: an algorithm's line as it is often written, and the words that explain it."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .algorithm import RETURNED, Assignment

SPOKEN = {"abs", "clip", "float", "len", "list", "max", "maximum", "min", "set", "sign", "sorted"}
SPOKEN |= {"sqrt", "sum", "product", "range"}


@dataclass(frozen=True)
class Mistake:
    """A wrong line.

    Attributes
    ----------
    function : computes the line wrongly; its name is the mistake's, its docstring what the student
        reads, its parameters the names that it needs
    lines : what the line assigns; an argument's name for a mistake made before the first line,
        ``"returned m"`` for one made when the result is returned
    names : what the algorithm at hand calls the names that the function has
    """

    function: Callable[..., Any]
    lines: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    def on(self, **names: str) -> "Mistake":
        """Return the same mistake in an algorithm that has other names, as ``on(beta2="rho")``."""
        lines = tuple(re.sub(r"\w+$", lambda m: names.get(m[0], m[0]), line) for line in self.lines)
        return Mistake(self.function, lines, names)

    @property
    def name(self) -> str:
        """The mistake's name, such as ``betas_swapped``."""
        return self.function.__name__

    @property
    def words(self) -> str:
        """The explanation, on one line."""
        return self._renamed(" ".join((self.function.__doc__ or "").split()))

    @cached_property
    def line(self) -> Assignment:
        """The wrong line, to be exchanged for the right one."""
        reads = inspect.signature(self.function).parameters
        return Assignment(self.lines, tuple(map(self._renamed, reads)), self.function)

    @cached_property
    def code(self) -> str:
        """The wrong line as it would stand in a program, such as ``m_hat = m``; or ''."""
        tree = ast.parse(textwrap.dedent(inspect.getsource(self.function))).body[0]
        assert isinstance(tree, ast.FunctionDef)
        body = tree.body[1:]
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
            return ""
        if any(isinstance(node, ast.IfExp) for node in ast.walk(body[0])):
            return ""  # nobody writes it in one line
        called = {ast.unparse(n.func) for n in ast.walk(body[0]) if isinstance(n, ast.Call)}
        if any("." not in name and name not in SPOKEN for name in called):
            return ""  # a helper of ours, which nobody has written
        value = ast.unparse(body[0].value).replace("_before", "")
        if any(name.startswith(RETURNED) for name in self.lines):
            return ""
        return f"{', '.join(self.lines)} = {self._renamed(value)}"

    def _renamed(self, text: str) -> str:
        return re.sub(r"[a-z]\w*", lambda match: self.names.get(match[0], match[0]), text)


def all_hard_coded(values: Mapping[str, float]) -> Mistake:
    """Return the mistake to write numbers in the place of all settings."""

    def settings_hard_coded() -> tuple[float, ...]:
        return tuple(values.values())

    settings_hard_coded.__doc__ = (
        "None of your settings changes anything: their usual numbers stand in your code. "
        f"{', '.join(values)} are arguments; use them by their names."
    )
    return Mistake(settings_hard_coded, tuple(values))


def wrong(*lines: str) -> Callable[[Callable[..., Any]], Mistake]:
    """Make a mistake of the function that computes the given lines wrongly."""
    return lambda function: Mistake(function, lines)
