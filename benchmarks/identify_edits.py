"""Of each rule, edits of one thing in its lines: are they identified by their steps alone?

An edit is named if what is found takes the same steps as it does along gradients that were not
asked, called unknown if nothing is found, and wrong if what is found takes others there. An edit
that does not move, or leaves the numbers, is refused before and not counted.

There are some hundred thousand: so many of each rule are drawn, by a seed, as one says.

Run: ``python benchmarks/identify_edits.py [--each 10] [--seed 0] [RULE ...]``
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from time import process_time

import numpy as np

from adam_edu import RULES, Rule
from adam_edu.libraries.base import Unusable
from adam_edu.libraries.candidate import COUPLED, DECOUPLED, NO_DECAY, Candidate
from adam_edu.libraries.edited import Edited, program_for
from adam_edu.libraries.functions import Function
from adam_edu.libraries.identify import Identity, identify
from adam_edu.libraries.trials import NOT_ASKED
from adam_edu.wrongs import singles

NAMED, UNKNOWN, WRONG = "named", "unknown", "wrong"
OTHERS = 0.3 * np.random.default_rng(7).standard_normal((60, 13))


def edits(rule: type[Rule], decay: str = NO_DECAY) -> Iterator[Edited]:
    """Yield a rule with each edit that a library might have, and perhaps a decay beside it."""
    for group in singles(program_for(rule)):
        for wrong in group.wrongs:
            if wrong.kind not in NOT_ASKED:
                yield Edited(rule, decay, wrong=wrong)


def driven(edit: Edited) -> Function:
    """Return an edit as a stranger's optimizer: points for a start and gradients."""
    values = edit.begin()

    def points(start: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return start + np.cumsum(edit.moves(values, start, gradients), axis=0)

    return Function(points, edit.words)


def same_steps(edit: Edited, found: Identity) -> bool:
    """Say whether what was found is the edit, or moves as it does, along gradients that were not
    asked: a number may be known only from one turn of a sign to the next."""
    if found.rule is edit.rule and list(found.edits) == [new for _, new in edit.changes]:
        return True
    if edit.words in found.others:
        return True
    start = np.linspace(-1, 1, OTHERS.shape[1])
    decay = found.decay if found.decay in (COUPLED, DECOUPLED) else NO_DECAY
    candidate = Candidate(found.rule, decay)
    if found.edits:  # its lines are compared by what they compute, not by how they are written
        every = edits(found.rule, decay)
        candidate = next(
            one for one in every if [new for _, new in one.changes] == list(found.edits)
        )
    values = {name: value for name, (value, _) in found.settings.items()}
    turned = -1.0 if any(note.startswith("it climbs") for note in found.notes) else 1.0
    with np.errstate(all="ignore"):
        wanted = edit.moves(edit.begin(), start, OTHERS)
        got = turned * candidate.moves(values, turned * start, OTHERS)
    return np.allclose(got, wanted, rtol=1e-3, atol=1e-4 * abs(wanted).max())


def verdict(edit: Edited) -> str:
    """Return how an edit is judged; empty if it is refused before."""
    try:
        found = identify(driven(edit))
    except Unusable:
        return ""
    if not found.fits:
        return UNKNOWN
    return NAMED if same_steps(edit, found) else WRONG


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rules", nargs="*", default=list(RULES), help="by default all")
    parser.add_argument("--each", type=int, default=10, help="so many edits of each rule")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    total: Counter[str] = Counter()
    print(f"{'rule':20s} edits  named  unknown  wrong   s each")
    for name in options.rules:
        begin = process_time()
        every = list(edits(RULES[name]))
        rng = np.random.default_rng(options.seed)
        some = [every[i] for i in rng.choice(len(every), min(options.each, len(every)), False)]
        judged = [(edit, verdict(edit)) for edit in some]
        count = Counter(said for _, said in judged if said)
        seconds = (process_time() - begin) / max(len(some), 1)
        total += count
        print(
            f"{name:20s} {count.total():5d} {count[NAMED]:6d} {count[UNKNOWN]:8d} "
            f"{count[WRONG]:6d} {seconds:8.1f}",
            flush=True,
        )
        for edit, said in judged:
            if said in (UNKNOWN, WRONG):
                print(f"    {said}: {edit.words}", flush=True)
    print(f"{'all':20s} {total.total():5d} {total[NAMED]:6d} {total[UNKNOWN]:8d} {total[WRONG]:6d}")


if __name__ == "__main__":
    main()
