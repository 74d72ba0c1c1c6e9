"""Problems whose gradient comes with noise, or mostly with zeros."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .base import Array, Problem, point


@dataclass(frozen=True)
class NoisyQuadratic(Problem):
    """The sum of curvature · x² / 2 over n coordinates; its gradient is seen with Gaussian noise.

    The noise has standard deviation ``noise`` in each coordinate, whatever x is, as that of a
    mini-batch has near a minimum.

    Examples
    --------
    >>> NoisyQuadratic(curvatures=(1.0, 10.0)).value(np.array([1.0, 1.0])).item()
    5.5
    """

    curvatures: tuple[float, ...] = (1.0, 10.0)
    noise: float = 1.0

    def __post_init__(self) -> None:
        if not self.curvatures or not all(0 < c < np.inf for c in self.curvatures):
            raise ValueError(
                f"NoisyQuadratic(curvatures={self.curvatures!r}): "
                "give one or more finite numbers above 0"
            )
        if not 0 <= self.noise < np.inf:
            raise ValueError(
                f"NoisyQuadratic(noise={self.noise!r}): noise is a standard deviation, "
                "so it must be a finite number, 0 or more"
            )

    @property
    def minimum(self) -> Array:  # type: ignore[override]
        """The origin, shape (n,)."""
        return np.zeros(len(self.curvatures))

    @property
    def start(self) -> Array:  # type: ignore[override]
        """The point whose coordinates are all 2, shape (n,)."""
        return np.full(len(self.curvatures), 2.0)

    @property
    def view(self) -> tuple[tuple[float, float], ...]:  # type: ignore[override]
        """From -3 to 3 in each coordinate."""
        return ((-3.0, 3.0),) * len(self.curvatures)

    def value(self, x: Array) -> Any:
        """Return the loss without noise: shape (..., n) gives shape (...)."""
        return np.sum(self._curvatures * x * x, axis=-1) / 2

    def gradient(self, x: Array) -> Array:
        """Return the gradient without noise."""
        return self._curvatures * x

    @cached_property
    def _curvatures(self) -> Array:
        return point(*self.curvatures)

    def sample(self, x: Array, t: int, rng: np.random.Generator) -> Array:
        """Return the gradient with its noise."""
        return self.gradient(x) + self.noise * rng.standard_normal(x.shape)


class SparseRegression(Problem):
    """Least squares on rows that are mostly zeros: word counts, in miniature.

    Feature j occurs in a row with probability 1 / (j + 1), so the last ones are rare, and each row
    is seen alone. A rare feature's gradient is exactly zero in nearly every step, and yet its
    weight matters as much as any other when it occurs.

    Parameters
    ----------
    features, rows : the number of weights n and of examples
    noise : standard deviation of the targets around the line
    seed : of the data

    Examples
    --------
    >>> problem = SparseRegression(features=5, rows=100, seed=0)
    >>> problem.sample(problem.start, 1, np.random.default_rng(0)).shape
    (5,)
    """

    def __init__(
        self, features: int = 20, rows: int = 2000, noise: float = 0.1, seed: int = 0
    ) -> None:
        if not 1 <= features <= rows:
            raise ValueError(
                f"SparseRegression(features={features!r}, rows={rows!r}): "
                "there must be at least one feature, and as many rows as features"
            )
        rng = np.random.default_rng(seed)
        occurs = rng.random((rows, features)) < 1 / np.arange(1, features + 1)
        # A row for each feature alone, so that every weight is determined by the data.
        occurs[:features] |= np.eye(features, dtype=bool)
        self.rows = occurs.astype(float)
        self.weights = rng.standard_normal(features)
        self.targets = self.rows @ self.weights + noise * rng.standard_normal(rows)
        self.minimum = np.linalg.lstsq(self.rows, self.targets, rcond=None)[0]
        self.start = np.zeros(features)

    def value(self, x: Array) -> Any:
        """Return half the mean squared error: shape (..., n) gives shape (...)."""
        return np.mean((x @ self.rows.T - self.targets) ** 2, axis=-1) / 2

    def gradient(self, x: Array) -> Array:
        """Return the gradient over all rows; ``x`` of shape (n,)."""
        return (x @ self.rows.T - self.targets) @ self.rows / len(self.rows)

    def sample(self, x: Array, t: int, rng: np.random.Generator) -> Array:
        """Return the gradient of one row drawn at random."""
        i = rng.integers(len(self.rows))
        return (self.rows[i] @ x - self.targets[i]) * self.rows[i]
