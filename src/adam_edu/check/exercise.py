"""An exercise whose right answer is known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .examine import examine
from .reference import Reference
from .report import Report


@dataclass(frozen=True, repr=False)
class Exercise(Reference):
    """A function to write whose results are compared with those of the right algorithm."""

    def __call__(self, function: Callable[..., Any]) -> Report:
        """Check a solution, and return a report of what is right, what differs, and why."""
        # in_place() says what an exercise asks for when it is handed such a function.
        asked = getattr(function, "asked", None)
        return examine(asked(self) if asked else self, function)
