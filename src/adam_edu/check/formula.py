"""How to make an exercise of one formula."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .algorithm import Assignment
from .exercise import Exercise
from .kinds import ARRAYS, FLOATS, LISTS, NUMBERS, TENSORS
from .mistake import Mistake


def formula(
    signature: str,
    right: Callable[..., Any],
    *,
    returns: str,
    statement: str,
    probes: Sequence[Mapping[str, Any]],
    mistakes: tuple[Mistake, ...],
    read: str,
    one_by_one: bool = False,
) -> Exercise:
    """Return the exercise to write a formula.

    Parameters
    ----------
    signature : as it stands after ``def``
    right : the formula, a function whose parameters are called as those of the signature
    returns : the name of what it returns
    statement : what to do
    probes : the arguments of each call
    mistakes : the known ones, each a ``wrong(returns)`` function of the same parameters
    read : the chapter
    one_by_one : whether arrays are taken coordinate by coordinate, so that a solution for single
        floats is as good as one for arrays
    """
    arrays = any(isinstance(value, np.ndarray) for value in probes[0].values())
    kinds = (ARRAYS, FLOATS, LISTS, TENSORS) if one_by_one else (ARRAYS, LISTS, TENSORS)
    return Exercise(
        signature=signature,
        returns=(returns,),
        statement=statement,
        lines=(Assignment.of((returns,), right),),
        probes=tuple(probes),
        mistakes=mistakes,
        read=read,
        kinds=kinds if arrays else (NUMBERS,),
        places={returns: "your formula"},
    )
