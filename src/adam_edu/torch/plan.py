"""The fast way through a step: what was worked out at the last one, if it still holds.

With fifty small tensors, finding out anew what each step works on takes longer than the step. A
plan keeps the addresses. Before each step it looks whether everything is where it was, and takes
down where the gradients are this time; if anything has changed, the step goes the long way, and a
new plan is made.
"""

import ctypes
from collections.abc import Sequence
from itertools import chain
from operator import attrgetter, is_, itemgetter
from typing import Any

from torch import Tensor
from torch.autograd.graph import increment_version

from .native import Kernel
from .trace import Variant

# Mapped over a list, these cost half of what a loop costs.
GRAD, DTYPE, STEP = attrgetter("grad"), attrgetter("dtype"), itemgetter("step")


class Plan:
    """One call of a compiled loop for all parameters of a group.

    All are contiguous, lie on the CPU, share their dtypes and have taken equally many steps.

    Parameters
    ----------
    variant, kernel : what is computed, and by what
    group : the group's list of parameters
    params : those of them that have a gradient
    states : the state of each of these
    """

    def __init__(
        self,
        variant: Variant,
        kernel: Kernel,
        group: list[Tensor],
        params: list[Tensor],
        states: list[dict[str, Any]],
    ) -> None:
        self.variant, self.kernel = variant, kernel
        self.group, self.params, self.states = group, params, states
        self.count = len(group)
        taken = set(map(id, params))
        self.idle = [p for p in group if id(p) not in taken]
        self.slots = {name: [own[name] for own in states] for name in variant.rule.slots}
        self.addresses_of = [_addresses(column) for column in (params, *self.slots.values())]
        self.numels = [p.numel() for p in params]
        self.dtypes = [p.dtype for p in params]
        self.total = sum(self.numels)
        n = len(params)
        self.sizes = (ctypes.c_int64 * n)(*self.numels)
        table = [*self.addresses_of[0], *[0] * n, *chain.from_iterable(self.addresses_of[1:])]
        self.addresses = (ctypes.c_int64 * len(table))(*table)

    def ready(self, variant: Variant, group: list[Tensor]) -> bool:
        """Take down where the gradients are; say whether everything else is as it was."""
        try:
            return self._unchanged(variant, group) and self._found_gradients()
        except (TypeError, RuntimeError, KeyError):
            # No gradient or a sparse one, which has no address, or a state without its entries.
            return False

    def _unchanged(self, variant: Variant, group: list[Tensor]) -> bool:
        states = self.states
        return (
            variant is self.variant
            and group is self.group
            and len(group) == self.count
            and all(map(Tensor.is_contiguous, self.params))
            and not any(p.grad is not None for p in self.idle)
            and len(set(map(STEP, states))) == 1
            and all(
                all(map(is_, map(itemgetter(name), states), slots))
                for name, slots in self.slots.items()
            )
            and all(
                _addresses(column) == there
                for column, there in zip(
                    (self.params, *self.slots.values()), self.addresses_of, strict=True
                )
            )
        )

    def _found_gradients(self) -> bool:
        grads = list(map(GRAD, self.params))
        addresses = _addresses(grads)
        self.addresses[len(grads) : 2 * len(grads)] = addresses  # type: ignore[assignment]
        return (
            list(map(Tensor.numel, grads)) == self.numels
            and list(map(DTYPE, grads)) == self.dtypes
            and all(map(Tensor.is_contiguous, grads))
        )

    def count_step(self) -> int:
        """Add one to each parameter's number of steps, and return it."""
        t = self.states[0]["step"] + 1
        for own in self.states:
            own["step"] = t
        return t

    def run(self, numbers: list[Any]) -> None:
        """Take the step."""
        self.kernel(self.sizes, self.addresses, numbers, self.total)
        increment_version(self.params)  # so that autograd notices, as of any change in place


def _addresses(tensors: Sequence[Tensor]) -> list[int]:
    return list(map(Tensor.data_ptr, tensors))
