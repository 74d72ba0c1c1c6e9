"""What an optimizer remembers, moved from one library to another."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Unusable

Array = NDArray[Any]
Arrange = Callable[[int, Array], Array]

# What each library calls the slots of the rules of this package.
TORCH: Mapping[str, Mapping[str, str]] = {
    **{key: {"m": "exp_avg", "v": "exp_avg_sq"} for key in ("Adam", "AdamW", "RAdam", "NAdam")},
    "Adamax": {"m": "exp_avg", "u": "exp_inf"},
    "RMSprop": {"v": "square_avg"},
    "Adagrad": {"s": "sum"},
    "Adadelta": {"v": "square_avg", "d": "acc_delta"},
    "SGD": {"buffer": "momentum_buffer"},
}
KERAS: Mapping[str, Mapping[str, str]] = {
    **{key: {"m": "_momentums", "v": "_velocities"} for key in ("Adam", "AdamW", "Nadam")},
    "Adamax": {"m": "_m", "u": "_u"},
    "RMSprop": {"v": "_velocities"},
    "Adagrad": {"s": "_accumulators"},
    "Adadelta": {"v": "_accumulated_grads", "d": "_accumulated_delta_vars"},
    "SGD": {"buffer": "momentums"},
    "Lion": {"m": "_momentums"},
}
OPTAX: Mapping[str, Mapping[str, str]] = {
    "ScaleByAdamState": {"m": "mu", "v": "nu"},
    "ScaleByLionState": {"m": "mu"},
    "ScaleByRmsState": {"v": "nu"},
    "ScaleByRStdDevState": {"m": "mu", "v": "nu"},
    "ScaleByRssState": {"s": "sum_of_squares"},
    "ScaleByAdaDeltaState": {"v": "e_g", "d": "e_x"},
    "TraceState": {"buffer": "trace"},
}


@dataclass
class Memory:
    """What an optimizer remembers, by the names of this package.

    Attributes
    ----------
    slots : for each slot an array for each parameter; "buffer" is momentum's sum of gradients
    count : the steps taken, or None where none are counted
    product : NAdam's product of its momenta, or None
    """

    slots: dict[str, list[Array]] = field(default_factory=dict)
    count: int | None = None
    product: float | None = None


class Store:
    """Where a library keeps an optimizer's memory."""

    name: str

    def read(self) -> Memory:
        """Return what is in it; zeros before the first step."""
        raise NotImplementedError

    def write(self, memory: Memory) -> Any:
        """Replace what is in it, by a memory with the same slots and shapes; return the target."""
        raise NotImplementedError


def port_state(source: Any, target: Any, arrange: Arrange | None = None) -> Any:
    """Move what an optimizer remembers into one of another library, whose next step is then the one
    that the first would have taken.

    Parameters are matched in order: Torch's of its groups, Keras's as ``build`` was given them,
    Optax's as the leaves of the tree. The two optimizers need the same settings (:func:`port`); how
    closely their steps agree, at most to some 1e-6, is then a matter of how each computes
    ``1 - beta2**t``, which Torch does in float64 and the others in float32.

    Parameters
    ----------
    source, target : a ``torch.optim.Optimizer``, a Keras optimizer that is built, or a state of
        Optax
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
    if (memory.product is None) != (wanted.product is None):
        raise Unusable(
            "one of the two has NAdam's schedule of momentum, the other none: they are not the "
            "same rule"
        )
    for name, arrays in memory.slots.items():
        if arrange is not None:
            arrays = memory.slots[name] = [arrange(i, array) for i, array in enumerate(arrays)]
        _fitting(arrays, wanted.slots[name])
    if memory.count is None:
        memory.count = wanted.count
    return here.write(memory)


def _named(memory: Memory) -> str:
    return ", ".join(sorted(memory.slots)) or "nothing"


def _fitting(arrays: list[Array], wanted: list[Array]) -> None:
    if len(arrays) != len(wanted):
        raise Unusable(f"the one has {len(arrays)} parameters, the other {len(wanted)}")
    for i, (given, place) in enumerate(zip(arrays, wanted, strict=True)):
        if np.shape(given) != np.shape(place):
            raise Unusable(
                f"parameter {i} is of shape {np.shape(given)} in the one and of "
                f"{np.shape(place)} in the other; give arrange to turn the one into the other"
            )


def store(thing: Any) -> Store:
    """Return where an object keeps its memory.

    Raises
    ------
    Unusable
        If it is neither an optimizer of Torch or Keras, nor a state of Optax.
    """
    kinds = type(thing).__mro__
    modules = {kind.__module__.partition(".")[0] for kind in kinds}
    if "torch" in modules and hasattr(thing, "param_groups"):
        return OfTorch(thing, _table(kinds, TORCH, "Torch"))
    if "keras" in modules:
        if not thing.built:
            raise Unusable("a Keras optimizer has no memory before build(variables)")
        return OfKeras(thing, _table(kinds, KERAS, "Keras"))
    if _parts(thing):
        return OfOptax(thing)
    raise Unusable(
        f"{type(thing).__name__} is neither an optimizer of Torch or Keras, nor a state of Optax "
        "of a kind that is known here"
    )


def _table(
    kinds: tuple[type, ...], tables: Mapping[str, Mapping[str, str]], library: str
) -> dict[str, str]:
    for kind in kinds:
        if kind.__name__ in tables:
            return dict(tables[kind.__name__])
    known = ", ".join(tables)
    raise Unusable(f"{kinds[0].__name__} is none of {library}'s that are known here: {known}")


class OfTorch(Store):
    """The ``state`` of a Torch optimizer."""

    name = "torch"

    def __init__(self, optimizer: Any, names: dict[str, str]) -> None:
        self.optimizer, self.names = optimizer, names
        self.params = [p for group in optimizer.param_groups for p in group["params"]]
        self.counts = "buffer" not in names
        options = optimizer.param_groups[0]
        if options.get("amsgrad"):
            names["w"] = "max_exp_avg_sq"
        if "d" not in names and "v" in names and "m" not in names:  # RMSprop
            names |= {"b": "momentum_buffer"} if options["momentum"] else {}
            names |= {"m": "grad_avg"} if options["centered"] else {}
        if not self.counts and not options["momentum"]:
            names.clear()
        self.scheduled = "momentum_decay" in options

    def read(self) -> Memory:
        """Return the slots of all parameters; they must have taken the same number of steps."""
        states = [self.optimizer.state.get(p, {}) for p in self.params]
        slots = {
            ours: [
                state[theirs].detach().cpu().numpy().copy()
                if state.get(theirs) is not None
                else np.zeros(tuple(p.shape), np.float32)
                for p, state in zip(self.params, states, strict=True)
            ]
            for ours, theirs in self.names.items()
        }
        steps = sorted({int(state.get("step", 0)) for state in states})
        if len(steps) > 1:
            raise Unusable(
                f"its parameters have taken from {steps[0]} to {steps[-1]} steps; other libraries "
                "have one count for all"
            )
        products = [float(state.get("mu_product", 1.0)) for state in states]
        return Memory(
            slots, steps[0] if self.counts else None, products[0] if self.scheduled else None
        )

    def write(self, memory: Memory) -> Any:
        """Set the state of every parameter."""
        import torch

        groups = [group for group in self.optimizer.param_groups for _ in group["params"]]
        for i, (p, group) in enumerate(zip(self.params, groups, strict=True)):
            there = p.device if group.get("capturable") or group.get("fused") else "cpu"
            state = self.optimizer.state[p]
            for ours, theirs in self.names.items():
                state[theirs] = torch.as_tensor(memory.slots[ours][i].copy()).to(p)
            if self.counts:
                state["step"] = torch.tensor(float(memory.count or 0), device=there)
            if self.scheduled:
                state["mu_product"] = torch.tensor(memory.product, device=there)
        return self.optimizer


class OfKeras(Store):
    """The variables of a Keras optimizer. Its momentum gathers steps, not gradients."""

    name = "keras"

    def __init__(self, optimizer: Any, names: dict[str, str]) -> None:
        self.optimizer, self.names = optimizer, names
        if getattr(optimizer, "amsgrad", False):
            names["w"] = "_velocity_hats"
        if hasattr(optimizer, "_average_gradients"):  # RMSprop
            names |= {"b": "_momentums"} if optimizer.momentum else {}
            names |= {"m": "_average_gradients"} if optimizer.centered else {}
        if "buffer" in names and not optimizer.momentum:
            names.clear()
        rate = float(optimizer.learning_rate)
        self.unit = {"buffer": -rate, "b": rate}

    def read(self) -> Memory:
        """Return the variables' values, momentum in the unit of gradients."""
        slots = {
            ours: [
                _numpy(one) / self.unit.get(ours, 1.0) for one in getattr(self.optimizer, theirs)
            ]
            for ours, theirs in self.names.items()
        }
        product = getattr(self.optimizer, "_u_product", None)
        count = int(self.optimizer.iterations)
        return Memory(slots, count, None if product is None else float(product))

    def write(self, memory: Memory) -> Any:
        """Assign to the variables."""
        for ours, theirs in self.names.items():
            pairs = zip(getattr(self.optimizer, theirs), memory.slots[ours], strict=True)
            for variable, array in pairs:
                variable.assign(array * self.unit.get(ours, 1.0))
        self.optimizer.iterations.assign(memory.count or 0)
        if memory.product is not None:
            self.optimizer._u_product.assign(memory.product)
        return self.optimizer


def _numpy(variable: Any) -> Array:
    import keras

    with warnings.catch_warnings():  # Keras 3 warns of itself on a new NumPy
        warnings.simplefilter("ignore", DeprecationWarning)
        return np.asarray(keras.ops.convert_to_numpy(variable))


class OfOptax(Store):
    """A state of Optax: tuples within tuples, some of which have arrays for all parameters."""

    name = "optax"

    def __init__(self, state: Any) -> None:
        self.state = state

    def read(self) -> Memory:
        """Return the arrays of the parts that have any, and the count."""
        import jax

        memory = Memory()
        for part, names in _parts(self.state):
            for ours, theirs in names.items():
                if ours in memory.slots:
                    raise Unusable(f"this state of Optax has two parts with {theirs}")
                leaves = jax.tree.leaves(getattr(part, theirs))
                memory.slots[ours] = [np.asarray(leaf) for leaf in leaves]
            if "count" in part._fields:
                memory.count = int(part.count)
        if {*memory.slots} > {"buffer"}:
            raise Unusable(
                "the momentum of Optax's RMSProp gathers steps, and its state does not say with "
                "which learning rate"
            )
        return memory

    def write(self, memory: Memory) -> Any:
        """Return a new state of the same form."""
        import jax
        import jax.numpy as jnp

        def like(tree: Any, arrays: Iterator[Array]) -> Any:
            return jax.tree.map(lambda leaf: jnp.asarray(next(arrays), leaf.dtype), tree)

        def filled(part: Any) -> Any:
            if names := OPTAX.get(type(part).__name__):
                new = {
                    theirs: like(getattr(part, theirs), iter(memory.slots[ours]))
                    for ours, theirs in names.items()
                }
                part = part._replace(**new)
            elif isinstance(part, tuple):
                inner = map(filled, part)
                part = type(part)(*inner) if hasattr(part, "_fields") else type(part)(inner)
            if "count" in getattr(part, "_fields", ()):
                part = part._replace(count=jnp.asarray(memory.count or 0, part.count.dtype))
            return part

        return filled(self.state)


def _parts(state: Any) -> list[tuple[Any, Mapping[str, str]]]:
    """Return the parts of a state of Optax that have arrays, with the names of these."""
    if names := OPTAX.get(type(state).__name__):
        return [(state, names)]
    return [found for part in state for found in _parts(part)] if isinstance(state, tuple) else []
