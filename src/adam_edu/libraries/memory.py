"""What an optimizer remembers, whichever library it is of."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass
class Memory:
    """What an optimizer remembers, by the names of this package.

    Attributes
    ----------
    slots : for each slot an array for each parameter, None where a parameter is frozen and has
        none; "buffer" is momentum's sum of gradients
    count : the steps taken, or None where none are counted
    product : NAdam's product of its momenta, or None
    """

    slots: dict[str, list[Array | None]] = field(default_factory=dict)
    count: int | None = None
    product: float | None = None


class Store:
    """Where a library keeps an optimizer's memory.

    Attributes
    ----------
    name : the library's
    optimizer_name : what the library calls the optimizer, or "" where a state does not say
    """

    name: str
    optimizer_name: str = ""

    def read(self) -> Memory:
        """Return what is in it; zeros before the first step."""
        raise NotImplementedError

    def write(self, memory: Memory) -> Any:
        """Replace what is in it, by a memory with the same slots and shapes; return the target."""
        raise NotImplementedError


def as_known(array: Any) -> Array:
    """Return an array of a kind that NumPy itself has: bfloat16 is none."""
    found = np.asarray(array)
    return found if found.dtype.kind == "f" else found.astype(np.float32)
