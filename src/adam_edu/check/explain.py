"""Which known mistakes explain what was seen, and how to say it."""

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np

from .calling import Observation, Trial, close
from .faults import described
from .mistake import Mistake
from .reference import Reference
from .report import apart, listed

Parts = list[tuple[str, str]]


def explain(exercise: Reference, observations: list[Observation]) -> tuple[Mistake, ...]:
    """Return the known mistake, or the two, under which everything seen would be as it was seen."""
    for count in (1, 2):
        for mistakes in combinations(exercise.mistakes, count):
            lines = [line for mistake in mistakes for line in mistake.lines]
            if len(set(lines)) == len(lines) and all(
                _behaves_so(exercise, mistakes, seen) for seen in observations
            ):
                return mistakes
    return ()


def _behaves_so(exercise: Reference, mistakes: tuple[Mistake, ...], seen: Observation) -> bool:
    """Return whether the reference with these mistakes would have done what was seen."""
    if seen.outcome.error is not None and not isinstance(
        seen.outcome.error, (ArithmeticError, ValueError)
    ):
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


def _in_order(seen: Observation, order: tuple[int, ...]) -> bool:
    if seen.found is None:
        return False
    pairs = zip(seen.found, order, strict=True)
    return all(close(found, seen.expected[i]).all() for found, i in pairs)


def wrong_order(exercise: Reference, order: tuple[str, ...]) -> Parts:
    """Return what to say about right results in the wrong order."""
    text = f"The values are right, but you return {listed(order)}; asked for: "
    return [("Cause", f"{text}{listed(exercise.returns)}."), ("Look at", "the return statement.")]


def difference(exercise: Reference, trial: Trial) -> Parts:
    """Return what is right, and the first difference with the call that shows it."""
    seen = next(o for o in trial.observations if not o.right)
    parts = []
    right = [name for name, good in zip(exercise.returns, trial.right_results, strict=True) if good]
    if right:
        parts.append(("Right", f"{listed(right)}, in each of {len(trial.observations)} calls."))
    if seen.found is None:
        return [*parts, ("Differs", described(seen.outcome.error).text)]
    order = _order(exercise)
    wrong = [name for name, good in zip(exercise.returns, seen.agrees, strict=True) if not good]
    name = min(wrong, key=order.index)
    which = exercise.returns.index(name)
    found, expected = np.atleast_1d(seen.found[which]), np.atleast_1d(seen.expected[which])
    place = tuple(np.argwhere(~close(found, expected))[0])
    if found.size > 1:
        name += f"[{', '.join(map(str, place))}]"
    texts = apart(found[place], expected[place])
    text = f"{name} is {texts[0]} where {texts[1]} is right{_at(seen)}, for "
    return [*parts, ("Differs", f"{text}{_arguments(exercise, seen, place)}.")]


def known(exercise: Reference, trial: Trial, mistakes: tuple[Mistake, ...]) -> Parts:
    """Return what to say about known mistakes: the words of each, its code, where to look."""
    parts: Parts = []
    for mistake in mistakes:
        parts.append(("Cause", f"{mistake.words} {_consequence(exercise, trial, mistake)}".strip()))
        if mistake.code:
            parts.append(("Code", mistake.code))
    places = list(dict.fromkeys(exercise.place(mistake.lines[0]) for mistake in mistakes))
    return [*parts, ("Look at", f"{listed(places)}.")]


def unknown(exercise: Reference, trial: Trial) -> Parts:
    """Return what to say about a difference that no known mistake explains."""
    return [
        ("Cause", "This differs from every mistake that the checker knows."),
        ("Look at", _where(exercise, trial)),
    ]


def _consequence(exercise: Reference, trial: Trial, mistake: Mistake) -> str:
    """Return what the wrong line's value is and should be, where nobody else can see it."""
    name = mistake.lines[0]
    if name in exercise.returns or name not in exercise.values(exercise.probes[0]):
        return ""
    for seen in trial.observations:
        with np.errstate(all="ignore"):
            try:
                wrong = np.atleast_1d(exercise.values(seen.arguments, mistake)[name])
            except (ArithmeticError, ValueError):
                continue
        right = np.atleast_1d(exercise.values(seen.arguments)[name])
        for i in np.flatnonzero(~close(wrong, right)):
            texts = apart(wrong[i], right[i])
            # What was given is spoken of by its name.
            what = name if name in seen.arguments else exercise.place(name)
            what = what.removeprefix("the line that computes ")
            return f"So {what} is {texts[0]} where {texts[1]} is right{_at(seen)}."
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
            shown = np.asarray(value[place] if exercise.one_by_one else value)
            text = f"{shown:.6g}" if shown.ndim == 0 else np.array2string(shown, separator=", ")
        else:
            text = f"{value:.6g}" if isinstance(value, (int, float)) else str(value)
        texts.append(f"{name} = {' '.join(text.split())}")
    return listed(texts)
