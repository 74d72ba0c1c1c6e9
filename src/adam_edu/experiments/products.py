"""The precision of matrix products and convolutions: float32, or bfloat16 where it is faster.

Weights, the optimizer's state, all sums and the loss stay in float32. With
``"bfloat16-products"`` the two sides of a product are rounded to bfloat16's 8 bits of mantissa, and
the products added up in float32: what processors with AVX512-BF16 or AMX do in half the time or
less. On others the same rounding is done by hand: as exact, and slower than float32. oneDNN leaves
a product exact where rounding would gain nothing, such as one of a few dozen rows and columns.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

Precision = Literal["float32", "bfloat16-products"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

aten = torch.ops.aten
# Which arguments of these operations are the sides of a product.
SIDES: dict[Any, tuple[int, ...]] = {
    aten.mm.default: (0, 1),
    aten.bmm.default: (0, 1),
    aten.addmm.default: (1, 2),
    aten.convolution.default: (0, 1),
    aten.convolution_backward.default: (0, 1, 2),
}


@cache
def has_bfloat16() -> bool:
    """Say whether this processor multiplies in bfloat16 (AVX512-BF16 or AMX).

    A product tells, not the processor's name: oneDNN rounds on some that have the instructions, and
    on others it does not.
    """
    barely_above_1 = torch.full((256, 256), 1 + 2**-12)
    with _onednn_in_bfloat16():
        product = barely_above_1 @ barely_above_1
    return bool((product == 256).all())


def best_precision(device: str = "cpu") -> Precision:
    """Return the precision that is fastest on this processor; a GPU has TF32 of its own."""
    return "bfloat16-products" if device == "cpu" and has_bfloat16() else "float32"


def named(precision: Precision) -> str:
    """Return a precision as a record names it."""
    if precision == "float32":
        return precision
    by = "by the processor" if has_bfloat16() else "by hand"
    return f"float32, products in bfloat16 (rounded {by})"


@contextmanager
def products(precision: Precision) -> Iterator[None]:
    """Compute products in this precision meanwhile.

    Raises
    ------
    ValueError
        If there is no such precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
    if precision == "float32":
        yield
    elif has_bfloat16():
        with _onednn_in_bfloat16():
            yield
    else:
        with RoundedProducts():
            yield


@contextmanager
def _onednn_in_bfloat16() -> Iterator[None]:
    """Let oneDNN round float32 operands to bfloat16 within its products."""
    onednn: Any = torch.backends.mkldnn
    kinds = (onednn.matmul, onednn.conv)
    before = [kind.fp32_precision for kind in kinds]
    for kind in kinds:
        kind.fp32_precision = "bf16"
    try:
        yield
    finally:
        for kind, precision in zip(kinds, before, strict=True):
            kind.fp32_precision = precision


class RoundedProducts(TorchDispatchMode):
    """Rounds both sides of every product to bfloat16, forward and backward."""

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        sides = SIDES.get(function, ())
        rounded = [_round(a) if i in sides else a for i, a in enumerate(args)]
        return function(*rounded, **(kwargs or {}))


def _round(x: Tensor) -> Tensor:
    return x.bfloat16().to(x.dtype) if x.dtype is torch.float32 else x
