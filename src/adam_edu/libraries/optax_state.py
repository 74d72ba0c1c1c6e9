"""What a state of Optax remembers, and where."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .base import Unusable
from .memory import Array, Memory, Store, as_known

OPTAX: Mapping[str, Mapping[str, str]] = {
    "ScaleByAdamState": {"m": "mu", "v": "nu"},
    # Its maximum is of the corrected v, others' of v.
    "ScaleByAmsgradState": {"m": "mu", "v": "nu", "corrected w": "nu_max"},
    "ScaleByLionState": {"m": "mu"},
    "ScaleByRmsState": {"v": "nu"},
    "ScaleByRStdDevState": {"m": "mu", "v": "nu"},
    "ScaleByRssState": {"s": "sum_of_squares"},
    "ScaleByAdaDeltaState": {"v": "e_g", "d": "e_x"},
    "TraceState": {"buffer": "trace"},
}
COUNTS = "count", "gradient_step"
# What a part holds that is no memory: sums between two steps that are empty then, and settings.
PASSING = "acc_grads", "hyperparams", "hyperparams_states"


class OfOptax(Store):
    """A state of Optax: tuples within tuples, some of which have arrays for all parameters."""

    name = "optax"

    def __init__(self, state: Any) -> None:
        self.state = state

    def read(self) -> Memory:
        """Return the arrays of the parts that have any, and the count."""
        import jax

        memory, counts = Memory(), set()
        for part in _parts(self.state):
            for ours, theirs in OPTAX.get(type(part).__name__, {}).items():
                leaves = jax.tree.leaves(getattr(part, theirs), is_leaf=_masked)
                arrays = [None if _masked(leaf) else as_known(leaf) for leaf in leaves]
                memory.slots[ours] = _joined(memory.slots.get(ours), arrays, theirs)
            if "count" in part._fields:
                counts.add(int(part.count))
        if len(counts) > 1:
            raise Unusable(f"the parts of this state of Optax count {sorted(counts)} steps")
        memory.count = counts.pop() if counts else None
        if {*memory.slots} > {"buffer"}:
            beside = ", ".join(sorted({*memory.slots} - {"buffer"}))
            raise Unusable(
                f"this state of Optax has a momentum beside {beside}: it gathers steps, and does "
                "not say with which learning rate"
            )
        return memory

    def write(self, memory: Memory) -> Any:
        """Return a new state of the same form."""
        import jax
        import jax.numpy as jnp

        def like(tree: Any, arrays: Iterator[Array | None]) -> Any:
            def one(leaf: Any) -> Any:
                array = next(arrays)
                return leaf if _masked(leaf) else jnp.asarray(array, leaf.dtype)

            return jax.tree.map(one, tree, is_leaf=_masked)

        def filled(part: Any) -> Any:
            if names := OPTAX.get(type(part).__name__):
                new = {
                    theirs: like(getattr(part, theirs), iter(memory.slots[ours]))
                    for ours, theirs in names.items()
                }
                part = part._replace(**new)
            elif isinstance(part, dict):
                part = type(part)((key, filled(value)) for key, value in part.items())
            elif isinstance(part, tuple):
                inner = map(filled, part)
                part = type(part)(*inner) if hasattr(part, "_fields") else type(part)(inner)
            for name in COUNTS:
                if memory.count is not None and name in getattr(part, "_fields", ()):
                    dtype = getattr(part, name).dtype
                    part = part._replace(**{name: jnp.asarray(memory.count, dtype)})
            return part

        return filled(self.state)


def _masked(leaf: Any) -> bool:
    return type(leaf).__name__ == "MaskedNode"


def _joined(
    before: list[Array | None] | None, arrays: list[Array | None], name: str
) -> list[Array | None]:
    """Return the arrays of two parts, each of which has those of some of the parameters."""
    if before is None:
        return arrays
    if len(before) != len(arrays) or any(
        a is not None and b is not None for a, b in zip(before, arrays, strict=True)
    ):
        raise Unusable(f"this state of Optax has two parts with {name}")
    return [b if a is None else a for a, b in zip(before, arrays, strict=True)]


def _parts(state: Any, within: str = "") -> Iterator[Any]:
    """Yield the named parts of a state of Optax.

    Raises
    ------
    Unusable
        If one remembers something that is not known here.
    """
    import jax

    name = type(state).__name__ if hasattr(state, "_fields") else within
    if name in OPTAX:
        yield state
        return
    if int(getattr(state, "mini_step", 0)):
        raise Unusable("it is gathering gradients: move it after a step, not between two")
    inner: Any = state.values() if isinstance(state, dict) else state
    if hasattr(state, "_fields"):
        yield state
        inner = [getattr(state, field) for field in state._fields if field not in PASSING]
    for part in inner:
        if isinstance(part, tuple | dict):
            yield from _parts(part, name)
        elif any(map(np.ndim, jax.tree.leaves(part))):
            raise Unusable(f"this state of Optax has {name}, which is not known here")


def is_optax(state: Any) -> bool:
    """Return whether tuples or dicts are of Optax, or hold something that is."""
    if type(state).__module__.partition(".")[0] == "optax":
        return True
    inner = state.values() if isinstance(state, dict) else state
    return isinstance(state, tuple | dict) and any(map(is_optax, inner))
