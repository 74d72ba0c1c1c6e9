"""What one call of the compiled loop needs, kept from step to step.

To sort a model's tensors and look at each costs more than updating them, where they are small. A
plan remembers which tensors a group consists of and what they looked like. Before each step Torch's
own guard, the one by which ``torch.compile`` decides whether a graph still holds, compares the
class, kind, dtype, device, shape and strides of every one of them with that; the addresses and the
lengths of the storages behind them are taken down anew. If anything differs the step goes the long
way, and a new plan is made.
"""

import ctypes
from collections import deque
from itertools import chain, repeat
from operator import add, attrgetter, is_, itemgetter, le
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from ..native import Loop, Outcome
from ..native.loop import FIT
from .batches import Batch, observed
from .counting import advance, multiplies
from .settings import Settings
from .variant import Variant

try:
    from torch._C._dynamo.guards import TensorGuards
except ImportError:  # then every step goes the long way
    TensorGuards = None  # type: ignore[assignment,misc]

# Mapped over a list, these cost half of what a loop costs.
GRAD, STORAGE = attrgetter("grad"), Tensor.untyped_storage

Found = tuple[list[int], list[int]]


class Plan:
    """One call of a compiled loop for all parameters of a group.

    All lie on the CPU, each in one stretch of memory as its gradient and slots do (:func:`dense`);
    they share their dtypes and have taken equally many steps.

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
        kernel: Loop,
        group: list[Tensor],
        params: list[Tensor],
        states: list[dict[str, Any]],
    ) -> None:
        self.variant, self.kernel = variant, kernel
        self.members = list(group)
        self.params, self.states = params, states
        taken = set(map(id, params))
        self.idle = [p for p in group if id(p) not in taken]
        counted = ("step", "products") if multiplies(variant.rule) else ("step",)  # type: ignore[arg-type]
        self.counts = [itemgetter(name) for name in counted]
        finders = [itemgetter(name) for name in variant.rule.slots]
        self.slots = [(find, list(map(find, states))) for find in finders]
        self.held = [*params, *chain.from_iterable(kept for _, kept in self.slots)]
        self.storages: list[torch.UntypedStorage] = []
        numels = [p.numel() for p in params]
        self.total = sum(numels)
        self.sizes = (ctypes.c_int64 * len(params))(*numels)
        self.addresses = (ctypes.c_int64 * ((2 + len(self.slots)) * len(params)))()
        grads = list(map(GRAD, params))
        self.bytes = _bytes(self.held), _bytes(grads)
        # Where they were found, and how long their storages.
        self.held_at: Found = ([], [])
        self.grads_at: Found = ([], [])
        self.fit = False
        self.guard = TensorGuards(
            *self.held, *grads, dynamic_dims_sizes=None, dynamic_dims_strides=None
        )

    def ready(self, variant: Variant, group: list[Tensor]) -> bool:
        """Take down where everything is; say whether it can be handed to the loop."""
        try:
            return self._unchanged(variant, group) and self._located()
        except KeyError:  # a state without its entries
            return False

    def _unchanged(self, variant: Variant, group: list[Tensor]) -> bool:
        states = self.states
        return (
            not observed()
            and variant is self.variant
            and len(group) == len(self.members)
            and all(map(is_, group, self.members))
            and not any(p.grad is not None for p in self.idle)
            and all(
                all(map(is_, map(count, states), repeat(count(states[0])))) for count in self.counts
            )
            and type(states[0]["step"]) is int
            and all(all(map(is_, map(find, states), kept)) for find, kept in self.slots)
        )

    def _located(self) -> bool:
        grads = list(map(GRAD, self.params))
        if not self.guard.check(*self.held, *grads):
            return False
        places = list(map(Tensor.data_ptr, self.held))
        if places != self.held_at[0]:
            self.storages = list(map(STORAGE, self.held))
        # The gradients' are not kept: that would keep their memory.
        held_at = places, list(map(len, self.storages))
        grads_at = list(map(Tensor.data_ptr, grads)), list(map(len, map(STORAGE, grads)))
        # At the same places they share no more memory than they did, and what was theirs is.
        self.fit = held_at == self.held_at and grads_at == self.grads_at
        if self.fit:
            return True
        n = len(grads)
        if held_at != self.held_at:
            if not _inside(self.held, *held_at, self.bytes[0]):
                return False
            self.addresses[:n], self.addresses[2 * n :] = places[:n], places[n:]  # type: ignore[assignment]
        if not _inside(grads, *grads_at, self.bytes[1]):
            return False
        self.addresses[n : 2 * n] = grads_at[0]  # type: ignore[assignment]
        self.held_at, self.grads_at = held_at, grads_at
        return True

    def run(self, settings: Settings) -> None:
        """Count and take the step."""
        scalars, after = advance(self.states[0], settings.rule)
        deque(map(dict.update, self.states, repeat(after)), maxlen=0)
        numbers = settings.numbers(scalars)
        outcome = self.kernel(
            self.sizes,
            self.addresses,
            numbers,
            self.total,
            threads=torch.get_num_threads(),
            flags=FIT if self.fit else 0,
        )
        if outcome is Outcome.TAKEN:
            increment_version(self.params)  # so that autograd notices, as of any change in place
            return
        self.held_at = [], []
        batch = Batch(scalars)
        columns = (kept for _, kept in self.slots)
        for p, *slots in zip(self.params, *columns, strict=True):
            batch.add(p, p.grad, slots)
        with torch.no_grad():
            batch.eager_step(settings)


def _bytes(tensors: list[Tensor]) -> list[int]:
    return [t.numel() * t.element_size() for t in tensors]


def _inside(
    tensors: list[Tensor], places: list[int], lengths: list[int], needed: list[int]
) -> bool:
    """Say whether the bytes of dense tensors are within their storages, which are so long."""
    if not any(map(Tensor.storage_offset, tensors)):
        return all(map(le, needed, lengths))
    starts = (storage.data_ptr() for storage in map(STORAGE, tensors))
    ends = map(add, starts, lengths)
    return all(map(le, map(add, places, needed), ends))
