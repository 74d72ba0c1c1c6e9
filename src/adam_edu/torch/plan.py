"""What one call of the compiled loop needs, kept from step to step.

To sort a model's tensors and look at each costs more than updating them, where they are small. A
plan remembers which tensors a group consists of and what they looked like. Before each step Torch's
own guard, the one by which ``torch.compile`` decides whether a graph still holds, compares the
class, kind, dtype, device, shape and strides of every one of them with that, and the addresses are
taken down anew. If anything differs the step goes the long way, and a new plan is made.
"""

import ctypes
from collections import deque
from itertools import chain, islice, repeat
from operator import attrgetter, is_
from typing import Any

from torch import Tensor
from torch.autograd.graph import increment_version

from .batches import Batch, observed
from .counting import multiplies, scalars_of_next_step
from .native import Kernel
from .settings import Settings
from .trace import Variant

try:
    from torch._C._dynamo.guards import TensorGuards
except ImportError:  # then every step goes the long way
    TensorGuards = None

# Mapped over a list, it costs half of what a loop costs.
GRAD = attrgetter("grad")


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
        self.members = list(group)
        self.params, self.states = params, states
        taken = set(map(id, params))
        self.idle = [p for p in group if id(p) not in taken]
        self.counted = ("step", "products") if multiplies(variant.rule) else ("step",)
        self.slots = {name: [own[name] for own in states] for name in variant.rule.slots}
        self.all_slots = list(chain.from_iterable(self.slots.values()))
        numels = [p.numel() for p in params]
        self.total = sum(numels)
        self.sizes = (ctypes.c_int64 * len(params))(*numels)
        self.table = ctypes.c_int64 * ((2 + len(self.slots)) * len(params))
        self.filled = 0 not in numels  # an empty tensor is at address 0, and so is a freed one
        self.guard = TensorGuards(
            *params,
            *map(GRAD, params),
            *self.all_slots,
            dynamic_dims_sizes=None,
            dynamic_dims_strides=None,
        )
        self.addresses: Any = None

    def ready(self, variant: Variant, group: list[Tensor]) -> bool:
        """Take down where everything is; say whether it can be handed to the loop."""
        if (
            observed()
            or variant is not self.variant
            or len(group) != len(self.members)
            or not all(map(is_, group, self.members))
            or any(p.grad is not None for p in self.idle)
        ):
            return False
        states = self.states
        for name in self.counted:
            if len(set(map(dict.get, states, repeat(name)))) != 1:
                return False
        if type(states[0].get("step")) is not int:
            return False
        for name, slots in self.slots.items():
            if not all(map(is_, map(dict.get, states, repeat(name)), slots)):
                return False
        tensors = [*self.params, *map(GRAD, self.params), *self.all_slots]
        if not self.guard.check(*tensors):
            return False
        addresses = list(map(Tensor.data_ptr, tensors))
        self.addresses = self.table(*addresses)
        return not (self.filled and 0 in addresses)

    def run(self, settings: Settings) -> None:
        """Count and take the step."""
        first = self.states[0]
        (scalars,) = scalars_of_next_step([first], settings.rule)
        for name in self.counted:
            deque(map(dict.__setitem__, self.states, repeat(name), repeat(first[name])), maxlen=0)
        if self.kernel(self.sizes, self.addresses, settings.numbers(scalars), self.total):
            increment_version(self.params)  # so that autograd notices, as of any change in place
        else:
            rows = zip(*self.slots.values(), strict=True) if self.slots else repeat(())
            grads = list(map(GRAD, self.params))
            batch = Batch(scalars, self.params, grads, list(map(list, islice(rows, len(grads)))))
            batch.eager_step(settings)
