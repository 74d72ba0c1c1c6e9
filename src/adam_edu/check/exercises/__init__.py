"""What is asked: the exercises, a module for each subject, found by themselves."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cached_property

from ..course import COURSE
from ..task import Task


class Exercises(Mapping[str, Task]):
    """The exercises by name, in the order of the course.

    One that is asked for by its name is read alone: a page has one checked, of more than fifty.
    """

    def __getitem__(self, name: str) -> Task:
        # One that is not in the course is one that somebody adds.
        return (_read(COURSE[name][0]) if name in COURSE else self._all)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _all(self) -> dict[str, Task]:
        rooms = [_read(room.name) for room in pkgutil.iter_modules(__path__)]
        found = {name: task for room in rooms for name, task in room.items()}
        order = {name: place for place, name in enumerate(COURSE)}
        return {name: found[name] for name in sorted(found, key=lambda n: order.get(n, len(order)))}


def _read(room: str) -> dict[str, Task]:
    members = vars(importlib.import_module(f"{__name__}.{room}")).values()
    return {task.name: task for task in members if isinstance(task, Task)}


EXERCISES = Exercises()
