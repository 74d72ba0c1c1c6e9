"""What each part weighs in a result that is a weighted sum, such as a mean."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .calling import close, observe
from .kinds import Array, Kind
from .reference import Reference
from .report import listed

# Of a longer sum, so many terms are written out.
TERMS = 6
Result = Callable[[Mapping[str, Any]], Array | None]


def weighed(exercise: Reference, function: Callable[..., Any], kind: Kind) -> str:
    """Return what a solution weighs otherwise than is right, in a sentence; or "" if its result,
    or the right one, is no weighted sum.

    The solution is called with each part alone, as ones among zeros.
    """
    sums = len(exercise.returns) == 1 and not any(map(callable, exercise.probes[0].values()))

    def right(given: Mapping[str, Any]) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(exercise.results(exercise.values(given))[0], dtype=float)

    def own(given: Mapping[str, Any]) -> Array | None:
        found = observe(exercise, function, kind, given).found
        return None if found is None else found[0]

    for arguments in exercise.probes if sums else ():
        arrays = {n: v for n, v in arguments.items() if isinstance(v, np.ndarray)}
        for names in [tuple(arrays)] if exercise.one_by_one else [(name,) for name in arrays]:
            parts = dict(_parts(arrays, names))
            expected = _weights(arguments, parts, right)
            found = None if expected is None else _weights(arguments, parts, own)
            if expected is None or found is None:
                continue
            for place in np.ndindex(expected.shape[1:]):
                mine, other = found[:, *place], expected[:, *place]
                if not close(mine, other).all():
                    what = exercise.returns[0] + "".join(f"[{i}]" for i in place)
                    rest = [f"{n} = {v}" for n, v in arguments.items() if n not in arrays]
                    your = f"With {listed(rest)}, your" if rest else "Your"
                    return (
                        f"{your} {what} is {_sum(mine, parts)}. Asked for is {_sum(other, parts)}."
                    )
    return ""


def _parts(
    arrays: Mapping[str, Array], names: tuple[str, ...]
) -> Iterator[tuple[str, tuple[dict[str, Array], Any]]]:
    """Yield each part's name, the arrays with it alone, and its own value."""
    zeros = {name: np.zeros(arrays[name].shape) for name in names}
    for name in names:
        if len(names) > 1:
            yield name, ({**zeros, name: zeros[name] + 1}, arrays[name])
            continue
        for i, value in enumerate(arrays[name]):
            alone = zeros[name].copy()
            alone[i] = 1
            yield f"{name}[{i}]", ({name: alone}, value)


def _weights(
    arguments: Mapping[str, Any], parts: Mapping[str, tuple[dict[str, Array], Any]], result: Result
) -> Array | None:
    """Return what each part adds to a result, or None if that is no sum of these."""
    whole = result(arguments)
    if whole is None or not np.isfinite(whole).all():
        return None
    added = [result({**arguments, **alone}) for alone, _ in parts.values()]
    if any(one is None or not np.isfinite(one).all() for one in added):
        return None
    weights, values = np.array(added), np.array([value for _, value in parts.values()])
    if values.ndim == 2:  # a result for each column, in all of which a part weighs alike
        if weights.shape[1:] != values.shape[1:] or np.ptp(weights, axis=1).any():
            return None
        weights = weights[:, 0]
    return weights if close(np.tensordot(weights, values, axes=(0, 0)), whole).all() else None


def _sum(weights: Array, names: Mapping[str, Any]) -> str:
    terms = [f"{w:.3g} * {name}" for w, name in zip(weights, names, strict=True) if w]
    rest = [] if len(terms) <= TERMS else ["..."]
    return " + ".join([*terms[:TERMS], *rest]).replace("+ -", "- ") or "0"
