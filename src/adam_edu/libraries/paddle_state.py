"""What the optimizers of Paddle remember, and where."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .base import Unusable
from .memory import Array, Memory, Store, as_known

_ADAM = {"m": "moment1", "v": "moment2"}
PADDLE: Mapping[str, Mapping[str, str]] = {
    **{"Adam": _ADAM, "AdamW": _ADAM},
    "Adamax": {"m": "moment", "u": "inf_norm"},
    "Adagrad": {"s": "moment"},
    "Momentum": {"buffer": "velocity"},
}
# Paddle keeps no count, but the powers by which it corrects the next step, in float32.
POWERS = "beta1_pow_acc", "beta2_pow_acc"


class OfPaddle(Store):
    """The accumulators of a Paddle optimizer; powers of the betas are in place of a count."""

    name = "paddle"

    def __init__(self, optimizer: Any, optimizer_name: str, names: dict[str, str]) -> None:
        self.optimizer, self.names = optimizer, names
        self.optimizer_name = "SGD" if "buffer" in names else optimizer_name  # as others call it
        if not optimizer._parameter_list or isinstance(optimizer._parameter_list[0], dict):
            raise Unusable("a Paddle optimizer needs a plain list of parameters")
        if getattr(optimizer, "_amsgrad", False):
            names["w"] = "moment2_max"
        self.params = list(optimizer._parameter_list)
        self.powers: tuple[str, ...] = ()
        if "m" in names:
            self.powers = POWERS if "v" in names else POWERS[:1]

    def read(self) -> Memory:
        """Return the accumulators; zeros before the first step."""
        slots: dict[str, list[Array | None]] = {
            ours: [self._array(theirs, p) for p in self.params]
            for ours, theirs in self.names.items()
        }
        if not self.powers:
            return Memory(slots, None)
        counts = {self._count(p) for p in self.params if not p.stop_gradient}
        if len(counts) > 1:
            raise Unusable(
                f"its parameters have taken from {min(counts)} to {max(counts)} steps; other "
                "libraries have one count for all"
            )
        return Memory(slots, counts.pop() if counts else 0)

    def write(self, memory: Memory) -> Any:
        """Set the accumulators, and the powers one step ahead of the count."""
        import paddle

        block = paddle.static.default_main_program().global_block()
        self.optimizer._create_accumulators(block, self.params)
        for ours, theirs in self.names.items():
            for p, array in zip(self.params, memory.slots[ours], strict=True):
                self._kept(theirs, p).set_value(np.asarray(array, np.float32))
        for name in self.powers:
            power = self._beta(name) ** ((memory.count or 0) + 1)
            for p in self.params:
                kept = self._kept(name, p)
                kept.set_value(np.full(kept.shape, power, np.float32))
        return self.optimizer

    def _kept(self, name: str, p: Any) -> Any:
        own = self.optimizer._name
        name = name if own is None else f"{own}_{name}"
        return self.optimizer._accumulators.get(name, {}).get(p.name)

    def _array(self, name: str, p: Any) -> Array:
        kept = self._kept(name, p)
        if kept is not None:
            return as_known(kept.numpy())
        first = getattr(self.optimizer, "initial_accumulator_value", 0.0) if name == "moment" else 0
        return np.full(tuple(p.shape), first, np.float32)

    def _beta(self, name: str) -> float:
        return float(self.optimizer._beta1 if name == POWERS[0] else self.optimizer._beta2)

    def _count(self, p: Any) -> int:
        """Return the steps taken: from the power that has lost the fewest digits."""
        found = []
        for name in self.powers:
            kept, beta = self._kept(name, p), self._beta(name)
            if kept is None:
                return 0
            if beta > 0 and (power := float(kept.numpy().item())) > 0:
                found.append((beta, round(math.log(power) / math.log(beta)) - 1))
        if not found:
            raise Unusable("its powers of beta are 0: nothing says how many steps it has taken")
        # Both are exact early; later that of the smaller beta is 0 or nearly so.
        return max(found)[1]
