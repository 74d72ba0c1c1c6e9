"""Where a student's step of training arrives in each of several situations."""

from collections.abc import Callable, Mapping
from typing import TypeVar

TOLERANCE = 1e-4
T = TypeVar("T")


def arrivals(
    situations: Mapping[str, T], arrive: Callable[[T], list[float]]
) -> dict[str, list[float]]:
    """Return where a step arrives in each situation; nowhere if it raises an error."""
    places = {}
    for name, situation in situations.items():
        try:
            places[name] = arrive(situation)
        except Exception:
            places[name] = []
    return places


def same(some: list[float], others: list[float]) -> bool:
    """Return whether two places are the same, up to rounding in float32.

    >>> same([1.0, 2.0], [1.0, 2.00001]), same([], [1.0])
    (True, False)
    """
    return len(some) == len(others) and all(
        abs(one - other) < TOLERANCE for one, other in zip(some, others, strict=True)
    )
