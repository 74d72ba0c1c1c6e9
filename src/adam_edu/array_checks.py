"""What the NumPy driver is given, refused in words before anything is changed."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .array_step import slot_dtype

Array = NDArray[np.floating[Any]]


def by_key(arrays: Any) -> dict[Any, Any]:
    """Return arrays as a dict: a single one under the key 0, a list's under 0, 1, ..."""
    if isinstance(arrays, Mapping):
        return dict(arrays)
    if isinstance(arrays, (list, tuple)):
        return dict(enumerate(arrays))
    return {0: arrays}


def check_parameter(key: Any, x: Any) -> None:
    """Refuse what cannot be updated in place: no array, no numbers of floating point, no finite."""
    if not isinstance(x, np.ndarray):
        raise TypeError(
            f"parameter {key!r} must be a NumPy array, since it is updated in place, "
            f"not {type(x).__name__}"
        )
    if not np.issubdtype(x.dtype, np.floating):
        raise TypeError(
            f"parameter {key!r} has dtype {x.dtype}: it must be of floating point, or each step "
            "would be rounded to a whole number; use .astype(float)"
        )
    if not x.flags.writeable:
        raise ValueError(f"parameter {key!r} is read-only; pass a copy: .copy()")
    if not np.isfinite(x).all():
        raise ValueError(f"parameter {key!r} has a NaN or an infinity at {_first_bad(x)}")


# How hard to try to tell two interleaved views apart; NumPy needs exponential time for some.
SHARING_WORK = 10_000


def check_apart(params: Mapping[Any, Array]) -> None:
    """Refuse parameters that share memory: their common part would be updated twice."""
    for (one, x), (other, y) in combinations(params.items(), 2):
        if np.may_share_memory(x, y) and _share(x, y):
            raise ValueError(
                f"parameters {one!r} and {other!r} share memory, which each step would update "
                "twice; pass it once, or a copy: .copy()"
            )


def _share(x: Array, y: Array) -> bool:
    try:
        return bool(np.shares_memory(x, y, max_work=SHARING_WORK))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:  # most likely they do
        return True


def check_keys(params: Mapping[Any, Any], given: Mapping[Any, Any], what: str) -> None:
    """Refuse what lacks a parameter's key, or has one of no parameter."""
    for key in params:
        if key not in given:
            raise KeyError(f"no {what} for parameter {key!r}")
    for key in given:
        if key not in params:
            known = ", ".join(map(repr, params))
            raise KeyError(f"a {what} for {key!r}, which is no parameter; there are: {known}")


def checked_gradient(key: Any, x: Array, g: Any) -> Array:
    """Return a gradient in its parameter's dtype; refuse another shape, or numbers not real."""
    g = np.asarray(g)
    if g.dtype.kind not in "fiu":
        raise TypeError(f"the gradient of parameter {key!r} must be real, not of dtype {g.dtype}")
    if g.shape != x.shape:
        raise ValueError(
            f"the gradient of parameter {key!r} has shape {g.shape}, the parameter {x.shape}"
        )
    if g.dtype != x.dtype:
        with np.errstate(over="ignore"):
            g = g.astype(x.dtype)
    return g


def not_finite(params: Mapping[Any, Array], grads: Mapping[Any, Array]) -> ValueError:
    """Return an error that says which gradient is not finite, and where."""
    key = next(key for key, g in grads.items() if not np.isfinite(g).all())
    return ValueError(
        f"the gradient of parameter {key!r} is not finite in {params[key].dtype} at index "
        f"{_first_bad(grads[key])}: the loss may have diverged; try a smaller learning rate"
    )


def _first_bad(array: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])


def loaded_slot(key: Any, x: Array, name: str, found: Mapping[str, Any]) -> Array:
    """Return a slot of a saved state, in its own memory; refuse another shape."""
    if name not in found:
        raise KeyError(f"parameter {key!r} has no slot {name!r} in the state")
    slot = np.array(found[name], dtype=slot_dtype(x), order="C")
    if slot.shape != x.shape:
        raise ValueError(
            f"slot {name!r} of parameter {key!r} has shape {slot.shape}, the parameter {x.shape}"
        )
    return slot
