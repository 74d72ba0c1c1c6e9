"""Values as JSON, to go from one process to another: data, and never what a reader would run.

NumPy arrays and Torch tensors keep their bits. Functions and all other things stay where they are:
the one becomes a number to call it by, the other the name of its type.
"""

import base64
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .kinds import Misfit

DEPTH, ITEMS, BYTES, CHARACTERS = 8, 20_000, 32 * 2**20, 10_000
Function = Callable[..., Any]


class Packer:
    """Makes JSON of values; ``number`` is asked for the number of a function.

    Raises
    ------
    Misfit
        If a value is too large, or too deep, as a list that holds itself is.
    """

    def __init__(self, number: Callable[[Function], Any]) -> None:
        self.number = number
        self.items = self.bytes = 0

    def pack(self, value: Any, depth: int = 0) -> Any:
        """Return a value as what the json module takes."""
        self.items += 1
        if depth > DEPTH or self.items > ITEMS:
            raise Misfit(
                "too_large",
                "It returned lists within lists without end, or far more numbers than it was given."
                " Is a list put into itself?",
            )
        kind = type(value)
        if value is None or kind in (bool, float):
            return value
        if kind is int and value.bit_length() < 4096:
            return value
        if kind is str:
            return value[:CHARACTERS]
        if isinstance(value, (list, tuple)):
            name = "tuple" if isinstance(value, tuple) else "list"
            return {name: [self.pack(item, depth + 1) for item in value]}
        if kind is dict and all(type(key) is str for key in value):
            return {"dict": [[key, self.pack(item, depth + 1)] for key, item in value.items()]}
        if isinstance(value, (np.ndarray, np.generic)):
            return self._array(value, "scalar" if isinstance(value, np.generic) else "array")
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            value = value.detach().cpu()
            return self._array((value.double() if value.dtype.is_floating_point else value).numpy())
        if callable(value) and not isinstance(value, type):
            return {"function": self.number(value)}
        if hasattr(value, "__array__"):
            return self._array(np.asarray(value), "array")
        return {"thing": kind.__name__}

    def _array(self, array: Any, kind: str = "tensor") -> Any:
        array = np.asarray(array)
        if array.dtype.kind not in "biufc":
            return {"thing": "array of other things than numbers"}
        self.bytes += array.nbytes
        if self.bytes > BYTES:
            raise Misfit("too_large", f"It returned {array.size} numbers, far more than asked for.")
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
        text = base64.b64encode(array.tobytes()).decode("ascii")
        return {kind: [array.dtype.str, list(array.shape), text]}


def unpack(data: Any, function: Callable[[Any], Function]) -> Any:
    """Return the value that JSON stands for; ``function`` makes a function of its number.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is no such JSON.
    """
    if not isinstance(data, dict):
        if isinstance(data, list):
            raise ValueError("a list is written as {'list': ...}")
        return data
    ((kind, content),) = data.items()
    if kind in ("list", "tuple"):
        items = [unpack(item, function) for item in content]
        return tuple(items) if kind == "tuple" else items
    if kind == "dict":
        return {str(key): unpack(item, function) for key, item in content}
    if kind == "function":
        return function(content)
    if kind == "thing":
        return type(str(content)[:100], (), {})()
    return _array_of(kind, *content)


def _array_of(kind: str, dtype: str, shape: list[int], text: str) -> Any:
    array = np.frombuffer(base64.b64decode(text), np.dtype(dtype)).reshape(shape).copy()
    if kind == "scalar":
        return array[()]
    if kind == "tensor" and "torch" in sys.modules:
        return sys.modules["torch"].from_numpy(array)
    return array


def write_over(old: Any, new: Any) -> None:
    """Make an array, a tensor or a list what another is, in place, where they are alike."""
    if isinstance(old, list) and isinstance(new, list):
        old[:] = new
    elif type(old) is type(new) and getattr(old, "shape", ()) == getattr(new, "shape", ()) != ():
        old[...] = new
