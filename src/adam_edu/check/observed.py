"""The calls of a solution as arrays, with which a program can be run."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..program import BEFORE, LONGEST, Array, Program
from .calling import Observation
from .reference import Reference


def alike(observations: list[Observation]) -> list[Observation]:
    """Return the calls that came back with numbers, as many as have one and the same size."""
    ran = [seen for seen in observations if seen.found is not None]
    sizes = Counter(_size(seen) for seen in ran)
    return [seen for seen in ran if _size(seen) == sizes.most_common(1)[0][0]]


def tried_out(program: Program, seen: list[Observation]) -> list[Observation]:
    """Return the calls of which the program tells what comes out: its products end somewhere."""
    if not program.has("product"):
        return seen
    return [one for one in seen if one.arguments.get("t", 0) <= LONGEST]


def _size(seen: Observation) -> tuple[int, ...]:
    return tuple(np.size(value) for value in (*seen.arguments.values(), *seen.expected))


def stacked(
    exercise: Reference, program: Program, seen: Sequence[Observation]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the arguments and the results of many calls as arrays: the call, the coordinate."""
    if exercise.material.unrolled is not None:
        parts = [
            exercise.material.unrolled(one.arguments, one.found or one.expected) for one in seen
        ]
        names = (*program.inputs, *program.results)
        whole = {name: np.concatenate([part[name] for part in parts])[:, None] for name in names}
        return whole, {name: whole[name] for name in program.results}
    given: dict[str, Any] = {}
    renamed = {name.removesuffix(BEFORE): name for name in program.inputs}
    for name in exercise.parameters:
        values = [np.atleast_1d(np.asarray(one.arguments[name], dtype=float)) for one in seen]
        given[renamed.get(name, name)] = np.array(values)
    found = {}
    for i, name in enumerate(exercise.returns):
        found[name] = np.array([np.atleast_1d(one.found[i]) for one in seen if one.found])
    return given, found


def telling(found: Array, right: Array, most: int) -> list[tuple[int, int]]:
    """Return a few places of a result that are wrong, finite, and in different calls."""
    good = np.isfinite(found) & np.isfinite(right) & ~np.isclose(found, right, rtol=1e-6)
    places = [(int(i), int(j)) for i, j in np.argwhere(good)]
    # Each from another call and coordinate, from the later ones, which are the richer.
    chosen: dict[int, tuple[int, int]] = {}
    for i, j in places:
        if (i + j) % max(found.shape[1], 1) == 0 or i not in chosen:
            chosen[i] = (i, j)
    return list(chosen.values())[-most:]
