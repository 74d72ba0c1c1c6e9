"""The problems of Reddi, Kale and Kumar (2018) on which Adam moves away from the minimum.

Both have one variable in [-1, 1] and a loss that is linear, with another slope at each step. On
average it rises with x, so -1 is best. The rare steep slope says so; the frequent gentle ones say
the opposite, and Adam divides the rare one by its own size.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Array, Problem, point


class _Interval(Problem):
    """A linear loss on [-1, 1] whose average slope is above zero."""

    minimum = point(-1.0)
    start = point(0.0)
    view = ((-1.0, 1.0),)
    mean_slope: float

    def value(self, x: Array) -> Any:
        """Return the average loss: shape (..., 1) gives shape (...)."""
        return self.mean_slope * x[..., 0]

    def gradient(self, x: Array) -> Array:
        """Return the average slope."""
        return np.full_like(x, self.mean_slope)

    def project(self, x: Array) -> Array:
        """Return the nearest point in [-1, 1]."""
        return np.clip(x, -1.0, 1.0)


@dataclass(frozen=True)
class Reddi(_Interval):
    """The slope is ``steep`` at t = 1, 4, 7, ... and -1 at all other steps.

    Source: Reddi et al. (2018), section 3, theorem 1, where C is ``steep``.

    Examples
    --------
    >>> problem, rng = Reddi(), np.random.default_rng(0)
    >>> [float(problem.sample(problem.start, t, rng)[0]) for t in (1, 2, 3, 4)]
    [3.0, -1.0, -1.0, 3.0]
    """

    steep: float = 3.0

    def __post_init__(self) -> None:
        if not 2 < self.steep < np.inf:
            raise ValueError(
                f"Reddi(steep={self.steep!r}): the steep slope must be above 2, "
                "or the average slope is not above 0 and -1 is not the best point"
            )

    @property
    def mean_slope(self) -> float:  # type: ignore[override]
        """The average over three steps."""
        return (self.steep - 2) / 3

    def sample(self, x: Array, t: int, rng: np.random.Generator) -> Array:
        """Return the slope of step ``t``."""
        return np.full_like(x, self.steep if t % 3 == 1 else -1.0)


@dataclass(frozen=True)
class StochasticReddi(_Interval):
    """The slope is 1010 with probability 0.01, and -10 otherwise: 0.2 on average.

    Source: Reddi et al. (2018), section 5, figure 1.

    Examples
    --------
    >>> round(StochasticReddi().mean_slope, 6)
    0.2
    """

    steep: float = 1010.0
    gentle: float = -10.0
    probability: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(
                f"StochasticReddi(probability={self.probability!r}): "
                "probability must be from 0 to 1"
            )
        if not 0 < self.mean_slope < np.inf:
            raise ValueError(
                f"{self!r}: the average slope is {self.mean_slope:g}; it must be above 0, "
                "or -1 is not the best point"
            )

    @property
    def mean_slope(self) -> float:  # type: ignore[override]
        """The expectation of the slope."""
        return self.probability * self.steep + (1 - self.probability) * self.gentle

    def sample(self, x: Array, t: int, rng: np.random.Generator) -> Array:
        """Return a slope drawn at random."""
        return np.full_like(x, self.steep if rng.random() < self.probability else self.gentle)
