"""What a driver of somebody's optimizer is, whichever library the optimizer comes from."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# One gradient for each parameter; None where a parameter has none in this step.
Gradients = Iterable[Sequence[Array | None]]


class Unusable(ValueError):
    """What was given is no optimizer that can be driven by gradients; the text says why."""


class Driver:
    """An optimizer that can be started anew.

    Attributes
    ----------
    name : what it is called, for a reader
    dtypes : the dtypes that its parameters may have, the most exact first
    sparse : whether a parameter without a gradient is something else than one with zeros
    """

    name: str
    dtypes: tuple[str, ...] = ("float64",)
    sparse = False

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Return every parameter after each step, as float64: ``path[t][k]`` is parameter k.

        ``starts`` are the parameters' first values, each of shape (n,).
        """
        raise NotImplementedError


def joined(row: Sequence[Array | None], starts: Sequence[Array]) -> Array:
    """Return the gradients of all parameters as one; a parameter without has zeros."""
    pairs = zip(row, starts, strict=True)
    return np.concatenate([np.zeros(len(x)) if g is None else g for g, x in pairs])
