"""One step of a rule on NumPy arrays, in place: by the native loop, or in blocks of operations.

The native loop reads each number once and writes it once; NumPy's operations go over memory a dozen
times. In blocks that stay in the processor's cache they lose less by it, and need no compiler.
"""

import ctypes
import os
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
from operator import attrgetter
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
    alone = engine == "numpy" or (
        engine == "auto" and sum(x.size for x in columns[0]) < NATIVE_FROM
    )
    calls, rows = ([], list(zip(*columns, strict=True))) if alone else _calls(rule, columns, engine)
    numbers = [*vars(rule).values(), *scalars]
    most = threads or _cores()
    # One call looks and steps; of several things to do, all look before the first steps.
    several = len(calls) + bool(rows) > 1
    if not _finite(rows):
        return False
    if several and any(c.run(numbers, most, ONLY_LOOK) is Outcome.NOT_FINITE for c in calls):
        return False
    for call in calls:
        outcome = call.run(numbers, most, 0 if several else LOOK)
        if outcome is Outcome.NOT_FINITE:
            return False
        if outcome is Outcome.UNFIT:
            if not several and not _finite(call.rows):
                return False
            rows += call.rows
    for x, g, *slots in rows:
        in_blocks(rule, x, g, slots, scalars)
    return True


def slot_dtype(x: Array) -> np.dtype[Any]:
    """Return the dtype in which a parameter's slots are kept."""
    return np.dtype(np.float32) if x.dtype == np.float16 else x.dtype


def _finite(rows: Iterable[Sequence[Array]]) -> bool:
    return all(np.isfinite(g).all() for _, g, *_ in rows)


def in_blocks(
    rule: Rule, x: Array, g: Array, slots: Sequence[Array], scalars: tuple[float, ...]
) -> None:
    """Take one step of one parameter by NumPy's operations, a block at a time.

    For float16 they are those of float32: an epsilon of 1e-8 is 0 in float16.
    """
    if x.dtype == np.float16:
        exact = x.astype(np.float32)
        in_blocks(rule, exact, g.astype(np.float32), slots, scalars)
        with np.errstate(over="ignore"):
            x[...] = exact
        return
    flat_x, flat_g = x.reshape(-1), g.reshape(-1)
    flat_slots = [slot.reshape(-1) for slot in slots]
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


def _calls(
    rule: Rule, columns: Sequence[Sequence[Array]], engine: Engine
) -> tuple[list["_Call"], list[tuple[Array, ...]]]:
    """Return the calls of a loop that take the step, and the parameters that no loop can take."""
    kinds = [tuple(map(DTYPE, row)) for row in zip(*columns, strict=True)]
    chosen = {kind: _loop(type(rule), kind, engine) for kind in set(kinds)}
    if len(chosen) == 1 and all(map(_ordinary, chain.from_iterable(columns))):
        (found,) = chosen.values()
        if found is not None:
            return [_Call(found, columns)], []
    together: dict[Any, list[tuple[Array, ...]]] = {}
    for kind, row in zip(kinds, zip(*columns, strict=True), strict=True):
        together.setdefault(chosen[kind] if all(map(_ordinary, row)) else None, []).append(row)
    rest = together.pop(None, [])
    return [_Call(found, list(zip(*rows, strict=True))) for found, rows in together.items()], rest


class _Call:
    """One call of a loop for several parameters.

    Attributes
    ----------
    rows : each parameter with what belongs to it
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


def _loop(rule: type[Rule], dtypes: tuple[Any, ...], engine: Engine) -> Loop | None:
    """Return the loop for arrays of these dtypes, or None."""
    names = tuple(DTYPES.get(dtype, "") for dtype in dtypes)
    if not all(names):
        return None
    found = _compiled(rule, names)  # type: ignore[arg-type]
    if isinstance(found, Loop):
        return found
    if engine == "native":
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
