"""Which known mistakes explain what was seen, and how to say it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Any

import numpy as np

from ..program import LONGEST, Array
from .calling import Observation, Trial, close
from .comparison import ENOUGH
from .faults import described
from .infer import Cause, Explanation, Search, with_and_without
from .likeness import Likeness
from .mistake import Mistake
from .observed import alike
from .reference import Reference
from .report import apart, listed
from .tracing import Step

Parts = list[tuple[str, str]]


def explain(
    exercise: Reference,
    trial: Trial,
    traced: Sequence[Observation] = (),
    steps: Sequence[Step] = (),
) -> Explanation:
    """Return what explains all that was seen: entries of the catalogue, or edits of the lines.

    ``steps`` are the values of the student's own expressions in the calls ``traced``.
    """
    if not trial.ran:
        return Explanation(open=exercise.returns)
    observations = trial.observations
    known = _known(exercise, observations, 1)
    if known:
        return known
    if exercise.program is None:
        found = _twisted(exercise, observations) or _known(exercise, observations, 2)
        return found or Explanation(open=exercise.returns)
    seen = alike(observations)
    if order_of(exercise, observations) or not seen:
        return Explanation(open=exercise.returns)
    found = _inferred(exercise, seen, traced, steps)
    if _length(found) == 1:
        return found
    twisted = _twisted(exercise, observations)
    if found.open:
        return twisted or _known(exercise, observations, 2) or found
    return twisted or found


def _length(found: Explanation) -> float:
    """Return how many things are wrong in an explanation, endlessly many if it is none."""
    return np.inf if found.open else sum(len(cause.edits) or 1 for cause in found.causes)


def _inferred(
    exercise: Reference,
    seen: list[Observation],
    traced: Sequence[Observation],
    steps: Sequence[Step],
) -> Explanation:
    """Return what explains some calls by edits of the lines, as they are or written otherwise; or
    all calls but those of the first step, if these are right."""
    programs = [p for p in (exercise.program, *exercise.material.also) if p is not None]
    found = []
    with np.errstate(all="ignore"):
        for program in programs:
            likeness = Likeness(exercise, program, traced, steps) if steps else None
            found.append(Search(exercise, program, seen, likeness).explanation())
            if _length(found[-1]) == 1:
                return found[-1]
    best = min(found, key=_length)
    later = [one for one in seen if one.arguments.get("t", 2) > 1]
    if best.open and len(later) < len(seen) and all(one.right for one in seen if one not in later):
        rest = _inferred(exercise, later, traced, steps)
        if not rest.open:
            (first, *others) = rest.causes
            text = f"{first.text} (At the first step alone yours is right.)"
            return Explanation((replace(first, text=text), *others))
    return best


TWISTS: tuple[tuple[Callable[[Array], Array], Cause], ...] = (
    (np.negative, Cause("sign_turned", "And its sign is the other way round.", "", "")),
    (np.reciprocal, Cause("upside_down", "And it is upside down.", "", "")),
)


def _twisted(exercise: Reference, observations: list[Observation]) -> Explanation | None:
    """Return the known mistake of a formula whose negative, or reciprocal, is what came back; or
    the right formula, if each value of it was computed from the one before."""
    if len(exercise.returns) > 1:
        return None
    for turned, cause in TWISTS:
        with np.errstate(all="ignore"):
            seen = [
                replace(one, found=one.found and (turned(one.found[0]),)) for one in observations
            ]
        known = _known(exercise, seen, 1)
        if known:
            entry = replace(known.causes[0], code="")
            return Explanation((entry, replace(cause, line=exercise.returns[0])))
    return _compounded(exercise, observations)


def _compounded(exercise: Reference, observations: list[Observation]) -> Explanation | None:
    first = next((name for name in ("lr", "beta1") if name in exercise.parameters), "")
    seen = [one for one in observations if one.arguments.get("t", LONGEST + 1) <= LONGEST]
    if not first or len(seen) < ENOUGH:
        return None
    for less in (0, 1):  # of the steps, where counting begins from 0
        if all(_agrees(one, _in_turn(exercise, dict(one.arguments), first, less)) for one in seen):
            text = (
                f"You compute each value from the one before, as a loop does that writes into "
                f"{first}. In the formula stands the first {first}, at every step."
            )
            return Explanation((Cause("compounded", text, "", exercise.returns[0]),))
    return None


def _in_turn(exercise: Reference, arguments: dict[str, Any], first: str, less: int) -> Any:
    """Return the value of a formula that is put into itself at every step."""
    for t in range(1, arguments["t"] + 1 - less):
        (arguments[first],) = exercise.results(exercise.values(arguments | {"t": t}))
    return arguments[first]


def _agrees(seen: Observation, value: Any) -> bool:
    return seen.found is not None and bool(close(seen.found[0], np.asarray(value, float)).all())


def _known(exercise: Reference, observations: list[Observation], count: int) -> Explanation | None:
    """Return the one known mistake, or the two, under which everything would be as it was seen."""
    for mistakes in combinations(exercise.mistakes, count):
        lines = [line for mistake in mistakes for line in mistake.lines]
        # The later calls are the richer ones, in which most can be told apart.
        if len(set(lines)) == len(lines) and all(
            _behaves_so(exercise, mistakes, seen) for seen in reversed(observations)
        ):
            return Explanation(tuple(map(Cause.known, mistakes)))
    return None


def _undefined(error: BaseException) -> bool:
    """Return whether an error is what Python's own numbers raise where an array has a NaN."""
    if isinstance(error, ValueError):
        return "domain" in str(error) or "expected a" in str(error)
    return isinstance(error, ArithmeticError)


def _behaves_so(exercise: Reference, mistakes: tuple[Mistake, ...], seen: Observation) -> bool:
    """Return whether the reference with these mistakes would have done what was seen."""
    if seen.outcome.error is not None and not _undefined(seen.outcome.error):
        return False
    try:
        with np.errstate(all="ignore"):
            values = exercise.values(seen.arguments, *mistakes)
            results = [np.asarray(result, dtype=float) for result in exercise.results(values)]
    except (ArithmeticError, ValueError):
        return seen.outcome.error is not None
    if seen.found is None:
        # Where an array has a NaN or an infinity, a float raises.
        return not all(np.isfinite(result).all() for result in results)
    return all(
        found.shape == result.shape and close(found, result).all()
        for found, result in zip(seen.found, results, strict=True)
    )


def order_of(exercise: Reference, observations: list[Observation]) -> tuple[str, ...]:
    """Return the names of the results in the order in which they were returned, or () if the right
    results were not returned in any order."""
    for order in permutations(range(len(exercise.returns))):
        if all(_in_order(seen, order) for seen in observations):
            return tuple(exercise.returns[i] for i in order)
    return ()


def likely_orders(
    exercise: Reference, observations: list[Observation]
) -> Iterator[tuple[int, ...]]:
    """Yield the orders in which the most results are right, and more than in their own: for each
    that was returned, which one it is."""
    count = range(len(exercise.returns))

    ran = [(seen.found, seen.expected) for seen in observations if seen.found is not None]

    def right(order: tuple[int, ...]) -> int:
        """Return how many results are right in every call, if they were returned in this order."""
        return sum(all(close(f[i], e[order[i]]).all() for f, e in ran) for i in count)

    orders = {order: right(order) for order in permutations(count)}
    most = max(orders.values())
    if most > orders[tuple(count)]:
        yield from (order for order, good in orders.items() if good == most)


def reordered(seen: Observation, order: tuple[int, ...]) -> Observation:
    """Return what was seen as if the results had been returned in the order asked for."""
    if seen.found is None:
        return seen
    return replace(seen, found=tuple(seen.found[order.index(i)] for i in range(len(order))))


def _in_order(seen: Observation, order: tuple[int, ...]) -> bool:
    if seen.found is None:
        return False
    pairs = zip(seen.found, order, strict=True)
    return all(close(found, seen.expected[i]).all() for found, i in pairs)


def wrong_order(exercise: Reference, order: tuple[str, ...]) -> Parts:
    """Return what to say about right results in the wrong order."""
    text = f"The values are right, but you return {listed(order)}; asked for: "
    return [("Cause", f"{text}{listed(exercise.returns)}."), ("Look at", "the return statement.")]


def other_order(exercise: Reference, order: tuple[int, ...]) -> Parts:
    """Return what to say about an order in which some of the results are right."""
    mine = listed([exercise.returns[i] for i in order])
    return [("Cause", f"You return {mine}; asked for: {listed(exercise.returns)}.")]


@dataclass(frozen=True)
class Shown:
    """The one call, and the one number in it, that a verdict speaks of."""

    seen: Observation
    name: str
    place: tuple[int, ...]


def shown(exercise: Reference, trial: Trial, causes: tuple[Cause, ...] = ()) -> Shown:
    """Return the first number that is wrong, if possible where the first cause's line is too."""
    wrong = [seen for seen in trial.observations if not seen.right]
    options = [_first_wrong(exercise, seen) for seen in wrong]
    for cause in causes[:1]:
        for one in options:
            if one.seen.found is not None and _consequence(exercise, one, cause):
                return one
    return options[0]


def _first_wrong(exercise: Reference, seen: Observation) -> Shown:
    if seen.found is None:
        return Shown(seen, "", ())
    order = _order(exercise)
    wrong = [name for name, good in zip(exercise.returns, seen.agrees, strict=True) if not good]
    name = min(wrong, key=order.index)
    which = exercise.returns.index(name)
    agrees = close(np.atleast_1d(seen.found[which]), np.atleast_1d(seen.expected[which]))
    return Shown(seen, name, tuple(int(i) for i in np.argwhere(~agrees)[0]))


def difference(exercise: Reference, trial: Trial, one: Shown) -> Parts:
    """Return what is right, and a difference with the call that shows it."""
    parts, seen, name, place = [], one.seen, one.name, one.place
    right = [name for name, good in zip(exercise.returns, trial.right_results, strict=True) if good]
    if right:
        parts.append(("Right", f"{listed(right)}, in each of {len(exercise.probes)} calls."))
    if seen.found is None:
        return [*parts, ("Differs", described(seen.outcome.error).text)]
    which = exercise.returns.index(name)
    found, expected = np.atleast_1d(seen.found[which]), np.atleast_1d(seen.expected[which])
    if found.size > 1:
        name += f"[{', '.join(map(str, place))}]"
    texts = apart(found[place], expected[place])
    text = f"{name} is {texts[0]} where {texts[1]} is right{_at(seen)}, for "
    return [*parts, ("Differs", f"{text}{_arguments(exercise, seen, place)}.")]


def explained(exercise: Reference, one: Shown, causes: tuple[Cause, ...]) -> Parts:
    """Return what to say about causes: the words of each, its code, where to look."""
    parts: Parts = []
    for cause in causes:
        parts.append(("Cause", f"{cause.text} {_consequence(exercise, one, cause)}".strip()))
        if cause.code:
            parts.append(("Code", cause.code))
        if cause.others:
            parts.append(("Or", f"{listed(cause.others, 'or')}. The same numbers come of it here."))
    places = list(dict.fromkeys(exercise.place(cause.line) for cause in causes))
    return [*parts, ("Look at", f"{listed(places)}.")]


def unknown(exercise: Reference, trial: Trial, departs: str = "") -> Parts:
    """Return what to say about a difference that nothing explains; ``departs`` says where."""
    cause = "This differs from every mistake that the checker knows."
    return [("Cause", cause), ("Look at", departs or _where(exercise, trial))]


def _consequence(exercise: Reference, one: Shown, cause: Cause) -> str:
    """Return what the wrong line's value is and should be, where nobody else can see it."""
    name, given = cause.line, one.seen.arguments
    if name in exercise.returns or one.seen.found is None:
        return ""
    with np.errstate(all="ignore"):
        try:
            if cause.mistake is not None:
                wrong = exercise.values(given, cause.mistake)[name]
                right = exercise.values(given)[name]
            elif cause.program is not None and cause.edits:
                wrong, right = with_and_without(exercise, cause.program, one.seen, cause)
            else:
                return ""
        except (ArithmeticError, ValueError, KeyError):
            return ""
    wrong, right = np.broadcast_arrays(np.atleast_1d(wrong), np.atleast_1d(right))
    places = [one.place] if wrong.ndim == len(one.place) and wrong.size > 1 else [(0,)]
    for place in places:
        if not close(wrong[place], right[place]).all():
            texts = apart(wrong[place], right[place])
            # What was given is spoken of by its name.
            what = name if name in given else exercise.place(name)
            what = what.removeprefix("the line that computes ")
            what = "the change of x" if name == "change" else what
            return f"So {what} is {texts[0]} where {texts[1]} is right{_at(one.seen)}."
    return ""


def _order(exercise: Reference) -> list[str]:
    """Return every name that the algorithm assigns, in its order."""
    return [name for line in exercise.lines for name in line.names]


def _where(exercise: Reference, trial: Trial) -> str:
    """Return at which lines the solution can have departed, as far as the numbers tell."""
    order = _order(exercise)
    places = [order.index(name) for name in exercise.returns]
    agree = dict(zip(places, trial.right_results, strict=True))
    departs = min(place for place, good in agree.items() if not good)
    last_right = max((place for place, good in agree.items() if good), default=-1)
    lines = order[last_right + 1 : departs + 1] if last_right < departs else [order[departs]]
    named = list(dict.fromkeys(exercise.place(name) for name in lines))
    return " ".join([f"{listed(named, 'or')}.", *_hints(exercise, trial)])


def _hints(exercise: Reference, trial: Trial) -> Iterator[str]:
    """Yield under which settings the solution is right: what they switch off is at fault."""
    for name in exercise.parameters:
        neutral = 1 if name == "t" else 0
        at = [seen.right for seen in trial.observations if _is(seen, name, neutral)]
        if at and all(at):
            yield f"It is right whenever {name} is {neutral}: look where {name} is used."


def _is(seen: Observation, name: str, value: float) -> bool:
    given = seen.arguments[name]
    return isinstance(given, (int, float)) and given == value


def _at(seen: Observation) -> str:
    step = seen.arguments.get("t")
    return f" after step {step}" if isinstance(step, int) else ""


def _arguments(exercise: Reference, seen: Observation, place: tuple[int, ...]) -> str:
    """Return the arguments of a call, of the one coordinate where there is only one to look at."""
    texts = []
    for name, value in seen.arguments.items():
        if isinstance(value, np.ndarray):
            shown = np.asarray(value[place] if exercise.one_by_one else value) + 0.0  # for -0
            text = f"{shown:.6g}" if shown.ndim == 0 else np.array2string(shown, separator=", ")
        else:
            text = f"{value:.6g}" if isinstance(value, (int, float)) else str(value)
        texts.append(f"{name} = {' '.join(text.split())}")
    return listed(texts)
