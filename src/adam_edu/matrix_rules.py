r"""Optimizers that look at a whole matrix: LAMB, Adafactor, Muon, Shampoo.

They are no rules of :mod:`adam_edu.rules`. A rule treats each entry of a parameter as if it were
alone; each of these needs a norm, a sum over rows and columns, or a product of matrices. So they
are functions on NumPy arrays, one call a step, and cannot be run in blocks or on a single number.

All take the step number ``t`` = 1, 2, ..., a parameter ``x``, its gradient ``g`` of the same shape,
and what they remember, as :meth:`adam_edu.Rule.update` does, and return ``x`` and the memory after
the step. Before the first step, 0.0 stands for each thing remembered. Nothing is changed in place.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Memory = Array | float

# Chosen by Jordan et al. so that small singular values grow fast; the iteration then does not
# settle at 1 but stays near it.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def rms(x: Array) -> float:
    """Return the root of the mean square of the entries.

    >>> rms(np.array([3.0, -3.0]))
    3.0
    """
    return float(np.sqrt(np.mean(x * x)))


def lamb(
    t: int,
    x: Array,
    g: Array,
    m: Memory,
    v: Memory,
    *,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-6,
    weight_decay: float = 1e-2,
) -> tuple[Array, Memory, Memory]:
    r"""Take one step of LAMB: AdamW's direction, as long as a share of the layer's own norm.

    .. math::
        r &= \frac{\hat m}{\sqrt{\hat v} + \epsilon} + \lambda x \\
        x &\leftarrow x - \alpha \frac{\lVert x \rVert}{\lVert r \rVert} r

    with Adam's :math:`\hat m` and :math:`\hat v`. Where one of the norms is 0, their quotient
    counts as 1: otherwise a layer that starts at zero would never leave it.

    Source: You et al. (2020), algorithm 2, with the identity for their function phi; as
    ``optax.lamb``, whose default decay is 0.

    Parameters
    ----------
    t, x, g : step number; parameter and gradient, of any shape
    m, v : Adam's two moments, of the shape of ``x``, or 0.0 before the first step

    Returns
    -------
    ``x``, ``m`` and ``v`` after the step

    Examples
    --------
    >>> x, m, v = lamb(1, np.array([3.0, 4.0]), np.array([0.1, 1e-3]), 0.0, 0.0, weight_decay=0)
    >>> round(float(np.linalg.norm(x - [3.0, 4.0])), 6)
    0.005
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    direction = m_hat / (np.sqrt(v_hat) + eps) + weight_decay * x
    norms = np.linalg.norm(x), np.linalg.norm(direction)
    trust = norms[0] / norms[1] if all(norms) else 1.0
    return x - lr * trust * direction, m, v


def adafactor(
    t: int,
    x: Array,
    g: Array,
    rows: Memory,
    columns: Memory,
    *,
    lr: float = 1e-2,
    decay: float = 0.8,
    clip: float = 1.0,
    least_scale: float = 1e-3,
    tiny: float = 1e-30,
) -> tuple[Array, Memory, Memory]:
    r"""Take one step of Adafactor: Adam's second moment from its row and column means alone.

    .. math::
        \beta_t &= 1 - t^{-0.8} \\
        R &\leftarrow \beta_t R + (1 - \beta_t)\, \text{row means of } g^2 \\
        C &\leftarrow \beta_t C + (1 - \beta_t)\, \text{column means of } g^2 \\
        v &= \frac{R C^\top}{\text{mean of } R} \qquad u = \frac{g}{\sqrt v} \\
        x &\leftarrow x - \min\left(\alpha, \tfrac{1}{\sqrt t}\right)
            \max(\text{rms}(x), 10^{-3})\, \frac{u}{\max(1, \text{rms}(u))}

    A matrix of 1,000 by 1,000 is remembered in 2,000 numbers instead of Adam's 2,000,000.

    Source: Shazeer and Stern (2018), algorithm 4, which has sums for these means (the same
    quotient) and a schedule of its own, the minimum above. As ``torch.optim.Adafactor``, up to
    where the tiny number stands.

    Parameters
    ----------
    t, x, g : step number; parameter and gradient, both of shape (m, n)
    rows, columns : moving averages of shape (m,) and (n,), or 0.0 before the first step
    lr : the largest step, relative to the size of the parameter
    decay : the exponent of the decay rate 1 - t**-decay, which is 0 at the first step: no bias to
        correct
    clip : the largest root mean square of an update before it is scaled
    least_scale : what a parameter smaller than this counts as
    tiny : added to the squared gradients

    Returns
    -------
    ``x``, ``rows`` and ``columns`` after the step

    Raises
    ------
    ValueError
        If ``x`` is no matrix: a vector has nothing to factor.

    Examples
    --------
    >>> x, rows, columns = adafactor(1, np.ones((2, 3)), np.full((2, 3), 7.0), 0.0, 0.0)
    >>> np.round(x, 6)[0], rows, columns
    (array([0.99, 0.99, 0.99]), array([49., 49.]), array([49., 49., 49.]))
    """
    if x.ndim != 2:
        raise ValueError(f"Adafactor factors a matrix, but the parameter has shape {x.shape}")
    beta = 1 - t**-decay
    square = g * g + tiny
    rows = beta * rows + (1 - beta) * square.mean(axis=1)
    columns = beta * columns + (1 - beta) * square.mean(axis=0)
    v = np.outer(rows, columns) / np.mean(rows)
    update = g / np.sqrt(v)
    update = update / max(1.0, rms(update) / clip)
    rate = min(lr, t**-0.5) * max(least_scale, rms(x))
    return x - rate * update, rows, columns


def orthogonalized(g: Array, steps: int = 5, tiny: float = 1e-7) -> Array:
    r"""Return about :math:`U V^\top`, where :math:`U S V^\top` is the singular value decomposition.

    Singular values above 0.003 of the norm come to lie between 0.68 and 1.21, smaller ones stay
    small, and the directions are kept. Five times, the matrix goes through an odd polynomial,
    :math:`a X + b X X^\top X + c\, (X X^\top)^2 X`, which acts on each singular value alone and
    needs nothing but products.

    Source: Jordan et al. (2024).

    Parameters
    ----------
    g : shape (m, n)
    steps : how often
    tiny : added to the norm that ``g`` is divided by

    Examples
    --------
    >>> np.linalg.svd(orthogonalized(np.diag([100.0, 3.0])), compute_uv=False).round(1)
    array([1.1, 0.7])
    """
    a, b, c = NEWTON_SCHULZ
    wide = g.T if g.shape[0] > g.shape[1] else g
    wide = wide / (np.linalg.norm(wide) + tiny)
    for _ in range(steps):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return wide.T if g.shape[0] > g.shape[1] else wide


def muon(
    t: int,
    x: Array,
    g: Array,
    m: Memory,
    *,
    lr: float = 2e-2,
    momentum: float = 0.95,
    weight_decay: float = 0.0,
) -> tuple[Array, Memory]:
    r"""Take one step of Muon: Nesterov's momentum, with all its singular values set to about 1.

    .. math::
        m &\leftarrow \mu m + g \\
        x &\leftarrow x - \alpha \lambda x
            - \alpha \sqrt{\max\left(1, \tfrac{\text{rows}}{\text{columns}}\right)}\,
            \text{orthogonalized}(g + \mu m)

    Meant for the matrices inside a network. Vectors, embeddings and the last layer are left to
    AdamW.

    Source: Jordan et al. (2024). As ``torch.optim.Muon``, which orthogonalizes in bfloat16 and has
    a default rate of 1e-3 and a decay of 0.1.

    Parameters
    ----------
    t : step number, of which nothing depends here
    x, g : parameter and gradient, both of shape (m, n), which act on a column from the left
    m : the momentum buffer, of the shape of ``x``, or 0.0 before the first step

    Returns
    -------
    ``x`` and ``m`` after the step

    Raises
    ------
    ValueError
        If ``x`` is no matrix.

    Examples
    --------
    >>> x, m = muon(1, np.zeros((2, 2)), np.diag([100.0, 3.0]), 0.0, lr=0.1)
    >>> x.round(2).tolist()
    [[-0.07, 0.0], [0.0, -0.11]]
    """
    if x.ndim != 2:
        raise ValueError(f"Muon orthogonalizes a matrix, but the parameter has shape {x.shape}")
    m = momentum * m + g
    shape_factor = max(1.0, x.shape[0] / x.shape[1]) ** 0.5
    update = orthogonalized(g + momentum * m)
    return x - lr * weight_decay * x - lr * shape_factor * update, m


def root_inverted(matrix: Array, root: float, eps: float) -> Array:
    """Return ``(matrix + eps * I) ** (-1 / root)`` of a matrix that is a sum of squares.

    Examples
    --------
    >>> root_inverted(np.diag([16.0, 81.0]), 4, 0.0)
    array([[0.5       , 0.        ],
           [0.        , 0.33333333]])
    """
    sizes, directions = np.linalg.eigh(matrix)
    # Rounding can make an eigenvalue of zero negative.
    inverted: Array = (np.maximum(sizes, 0.0) + eps) ** (-1 / root)
    return (directions * inverted) @ directions.T


def shampoo(
    t: int,
    x: Array,
    g: Array,
    left: Memory,
    right: Memory,
    *,
    lr: float = 1e-1,
    eps: float = 1e-6,
) -> tuple[Array, Memory, Memory]:
    r"""Take one step of Shampoo: AdaGrad with a matrix for the rows and one for the columns.

    .. math::
        L &\leftarrow L + g g^\top \\
        R &\leftarrow R + g^\top g \\
        x &\leftarrow x - \alpha\, (L + \epsilon I)^{-1/4}\, g\, (R + \epsilon I)^{-1/4}

    AdaGrad divides each entry by the root of its own sum of squares. The full matrix of that sum,
    of all products of two entries, would have :math:`(mn)^2` numbers; these two have
    :math:`m^2 + n^2` and stand for it as a Kronecker product.

    Source: Gupta, Koren and Singer (2018), algorithm 1, which starts :math:`L` and :math:`R` at
    :math:`\epsilon I`. It names no rate and no epsilon. SOAP (Vyas et al., 2024) runs Adam in the
    eigenvectors of such an :math:`L` and :math:`R`.

    Parameters
    ----------
    t : step number, of which nothing depends here
    x, g : parameter and gradient, both of shape (m, n)
    left, right : sums of shape (m, m) and (n, n), or 0.0 before the first step

    Returns
    -------
    ``x``, ``left`` and ``right`` after the step

    Raises
    ------
    ValueError
        If ``x`` is no matrix.

    Examples
    --------
    >>> x, _, _ = shampoo(1, np.zeros((2, 2)), np.diag([100.0, 3.0]), 0.0, 0.0, lr=0.1)
    >>> x.round(4).tolist()
    [[-0.1, 0.0], [0.0, -0.1]]
    """
    if x.ndim != 2:
        raise ValueError(
            f"Shampoo has two sides of a matrix, but the parameter has shape {x.shape}"
        )
    left = left + g @ g.T
    right = right + g.T @ g
    update = root_inverted(left, 4, eps) @ g @ root_inverted(right, 4, eps)
    return x - lr * update, left, right
