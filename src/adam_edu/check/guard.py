"""What a student's function must leave alone in a notebook, where it shares a process with the
checker: the functions of NumPy, Python and the checker, and the checker's own frames."""

import builtins
import math
import sys
from collections.abc import Iterator
from functools import cache
from operator import is_not
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

ROOM = __name__.rpartition(".")[0]
# Those that a notebook does not replace itself, as it does input.
PYTHON = {
    *("abs", "all", "any", "bool", "callable", "dict", "enumerate", "filter", "float", "getattr"),
    *("hasattr", "int", "isinstance", "iter", "len", "list", "map", "max", "min", "next", "range"),
    *("repr", "reversed", "round", "set", "sorted", "str", "sum", "tuple", "type", "zip"),
}
# By these, code reaches frames that are not its own, or what somebody else's frames hold.
SPYING = {
    "_current_frames",
    "_getframe",
    "_getframemodulename",
    "currentframe",
    "f_back",
    "get_objects",
    "get_referrers",
    "getouterframes",
    "setprofile",
    "settrace",
    "tb_frame",
}


class Originals:
    """Functions and classes as they were when the checker began."""

    def __init__(self) -> None:
        self.kept = {
            module: {name: value for name, value in vars(module).items() if callable(value)}
            for module in (np, np.linalg, np.random, math)
        }
        self.kept[builtins] = {name: getattr(builtins, name) for name in PYTHON}
        for name, module in list(sys.modules.items()):
            if name == ROOM or name.startswith(f"{ROOM}."):
                own = (FunctionType, type)
                self.kept[module] = {n: v for n, v in vars(module).items() if isinstance(v, own)}

    def put_back(self) -> tuple[str, ...]:
        """Put back what was replaced, and return its names, such as ``numpy.isclose``."""
        replaced = list(self._replaced())
        for module, name, value in replaced:
            setattr(module, name, value)
        return tuple(f"{module.__name__}.{name}" for module, name, _ in replaced)

    def _replaced(self) -> Iterator[tuple[ModuleType, str, Any]]:
        for module, names in self.kept.items():
            now = vars(module)
            # It is asked before and after each call, of thousands of names.
            if any(map(is_not, map(now.get, names), names.values())):
                for name, value in names.items():
                    if now.get(name) is not value:
                        yield module, name, value


@cache
def originals() -> Originals:
    """Return the functions as they were on the first call, which is before a student's."""
    return Originals()


def spied(function: Any) -> str | None:
    """Return by what a function looks at frames that are not its own, or None.

    >>> spied(lambda x: np.sqrt(x)), spied(lambda: sys._getframe(1))
    (None, '_getframe')
    """
    waiting, seen = [function], set()
    while waiting:
        here = waiting.pop()
        if not isinstance(here, FunctionType) or here in seen:
            continue
        seen.add(here)
        names = set(_names(here.__code__))
        if names & SPYING:
            return min(names & SPYING)
        if {"inspect", "stack"} <= names:
            return "stack"
        own = (here.__globals__.get(name) for name in names)
        waiting += [one for one in own if getattr(one, "__module__", None) == here.__module__]
    return None


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
        elif isinstance(constant, str) and constant in SPYING:  # getattr(sys, "_getframe")
            yield constant
