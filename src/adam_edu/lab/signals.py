"""The gradients of a figure of one weight, in NumPy: as ``signalOf`` in JavaScript has them."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from ..problems.base import Array
from .states import State


def gradients(state: State) -> Array:
    """Return the gradient at each step of a figure, shape (steps,)."""
    steps, drawn = state["steps"], state["drawn"]
    half = steps / 2
    noise = _gaussian(14126980)
    at: Callable[[int], float] = {
        "constant": lambda t: 1.0,
        "noisy": lambda t: 0.5 + next(noise),
        "rare": lambda t: 3.0 if t % 25 == 10 else 0.0,
        "turning": lambda t: 1.0 if t <= half else -1.0,
        "alternating": lambda t: 1.0 if t % 2 else -1.0,
        "noise": lambda t: next(noise),
        "zeros-then-ones": lambda t: 0.0 if t <= half else 1.0,
        "1-then-10": lambda t: 1.0 if t <= half else 10.0,
        "drawn": lambda t: drawn[(t - 1) * len(drawn) // steps] if drawn else 0.0,
    }[state["signal"]]
    return np.array([at(t) for t in range(1, steps + 1)])


def _gaussian(seed: int) -> Iterator[float]:
    """Yield Gaussian noise: Park and Miller's generator, transformed as by Box and Muller."""
    while True:
        seed = seed * 16807 % 2147483647
        length = math.sqrt(-2 * math.log(seed / 2147483647))
        seed = seed * 16807 % 2147483647
        yield length * math.cos(2 * math.pi * seed / 2147483647)
