"""One step of a rule on NumPy arrays, in place: by the native loop, or in blocks of operations."""

import sys
from collections.abc import Sequence
from math import inf
from typing import Any, Literal

import numpy as np

from .array_blocks import Array, finite, in_blocks
from .base import Rule

Engine = Literal["auto", "native", "numpy"]
ENGINES = ("auto", "native", "numpy")

# From so many elements on, "auto" takes the native loop. Below, a step costs NumPy some twenty
# microseconds, and to compile the loop, once, a second. In a browser there is no compiler.
NATIVE_FROM = 32_768 if sys.platform != "emscripten" else inf


def step(
    rule: Rule,
    columns: Sequence[Sequence[Array]],
    scalars: tuple[float, ...],
    engine: Engine = "auto",
    threads: int | None = None,
) -> bool:
    """Take one step in place, unless a gradient is not finite: then change nothing.

    Parameters
    ----------
    columns : the parameters, their gradients, and the arrays of each slot, in the same order; all
        that belongs to one parameter has its shape
    scalars : those of the rule at this step
    engine : ``"native"``, ``"numpy"``, or whichever is faster
    threads : at most so many for the native loop; by default as many as there are cores

    Returns
    -------
    Whether it was taken.

    Raises
    ------
    NotCompiled
        If the engine is ``"native"`` and there is no compiler.
    """
    if engine == "native" or (engine == "auto" and sum(x.size for x in columns[0]) >= NATIVE_FROM):
        # Only now: it brings what compiles and reads sources, and most arrays are small.
        from . import array_calls

        return array_calls.step(rule, columns, scalars, engine == "native", threads)
    rows = list(zip(*columns, strict=True))
    if not finite(rows):
        return False
    for x, g, *slots in rows:
        in_blocks(rule, x, g, slots, scalars)
    return True


def slot_dtype(x: Array) -> np.dtype[Any]:
    """Return the dtype in which a parameter's slots are kept."""
    return np.dtype(np.float32) if x.dtype == np.float16 else x.dtype
