"""Which edit of a rule's lines explains what was seen.

The edits are those that the checker of exercises knows (:mod:`adam_edu.wrongs`). All edits of a
rule are run at once over the first steps, with the parameter that was seen in the place of the one
computed; the nearest are fitted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import Rule
from ..edits import HOLE, filled
from ..program import BEFORE, Program, evaluated, program_of
from ..rules import SGD
from ..trees import Call, Line, Name, Node, reads, subtrees
from ..wrongs import Group, Wrong, singles
from .edited import Edited, begins, decaying, edited, inputs, numbers
from .fit import OTHERS, Candidate, Fitted, Seen, apart, fit
from .unrolled import ROWS, Circular, Unrolled, stacked

Array = NDArray[np.float64]
Values = Mapping[str, Any]

# Of an optimizer, not of a pupil: nobody's library stops correcting after a step of our choice, and
# numbers are fitted anyway.
NOT_ASKED = {"stops", "usual"}


BASES = 3, 2  # rules whose edits are screened, the nearest first: at once, then if none explains it
FITTED = 12  # edits that are fitted of each lot
TRIES = 25  # evaluations of a fit


def explained(
    seen: Seen,
    tried: Sequence[Fitted],
    exact: float,
    progress: Callable[[str], Any] = lambda text: None,
) -> Fitted | None:
    """Return the likeliest of the edits that explain all steps, fitted; or None.

    Parameters
    ----------
    tried : rules that do not, fitted
    exact : the deviation up to which an edit explains them
    """
    nearest: dict[type[Rule], Fitted] = {}
    for one in sorted(tried, key=lambda one: apart(seen, one)):
        nearest.setdefault(one.candidate.rule, one)
    ordered = list(nearest.values())
    begin = 0
    for count in BASES:
        lot: list[Screened] = []
        if not begin:  # the simplest costs nothing
            lot += screened(Candidate(SGD), seen, [Candidate(SGD).begin()])
        for one in ordered[begin : begin + count]:
            progress(f"edits of {one.candidate.words}")
            lot += screened(one.candidate, seen, choices(one.candidate, one.values))
        begin += count
        hits: list[tuple[Fitted, float]] = []
        near = np.inf  # what computes the same comes as near
        for edit in sorted(lot, key=lambda edit: edit.near)[:FITTED]:
            if edit.near > 2 * near + 0.01:
                break
            found = fit(edit.candidate, seen, edit.values, TRIES)
            if found.deviation < exact:
                near = min(near, edit.near)
                hits.append((found, edit.cost))
        if hits:
            best = min(found.deviation for found, _ in hits)
            hits = [hit for hit in hits if hit[0].deviation <= max(3 * best, 1e-9)]
            return min(hits, key=lambda hit: (len(hit[0].values), hit[1]))[0]
    return None


def choices(plain: Candidate, values: Values) -> list[dict[str, float]]:
    """Return hyper-parameters to screen with: those given, the defaults, and shorter memories."""
    begin = plain.begin()
    near = {name: float(values.get(name, value)) for name, value in begin.items()}
    shorter = {name: value for (one,) in OTHERS[:2] for name, value in one.items()}
    found = [near, begin, begin | {n: v for n, v in shorter.items() if n in begin}]
    return [one for i, one in enumerate(found) if one not in found[:i]]


@dataclass(frozen=True)
class Screened:
    """How near an edit comes before it is fitted, and with which hyper-parameters."""

    near: float
    cost: float
    candidate: Edited
    values: dict[str, float]


SCREENED = 36  # steps by which edits are told apart at first: past the change at the thirtieth
AT_ONCE = 64  # edits; more would not fit into the processor's caches


def screened(plain: Candidate, seen: Seen, table: Sequence[Values]) -> list[Screened]:
    """Return the edits of a rule that take different steps, with the choice of hyper-parameters
    and the rate that bring each nearest; the nearest edit first.

    Parameters
    ----------
    table : the choices of hyper-parameters
    """
    early = Seen(seen.start, seen.gradients[:SCREENED], seen.points[:SCREENED], seen.ulp)
    best: dict[bytes, Screened] = {}
    for wrongs, moves in _tried(plain, early, table):
        near, factor = nearness(early, moves)
        for wrong, off, factors in zip(wrongs, near, factor, strict=True):
            i = int(off.argmin())
            key = np.round(off, 10).tobytes()
            if off[i] < FAR and (key not in best or wrong.cost < best[key].cost):
                values = dict(table[i]) | {"lr": table[i]["lr"] * float(factors[i])}
                candidate = Edited(plain.rule, plain.decay, wrong=wrong)
                best[key] = Screened(float(off[i]), wrong.cost, candidate, values)
    return sorted(best.values(), key=lambda one: one.near)


SEEN = frozenset(["x" + BEFORE])
FAR = 0.9  # of nearness, where nothing is explained


def _tried(
    plain: Candidate, seen: Seen, table: Sequence[Values]
) -> Iterator[tuple[Sequence[Wrong], Array]]:
    """Yield edits with the changes of their steps, of shape (T, w, k, n)."""
    program = program_of(plain.rule)
    lines = decaying(program.lines, plain.decay)
    given = inputs(seen.gradients) | numbers(
        {name: np.array([values[name] for values in table]) for name in table[0]}
    )
    before = np.vstack([seen.start, seen.points[:-1]])[:, None, None]
    given |= dict.fromkeys(SEEN, before)
    begin = begins(plain.rule, np.zeros((1, len(table), len(seen.start))), seen.start)
    with np.errstate(all="ignore"):
        known = Unrolled(lines, SEEN).run(given, begin)
        for group in singles(program):
            after = downstream(lines, {program.places[i].line for i in group.places})
            if "x" not in after:
                continue
            kept = {n: v for n, v in known.items() if n.removesuffix(BEFORE) not in after} | given
            for wrongs, own, more in _written(program, group, kept, plain.decay):
                rest = Unrolled(
                    tuple(one for one in own if one.name in after or one.name.startswith("edit")),
                    SEEN,
                )
                try:
                    x = rest.run(kept | more, begin)["x"]
                except Circular:
                    continue
                shape = (len(seen.gradients), len(wrongs), len(table), len(seen.start))
                yield wrongs, np.broadcast_to(x - before, shape)


def _written(
    program: Program, group: Group, known: Mapping[str, Any], decay: str
) -> Iterator[tuple[Sequence[Wrong], Sequence[Line], dict[str, Any]]]:
    """Yield edits of one group with the lines that compute them and what these read beside what is
    known: many at once where all of what they write is known, and else one by one."""
    holes = []
    for i in group.places:
        old = program.places[i].node
        inner = [(HOLE + "".join(map(str, path)), node) for path, node in subtrees(old)]
        holes.append(
            {name: evaluated(n, known) for name, n in inner if known.keys() >= {*reads(n)}}
        )
    stands = {i: Name(f"edit{i}") for i in group.places}
    one, *others = group.places
    named = Wrong(group.places, "", stands[one], 0, tuple((i, stands[i]) for i in others))
    lines = decaying(edited(program, named), decay)
    asked = [replace(w, places=group.places) for w in group.wrongs if w.kind not in NOT_ASKED]

    def direct(wrong: Wrong) -> bool:
        pairs = zip(group.places, holes, strict=True)
        return all({*reads(wrong.at(i))} <= known.keys() | own.keys() for i, own in pairs)

    for alike, some in groupby(sorted(asked, key=direct), direct):
        rest = list(some)
        for begin in range(0, len(rest), AT_ONCE):
            wrongs = rest[begin : begin + AT_ONCE]
            if alike:
                yield (
                    wrongs,
                    lines,
                    {
                        stands[i].id: stacked(
                            [evaluated(w.at(i), {**known, **own}) for w in wrongs]
                        )
                        for i, own in zip(group.places, holes, strict=True)
                    },
                )
                continue
            trees = {i: tuple(_instead(program, i, w) for w in wrongs) for i in group.places}
            written = [Line(stands[i].id, Call(ROWS, trees[i])) for i in group.places]
            yield wrongs, [*written, *lines], {}


def _instead(program: Program, i: int, wrong: Wrong) -> Node:
    return filled(wrong.at(i), program.places[i].node)


def downstream(lines: Sequence[Line], changed: set[str]) -> set[str]:
    """Return the names of lines that are computed from some of them, in this step or a later one,
    and of these."""
    found, size = set(changed), 0
    while size < len(found):
        size = len(found)
        found |= {
            line.name
            for line in lines
            if any(read.removesuffix(BEFORE) in found for read in line.reads)
        }
    return found


def nearness(seen: Seen, moves: Array) -> tuple[Array, Array]:
    """Return how far moves of shape (T, w, k, n) are from those seen once they are multiplied by
    one factor, a mean between 0 and 1, of shape (w, k); and that factor."""
    own = seen.moves[:, None, None]
    with np.errstate(all="ignore"):
        ratio = (own * moves).sum(axis=0) / (moves * moves).sum(axis=0)
        ratio = np.sort(np.where(ratio > 0, ratio, np.nan), axis=-1)
        count = np.isfinite(ratio).sum(axis=-1, keepdims=True)
        factor = np.take_along_axis(ratio, np.maximum(count - 1, 0) // 2, axis=-1)
        scaled = factor * moves
        size = abs(scaled) + abs(own)
        apart = abs(scaled - own) / np.where(size > 0, size, 1.0)
    apart = np.where(np.isfinite(apart), apart, 1.0).mean(axis=(0, -1))
    return apart, factor[..., 0]
