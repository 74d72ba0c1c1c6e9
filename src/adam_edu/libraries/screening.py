"""Which edit of a rule's lines explains what was seen.

The edits are those that the checker of exercises knows (:mod:`adam_edu.wrongs`). All edits of a
rule are run at once over the first steps, with the parameter that was seen in the place of the one
computed; the nearest are fitted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import Rule, domains
from ..reading import Unreadable
from ..rules import (
    RULES,
    SGD,
    AdaGrad,
    Adam,
    AdamL2,
    AdamW,
    Momentum,
    Nesterov,
    RMSProp,
)
from ..wrongs import Wrong
from .candidate import COUPLED, DECOUPLED, NO_DECAY, Candidate, Seen, decay_of
from .edited import Edited
from .fit import OTHERS, Fitted, apart, deviations, fit
from .probes import EARLY
from .trials import trials
from .unrolled import Circular

Array = NDArray[np.float64]
Values = Mapping[str, Any]

# Rules with few lines, whose edits cost little, are always screened.
SIMPLE = SGD, Momentum, Nesterov, AdaGrad, RMSProp
# Of the other rules, the nearest first: more if none of those before explains it, in the end all.
LOTS = 1, 2, 1, 4, 4, 4, 4, 4
THOROUGH = 3  # of the lots, those that are screened with several choices of numbers
FITTED = 12  # edits that are fitted of each lot
TRIES = 25  # evaluations of a fit
SHAPED, VARIANTS = 1e-4, 6  # a nearness of moves of one shape; so many of other rates are fitted
ALIKE, REFITTED = 40, 4  # of those that compute the same, so many are told, some with other numbers
MORE, ROUGHLY, FINELY = 36, 4, 6  # if none explains it: more are fitted roughly, and the best anew


@dataclass(frozen=True)
class View:
    """What an optimizer was seen to do, or that with the other sign.

    Attributes
    ----------
    holds : whether a fit takes other steps, too
    """

    seen: Seen
    holds: Callable[[Fitted], bool] = lambda one: True


def explained(
    seen: Seen,
    tried: Sequence[Fitted],
    views: Sequence[View],
    exact: float,
    progress: Callable[[str], Any] = lambda text: None,
) -> tuple[list[Fitted], View]:
    """Return the likeliest of the edits that explain all steps, fitted, and after it those that
    explain them as well; nothing if there is none. And the view that they explain.

    Parameters
    ----------
    tried : rules that do not explain what was seen, fitted
    views : what is to be explained, either of them; the likelier first
    exact : the deviation up to which an edit explains a view
    """
    for i, lot in enumerate(lots(seen, tried)):
        for view in views:
            if found := of_lot(lot, view, exact, progress, thorough=i < THOROUGH):
                return found, view
    return [], views[0]


def of_lot(
    lot: Sequence[tuple[Candidate, Values]],
    view: View,
    exact: float,
    progress: Callable[[str], Any],
    thorough: bool,
) -> list[Fitted]:
    """Return what :func:`explained` does, of the edits of some rules; of those that are unlikely,
    with one choice of numbers."""
    seen, some = view.seen, []
    for plain, values in lot:
        progress(f"edits of {plain.words}")
        table = choices(plain, values) if thorough else [plain.begin()]
        some += screened(plain, seen, table, EARLY if thorough else FEW)
    hits: list[tuple[Fitted, Screened]] = []
    near = np.inf  # what computes the same comes as near
    some.sort(key=lambda edit: edit.near)
    more = some[FITTED : FITTED + MORE] if thorough else []
    for edit in chain(some[:FITTED], nearer(more, seen, hits)):
        if edit.near > 2 * near + 0.01:
            break
        for one in variants(edit):
            found = fit(one.candidate, seen, one.values, TRIES)
            if found.deviation < exact and view.holds(found):
                near = min(near, one.near)
                hits.append((found, one))
                break
    if not hits:
        return []
    best = min(found.deviation for found, _ in hits)
    hits = [hit for hit in hits if hit[0].deviation <= max(3 * best, 1e-9)]
    hits.sort(key=lambda hit: (len(hit[0].values), hit[1].cost))
    likeliest, edit = hits[0]
    return [likeliest, *alike(edit, likeliest, seen, exact), *(one for one, _ in hits[1:])]


def nearer(some: Sequence["Screened"], seen: Seen, hits: Sequence[Any]) -> Iterator["Screened"]:
    """Yield those of more edits that are nearest once they are fitted roughly, if there are no hits
    by then: with other numbers than were screened, what explains all may be far at first."""
    if not hits:
        found = [fit(edit.candidate, seen, edit.values, ROUGHLY) for edit in some]
        ordered = sorted(zip(found, some, strict=False), key=lambda pair: apart(seen, pair[0]))
        yield from (replace(edit, values=one.values) for one, edit in ordered[:FINELY])


def variants(edit: "Screened") -> Iterator["Screened"]:
    """Yield an edit and, where its moves have the shape of those seen, others of that shape with
    other rates: of a step without a rate, no rate makes the length."""
    yield edit
    if edit.near > SHAPED:
        return
    known = [edit.values["lr"]]
    for one in sorted(edit.same, key=lambda one: one[0]):
        cost, wrong, values = one
        if len(known) <= VARIANTS and not np.isclose(values["lr"], known, rtol=1e-6).any():
            known.append(values["lr"])
            rest = [(edit.cost, edit.candidate.wrong, edit.values)]
            rest += [other for other in edit.same if other is not one]
            yield Screened(edit.near, cost, replace(edit.candidate, wrong=wrong), values, rest)


def alike(edit: "Screened", found: Fitted, seen: Seen, exact: float) -> Iterator[Fitted]:
    """Yield those of a rule's edits that take the same steps as one that was fitted does, with its
    numbers or with numbers of their own."""
    refits = REFITTED
    for _, wrong, values in sorted(edit.same, key=lambda one: one[0])[:ALIKE]:
        candidate = Edited(edit.candidate.rule, edit.candidate.decay, wrong=wrong)
        with np.errstate(all="ignore"):
            moves = candidate.moves(found.values, seen.start, seen.gradients)
        other = replace(found, candidate=candidate, deviation=deviations(seen, moves).max())
        if other.deviation >= exact and refits:
            refits -= 1
            other = fit(candidate, seen, values, TRIES)
        if other.deviation < exact:
            yield other


def lots(seen: Seen, tried: Sequence[Fitted]) -> Iterator[list[tuple[Candidate, Values]]]:
    """Yield rules whose edits are worth a look, with hyper-parameters, some at a time: the simple
    ones and the nearest, then others; of a rule's forms, the rule, and the one that is nearest."""
    nearest = sorted(tried, key=lambda one: apart(seen, one))
    first = nearest[0].candidate
    known: dict[type[Rule], Values] = {}
    for one in nearest:
        rule = original(one.candidate.rule)
        if rule in RULES.values():  # one that some library alone has is known by its own form
            known.setdefault(rule, one.values)
    known |= {rule: Candidate(rule).begin() for rule in SIMPLE}
    order = [*known, *(rule for rule in RULES.values() if rule not in known)]
    decay = decay_of(seen)
    simple = [pair for rule in SIMPLE for pair in decayed(rule, decay, known[rule])]
    if first.rule is not original(first.rule) and editable(first):
        simple.append((first, nearest[0].values))
    others = (rule for rule in order if rule not in SIMPLE)
    for i, count in enumerate(LOTS):
        some = islice(others, count)
        pairs = [pair for rule in some for pair in decayed(rule, decay, known.get(rule, {}))]
        yield pairs if i else simple + pairs


def editable(form: Candidate) -> bool:
    """Return whether the lines of a form can be edited: a program can be read of them and, with its
    decay, run; and its slots start at zero, as those of every edit do."""
    try:
        _ = Edited(form.rule, form.decay).unrolled.parts
    except (Unreadable, Circular):
        return False
    return not np.any(form.rule.init(form.rule(), np.ones(1)))


def decayed(rule: type[Rule], decay: str, values: Values) -> list[tuple[Candidate, Values]]:
    """Return a rule with the decay that was seen, if it has none of its own, and as it is: what
    moves weights without a gradient may be the edit. Adam's decay has lines in rules of their own.
    """
    found = [Candidate(rule)]
    if decay != NO_DECAY and "weight_decay" not in domains(rule):  # type: ignore[arg-type]
        found.insert(0, Candidate(rule, decay))
    if rule is Adam:
        own = {COUPLED: AdamL2, DECOUPLED: AdamW}
        found += [Candidate(own[decay])] if decay in own else []
    return [(one, values) for one in found]


def original(rule: type[Rule]) -> type[Rule]:
    """Return the rule that a form is a form of.

    >>> from adam_edu.forms import EpsilonHat
    >>> original(EpsilonHat).__name__
    'Adam'
    """
    return [kind for kind in rule.__mro__ if issubclass(kind, Rule) and kind is not Rule][-1]


def choices(plain: Candidate, values: Values) -> list[dict[str, float]]:
    """Return hyper-parameters to screen with: those given, the defaults, and shorter memories."""
    begin = plain.begin()
    near = {name: float(values.get(name, value)) for name, value in begin.items()}
    shorter = {name: value for (one,) in OTHERS[:2] for name, value in one.items()}
    found = [near, begin, begin | {n: v for n, v in shorter.items() if n in begin}]
    return [one for i, one in enumerate(found) if one not in found[:i]]


@dataclass(frozen=True)
class Screened:
    """How near an edit comes before it is fitted, with which hyper-parameters, and what others are
    as near: the cost, the edit and the hyper-parameters of each."""

    near: float
    cost: float
    candidate: Edited
    values: dict[str, float]
    same: list[tuple[float, Wrong | None, dict[str, float]]]


FEW = 14  # steps by which edits of unlikely rules are


def screened(
    plain: Candidate, seen: Seen, table: Sequence[Values], steps: int = EARLY
) -> list[Screened]:
    """Return the nearest edits of a rule that take different steps, and the rule itself, with the
    choice of hyper-parameters and the rate that bring each nearest; the nearest edit first.

    Parameters
    ----------
    table : the choices of hyper-parameters
    """
    early = seen.first(steps)
    wrongs: list[Wrong | None] = []
    found = []
    for some, moves in trials(plain, early, table):
        wrongs += some
        found.append(nearness(early, moves))
    near, factor = (np.concatenate(each) for each in zip(*found, strict=True))
    columns, keys = near.argmin(axis=1), np.round(near, 10)
    nearest = near.min(axis=1)
    best: dict[bytes, Screened] = {}
    last = FAR
    for j in np.argsort(nearest, kind="stable").tolist():
        if nearest[j] >= last:
            break
        i, key, wrong = int(columns[j]), keys[j].tobytes(), wrongs[j]
        before, cost = best.get(key), 0.0 if wrong is None else wrong.cost
        values = dict(table[i]) | {"lr": table[i]["lr"] * float(factor[j, i])}
        if before is not None and cost >= before.cost:
            before.same.append((cost, wrong, values))
            continue
        same = [] if before is None else before.same
        if before is not None:
            same.append((before.cost, before.candidate.wrong, before.values))
        elif len(best) == TOLD:  # but for what comes as near
            last = min(last, float(nearest[j]) + 1e-9)
        candidate = Edited(plain.rule, plain.decay, wrong=wrong)
        best[key] = Screened(float(nearest[j]), cost, candidate, values, same)
    return sorted(best.values(), key=lambda one: one.near)


TOLD = FITTED + MORE + 12  # edits with different steps, the nearest of a rule
FAR = 0.9  # of nearness, where nothing is explained


def nearness(seen: Seen, moves: Array) -> tuple[Array, Array]:
    """Return how far moves of shape (T, w, k, n) are from those seen once they are multiplied by
    one factor, a mean between 0 and 1, of shape (w, k); and that factor."""
    own = seen.moves[:, None, None]
    with np.errstate(all="ignore"):
        ratio = np.einsum("tn,twkn->wkn", seen.moves, moves)
        ratio /= np.einsum("twkn,twkn->wkn", moves, moves)
        ratio = np.sort(np.where(ratio > 0, ratio, np.nan), axis=-1)
        count = np.isfinite(ratio).sum(axis=-1, keepdims=True)
        factor = np.take_along_axis(ratio, np.maximum(count - 1, 0) // 2, axis=-1)
        gap = factor * moves
        size = abs(gap)
        size += abs(own) + 1e-300  # so that nothing from nothing is 0
        gap -= own
        np.abs(gap, out=gap)
        gap /= size
    gap[~(gap <= 1)] = 1.0
    return gap.sum(axis=0).mean(axis=-1) / len(gap), factor[..., 0]
