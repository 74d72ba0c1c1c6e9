"""An exercise whose right answer is known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .examine import examine
from .in_place import asked_in_place, is_in_place
from .reference import Reference
from .remote import inside
from .report import Report


@dataclass(frozen=True, repr=False)
class Exercise(Reference):
    """A function to write whose results are compared with those of the right algorithm."""

    def __call__(self, function: Callable[..., Any]) -> Report:
        """Check a solution, and return a report of what is right, what differs, and why."""
        asked = asked_in_place(self) if inside(function, is_in_place) else self
        return examine(asked, function)
