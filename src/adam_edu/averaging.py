r"""Averages of an optimizer's path: what is evaluated, while the path itself goes on.

Every average here is one line, :math:`\bar x \leftarrow \bar x + c_t (x - \bar x)`, and they differ
in the share :math:`c_t` that the newest point takes. The first share is 1, so nothing is left of
the value that the average starts from. Pure, elementwise and of NumPy's operators alone: the line
takes a number, an array or a Torch tensor, and a list of layers one by one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating[Any]]


class Average:
    """A running average of points; a subclass says which share the newest one takes."""

    def share(self, t: int) -> float:
        """Return the share of the newest point, the ``t``-th, counted from 1."""
        raise NotImplementedError

    def update(self, t: int, average: Any, x: Any) -> Any:
        """Return the average after point ``t`` = 1, 2, ..., of the shape of ``x``."""
        return average + self.share(t) * (x - average)

    def along(self, points: ArrayLike) -> Array:
        """Return the average after each point; shape (steps, ...), the first axis is time."""
        points = np.asarray(points, dtype=float)
        if points.ndim == 0:
            raise ValueError("points must be a sequence, one for each step, not one number")
        averages = np.empty_like(points)
        average: Any = 0.0
        for i, x in enumerate(points):
            averages[i] = average = self.update(i + 1, average, x)
        return averages

    def weights(self, steps: int) -> Array:
        """Return the weight of each of so many points in their average; shape (steps,), sum 1."""
        shares = np.array([self.share(t) for t in range(1, steps + 1)])
        kept_later = np.cumprod((1 - shares)[:0:-1])[::-1]
        return shares * np.append(kept_later, 1.0)


@dataclass(frozen=True)
class Uniform(Average):
    r"""The mean of all points so far, :math:`c_t = 1/t`, or of those from point ``start`` on.

    Source: Polyak and Juditsky (1992), Ruppert (1988). Begun late, and of one point an epoch, it is
    stochastic weight averaging (Izmailov et al., 2018), ``torch.optim.swa_utils.get_swa_avg_fn``.

    Parameters
    ----------
    start : the first point of the mean, from 1; until then the average is the point itself

    Examples
    --------
    >>> Uniform().along([1.0, 2.0, 6.0])
    array([1. , 1.5, 3. ])
    >>> Uniform(start=2).along([1.0, 2.0, 6.0])
    array([1., 2., 4.])
    """

    start: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.start, int) or isinstance(self.start, bool) or self.start < 1:
            raise ValueError(f"start={self.start!r}: start must be a whole number, 1 or more")

    def share(self, t: int) -> float:
        """Return 1 over the number of points in the mean, this one included."""
        return 1 / max(t - self.start + 1, 1)


@dataclass(frozen=True)
class Exponential(Average):
    r"""An exponential moving average with bias correction.

    The share is :math:`c_t = (1 - \beta) / (1 - \beta^t)`. It falls from 1 to :math:`1 - \beta`,
    nearly as 1/t at first. This is the average from zero,
    :math:`\bar x \leftarrow \beta \bar x + (1 - \beta) x`, divided by :math:`1 - \beta^t`, in one
    line and with one number per weight.

    Source: Kingma and Ba (2015), section 7.2, whose beta is :math:`\beta_2`. ``optax.ema`` has it.

    Parameters
    ----------
    beta : the share of the past that a step keeps in the long run, at least 0 and below 1

    Examples
    --------
    >>> Exponential(0.5).along([1.0, 2.0, 6.0]).round(3)
    array([1.   , 1.667, 4.143])
    """

    beta: float = 0.999

    def __post_init__(self) -> None:
        _require_beta(self.beta)

    def share(self, t: int) -> float:
        """Return (1 - beta) / (1 - beta**t)."""
        return (1 - self.beta) / (1 - self.beta**t)


@dataclass(frozen=True)
class FromFirst(Average):
    r"""An exponential moving average that starts at the first point, without correction.

    The share is 1 at first and :math:`1 - \beta` from then on, so the first point keeps the weight
    :math:`\beta^{t - 1}`.

    Source: ``torch.optim.swa_utils.get_ema_avg_fn``.

    Examples
    --------
    >>> FromFirst(0.5).along([1.0, 2.0, 6.0])
    array([1.  , 1.5 , 3.75])
    """

    beta: float = 0.999

    def __post_init__(self) -> None:
        _require_beta(self.beta)

    def share(self, t: int) -> float:
        """Return 1 at t = 1, then 1 - beta."""
        return 1.0 if t == 1 else 1 - self.beta


def _require_beta(beta: float) -> None:
    if not 0 <= beta < 1:
        raise ValueError(f"beta={beta!r}: beta must be at least 0 and below 1")


def on_quadratic(weights: ArrayLike, rates: ArrayLike, curvature: Any) -> tuple[Any, Any]:
    r"""Return how an average of SGD's path is distributed on a noisy quadratic, exactly.

    The loss is :math:`\lambda x^2 / 2`, and each gradient comes with independent noise of variance
    1, so that :math:`x_t = (1 - \alpha_t \lambda) x_{t-1} - \alpha_t \xi_t`. An average
    :math:`\sum_t w_t x_t` is then linear in the start and in each :math:`\xi_t`. With the weights
    0, ..., 0, 1 it is the last point.

    Parameters
    ----------
    weights : of the points after steps 1, 2, ..., shape (steps,)
    rates : the learning rate of each step, shape (steps, ...), or one for all
    curvature : a number or an array, of a shape that goes with that of a step's rate

    Returns
    -------
    What the average keeps of the start, as a factor, and its variance; one of each for every rate
    and curvature. Noise of standard deviation s multiplies the variance by s squared.

    Examples
    --------
    >>> print(*np.round(on_quadratic([0.5, 0.5], 0.1, curvature=1.0), 6))
    0.855 0.011525
    """
    weights = np.asarray(weights, dtype=float)
    rates = np.asarray(rates, dtype=float)
    rates = np.broadcast_to(rates, (len(weights), *rates.shape[1:]))
    pull: Any = 0.0
    variance: Any = 0.0  # how much the average moves with x_t: through it, and through later
    for weight, rate in zip(weights[::-1], rates[::-1], strict=True):
        pull = weight + pull
        variance = variance + (rate * pull) ** 2
        pull = pull * (1 - rate * curvature)
    return pull, variance
