"""One step of a rule on NumPy arrays, in place, by NumPy's operations.

They go over memory a dozen times. In blocks that stay in the processor's cache they lose less by
it, and need no compiler.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Rule

Array = NDArray[np.floating[Any]]

# A block and its temporaries stay in the processor's second-level cache, so that memory is read
# and written once a step and not once an operation. See benchmarks/numpy_step.py.
BLOCK_BYTES = 96 * 1024


def finite(rows: Iterable[Sequence[Array]]) -> bool:
    """Say whether every gradient is; a row is a parameter, its gradient, and its slots."""
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
