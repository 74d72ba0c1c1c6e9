"""One step by Torch's own operations: slow and simple, right for every tensor."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..base import Rule
from .variant import Variant

LOW_PRECISION = (torch.bfloat16, torch.float16)


def step(
    variant: Variant,
    rule: Rule,
    scalars: Sequence[Any],
    penalty: float,
    x: Tensor,
    g: Tensor,
    slots: Sequence[Tensor],
) -> None:
    """Update ``x`` and ``slots`` in place; low precision is computed in float32."""
    dtype = torch.float32 if x.dtype in LOW_PRECISION else x.dtype
    x_now = x.to(dtype)
    g = variant.gradient(x_now, g.to(dtype), penalty)
    change, *new = rule.step(x_now, g, *(slot.to(dtype) for slot in slots), *scalars)
    change = variant.change(x_now, change, penalty)
    if x.dtype is dtype:
        x.add_(change)
    else:
        x.copy_(x_now + change)
    for slot, value in zip(slots, new, strict=True):
        slot.copy_(value)
