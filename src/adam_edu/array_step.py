"""One step of a rule on NumPy arrays, in place: by the native loop, or in blocks of operations.

The native loop reads each number once and writes it once; NumPy's operations go over memory a dozen
times. In blocks that stay in the processor's cache they lose less by it, and need no compiler.
"""

import ctypes
import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .base import Rule
from .lines import lines_of
from .native import Loop, NotCompiled, Outcome, Unprintable, loop
from .native.loop import LOOK, ONLY_LOOK
from .reading import Unreadable

Array = NDArray[np.floating[Any]]
Engine = Literal["auto", "native", "numpy"]
ENGINES = ("auto", "native", "numpy")

# A block and its temporaries stay in the processor's second-level cache, so that memory is read
# and written once a step and not once an operation. See benchmarks/numpy_step.py.
BLOCK_BYTES = 96 * 1024

# From so many elements on, "auto" takes the native loop. Below, a step costs NumPy some twenty
# microseconds, and to compile the loop, once, a second.
NATIVE_FROM = 32_768

DTYPES = {np.dtype(np.float32): "float32", np.dtype(np.float64): "float64"}


@dataclass
class Row:
    """One parameter with what belongs to it, all of one shape.

    Attributes
    ----------
    x, g : parameter and gradient, of one dtype
    slots : in the order of the rule's
    """

    x: Array
    g: Array
    slots: list[Array]


def step(
    rule: Rule,
    rows: Sequence[Row],
    scalars: tuple[float, ...],
    engine: Engine = "auto",
    threads: int | None = None,
) -> bool:
    """Take one step in place, unless a gradient is not finite: then change nothing.

    Parameters
    ----------
    rows : all parameters
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
    alone = engine == "numpy" or (engine == "auto" and sum(r.x.size for r in rows) < NATIVE_FROM)
    native: dict[Loop, list[Row]] = {}
    blocks = []
    for row in rows:
        found = None if alone else _loop(type(rule), row, engine)
        blocks.append(row) if found is None else native.setdefault(found, []).append(row)
    calls = [_Call(found, chosen) for found, chosen in native.items()]
    numbers = [*vars(rule).values(), *scalars]
    most = threads or _cores()
    # One call looks and steps; of several things to do, all look before the first steps.
    several = len(calls) + bool(blocks) > 1
    if not _finite(blocks):
        return False
    if several and any(c.run(numbers, most, ONLY_LOOK) is Outcome.NOT_FINITE for c in calls):
        return False
    for call in calls:
        outcome = call.run(numbers, most, 0 if several else LOOK)
        if outcome is Outcome.NOT_FINITE:
            return False
        if outcome is Outcome.SHARED:
            if not several and not _finite(call.rows):
                return False
            blocks += call.rows
    for row in blocks:
        in_blocks(rule, row, scalars)
    return True


def _finite(rows: Iterable[Row]) -> bool:
    return all(np.isfinite(row.g).all() for row in rows)


def in_blocks(rule: Rule, row: Row, scalars: tuple[float, ...]) -> None:
    """Take one step of one parameter by NumPy's operations, a block at a time."""
    x = row.x
    flat_x, flat_g = x.reshape(-1), row.g.reshape(-1)
    flat_slots = [slot.reshape(-1) for slot in row.slots]
    size = BLOCK_BYTES // x.itemsize
    for begin in range(0, x.size, size):
        block = slice(begin, begin + size)
        change, *new = rule.step(
            flat_x[block], flat_g[block], *(slot[block] for slot in flat_slots), *scalars
        )
        flat_x[block] += change
        for slot, values in zip(flat_slots, new, strict=True):
            slot[block] = values
    if not np.may_share_memory(flat_x, x):
        # A parameter that is not contiguous was flattened into a copy.
        x[...] = flat_x.reshape(x.shape)


class _Call:
    """One call of a loop for several parameters: their arrays, side by side in memory."""

    def __init__(self, found: Loop, rows: list[Row]) -> None:
        self.loop, self.rows = found, rows
        columns = [[], [], *([] for _ in rows[0].slots)] if rows else []
        self.copies: list[tuple[Array, Array]] = []
        sizes = []
        for row in rows:
            sizes.append(row.x.size)
            for column, array in zip(columns, self._laid_out(row), strict=True):
                column.append(array)
        self.total = sum(sizes)
        self.arrays = list(chain.from_iterable(columns))  # kept, so that their memory is
        self.sizes = (ctypes.c_int64 * len(sizes))(*sizes)
        self.addresses = (ctypes.c_int64 * len(self.arrays))()
        self.addresses[:] = [a.__array_interface__["data"][0] for a in self.arrays]  # type: ignore[assignment]

    def _laid_out(self, row: Row) -> Iterable[Array]:
        """Yield x, the gradient and the slots, in one order of the axes, and without gaps."""
        if row.x.flags.c_contiguous:
            order = None
        else:
            order = sorted(range(row.x.ndim), key=lambda axis: -abs(row.x.strides[axis]))
        for i, array in enumerate((row.x, row.g, *row.slots)):
            view = array if order is None else array.transpose(order)
            if view.flags.c_contiguous:
                yield view
                continue
            copy = np.ascontiguousarray(view)
            if i != 1:  # the gradient is only read
                self.copies.append((view, copy))
            yield copy

    def run(self, numbers: Sequence[float], threads: int, flags: int) -> Outcome:
        outcome = self.loop(
            self.sizes, self.addresses, numbers, self.total, threads=threads, flags=flags
        )
        if outcome is Outcome.TAKEN and not flags & ONLY_LOOK:
            for view, copy in self.copies:
                view[...] = copy
        return outcome


def _loop(rule: type[Rule], row: Row, engine: Engine) -> Loop | None:
    """Return the loop that can take a parameter's step, or None."""
    arrays = (row.x, row.g, *row.slots)
    names = tuple(DTYPES.get(array.dtype, "") for array in arrays)
    if not all(names) or not all(map(_ordinary, arrays)):
        return None
    found = _compiled(rule, names)
    if isinstance(found, Loop):
        return found
    if engine == "native":
        raise NotCompiled(found)
    _warn(found)
    return None


def _ordinary(array: Array) -> bool:
    """Say whether an array is numbers in memory, each at its place, and nothing besides."""
    return type(array) in (np.ndarray, np.memmap) and array.flags.aligned


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
