"""Functions of two variables, to be drawn as a map.

``height`` and ``slope`` are written for numbers, arrays and SymPy symbols alike, so that the live
figures run on the same lines as the NumPy driver.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Array, Problem, point


class Surface(Problem):
    """A function of two variables: ``height(a, b)``, and ``slope(a, b)`` its two derivatives."""

    def height(self, a: Any, b: Any) -> Any:
        """Return the value at the point (a, b)."""
        raise NotImplementedError

    def slope(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Return the derivatives by a and by b."""
        raise NotImplementedError

    def value(self, x: Array) -> Any:
        """Return the height at ``x``: shape (..., 2) gives shape (...)."""
        return self.height(x[..., 0], x[..., 1])

    def gradient(self, x: Array) -> Array:
        """Return the slope at ``x``, of its shape (..., 2)."""
        return np.stack(self.slope(x[..., 0], x[..., 1]), axis=-1)


@dataclass(frozen=True)
class Bowl(Surface):
    """A quadratic bowl: (a² + condition · b²) / 2.

    Its curvature is 1 along a and ``condition`` along b, so gradient descent converges for rates
    below 2 / condition, and then shrinks a by the factor 1 - lr a step.

    Examples
    --------
    >>> Bowl(condition=10).height(1.0, 1.0)
    5.5
    """

    condition: float = 10.0
    minimum = point(0.0, 0.0)
    start = point(-4.0, 1.5)
    view = ((-5.0, 5.0), (-2.5, 2.5))

    def __post_init__(self) -> None:
        if not 1 <= self.condition < np.inf:
            raise ValueError(
                f"Bowl(condition={self.condition!r}): the condition number is the largest "
                "curvature over the smallest, so it must be a finite number, 1 or more"
            )

    def height(self, a: Any, b: Any) -> Any:
        """Return the value at the point (a, b)."""
        return (a * a + self.condition * b * b) / 2

    def slope(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Return the derivatives by a and by b."""
        return a, self.condition * b


@dataclass(frozen=True)
class Ravine(Surface):
    """A long narrow valley that lies across the axes: the bowl with condition 50, turned by 30°.

    A method that treats each coordinate by itself cannot straighten it.

    Examples
    --------
    >>> round(Ravine().height(1.0, 0.0), 3)
    6.625
    """

    minimum = point(0.0, 0.0)
    start = point(-4.0, -1.0)
    view = ((-5.0, 5.0), (-3.5, 3.5))

    def height(self, a: Any, b: Any) -> Any:
        """Return the value at the point (a, b)."""
        return (13.25 * a * a + 37.75 * b * b) / 2 - 12.25 * 3**0.5 * a * b

    def slope(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Return the derivatives by a and by b."""
        turn = 12.25 * 3**0.5
        return 13.25 * a - turn * b, 37.75 * b - turn * a


@dataclass(frozen=True)
class Rosenbrock(Surface):
    """The curved valley of Rosenbrock (1960): (1 - a)² + 100 (b - a²)².

    Examples
    --------
    >>> Rosenbrock().height(1.0, 1.0)
    0.0
    """

    minimum = point(1.0, 1.0)
    start = point(-1.2, 1.0)
    view = ((-2.0, 2.0), (-1.0, 3.0))

    def height(self, a: Any, b: Any) -> Any:
        """Return the value at the point (a, b)."""
        return (1 - a) * (1 - a) + 100 * (b - a * a) * (b - a * a)

    def slope(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Return the derivatives by a and by b."""
        return -2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)


@dataclass(frozen=True)
class Beale(Surface):
    """The function of Beale (1958): flat plateaus, steep corners, a minimum at (3, 0.5).

    Examples
    --------
    >>> Beale().height(3.0, 0.5)
    0.0
    """

    minimum = point(3.0, 0.5)
    start = point(1.0, 1.5)
    view = ((-1.0, 4.5), (-2.0, 2.0))

    def height(self, a: Any, b: Any) -> Any:
        """Return the value at the point (a, b)."""
        return (1.5 - a + a * b) ** 2 + (2.25 - a + a * b**2) ** 2 + (2.625 - a + a * b**3) ** 2

    def slope(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Return the derivatives by a and by b."""
        r1, r2, r3 = 1.5 - a + a * b, 2.25 - a + a * b**2, 2.625 - a + a * b**3
        by_a = 2 * (r1 * (b - 1) + r2 * (b**2 - 1) + r3 * (b**3 - 1))
        by_b = 2 * a * (r1 + 2 * b * r2 + 3 * b**2 * r3)
        return by_a, by_b


@dataclass(frozen=True)
class Saddle(Surface):
    """A saddle at the origin between two valleys: a² / 2 - b² / 2 + b⁴ / 4.

    The gradient vanishes at the origin, though the minima are at (0, 1) and (0, -1).

    Examples
    --------
    >>> Saddle().height(0.0, 1.0)
    -0.25
    """

    minimum = point(0.0, 1.0)
    start = point(-1.8, 0.01)
    view = ((-2.0, 2.0), (-1.6, 1.6))

    def height(self, a: Any, b: Any) -> Any:
        """Return the value at the point (a, b)."""
        return a * a / 2 - b * b / 2 + b**4 / 4

    def slope(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Return the derivatives by a and by b."""
        return a, b**3 - b
