"""What every problem offers to a driver."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def point(*coordinates: float) -> Array:
    """Return a point of shape (n,), read-only: every instance of a problem shares it.

    >>> point(1.0, 2.0)
    array([1., 2.])
    """
    x = np.array(coordinates, dtype=float)
    x.flags.writeable = False
    return x


class Problem:
    """A function to minimize, and what a picture of it needs.

    Attributes
    ----------
    minimum : the best point, shape (n,), or None where there is none
    start : a good place to begin, shape (n,)
    view : the box that a figure should show, ((low, high) of each coordinate), or None
    """

    minimum: Array | None = None
    start: Array
    view: ClassVar[tuple[tuple[float, float], ...] | None] = None

    def value(self, x: Array) -> Any:
        """Return the loss at ``x``: shape (..., n) gives shape (...)."""
        raise NotImplementedError

    def value_each(self, x: Array) -> Array:
        """Return :meth:`value` at several points, shape (runs, n), as (runs,)."""
        return np.array([self.value(one) for one in x])

    def gradient(self, x: Array) -> Array:
        """Return the gradient of :meth:`value` at ``x``, of its shape."""
        raise NotImplementedError

    def sample(self, x: Array, t: int, rng: np.random.Generator) -> Array:
        """Return the gradient that a learner sees at step ``t``; here the true one."""
        return self.gradient(x)

    def sample_each(self, x: Array, t: int, rngs: Sequence[np.random.Generator]) -> Array:
        """Return :meth:`sample` at several points, shape (runs, n), each with its own chance."""
        return np.stack([self.sample(one, t, rng) for one, rng in zip(x, rngs, strict=True)])

    def project(self, x: Array) -> Array:
        """Return the nearest allowed point; here all are allowed."""
        return x


@dataclass
class Function(Problem):
    """A problem made of your own function and its gradient.

    Examples
    --------
    >>> import numpy as np
    >>> parabola = Function(lambda x: float(x[0] ** 2), lambda x: 2 * x, start=np.array([3.0]))
    >>> parabola.gradient(parabola.start)
    array([6.])
    """

    f: Callable[[Array], float]
    df: Callable[[Array], Array]
    start: Array

    def __post_init__(self) -> None:
        self.start = point(*self.start)

    def value(self, x: Array) -> float:
        """Return ``f(x)``."""
        return self.f(x)

    def gradient(self, x: Array) -> Array:
        """Return ``df(x)``."""
        return self.df(x)


def largest_curvature(problem: Problem, x: Array, steps: int = 50, seed: int = 0) -> float:
    """Return the largest eigenvalue of the Hessian at ``x``, by power iteration.

    The Hessian is never formed: its product with a direction is the difference of two gradients.
    ``steps`` products from a random direction; the result is accurate to a few digits unless two
    eigenvalues nearly tie, and then either serves. The eigenvalue is that of largest size, so a
    saddle may give a negative one.

    Examples
    --------
    >>> from adam_edu.problems import Bowl
    >>> round(largest_curvature(Bowl(condition=10), np.array([1.0, 1.0])), 6)
    10.0
    """
    direction = np.random.default_rng(seed).standard_normal(x.shape)
    step = 1e-4 * (1 + np.linalg.norm(x))
    curvature = 0.0
    for _ in range(steps):
        direction /= np.linalg.norm(direction)
        ahead = problem.gradient(x + step * direction)
        product = (ahead - problem.gradient(x - step * direction)) / (2 * step)
        curvature = float(direction @ product)
        direction = product
    return curvature
