"""A function that lives in another process."""

import inspect
from collections.abc import Callable
from typing import Any, Protocol

from .kinds import Misfit


class Ended(Misfit):
    """The process in which a function lives ended before it answered."""


class Home(Protocol):
    """A process, as its functions see it."""

    def call(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the function of this number, and return what it returned, or raise its error."""

    def inside(self, number: int, tool: str, arguments: tuple[Any, ...]) -> Any:
        """Call a tool of the package with the function of this number, in its process."""


class Remote:
    """A function in another process: calling it calls that one with copies of the arguments.

    What that one changes in place is changed in the arguments given; what it returns or raises
    comes back as data.
    """

    def __init__(self, home: Home, number: int, name: str, signature: inspect.Signature | None):
        self.home, self.number, self.__name__ = home, number, name
        if signature is not None:
            self.__signature__ = signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function with copies of these arguments."""
        return self.home.call(self.number, args, kwargs)

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"


def inside(function: Any, tool: Callable[..., Any], *arguments: Any) -> Any:
    """Return ``tool(function, *arguments)``, computed where the function lives.

    Whatever looks into a student's function, at its code or while it runs, is such a tool: a
    function of this package that takes numbers, arrays, texts and lists of them, and returns such.
    One that takes no argument is called without the function.
    """
    if isinstance(function, Remote):
        return function.home.inside(
            function.number, f"{tool.__module__}:{tool.__qualname__}", arguments
        )
    return apply(tool, function, *arguments)


def apply(tool: Callable[..., Any], function: Any, *arguments: Any) -> Any:
    """Call a tool with a function, or without it where the tool takes nothing."""
    return tool(function, *arguments) if inspect.signature(tool).parameters else tool()
