"""The kinds of number that a student's function may be written for.

A probe holds NumPy arrays. Each kind calls the function with its own form of them, always a fresh
copy, and turns what comes back into arrays again.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Arguments = Mapping[str, Any]
Function = Callable[..., Any]


class Misfit(Exception):
    """What was returned is not of the form that was asked for; ``hints`` say what it can be."""

    def __init__(self, name: str, message: str, hints: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.name, self.hints = name, hints


@dataclass(frozen=True)
class Kind:
    """One form of numbers: how to make it of an array, and its name in a sentence."""

    name: str
    make: Callable[[Array], Any]
    library: str = ""

    @property
    def available(self) -> bool:
        """Whether the library is loaded; whoever wrote a solution with it has loaded it."""
        return not self.library or self.library in sys.modules

    def call(
        self, function: Function, arguments: Arguments, returns: tuple[str, ...]
    ) -> tuple[tuple[Array, ...], bool]:
        """Call the function and return its results as arrays, and whether it kept its arguments.

        Raises
        ------
        Misfit
            If the number of results, their type or their shape is wrong.
        """
        given = {name: self._made(value) for name, value in arguments.items()}
        result = function(**given)
        kept = all(
            np.array_equal(np.asarray(given[name], dtype=float), value)
            for name, value in arguments.items()
            if isinstance(value, np.ndarray)
        )
        return unpacked(result, returns), kept

    def _made(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self.make(value)
        return value.for_kind(self) if hasattr(value, "for_kind") else value


@dataclass(frozen=True)
class OneByOne(Kind):
    """Python floats: the function is called for each coordinate by itself."""

    def call(
        self, function: Function, arguments: Arguments, returns: tuple[str, ...]
    ) -> tuple[tuple[Array, ...], bool]:
        """Call the function for each coordinate; a float cannot be changed."""
        (size,) = {len(value) for value in arguments.values() if isinstance(value, np.ndarray)}
        results = []
        for i in range(size):
            one = {
                name: self.make(value[i]) if isinstance(value, np.ndarray) else value
                for name, value in arguments.items()
            }
            results.append(unpacked(function(**one), returns))
        return tuple(np.array(values).reshape(-1) for values in zip(*results, strict=True)), True


def _tensor(value: Array) -> Any:
    return sys.modules["torch"].tensor(value.tolist(), dtype=sys.modules["torch"].float64)


ARRAYS = Kind("NumPy arrays", np.copy)
NUMBERS = Kind("numbers", np.copy)  # for arguments that are no arrays
LISTS = Kind("lists", lambda value: value.tolist())
TENSORS = Kind("Torch tensors", _tensor, "torch")
FLOATS = OneByOne("floats", float)
WHOLE_ARRAYS = Kind("arrays of whole numbers", lambda value: value.astype(int))
WHOLE_LISTS = Kind("lists of whole numbers", lambda value: value.astype(int).tolist())
WHOLE_FLOATS = OneByOne("whole numbers", int)
WHOLE = {ARRAYS: WHOLE_ARRAYS, LISTS: WHOLE_LISTS, FLOATS: WHOLE_FLOATS}


def unpacked(result: Any, returns: tuple[str, ...]) -> tuple[Array, ...]:
    """Return a result's parts as arrays.

    Raises
    ------
    Misfit
        If there are not as many as there are names in ``returns``, or one is not of numbers.
    """
    if result is None:
        raise Misfit(
            "returns_nothing", "It returned None. Is there a return statement on every way through?"
        )
    if len(returns) == 1:
        # A tuple of one is what a rule returns; its comma is no mistake.
        parts = result if isinstance(result, tuple) and len(result) == 1 else (result,)
    elif isinstance(result, (tuple, list)) or getattr(result, "ndim", 0) > 1:
        parts = tuple(result)
    else:
        parts = (result,)
    wanted = f"({', '.join(returns)})" if len(returns) > 1 else returns[0]
    if len(parts) != len(returns):
        what = "" if len(parts) > 1 else f", {_a(type(parts[0]).__name__)}"
        raise Misfit(
            "wrong_count",
            f"It returned {_count(len(parts))}{what}; asked for: {_count(len(returns))}, {wanted}.",
        )
    return tuple(_array(part, name) for part, name in zip(parts, returns, strict=True))


def _count(number: int) -> str:
    return "one value" if number == 1 else f"{number} values"


def _array(part: Any, name: str) -> Array:
    if part is None:
        raise Misfit("returns_nothing", f"It returned None for {name}.")
    if hasattr(part, "detach"):
        part = part.detach().cpu()
        part = (part.double() if part.is_floating_point() else part).numpy()
    try:
        found = np.asarray(part)
        if found.dtype.kind not in "fiu":
            raise TypeError
        return found.astype(float)
    except (TypeError, ValueError):
        raise Misfit(
            "wrong_type",
            f"For {name} it returned {_a(type(part).__name__)}; asked for: a number, or as many "
            "numbers as it was given.",
        ) from None


def _a(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"
