"""Exercises that tell you what you got wrong.

Call an exercise with your function: ``check.adam_step(adam_step)``. It returns a
:class:`~adam_edu.check.report.Report`, which a notebook shows as a card and a terminal as text.
``check.EXERCISES`` has all of them by name; ``adam-edu exercise list`` prints them.
"""

from .exercises import EXERCISES
from .report import Report
from .task import Task

__all__ = ["EXERCISES", "Report", "Task", *EXERCISES]


def __getattr__(name: str) -> Task:
    if name in EXERCISES:
        return EXERCISES[name]
    raise AttributeError(f"no exercise is called {name!r}; there are: {', '.join(EXERCISES)}")
