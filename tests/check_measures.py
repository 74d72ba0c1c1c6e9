"""What the checker finds of mutants of the book's solutions; run as a program, it prints it all.

A name is right if the named edits, put into the exercise's own lines, compute what the mutant does
in calls that the checker never made.
"""

import random
import statistics
import sys
import time
import warnings
from dataclasses import dataclass, field

import numpy as np
from check_cases import NEVER, PUBLIC, STUDENTS, answer
from check_mutants import calls, compiled, mutants, solutions

from adam_edu import check
from adam_edu.check.bench import Bench, together
from adam_edu.check.calling import Observation
from adam_edu.check.examine import gather, judge
from adam_edu.check.explain import explain
from adam_edu.check.observed import stacked
from adam_edu.check.sandbox import Outcome


@dataclass
class Found:
    """The mutants, by what became of them."""

    right: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    hedged: list = field(default_factory=list)
    unknown: list = field(default_factory=list)
    accepted: list = field(default_factory=list)
    seconds: list = field(default_factory=list)


def results_of(function, arguments):
    """Return what a function computes, or None if it fails."""
    copies = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    try:
        with np.errstate(all="ignore"):
            result = function(**copies)
        parts = result if isinstance(result, tuple) else (result,)
        return tuple(np.asarray(part, dtype=float) for part in parts)
    except Exception:
        return None


def alike(some, others):
    if some is None or others is None:
        return some is others
    return len(some) == len(others) and all(
        one.shape == other.shape and np.allclose(one, other, rtol=1e-5, atol=1e-9, equal_nan=True)
        for one, other in zip(some, others, strict=True)
    )


def computes(exercise, causes, arguments, seen):
    """Return whether causes explain what a mutant computes in calls of which none was made."""
    known = [cause.mistake for cause in causes if cause.mistake]
    edits = [edit for cause in causes for edit in cause.edits]
    if any(cause.line.startswith("returned") for cause in causes) or (known and edits):
        return True  # words for each alone, which have been compared there
    if known:
        with np.errstate(all="ignore"):
            pairs = zip(arguments, seen, strict=True)
            return all(
                alike(tuple(np.asarray(r, dtype=float) for r in exercise.results(values)), results)
                for given, results in pairs
                for values in [exercise.values(given, *known)]
            )
    made = [
        Observation(1, given, results, results, Outcome())
        for given, results in zip(arguments, seen, strict=True)
    ]
    given, found = stacked(exercise, exercise.program, made)
    with np.errstate(all="ignore"):
        bench = Bench(exercise.program, given)
        over = together(bench, edits)
        return all(
            np.allclose(
                np.broadcast_to(
                    bench.value(exercise.program.roots[name], over, {}), found[name].shape
                ),
                found[name],
                rtol=1e-5,
                atol=1e-9,
                equal_nan=True,
            )
            for name in exercise.program.results
        )


def measured(per_exercise=8, seed=1):
    """Return what becomes of some mutants of each exercise that has lines."""
    found, chance = Found(), random.Random(seed)
    for name, (_, definition) in solutions().items():
        exercise = check.EXERCISES[name]
        if getattr(exercise, "program", None) is None or exercise.material.unrolled is not None:
            continue
        arguments = list(calls(exercise))[:16]
        right = [results_of(compiled("", definition), given) for given in arguments]
        some, count = list(mutants(definition)), 0
        chance.shuffle(some)
        for text, mutant in some:
            function = compiled("", mutant)
            seen = [results_of(function, given) for given in arguments]
            told = [s is not None and all(np.isfinite(r).all() for r in s) for s in seen]
            if not all(told) or all(map(alike, seen, right)):
                continue
            count += 1
            record(found, exercise, f"{name}: {text}", function, arguments, seen)
            if count == per_exercise:
                break
    return found


def record(found, exercise, text, function, arguments, seen):
    begin = time.process_time()
    evidence = gather(exercise, function)
    report = judge(exercise, evidence)
    found.seconds.append(time.process_time() - begin)
    if report.ok:
        found.accepted.append(text)
        return
    causes = explain(exercise, evidence.trial, evidence.traced, evidence.steps)
    if causes.open or not causes.causes:
        shown = set(report.mistakes) & {"collapsed", "wrong_shape", "wrong_order", "raises"}
        (found.right if shown else found.unknown).append(text)
    elif computes(exercise, causes.causes, arguments, seen):
        found.right.append(text)
    elif any(cause.others for cause in causes.causes):
        found.hedged.append(text)
    else:
        found.wrong.append(text)


def main(per_exercise):
    warnings.simplefilter("ignore")
    found = measured(per_exercise)
    total = sum(map(len, (found.right, found.wrong, found.hedged, found.unknown, found.accepted)))
    print(f"{total} mutants: {len(found.right)} named rightly, {len(found.hedged)} with others")
    for what in ("wrong", "unknown", "accepted"):
        print(what, len(getattr(found, what)), *getattr(found, what), sep="\n  ")
    print(f"median {statistics.median(found.seconds):.3f} s, worst {max(found.seconds):.2f} s")
    for what, cases in (("public", PUBLIC), ("students", STUDENTS)):
        reports = [check.EXERCISES[n](answer(n, body)) for n, body, _ in cases]
        named = [r for r in reports if not r.ok and "unknown" not in r.mistakes]
        print(f"{what}: {len(named)} of {len(cases)} named")
    accepted = [n for n, body in NEVER if check.EXERCISES[n](answer(n, body)).ok]
    print(f"accepted: {len(accepted)} of {len(NEVER)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
