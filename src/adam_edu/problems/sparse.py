"""Examples that are mostly zeros, as SciPy matrices of their non-zeros, in Torch models.

A film review has about 140 of 10,000 words. Products with the zeros are most of the work of a dense
layer, and none of its result.
"""

from typing import Any

try:
    import torch
    from scipy.sparse import csr_array
    from torch import Generator, Tensor
except ModuleNotFoundError as error:
    wanted = "sparse inputs need Torch and SciPy: pip install 'adam-edu[torch,data]'"
    raise ModuleNotFoundError(wanted, name=error.name) from error

from .masks import keep


class _Linear(torch.autograd.Function):
    """``x @ weight.T`` for a SciPy matrix ``x``, with the gradient for ``weight``."""

    @staticmethod
    def forward(ctx: Any, x: csr_array, weight: Tensor) -> Tensor:
        ctx.x = x
        return torch.from_numpy(x @ weight.detach().numpy().T)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:
        return None, torch.from_numpy(ctx.x.T @ gradient.numpy()).T


def linear(x: csr_array, weight: Tensor, bias: Tensor) -> Tensor:
    """Map the rows of ``x`` (batch, features) to (batch, outputs), as a linear layer on the CPU.

    Parameters
    ----------
    x : float32, as ``weight``
    weight, bias : (outputs, features) and (outputs,), as in ``torch.nn.Linear``

    Examples
    --------
    >>> x = csr_array(([2.0], ([0], [1])), shape=(1, 3))
    >>> linear(x, torch.ones(1, 3, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    tensor([[3.]], dtype=torch.float64)
    """
    return _Linear.apply(x, weight) + bias


def dropout(x: csr_array, p: float, generator: Generator | None) -> csr_array:
    """Set a share ``p`` of the entries to zero and scale the rest by 1 / (1 - p), as in training.

    Only the non-zeros are drawn for: a zero stays a zero, dropped or kept. Returns ``x`` itself
    without a generator.
    """
    if generator is None or p == 0:
        return x
    kept = keep((x.nnz,), p, generator).numpy()
    return csr_array((x.data * kept / x.dtype.type(1 - p), x.indices, x.indptr), shape=x.shape)
