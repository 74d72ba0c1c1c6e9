"""Adam and AdamW as a Triton kernel, by hand: the subject of the chapter on GPUs.

It computes what ``implementation="compiled"`` computes. Set ``TRITON_INTERPRET=1`` before Triton is
imported to run it on the CPU, slowly, without a GPU.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..rules import Adam, AdamL2, AdamW
from .variant import Variant

try:
    import triton
    import triton.language as tl
except ImportError as error:
    raise ImportError(
        'implementation="triton" needs Triton, which Torch brings along on Linux with CUDA: '
        "pip install triton"
    ) from error

RULES = (Adam, AdamL2, AdamW)
BLOCK = 1024


@triton.jit
def adam_kernel(  # type: ignore[no-untyped-def]
    x_ptr, g_ptr, m_ptr, v_ptr, numbers_ptr, size,
    MAXIMIZE: tl.constexpr, L2: tl.constexpr, DECOUPLED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Update one block: x, g, m and v are read once; x, m and v are written once.

    ``numbers_ptr`` points to float64: lr, beta1, beta2, eps, 1 - beta1^t, 1 - beta2^t, decay.
    """
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < size
    x = tl.load(x_ptr + i, mask=inside).to(tl.float32)
    g = tl.load(g_ptr + i, mask=inside).to(tl.float32)
    m = tl.load(m_ptr + i, mask=inside).to(tl.float32)
    v = tl.load(v_ptr + i, mask=inside).to(tl.float32)

    lr, beta1, beta2 = tl.load(numbers_ptr), tl.load(numbers_ptr + 1), tl.load(numbers_ptr + 2)
    eps = tl.load(numbers_ptr + 3).to(tl.float32)
    rate = (lr / tl.load(numbers_ptr + 4)).to(tl.float32)
    per_bias2 = (1 / tl.load(numbers_ptr + 5)).to(tl.float32)
    decay = tl.load(numbers_ptr + 6)

    if MAXIMIZE:
        g = -g
    if L2:
        g += decay.to(tl.float32) * x
    m = beta1.to(tl.float32) * m + (1 - beta1).to(tl.float32) * g
    v = beta2.to(tl.float32) * v + (1 - beta2).to(tl.float32) * g * g
    change = -rate * m / (tl.sqrt_rn(v * per_bias2) + eps)
    if DECOUPLED:
        change -= (lr * decay).to(tl.float32) * x

    tl.store(x_ptr + i, (x + change).to(x_ptr.dtype.element_ty), mask=inside)
    tl.store(m_ptr + i, m.to(m_ptr.dtype.element_ty), mask=inside)
    tl.store(v_ptr + i, v.to(v_ptr.dtype.element_ty), mask=inside)


def check(variant: Variant) -> None:
    """Say clearly if there is no kernel for what is asked.

    Raises
    ------
    ValueError
        If the rule is not Adam, Adam with an L2 penalty, or AdamW.
    """
    if variant.rule not in RULES or variant.decoupled:
        names = ", ".join(rule.__name__ for rule in RULES)
        option = " with decoupled_weight_decay" if variant.decoupled else ""
        raise ValueError(
            f"there is a Triton kernel for {names}, not for {variant.rule.__name__}{option}: "
            'use implementation="compiled"'
        )


def step(
    variant: Variant,
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    slots: Sequence[Sequence[Tensor]],
    numbers: Tensor,
) -> None:
    """Take one step in place, one launch for each tensor.

    Parameters
    ----------
    params, grads, slots : tensors that fill one stretch of memory each
    numbers : float64, on the device, in the order of ``variant.numbers``
    """
    check(variant)
    first = params[0]
    if first.dtype == torch.float64:
        raise TypeError('the Triton kernel computes in float32; use implementation="compiled"')
    if not first.is_cuda and not triton.knobs.runtime.interpret:
        raise ValueError(
            f'implementation="triton" needs parameters on a GPU, not on {first.device}'
        )
    # AdamL2 and AdamW have the decay as a hyper-parameter, before the scalars.
    if "weight_decay" in variant.numbers:
        numbers = numbers[[0, 1, 2, 3, 5, 6, 4]]
    elif not variant.penalized:
        numbers = torch.nn.functional.pad(numbers, (0, 1))
    l2 = variant.penalized or variant.rule is AdamL2
    for x, g, m, v in zip(params, grads, *slots, strict=True):
        if x.numel():
            adam_kernel[(triton.cdiv(x.numel(), BLOCK),)](
                x, g, m, v, numbers, x.numel(),
                MAXIMIZE=variant.maximize, L2=l2, DECOUPLED=variant.rule is AdamW, BLOCK=BLOCK,
            )  # fmt: skip
