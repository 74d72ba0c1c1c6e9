"""A group's tensors, checked, and sorted into batches that take one and the same step."""

import ctypes
import warnings
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch._ops import _len_torch_dispatch_stack_pre_dispatch
from torch.autograd.graph import increment_version
from torch.nn import Parameter

from ..base import Rule
from ..native import Loop, NotCompiled, Outcome, Unprintable, loop
from ..reading import Unreadable
from . import device, eager
from .arguments import entries_needed
from .counting import (
    count_in_numbers,
    count_in_tensors,
    key,
    mend_counters,
    part,
    scalars_of_next_step,
)
from .entries import Entries
from .settings import Settings
from .variant import Variant


@dataclass
class Batch:
    """Tensors of one device and one choice of dtypes that have taken equally many steps.

    Attributes
    ----------
    scalars : those of the rule at this step
    params, grads, slots : the tensors, one row for each parameter
    places : where in its group each parameter stands, if that is known
    """

    scalars: tuple[Any, ...]
    params: list[Tensor] = field(default_factory=list)
    grads: list[Tensor] = field(default_factory=list)
    slots: list[list[Tensor]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

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

    def native_step(self, settings: Settings, kernel: Loop) -> None:
        """Take the step in one call of a compiled loop, or one by one if tensors share memory."""
        sizes = [x.numel() for x in self.params]
        columns = [self.params, self.grads, *zip(*self.slots, strict=True)]
        addresses = [tensor.data_ptr() for column in columns for tensor in column]
        outcome = kernel(
            (ctypes.c_int64 * len(sizes))(*sizes),
            (ctypes.c_int64 * len(addresses))(*addresses),
            settings.numbers(self.scalars),
            sum(sizes),
            threads=torch.get_num_threads(),
        )
        if outcome is Outcome.TAKEN:
            increment_version(self.params)  # so that autograd notices, as of any change in place
        else:
            self.eager_step(settings)

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
    start: float = 0.0,
) -> list[Batch]:
    """Collect what has a gradient, make the slots that are missing, and count the step.

    If ``capturable``, tensors count it (:mod:`adam_edu.torch.counting`).
    """
    names = settings.variant.rule.slots
    moving = [p for p in params if p.grad is not None]
    states = [state[p] for p in moving]
    if capturable:
        if not torch.compiler.is_compiling():  # traced.prepare has done so
            mend_counters(states, settings.rule)
        count_in_tensors(moving, states, settings.rule)
        part([state[p] for p in params if p.grad is None and p in state], states)
    elif not observed():  # a tracer may not look at a number
        count_in_numbers(states)
    make_slots(moving, states, names, slot_dtype, start)
    rows = scalars_of_next_step(states, settings.rule)
    found: dict[Any, Batch] = {}
    one_by_one = []
    for p, own, scalars in zip(moving, states, rows, strict=True):
        x, g, *slots = (local(tensor) for tensor in (p, p.grad, *(own[n] for n in names)))
        kind = (key(own), x.device, x.dtype, g.dtype, *(s.dtype for s in slots))
        found.setdefault(kind, Batch(scalars)).add(x, g, slots)
        one_by_one.append(Batch(scalars, [x], [g], [slots]))
    together = list(found.values())
    return one_by_one if entangled(together) else together


def make_slots(
    params: Iterable[Tensor],
    states: Iterable[MutableMapping[str, Any]],
    names: Iterable[str],
    slot_dtype: Callable[[Tensor], torch.dtype],
    start: float = 0.0,
) -> None:
    """Make the slots that are missing: like the parameter, and zero, or ``start`` everywhere."""
    for p, own in zip(params, states, strict=True):
        for name in names:
            if own.get(name) is None:
                own[name] = torch.full_like(p, start, dtype=slot_dtype(p), requires_grad=False)


def local(tensor: Tensor) -> Tensor:
    """Return this process's part of a tensor that is spread over several."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


# What may be handed to a loop that works on addresses


def name_states(
    params: Iterable[Tensor], state: MutableMapping[Tensor, Any], names: dict[str, str]
) -> None:
    """Have every state that is there answer to our names and to Torch's (:class:`Entries`)."""
    for p in params:
        if p in state and not isinstance(state[p], Entries):
            state[p] = Entries(names, state[p])


def check(
    owner: str,
    i: int,
    params: Sequence[Tensor],
    state: MutableMapping[Tensor, Any],
    rule: type[Rule],
    slot_dtype: Callable[[Tensor], torch.dtype],
) -> None:
    """Check that a group's gradients and slots are such as a step can use.

    Raises
    ------
    TypeError
        If a gradient is sparse, or the parameter is not of real floating-point numbers.
    RuntimeError
        If a gradient or a slot has another shape, device or precision than its parameter asks for,
        or has lost its memory.
    KeyError
        If the state has some of its entries and lacks others.
    """
    needed, names, watched = entries_needed(rule), rule.slots, observed()
    for k, p in enumerate(params):
        g = p.grad
        if g is None:
            continue
        where = f"{owner}: parameter {k} of group {i}"
        if g.layout is not torch.strided:
            raise TypeError(
                f"{where} needs dense gradients, not {g.layout}: use "
                "nn.Embedding(sparse=False), grad.to_dense(), or torch.optim.SparseAdam"
            )
        if reason := not_optimized(p):
            raise TypeError(f"{where} {reason}, or freeze it by requires_grad_(False)")
        own = state.get(p, {})
        begun = {name: value for name, value in own.items() if value is not None}
        slots = {name: begun[name] for name in names if name in begun}
        if (slots or "step" in begun) and (missing := needed - set(begun)):
            raise KeyError(
                f"{where} has no {', '.join(sorted(missing))} in its state, which has "
                f"{', '.join(map(str, begun))}: delete all of it to begin anew"
            )
        for name, tensor in {"gradient": g, **slots}.items():
            if not isinstance(tensor, Tensor) or tensor.shape != p.shape:
                shape = list(getattr(tensor, "shape", [type(tensor).__name__]))
                raise RuntimeError(
                    f"{where} has the size {list(p.shape)}, its {name} {shape}: the sizes must "
                    "match. If you have replaced its data, its gradient and its entries in "
                    "optimizer.state must be replaced or deleted too"
                )
            if tensor.device != p.device:
                raise RuntimeError(
                    f"{where} is on {p.device}, its {name} on {tensor.device}: all must be on one"
                )
        for name, tensor in slots.items():
            if tensor.dtype is not slot_dtype(p):
                raise RuntimeError(
                    f"{where} has dtype {p.dtype} and keeps its state in {slot_dtype(p)}, but its "
                    f"{name} has {tensor.dtype}: convert it as well"
                )
        for name, tensor in {"data": p, "gradient": g, **slots}.items():
            if not watched and has_no_memory(tensor):
                raise RuntimeError(f"{where}: its {name} has no memory: its storage was freed")


def not_optimized(p: Tensor) -> str:
    """Return what keeps a parameter of its kind from being optimized, if anything does."""
    if p.is_floating_point() and p.dtype.itemsize > 1:
        return ""
    advice = "; pass torch.view_as_real(z)" if p.is_complex() else ""
    return (
        f"has dtype {p.dtype}: only real floating point of 16 bits or more can be optimized{advice}"
    )


def entangled(together: Iterable[Batch]) -> bool:
    """Say whether memory that is written belongs to two tensors on the CPU.

    Then the order of the parameters matters, and it is not that of the batches.
    """
    if torch.compiler.is_compiling() or observed():
        return False
    stretches = []
    for x, g, slots in chain.from_iterable(batch.rows() for batch in together):
        for tensor in (x, g, *slots):
            if x.is_cpu and tensor.numel() and ordinary(tensor):
                stretches.append((*stretch(tensor), tensor is not g))
    written = read = 0  # where what has been seen of each kind ends
    for begin, end, is_written in sorted(stretches):
        if begin < written or (is_written and begin < read):
            return True
        if is_written:
            written = max(written, end)
        else:
            read = max(read, end)
    return False


def stretch(tensor: Tensor) -> tuple[int, int]:
    """Return the addresses between which a tensor's numbers lie."""
    steps = zip(tensor.shape, tensor.stride(), strict=True)
    begin, size = tensor.data_ptr(), tensor.element_size()
    return begin, begin + size * (1 + sum((n - 1) * stride for n, stride in steps))


PLAIN = (Tensor, Parameter)


def has_no_memory(tensor: Tensor) -> bool:
    """Say whether the storage of a tensor was resized to less than its numbers need."""
    if tensor.is_meta or not tensor.numel() or not ordinary(tensor):
        return False
    storage = tensor.untyped_storage()
    return not storage.data_ptr() or stretch(tensor)[1] > storage.data_ptr() + storage.nbytes()


def observed() -> bool:
    """Say whether somebody watches Torch's operations now, or runs them on something else.

    A mode such as FakeTensorMode, a tracer, or a transform of ``torch.func`` sees what goes
    through Torch, and nothing of a loop that works on addresses.
    """
    return bool(
        torch._C._len_torch_dispatch_stack()
        or _len_torch_dispatch_stack_pre_dispatch()
        or torch._C._functorch.peek_interpreter_stack() is not None
    )


def ordinary(tensor: Tensor) -> bool:
    """Say whether a tensor is numbers in memory, and nothing that only looks like it.

    Not so are subclasses, which may have no memory, and what Torch computes only when it is read:
    a negative, a conjugate, a zero. These have other dispatch keys than a new tensor.
    """
    return type(tensor) in PLAIN and _keys(tensor) == _keys_of_new(tensor.device.type)


def _keys(tensor: Tensor) -> int:
    return torch._C._dispatch_keys(tensor).raw_repr()


@cache
def _keys_of_new(device: str) -> int:
    with torch.inference_mode(False):
        return _keys(torch.empty(0, device=device))


def dense(x: Tensor, g: Tensor, slots: Sequence[Tensor]) -> bool:
    """Say whether all lie alike in one stretch of memory, in whatever order of their axes."""
    tensors = (x, g, *slots)
    if not all(map(ordinary, tensors)):
        return False
    shape, strides = x.shape, x.stride()
    if any(t.shape != shape or t.stride() != strides for t in tensors):
        return False
    if x.is_contiguous():
        return True
    expected = 1
    for stride, size in sorted(zip(strides, shape, strict=True)):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


@cache
def kernel_for(variant: Variant, dtypes: tuple[torch.dtype, ...]) -> Loop | None:
    """Return the compiled loop, or None, and say why once, where none can be had."""
    names = tuple(str(dtype).removeprefix("torch.") for dtype in dtypes)
    try:
        return loop(variant.lines, names)
    except (NotCompiled, Unprintable, Unreadable) as reason:
        _warn(str(reason))
        return None


@cache
def _warn(reason: str) -> None:
    warnings.warn(
        f"{reason}: adam_edu.torch falls back to its eager implementation, which is slower",
        RuntimeWarning,
        stacklevel=2,
    )
