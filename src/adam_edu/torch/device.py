"""The compiled step for tensors on a GPU: the rule's lines, fused by ``torch.compile``."""

import types
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from . import eager
from .variant import Variant

Columns = Sequence[Sequence[Tensor]]
Step = Callable[[Sequence[Tensor], Sequence[Tensor], Columns, Tensor], None]


@cache
def compiled(variant: Variant) -> Step:
    """Return a function of parameters, gradients, slots and numbers that takes one step in place.

    The numbers are one float64 tensor on the device, in the order of ``variant.numbers``: a new
    learning rate is new contents, not a new program, and nothing waits for the host.
    """

    def step(
        params: Sequence[Tensor], grads: Sequence[Tensor], slots: Columns, numbers: Tensor
    ) -> None:
        about = variant.with_numbers(numbers.unbind())
        for i, x in enumerate(params):
            eager.step(variant, *about, x, grads[i], [column[i] for column in slots])

    # Torch counts recompilations for each piece of code, so each variant gets a copy of its own.
    code = step.__code__.replace(co_name=f"step_{variant.rule.__name__}")
    own_step = types.FunctionType(code, step.__globals__, code.co_name, None, step.__closure__)
    return torch.compile(own_step, dynamic=False)


def on_device(numbers: Sequence[Any], device: torch.device) -> Tensor:
    """Return the numbers as one float64 tensor there, without waiting for the device."""
    if any(isinstance(number, Tensor) for number in numbers):
        return torch.stack(
            [torch.as_tensor(number, dtype=torch.float64, device=device) for number in numbers]
        )
    host = torch.tensor(numbers, dtype=torch.float64)
    if device.type == "cuda":
        host = host.pin_memory()
    return host.to(device, non_blocking=True)
