"""Calls of the native loop that take one step of a rule on NumPy arrays, in place.

The loop reads each number once and writes it once; NumPy's operations go over memory a dozen times.
"""

import ctypes
import os
import warnings
from collections.abc import Sequence
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np

from .array_blocks import Array, finite, in_blocks
from .base import Rule
from .lines import lines_of
from .native import Loop, NotCompiled, Outcome, Unprintable, loop
from .native.loop import LOOK, ONLY_LOOK
from .reading import Unreadable

DTYPES = {np.dtype(np.float32): "float32", np.dtype(np.float64): "float64"}


def step(
    rule: Rule,
    columns: Sequence[Sequence[Array]],
    scalars: tuple[float, ...],
    must: bool,
    threads: int | None,
) -> bool:
    """Take one step by the loop; what no loop can take, in blocks.

    Parameters and what is returned are those of :func:`adam_edu.array_step.step`; ``must`` makes it
    an error that there is no compiler, and not a warning.
    """
    found, rows = calls(rule, columns, must)
    numbers = [*vars(rule).values(), *scalars]
    most = threads or _cores()
    # One call looks and steps; of several things to do, all look before the first steps.
    several = len(found) + bool(rows) > 1
    if not finite(rows):
        return False
    if several and any(c.run(numbers, most, ONLY_LOOK) is Outcome.NOT_FINITE for c in found):
        return False
    for call in found:
        outcome = call.run(numbers, most, 0 if several else LOOK)
        if outcome is Outcome.NOT_FINITE:
            return False
        if outcome is Outcome.UNFIT:
            if not several and not finite(call.rows):
                return False
            rows += call.rows
    for x, g, *slots in rows:
        in_blocks(rule, x, g, slots, scalars)
    return True


def calls(
    rule: Rule, columns: Sequence[Sequence[Array]], must: bool
) -> tuple[list["Call"], list[tuple[Array, ...]]]:
    """Return the calls of a loop that take the step, and the parameters that no loop can take."""
    kinds = [tuple(map(DTYPE, row)) for row in zip(*columns, strict=True)]
    chosen = {kind: _loop(type(rule), kind, must) for kind in set(kinds)}
    if len(chosen) == 1 and all(map(_ordinary, chain.from_iterable(columns))):
        (found,) = chosen.values()
        if found is not None:
            return [Call(found, columns)], []
    together: dict[Any, list[tuple[Array, ...]]] = {}
    for kind, row in zip(kinds, zip(*columns, strict=True), strict=True):
        together.setdefault(chosen[kind] if all(map(_ordinary, row)) else None, []).append(row)
    rest = together.pop(None, [])
    return [Call(found, list(zip(*rows, strict=True))) for found, rows in together.items()], rest


class Call:
    """One call of a loop for several parameters.

    Attributes
    ----------
    arrays : column by column, as they are handed over: side by side in memory, in one order
    copies : of those that are not so by themselves
    """

    def __init__(self, found: Loop, columns: Sequence[Sequence[Array]]) -> None:
        self.loop, self.columns = found, columns
        self.copies: list[tuple[Array, Array]] = []
        if not all(map(_is_contiguous, chain.from_iterable(columns))):
            columns = list(zip(*map(self._laid_out, self.rows), strict=True))
        self.arrays = list(chain.from_iterable(columns))  # kept, so that their memory is
        sizes = [x.size for x in columns[0]]
        self.total = sum(sizes)
        self.sizes = (ctypes.c_int64 * len(sizes))(*sizes)
        self.addresses = (ctypes.c_int64 * len(self.arrays))()
        self.addresses[:] = _addresses(self.arrays)  # type: ignore[assignment]

    @property
    def rows(self) -> list[tuple[Array, ...]]:
        """Each parameter with what belongs to it."""
        return list(zip(*self.columns, strict=True))

    def _laid_out(self, row: Sequence[Array]) -> list[Array]:
        """Return what belongs to a parameter in the order of its axes in memory, without gaps."""
        strides = row[0].strides
        order = sorted(range(len(strides)), key=lambda axis: -abs(strides[axis]))
        found = []
        for i, array in enumerate(row):
            view = array.transpose(order)
            copy = np.ascontiguousarray(view).reshape(view.shape)
            if i != 1 and not view.flags.c_contiguous:  # the gradient is only read
                self.copies.append((view, copy))
            found.append(copy)
        return found

    def run(self, numbers: Sequence[float], threads: int, flags: int) -> Outcome:
        """Call the loop, and bring back what was copied for it."""
        outcome = self.loop(
            self.sizes, self.addresses, numbers, self.total, threads=threads, flags=flags
        )
        if outcome is Outcome.TAKEN and not flags & ONLY_LOOK:
            for view, copy in self.copies:
                view[...] = copy
        return outcome


def _addresses(arrays: Sequence[Array]) -> list[int]:
    try:
        return list(map(ctypes.addressof, map(NOTHING.from_buffer, arrays)))  # type: ignore[arg-type]
    except TypeError:  # a gradient that is read-only has an address, too
        return [array.__array_interface__["data"][0] for array in arrays]


# Several times faster than an array's own attributes.
NOTHING = ctypes.c_char * 0
DTYPE = attrgetter("dtype")
_is_contiguous = attrgetter("flags.c_contiguous")


def _loop(rule: type[Rule], dtypes: tuple[Any, ...], must: bool) -> Loop | None:
    """Return the loop for arrays of these dtypes, or None."""
    names = tuple(DTYPES.get(dtype, "") for dtype in dtypes)
    if not all(names):
        return None
    found = _compiled(rule, names)  # type: ignore[arg-type]
    if isinstance(found, Loop):
        return found
    if must:
        raise NotCompiled(found)
    _warn(found)
    return None


def _ordinary(array: Array) -> bool:
    """Say whether an array is numbers in memory and nothing besides, as a masked one is."""
    return type(array) in (np.ndarray, np.memmap)


@cache
def _compiled(rule: type[Rule], dtypes: tuple[str, ...]) -> Loop | str:
    """Return the compiled loop, or why there is none."""
    try:
        return loop(lines_of(rule), dtypes)
    except (NotCompiled, Unprintable, Unreadable) as reason:
        return str(reason)


@cache
def _warn(reason: str) -> None:
    warnings.warn(
        f"{reason}: adam_edu.Optimizer takes its steps in blocks by NumPy, some four times slower; "
        'engine="numpy" says that this is meant',
        RuntimeWarning,
        stacklevel=2,
    )


@cache
def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
