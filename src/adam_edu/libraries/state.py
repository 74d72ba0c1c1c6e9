"""What an optimizer remembers, moved from one library to another."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .base import Unusable
from .memory import Array, Memory, Store
from .optax_state import OfOptax, is_optax
from .paddle_state import PADDLE, OfPaddle
from .stores import KERAS, TORCH, OfKeras, OfTorch

Arrange = Callable[[int, Array], Array]


def port_state(source: Any, target: Any, arrange: Arrange | None = None) -> Any:
    """Move what an optimizer remembers into one of another library, whose next step is then the one
    that the first would have taken.

    Parameters are matched in order: Torch's of its groups, Paddle's of its list, Keras's as
    ``build`` was given them, Optax's as the leaves of the tree. Frozen ones, with
    ``requires_grad=False`` in Torch or masked in Optax, count among them. The two optimizers need
    the same settings (:func:`port`); how closely their steps agree, at most to some 1e-6, is then a
    matter of how each computes ``1 - beta2**t``, which Torch does in float64 and the others in
    float32. Torch's SGD counts no steps; a schedule of the target then goes on from where it
    stands.

    Parameters
    ----------
    source, target : a ``torch.optim.Optimizer``, one of :mod:`adam_edu.torch` too; a Keras
        optimizer that is built; a Paddle optimizer, which keeps powers of beta in place of a count;
        or a state of Optax
    arrange : called with a parameter's number and each of its arrays; returns the array in the
        target's layout, such as ``lambda i, a: a.T`` for the kernels of dense layers

    Returns
    -------
    target
        Changed in place; for Optax, whose states cannot be changed, a new state.

    Raises
    ------
    Unusable
        If one of them is none of these, or does not remember what the other needs. Nothing has been
        changed then.

    Examples
    --------
    >>> import numpy as np, optax, torch
    >>> p = torch.ones(3, requires_grad=True)
    >>> adam = torch.optim.Adam([p])
    >>> p.grad = torch.tensor([1.0, 2.0, 3.0]); adam.step()
    >>> state = port_state(adam, optax.adam(1e-3).init([np.ones(3)]))
    >>> int(state[0].count), state[0].mu[0].tolist() == adam.state[p]["exp_avg"].tolist()
    (1, True)
    """
    there, here = store(source), store(target)
    memory, wanted = there.read(), here.read()
    if {*memory.slots} ^ {*wanted.slots} == {"u", "v"} and "optax" in (there.name, here.name):
        new = "u" if "u" in wanted.slots else "v"  # Optax keeps AdaMax's maximum as Adam's v
        memory.slots[new] = memory.slots.pop("v" if new == "u" else "u")
    if {*memory.slots} != {*wanted.slots}:
        raise Unusable(
            f"the one remembers {_named(memory)}, the other {_named(wanted)}: they are not the "
            "same optimizer with the same options"
        )
    kinds = [one.optimizer_name.lower().removesuffix("w") for one in (there, here)]
    if all(kinds) and len({*kinds}) > 1:
        raise Unusable(
            f"the one is {there.optimizer_name}, the other {here.optimizer_name}: they are not the "
            "same rule"
        )
    if (memory.product is None) != (wanted.product is None):
        raise Unusable(
            "one of the two has NAdam's schedule of momentum, the other none: they are not the "
            "same rule"
        )
    for name, arrays in memory.slots.items():
        if arrange is not None:
            arrays = [a if a is None else np.asarray(arrange(i, a)) for i, a in enumerate(arrays)]
        memory.slots[name] = _fitting(arrays, wanted.slots[name])
    if memory.count is None:
        memory.count = wanted.count
    return here.write(memory)


def _named(memory: Memory) -> str:
    return ", ".join(sorted(memory.slots)) or "nothing"


def _fitting(arrays: list[Array | None], wanted: list[Array | None]) -> list[Array | None]:
    """Return an array for each that is wanted, of zeros where a parameter was frozen."""
    if len(arrays) != len(wanted):
        raise Unusable(f"the one has {len(arrays)} parameters, the other {len(wanted)}")
    found: list[Array | None] = []
    for i, (given, place) in enumerate(zip(arrays, wanted, strict=True)):
        if place is None and given is not None and np.any(given):
            raise Unusable(f"parameter {i} has a memory in the one, and is frozen in the other")
        if place is None or given is None:
            found.append(place if place is None else np.zeros_like(place))
            continue
        if np.shape(given) != np.shape(place):
            raise Unusable(
                f"parameter {i} is of shape {np.shape(given)} in the one and of "
                f"{np.shape(place)} in the other; give arrange to turn the one into the other"
            )
        found.append(given)
    return found


def store(thing: Any) -> Store:
    """Return where an object keeps its memory.

    Raises
    ------
    Unusable
        If it is neither an optimizer of Torch, Keras or Paddle, nor a state of Optax.
    """
    kinds = type(thing).__mro__
    modules = {kind.__module__.partition(".")[0] for kind in kinds}
    if "torch" in modules and hasattr(thing, "param_groups"):
        return OfTorch(thing, *_table(_torch_names(thing), TORCH, "Torch"))
    if "keras" in modules:
        if hasattr(thing, "inner_optimizer"):
            raise Unusable(f"{type(thing).__name__} scales losses: give its inner_optimizer")
        if not thing.built:
            raise Unusable("a Keras optimizer has no memory before build(variables)")
        return OfKeras(thing, *_table([kind.__name__ for kind in kinds], KERAS, "Keras"))
    if "paddle" in modules and hasattr(thing, "set_state_dict"):
        return OfPaddle(thing, *_table([kind.__name__ for kind in kinds], PADDLE, "Paddle"))
    if isinstance(thing, tuple) and hasattr(thing, "update"):
        raise Unusable("this is a transformation of Optax; its state is that of its init(params)")
    if isinstance(thing, tuple | dict) and is_optax(thing):
        return OfOptax(thing)
    raise Unusable(
        f"{type(thing).__name__} is neither an optimizer of Torch, Keras or Paddle, nor a state of "
        "Optax of a kind that is known here"
    )


def _torch_names(optimizer: Any) -> list[str]:
    """Return what a Torch optimizer and its bases are called in ``torch.optim``."""
    if rule := getattr(optimizer, "rule", None):  # one of this package
        from ..torch.arguments import TORCH_CLASSES

        return [TORCH_CLASSES.get(rule.__name__, (rule.__name__,))[0]]
    return [kind.__name__ for kind in type(optimizer).__mro__]


def _table(
    names: list[str], tables: Mapping[str, Mapping[str, str]], library: str
) -> tuple[str, dict[str, str]]:
    """Return the first name that a table has, and the names of its slots there."""
    for name in names:
        if name in tables:
            return name, dict(tables[name])
    known = ", ".join(tables)
    raise Unusable(f"{names[0]} is none of {library}'s that are known here: {known}")
