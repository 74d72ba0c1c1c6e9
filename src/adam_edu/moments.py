"""Moving averages of a recorded signal, as the chapters look at them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def moving_average(
    signal: ArrayLike, beta: float, corrected: bool = False
) -> NDArray[np.floating[Any]]:
    """Return the exponential moving average of a signal after each of its values.

    Parameters
    ----------
    signal : shape (steps, ...); the first axis is time
    beta : the share of the past that each step keeps, at least 0 and below 1
    corrected : whether to divide the average of step t by 1 - beta**t, which takes out the zero
        that it started from (Kingma and Ba, 2015, section 3)

    Raises
    ------
    ValueError
        If ``beta`` is outside its range or the signal has no time axis.

    Examples
    --------
    >>> moving_average([1.0, 1.0, 1.0], beta=0.5)
    array([0.5  , 0.75 , 0.875])
    >>> moving_average([1.0, 1.0, 1.0], beta=0.5, corrected=True)
    array([1., 1., 1.])
    """
    signal = np.asarray(signal, dtype=float)
    if not 0 <= beta < 1:
        raise ValueError(f"beta={beta!r}: beta must be at least 0 and below 1")
    if signal.ndim == 0:
        raise ValueError("signal must be a sequence of values, one for each step, not one number")
    averages = np.empty_like(signal)
    average = np.zeros_like(signal[0]) if len(signal) else 0.0
    for i, value in enumerate(signal):
        average = beta * average + (1 - beta) * value
        averages[i] = average / (1 - beta ** (i + 1)) if corrected else average
    return averages
