"""The compiled loop, as a function of addresses, sizes and numbers."""

import ctypes
from collections.abc import Sequence
from enum import IntEnum
from functools import cache
from typing import Any

from ..lines import Lines
from .library import load
from .source import source

# Below this many elements for each, another thread brings little, and waiting for it costs much
# where the machine is busy.
GRAIN = 131_072


class Outcome(IntEnum):
    """How a call ended. Nothing has been changed unless the step was taken."""

    TAKEN = 0
    UNFIT = 1  # memory is missing, not aligned, or written while it belongs to two of the arrays
    NOT_FINITE = 2  # a gradient holds a NaN or an infinity


OUTCOMES = tuple(Outcome)  # found by number in a tenth of the time
FIT, LOOK, ONLY_LOOK = 1, 2, 4


class Loop:
    """One step of a rule, for any number of arrays of any sizes.

    Parameters
    ----------
    lines : what it computes
    dtypes : the names of those of ``lines.arrays``, such as ``"float32"``

    Raises
    ------
    NotCompiled, Unprintable
        If there is no C++ compiler, or an operation has no C++ form.
    """

    def __init__(self, lines: Lines, dtypes: Sequence[str]) -> None:
        self.columns, self.numbers = len(lines.arrays), len(lines.numbers)
        self.step = load(source(lines, dtypes)).step
        self.step.restype = ctypes.c_int
        arrays = [ctypes.c_void_p] * 3
        self.step.argtypes = [ctypes.c_int64, *arrays, ctypes.c_int, ctypes.c_int]
        self.values = ctypes.c_double * self.numbers

    def __call__(
        self,
        sizes: Any,
        addresses: Any,
        numbers: Sequence[Any],
        total: int,
        *,
        threads: int,
        flags: int = 0,
    ) -> Outcome:
        """Take one step.

        Whoever calls answers for it that each address is that of ``sizes[k]`` numbers of the
        column's dtype, side by side.

        Parameters
        ----------
        sizes : the number of elements of each parameter, a ctypes array of int64
        addresses : of all parameters, then of all gradients, then of each slot, likewise
        numbers : the values of ``lines.numbers``
        total : the sum of ``sizes``
        threads : at most so many
        flags : of ``FIT`` (a call with the same addresses was not ``UNFIT``), ``LOOK`` (whether the
            gradients are finite, before anything is changed) and ``ONLY_LOOK`` (take no step)

        Raises
        ------
        ValueError
            If there are not as many addresses or numbers as this loop reads.
        """
        if len(addresses) != self.columns * len(sizes) or len(numbers) != self.numbers:
            raise ValueError(
                f"{len(sizes)} arrays have {self.columns * len(sizes)} addresses and "
                f"{self.numbers} numbers, not {len(addresses)} and {len(numbers)}"
            )
        team = max(1, min(threads, total // GRAIN))
        values = self.values(*numbers)
        return OUTCOMES[self.step(len(sizes), sizes, addresses, values, team, flags)]


@cache
def loop(lines: Lines, dtypes: tuple[str, ...]) -> Loop:
    """Return the compiled loop, compiled if need be.

    Raises
    ------
    NotCompiled, Unprintable
        If there is no C++ compiler, or an operation has no C++ form.
    """
    return Loop(lines, dtypes)
