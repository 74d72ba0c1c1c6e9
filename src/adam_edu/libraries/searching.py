"""Which rules are fitted to what was seen, from where, and which of the fits counts."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .candidate import NO_DECAY, Candidate, Seen, candidates, decay_of
from .fit import PATIENT, WHILE, Fitted, apart, deviations, fit, quick
from .probes import EARLY

EXACT = 1e-7, 1e-5  # a deviation below which no other is tried, in float64 and in float32
FITS = 1e-4  # one above which the rule is another one; float32 powers of beta2 make 1e-5
ONE = 1e-6  # what a share that is fitted may lack of 1, and be 1
KNOWN = 1e-4  # of a number, what its error is at most
# Of those that come nearest before they are fitted, so many are fitted with patience; so are those
# that are nearest after it.
LIKELY = 4
LINEAR = 10.0  # an epsilon beside which the recorded gradients, at most 0.06, are nothing
FIRST = 60  # evaluations of a fit
RESTARTED = 25  # of one that begins elsewhere, or beside another that fits
ASKED, MOST = 16, 36  # candidates that are fitted, the nearest first; and if none fits
OTHER_STARTS: tuple[dict[str, float], ...] = (
    {"beta2": 0.99},
    {"beta1": 0.95, "beta2": 0.95},
    {"beta1": 0.5},
    {"momentum": 0.5},
    {"beta1": 0.8, "momentum_decay": 0.02},
)


def undecayed(one: Fitted, seen: Seen) -> Fitted:
    """Return a fit without a decay of weights that explains nothing: they may move without one, by
    an edit or by what a moment starts at."""
    if one.candidate.decay == NO_DECAY or one.deviation > FITS:
        return one
    candidate = replace(one.candidate, decay=NO_DECAY)
    values = {name: one.values[name] for name in candidate.domains}
    moves = candidate.moves(values, seen.start, seen.gradients)
    deviation = float(deviations(seen, moves).max())
    if deviation > max(3 * one.deviation, 1e-9):
        return one
    spread = {name: one.spread[name] for name in values}
    return Fitted(candidate, values, spread, deviation)


def ranked(seen: Seen) -> Iterator[tuple[dict[str, float], Candidate]]:
    """Yield candidates with where their fits begin, the nearest before a fit first: all are ranked
    by a few steps, and by all steps the likeliest, then the others that are fitted."""
    early = seen.first(EARLY)
    order = sorted(candidates(decay_of(seen)), key=lambda one: quick(one, early, rounds=1)[0])
    for some in (order[:LIKELY], order[LIKELY:MOST]):
        rows = sorted(((*quick(one, seen), one) for one in some), key=lambda row: row[0])
        yield from (row[1:] for row in rows)


def search(seen: Seen) -> list[Fitted]:
    """Return the candidates that were fitted to what was seen, the nearest at their defaults first,
    until one is exact."""
    exact = EXACT[seen.ulp > 1e-12]
    tried: list[Fitted] = []
    room = math.inf  # once one is exact, only those with fewer hyper-parameters are of interest
    # Once one fits, which float32 may keep from being exact, another with as many soon shows.
    fitting = math.inf  # the fewest hyper-parameters of one that fits
    for i, (start, candidate) in enumerate(ranked(seen)):
        fewer = len(candidate.domains) < fitting
        if len(candidate.domains) >= room or (i >= ASKED and not fewer):
            continue
        tries, enough = FIRST if fewer else RESTARTED, PATIENT if i < LIKELY else WHILE
        tried.append(undecayed(fit(candidate, seen, start, tries, enough), seen))
        if tried[-1].deviation < exact:
            if settled(tried[-1]):
                return tried
            room = len(candidate.domains)
        if tried[-1].deviation < FITS:
            fitting = min(fitting, len(candidate.domains))
    if fitting < math.inf:
        return tried
    nearest_first = sorted(tried, key=lambda one: apart(seen, one))
    # Relatives name their numbers alike: where one came to no end, the nearest one's lead it there.
    best = nearest_first[0].values
    led = [
        replace(one, values={name: best.get(name, value) for name, value in one.values.items()})
        for one in nearest_first[1:]
    ]
    led = sorted(led, key=lambda one: apart(seen, one))[:2]
    starts = [(one, one.values) for one in led]
    starts += [(one, one.values) for one in nearest_first[:LIKELY]]
    starts += [(one, one.values | other) for one in nearest_first[:2] for other in OTHER_STARTS]
    for one, start in starts:
        if start.keys() == one.values.keys() and one.deviation > FITS:
            tried.append(fit(one.candidate, seen, start, RESTARTED, PATIENT))
            if tried[-1].deviation < exact:
                break
    return tried


def settled(one: Fitted) -> bool:
    """Return whether the steps say what each hyper-parameter is.

    A share of nearly 1 is none: by it a rule becomes another, with fewer (RMSProp whose average
    forgets nothing is AdaGrad). So is a number that is known far worse than a step (NAdam whose
    momentum is warm at once is Adam with Nesterov's look-ahead).
    """
    domains = one.candidate.domains
    shares = [value for name, value in one.values.items() if domains[name].scale == "log1m"]
    known = (one.spread[name] <= KNOWN * abs(value) for name, value in one.values.items() if value)
    return all(known) and all(1 - share > ONE for share in shares)


def stretched(one: Fitted) -> bool:
    """Return whether an epsilon is so large that it divides alone: by it a rule with many numbers
    becomes nearly anything that is linear in gradients."""
    return one.values.get("eps", 0.0) > LINEAR


def nearest(tried: Sequence[Fitted]) -> Fitted:
    """Return the fit that comes nearest; of those that come as near, that of the fewest numbers."""
    best = min(one.deviation for one in tried)
    near = [one for one in tried if one.deviation <= max(3 * best, 1e-9)]
    return min(near, key=lambda one: len(one.candidate.domains))
