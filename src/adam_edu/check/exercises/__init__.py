"""What is asked: the exercises, a module for each subject, found by themselves."""

import importlib
import pkgutil

from ..course import MINUTES
from ..task import Task

_MODULES = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
_FOUND = [task for room in _MODULES for task in vars(room).values() if isinstance(task, Task)]
_ORDER = {name: place for place, name in enumerate(MINUTES)}

# In the order of the course.
EXERCISES: dict[str, Task] = {
    task.name: task for task in sorted(_FOUND, key=lambda task: _ORDER.get(task.name, len(_ORDER)))
}
