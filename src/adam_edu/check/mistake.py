"""A known mistake: an algorithm's line as it is often written, and the words that explain it."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .lines import Line


@dataclass(frozen=True)
class Mistake:
    """A wrong line.

    Attributes
    ----------
    function : computes the line wrongly; its name is the mistake's, its docstring what the student
        reads, its parameters the names that it needs
    lines : what the line assigns; an argument's name for a mistake made before the first line,
        ``"returned m"`` for one made when the result is returned
    """

    function: Callable[..., Any]
    lines: tuple[str, ...]

    @property
    def name(self) -> str:
        """The mistake's name, such as ``betas_swapped``."""
        return self.function.__name__

    @property
    def words(self) -> str:
        """The explanation, on one line."""
        return " ".join((self.function.__doc__ or "").split())

    @cached_property
    def line(self) -> Line:
        """The wrong line, to be exchanged for the right one."""
        return Line.of(self.lines, self.function)

    @cached_property
    def code(self) -> str:
        """The wrong line as it would stand in a program, such as ``m_hat = m``; or ''."""
        tree = ast.parse(textwrap.dedent(inspect.getsource(self.function))).body[0]
        assert isinstance(tree, ast.FunctionDef)
        body = tree.body[1:]
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
            return ""
        value = ast.unparse(body[0].value).replace("_before", "")
        if any(name.startswith("returned ") for name in self.lines):
            return ""
        return f"{', '.join(self.lines)} = {value}"


def wrong(*lines: str) -> Callable[[Callable[..., Any]], Mistake]:
    """Make a mistake of the function that computes the given lines wrongly."""
    return lambda function: Mistake(function, lines)
