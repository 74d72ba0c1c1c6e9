"""Checking a step that changes its tensors where they lie, as the optimizers of Torch do."""

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .algorithm import RETURNED
from .kinds import ARRAYS, Kind, Misfit
from .reference import Reference
from .report import listed

UNCHANGED = (
    "It leaves {names} as before. A method without an underscore at its end, such as m.mul(beta1), "
    "returns a new tensor; m.mul_(beta1) changes m. And m = ... gives the name m to a new tensor, "
    "which the caller never sees."
)
GRADIENT = (
    "It changes the gradient g. The gradient belongs to whoever computed it, and may be needed "
    "again; use methods without an underscore on it, such as g.mul(g)."
)
CHANGED = (
    "Change {names} in place, by methods that end in an underscore, such as mul_; leave g as it "
    "is, and return nothing."
)
# The function that in_place() returns makes the tensors itself, of the arrays that it is given.
IN_PLACE = Kind("Torch tensors changed in place", np.copy)


def in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that returns what an in-place step has made of its tensors.

    The exercises on steps compare what a function returns. This turns a function that returns
    nothing, and changes the parameter and the slots in place, into one that they can check. It is
    called with Torch tensors of float64. Needs Torch.

    Parameters
    ----------
    function : takes ``x, g``, the slots and the numbers that the exercise names

    Raises
    ------
    Misfit
        On a call, if a tensor other than ``g`` is unchanged, or ``g`` is changed.

    Examples
    --------
    >>> from adam_edu import check
    >>> def sgd_step(x, g, lr=1e-3):
    ...     x.sub_(g, alpha=lr)
    >>> check.sgd_step(in_place(sgd_step)).ok
    True
    """
    if not callable(function):
        return function  # the exercise says what is wrong with it
    signature = inspect.signature(function)

    @functools.wraps(function)
    def returning(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
        import torch

        bound = signature.bind(*args, **kwargs)
        given = {
            name: torch.tensor(value, dtype=torch.float64)
            for name, value in bound.arguments.items()
            if isinstance(value, np.ndarray)
        }
        if not given:
            raise TypeError("a step in place needs tensors; a number cannot be changed")
        before = {name: tensor.clone() for name, tensor in given.items()}
        bound.arguments.update(given)
        function(*bound.args, **bound.kwargs)
        changed = {name: not torch.equal(given[name], before[name]) for name in given}
        _, gradient, *_ = given
        if changed.pop(gradient):
            raise Misfit("changes_the_gradient", GRADIENT)
        if not all(changed.values()):
            unchanged = [name for name, value in changed.items() if not value]
            raise Misfit("not_in_place", UNCHANGED.format(names=listed(unchanged)))
        return tuple(given[name] for name in changed)

    returning.in_place = True  # type: ignore[attr-defined]
    return returning


def is_in_place(function: Any) -> bool:
    """Return whether a function was made by :func:`in_place`."""
    return getattr(function, "in_place", False) is True


def asked_in_place(exercise: Reference) -> Reference:
    """Return an exercise in the words that it has for a step in place.

    >>> from adam_edu import check
    >>> asked_in_place(check.momentum_step).statement[-51:]
    'such as mul_; leave g as it is, and return nothing.'
    """
    statement = re.sub(r"(\.|;) [Rr]eturn the new .*$", ".", exercise.statement)
    return replace(
        exercise,
        statement=f"{statement} {CHANGED.format(names=listed(exercise.returns))}",
        kinds=tuple(IN_PLACE if kind is ARRAYS else kind for kind in exercise.kinds),
        places={**exercise.places, RETURNED: "what the step leaves in its tensors"},
    )
