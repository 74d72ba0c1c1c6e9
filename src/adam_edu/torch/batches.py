"""A group's tensors, sorted into batches that take one and the same step."""

import ctypes
import warnings
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from . import device, eager, native
from .counting import count_in_tensors, key, part, scalars_of_next_step
from .native import Kernel
from .settings import Settings
from .trace import Variant


@dataclass
class Batch:
    """Tensors of one device and one choice of dtypes that have taken equally many steps.

    Attributes
    ----------
    scalars : those of the rule at this step
    params, grads, slots : the tensors, one row for each parameter
    """

    scalars: tuple[Any, ...]
    params: list[Tensor] = field(default_factory=list)
    grads: list[Tensor] = field(default_factory=list)
    slots: list[list[Tensor]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.params)

    def rows(self) -> Iterable[tuple[Tensor, Tensor, list[Tensor]]]:
        """Iterate over parameter, gradient and slots."""
        return zip(self.params, self.grads, self.slots, strict=True)

    def add(self, x: Tensor, g: Tensor, slots: list[Tensor]) -> None:
        """Add a parameter."""
        self.params.append(x)
        self.grads.append(g)
        self.slots.append(slots)

    @property
    def dtypes(self) -> tuple[torch.dtype, ...]:
        """The dtypes of parameter, gradient and slots."""
        return tuple(tensor.dtype for tensor in (self.params[0], self.grads[0], *self.slots[0]))

    def split(self, test: Callable[..., bool]) -> tuple["Batch", "Batch"]:
        """Return the rows for which ``test`` holds, and the others."""
        parts = Batch(self.scalars), Batch(self.scalars)
        for row in self.rows():
            parts[not test(*row)].add(*row)
        return parts

    def eager_step(self, settings: Settings) -> None:
        """Take the step one tensor after the other, by Torch's operations."""
        about = settings.variant, settings.rule, self.scalars, settings.penalty
        for x, g, slots in self.rows():
            eager.step(*about, x, g, slots)

    def native_step(self, settings: Settings, kernel: Kernel) -> None:
        """Take the step in one call of a compiled loop."""
        sizes = [x.numel() for x in self.params]
        columns = [self.params, self.grads, *zip(*self.slots, strict=True)]
        addresses = [tensor.data_ptr() for column in columns for tensor in column]
        kernel(
            (ctypes.c_int64 * len(sizes))(*sizes),
            (ctypes.c_int64 * len(addresses))(*addresses),
            settings.numbers(self.scalars),
            sum(sizes),
        )
        increment_version(self.params)  # so that autograd notices, as of any change in place

    def device_step(self, settings: Settings, step: device.Step) -> None:
        """Take the step by a program for the device that the tensors are on."""
        numbers = device.on_device(settings.numbers(self.scalars), self.params[0].device)
        step(self.params, self.grads, [list(c) for c in zip(*self.slots, strict=True)], numbers)
        increment_version(self.params)


def batches(
    params: Sequence[Tensor],
    state: MutableMapping[Tensor, Any],
    settings: Settings,
    slot_dtype: Callable[[Tensor], torch.dtype],
    capturable: bool = False,
) -> list[Batch]:
    """Collect what has a gradient, make the slots that are missing, and count the step.

    If ``capturable``, tensors count it (:mod:`adam_edu.torch.counting`).
    """
    names = settings.variant.rule.slots
    moving = [p for p in params if p.grad is not None]
    states = [state[p] for p in moving]
    if capturable:
        count_in_tensors(moving, states, settings.rule)
    part([state[p] for p in params if p.grad is None and p in state], states)
    make_slots(moving, states, names, slot_dtype)
    scalars = scalars_of_next_step(states, settings.rule)
    found: dict[Any, Batch] = {}
    for p, own in zip(moving, states, strict=True):
        x, g, *slots = (local(tensor) for tensor in (p, p.grad, *(own[n] for n in names)))
        kind = (key(own), x.device, x.dtype, g.dtype, *(s.dtype for s in slots))
        found.setdefault(kind, Batch(scalars[key(own)])).add(x, g, slots)
    return list(found.values())


def make_slots(
    params: Iterable[Tensor],
    states: Iterable[MutableMapping[str, Any]],
    names: Iterable[str],
    slot_dtype: Callable[[Tensor], torch.dtype],
) -> None:
    """Make the slots that are missing: zeros like the parameter."""
    for p, own in zip(params, states, strict=True):
        for name in names:
            if name not in own:
                own[name] = torch.zeros_like(p, dtype=slot_dtype(p))


def local(tensor: Tensor) -> Tensor:
    """Return this process's part of a tensor that is spread over several."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def dense(x: Tensor, g: Tensor, slots: Sequence[Tensor]) -> bool:
    """Say whether all lie alike in one stretch of memory, in whatever order of their axes."""
    strides = x.stride()
    if g.stride() != strides or any(slot.stride() != strides for slot in slots):
        return False
    if x.is_contiguous():
        return True
    expected = 1
    for stride, size in sorted(zip(strides, x.shape, strict=True)):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


@cache
def kernel_for(variant: Variant, dtypes: tuple[torch.dtype, ...]) -> Kernel | None:
    """Return the compiled loop, or None, and say why once, where none can be had."""
    try:
        return native.kernel(variant, dtypes)
    except native.NotCompiled as reason:
        _warn(str(reason))
        return None


@cache
def _warn(reason: str) -> None:
    warnings.warn(
        f"{reason}: adam_edu.torch falls back to its eager implementation, which is slower",
        RuntimeWarning,
        stacklevel=2,
    )
