"""What every exercise has: a name, a statement, a stub to begin with, a chapter to read."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .chapters import TITLES
from .report import Report


@dataclass(frozen=True, repr=False)
class Task:
    """A function for the student to write; call the task with it to have it checked.

    Attributes
    ----------
    signature : as it stands after ``def``, such as ``"half_life(beta)"``
    returns : the names of what it returns
    statement : what to do, in a few sentences
    read : the chapter that explains it, by its file's name in book/
    """

    signature: str
    returns: tuple[str, ...]
    statement: str
    read: str

    def __call__(self, function: Callable[..., Any]) -> Report:
        """Check a solution, and return a report of what is right, what differs, and why."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{self.signature} -> {', '.join(self.returns)}\n\n{self.statement}"

    @property
    def name(self) -> str:
        """The name of the exercise and of the student's function."""
        return self.signature.partition("(")[0]

    @property
    def stub(self) -> str:
        """What the student begins with: the function without its body."""
        return f"def {self.signature}:\n    ...\n"

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments."""
        return tuple(argument.arg for argument in self._arguments.args)

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The arguments' default values, for those that have one."""
        values = [ast.literal_eval(node) for node in self._arguments.defaults]
        names = self.parameters[len(self.parameters) - len(values) :]
        return dict(zip(names, values, strict=True))

    @cached_property
    def _arguments(self) -> ast.arguments:
        function = ast.parse(f"def {self.signature}: ...").body[0]
        assert isinstance(function, ast.FunctionDef)
        return function.args

    def refused(self, name: str, text: str) -> Report:
        """Return the report on a solution with nothing in it to compare."""
        return Report(self.name, False, (name,), "not right yet", (("Problem", text), self.reading))

    @property
    def reading(self) -> tuple[str, str]:
        """The part of a report that says where to read."""
        title = TITLES[self.read]
        return "Read", f"the chapter {title}{'' if title.endswith('?') else '.'}"
