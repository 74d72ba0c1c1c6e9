"""What the optimizers of Torch and Keras remember, and where."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from .base import Unusable
from .memory import Array, Memory, Store, as_known

# What each library calls the slots of the rules of this package.
TORCH: Mapping[str, Mapping[str, str]] = {
    **{key: {"m": "exp_avg", "v": "exp_avg_sq"} for key in ("Adam", "AdamW", "RAdam", "NAdam")},
    "Adamax": {"m": "exp_avg", "u": "exp_inf"},
    "RMSprop": {"v": "square_avg"},
    "Adagrad": {"s": "sum"},
    "Adadelta": {"v": "square_avg", "d": "acc_delta"},
    "SGD": {"buffer": "momentum_buffer"},
    "Lion": {"m": "exp_avg"},  # of this package
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


class OfTorch(Store):
    """The ``state`` of a Torch optimizer, through its checkpoints."""

    name = "torch"

    def __init__(self, optimizer: Any, optimizer_name: str, names: dict[str, str]) -> None:
        self.optimizer, self.optimizer_name, self.names = optimizer, optimizer_name, names
        self.params = [(p, group) for group in optimizer.param_groups for p in group["params"]]
        self.counts = "buffer" not in names
        kept = {tuple(_torch_options(group)) for group in optimizer.param_groups}
        if len(kept) > 1:
            raise Unusable(
                "its groups differ in momentum, amsgrad or centered, and so in what they remember"
            )
        if any(p.is_complex() for p, _ in self.params):
            raise Unusable("complex parameters have another memory in each library")
        options = kept.pop()
        if "amsgrad" in options:
            names["w"] = "max_exp_avg_sq"
        if "d" not in names and "v" in names and "m" not in names:  # RMSprop
            names |= {"b": "momentum_buffer"} if "momentum" in options else {}
            names |= {"m": "grad_avg"} if "centered" in options else {}
        if not self.counts and "momentum" not in options:
            names.clear()
        self.scheduled = "momentum_decay" in optimizer.param_groups[0]

    def read(self) -> Memory:
        """Return the slots of all parameters; they must have taken the same number of steps."""
        saved = self.optimizer.state_dict()["state"]
        states = [saved.get(i, {}) for i in range(len(self.params))]
        slots: dict[str, list[Array | None]] = {
            ours: [
                _of_tensor(state[theirs])
                if state.get(theirs) is not None
                else _at_first(ours, p, group)
                for (p, group), state in zip(self.params, states, strict=True)
            ]
            for ours, theirs in self.names.items()
        }
        moving = [
            state
            for (p, _), state in zip(self.params, states, strict=True)
            if p.requires_grad or state.get("step")
        ]
        steps = sorted({int(state.get("step", 0)) for state in moving}) or [0]
        if self.counts and len(steps) > 1:
            raise Unusable(
                f"its parameters have taken from {steps[0]} to {steps[-1]} steps; other libraries "
                "have one count for all. Set requires_grad=False for those that are frozen"
            )
        products = [float(state.get("mu_product", 1.0)) for state in moving] or [1.0]
        return Memory(
            slots, steps[0] if self.counts else None, products[0] if self.scheduled else None
        )

    def write(self, memory: Memory) -> Any:
        """Load a checkpoint with the state of every parameter."""
        import torch

        saved = self.optimizer.state_dict()
        saved["state"] = {}
        for i in range(len(self.params)):
            state = saved["state"][i] = {
                theirs: torch.as_tensor(memory.slots[ours][i].copy())  # type: ignore[union-attr]
                for ours, theirs in self.names.items()
            }
            if not self.counts and not any(value.any() for value in state.values()):
                state.clear()  # Torch dampens what is added to a buffer that has begun
            if self.counts:
                state["step"] = torch.tensor(float(memory.count or 0))
            if self.scheduled:
                state["mu_product"] = torch.tensor(memory.product)
        settings = [dict(group) for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(saved)
        for group, own in zip(self.optimizer.param_groups, settings, strict=True):
            group |= own  # Loading copies a rate that is a tensor, which somebody may hold.
        for p, _ in self.params:
            own = self.optimizer.state[p]
            if torch.is_tensor(own.get("mu_product")):  # rounded as the parameters are
                own["mu_product"] = torch.tensor(memory.product, device=own["mu_product"].device)
        return self.optimizer


def _torch_options(group: Mapping[str, Any]) -> list[str]:
    return [name for name in ("momentum", "amsgrad", "centered") if group.get(name)]


def _of_tensor(tensor: Any) -> Array:
    exact = tensor.detach().cpu()
    return np.copy((exact.float() if exact.dtype.itemsize < 4 else exact).numpy())


def _at_first(slot: str, p: Any, group: Mapping[str, Any]) -> Array:
    """Return a slot before the first step."""
    value = group.get("initial_accumulator_value", 0.0) if slot == "s" else 0.0
    return np.full(tuple(p.shape), value, np.float32)


class OfKeras(Store):
    """The variables of a Keras optimizer. Its momentum gathers steps, not gradients."""

    name = "keras"

    def __init__(self, optimizer: Any, optimizer_name: str, names: dict[str, str]) -> None:
        self.optimizer, self.optimizer_name, self.names = optimizer, optimizer_name, names
        if optimizer.use_ema:
            raise Unusable("use_ema=True keeps averages of the weights, which no other library has")
        # Keras counts every call, and takes a step at each so many.
        self.calls = optimizer.gradient_accumulation_steps or 1
        if int(optimizer._iterations) % self.calls:
            raise Unusable("it is gathering gradients: move it after a step, not between two")
        if getattr(optimizer, "amsgrad", False):
            names["w"] = "_velocity_hats"
        if hasattr(optimizer, "_average_gradients"):  # RMSprop
            names |= {"b": "_momentums"} if optimizer.momentum else {}
            names |= {"m": "_average_gradients"} if optimizer.centered else {}
        if "buffer" in names and not optimizer.momentum:
            names.clear()

    def unit(self, slot: str) -> float:
        """Return what one of a slot is here; momentum's is the learning rate of the next step."""
        if slot not in ("buffer", "b"):
            return 1.0
        rate = float(self.optimizer.learning_rate)
        if rate == 0:
            raise Unusable(
                "its momentum gathers steps, and says nothing of gradients at a learning rate of 0"
            )
        return -rate if slot == "buffer" else rate

    def read(self) -> Memory:
        """Return the variables' values, momentum in the unit of gradients."""
        slots: dict[str, list[Array | None]] = {
            ours: [_numpy(one) / self.unit(ours) for one in getattr(self.optimizer, theirs)]
            for ours, theirs in self.names.items()
        }
        product = getattr(self.optimizer, "_u_product", None)
        count = int(self.optimizer._iterations) // self.calls
        return Memory(slots, count, None if product is None else float(product))

    def write(self, memory: Memory) -> Any:
        """Assign to the variables."""
        self.optimizer._iterations.assign((memory.count or 0) * self.calls)
        for ours, theirs in self.names.items():
            unit = self.unit(ours)  # a schedule's, at the new count
            pairs = zip(getattr(self.optimizer, theirs), memory.slots[ours], strict=True)
            for variable, array in pairs:
                variable.assign(np.asarray(array) * unit)
        if memory.product is not None:
            self.optimizer._u_product.assign(memory.product)
        return self.optimizer


def _numpy(variable: Any) -> Array:
    import keras

    with warnings.catch_warnings():  # Keras 3 warns of itself on a new NumPy
        warnings.simplefilter("ignore", DeprecationWarning)
        return as_known(keras.ops.convert_to_numpy(variable))
