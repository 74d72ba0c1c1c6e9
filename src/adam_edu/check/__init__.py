"""Exercises that tell you what you got wrong.

Call an exercise with your function: ``check.adam_step(adam_step)``. It returns a
:class:`~adam_edu.check.report.Report`, which a notebook shows as a card and a terminal as text.
``check.EXERCISES`` has all of them by name; ``adam-edu exercise list`` prints them.
"""

from typing import TYPE_CHECKING, Any

from .report import Report
from .task import Task

if TYPE_CHECKING:
    from .exercises import EXERCISES

__all__ = ["EXERCISES", "Report", "Task"]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):  # whoever looks at a module asks for some that it has not
        raise AttributeError(name)
    # Not before they are asked for: the process of a handed-in file needs none of them.
    from .exercises import EXERCISES

    if name == "EXERCISES":
        return EXERCISES
    if name in EXERCISES:
        return EXERCISES[name]
    raise AttributeError(f"no exercise is called {name!r}; there are: {', '.join(EXERCISES)}")


def __dir__() -> list[str]:
    from .exercises import EXERCISES

    return [*globals(), *EXERCISES]
