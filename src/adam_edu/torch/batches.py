"""A group's tensors, sorted into batches that take one and the same step."""

import ctypes
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from ..base import Rule
from . import device, eager
from .native import Kernel
from .settings import Settings


@dataclass
class Batch:
    """Tensors of one device, one choice of dtypes and one number of steps taken, ``t``."""

    t: Any
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
        parts = Batch(self.t), Batch(self.t)
        for row in self.rows():
            parts[not test(*row)].add(*row)
        return parts

    def eager_step(self, settings: Settings) -> None:
        """Take the step one tensor after the other, by Torch's operations."""
        scalars = settings.scalars(self.t)
        for x, g, slots in self.rows():
            eager.step(settings.variant, settings.rule, scalars, settings.penalty, x, g, slots)

    def native_step(self, settings: Settings, kernel: Kernel) -> None:
        """Take the step in one call of a compiled loop."""
        sizes = [x.numel() for x in self.params]
        columns = [self.params, self.grads, *zip(*self.slots, strict=True)]
        addresses = [tensor.data_ptr() for column in columns for tensor in column]
        kernel(
            (ctypes.c_int64 * len(sizes))(*sizes),
            (ctypes.c_int64 * len(addresses))(*addresses),
            settings.numbers(self.t),
            sum(sizes),
        )
        increment_version(self.params)  # so that autograd notices, as of any change in place

    def device_step(self, settings: Settings, step: device.Step) -> None:
        """Take the step by a program for the device that the tensors are on."""
        numbers = device.on_device(settings.numbers(self.t), self.params[0].device)
        step(self.params, self.grads, [list(c) for c in zip(*self.slots, strict=True)], numbers)
        increment_version(self.params)


def batches(
    params: Sequence[Tensor],
    state: MutableMapping[Tensor, Any],
    rule: type[Rule],
    slot_dtype: Callable[[Tensor], torch.dtype],
    capturable: bool = False,
) -> list[Batch]:
    """Collect what has a gradient, make the slots that are missing, and count the step.

    If ``capturable``, the number of steps is a tensor on the parameter's device, shared by all
    parameters that began together, so that a captured CUDA graph counts by itself.
    """
    found: dict[Any, Batch] = {}
    counters: dict[Any, Tensor] = {}
    for p in params:
        if p.grad is None:
            continue
        own = state[p]
        if capturable:
            t = own.get("step")
            if t is None:
                new = torch.zeros((), dtype=torch.float64, device=p.device)
                t = own["step"] = counters.setdefault(p.device, new)
            counters[id(t)] = t
        else:
            own["step"] = t = own.get("step", 0) + 1
        for name in rule.slots:
            if name not in own:
                own[name] = torch.zeros_like(p, dtype=slot_dtype(p))
        x, g, *slots = (local(tensor) for tensor in (p, p.grad, *(own[n] for n in rule.slots)))
        key = (id(t) if capturable else t, x.device, x.dtype, g.dtype, *(s.dtype for s in slots))
        found.setdefault(key, Batch(t)).add(x, g, slots)
    for t in {id(t): t for t in counters.values()}.values():
        t.add_(1)
    return list(found.values())


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
