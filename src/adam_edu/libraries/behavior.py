"""What an optimizer does beside its rule: clipping, counters, NaN, late parameters, bfloat16.

Each function drives it once or twice and returns sentences for a reader; the numbers in them are
those of the runs.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Driver, Unusable
from .candidate import DECOUPLED, Seen
from .fit import Fitted, deviations

Array = NDArray[np.float64]

LATE, SOONER = 1000, 100  # steps before a late parameter has its first gradient
LARGE = 1e4  # of gradients that are clipped if anything clips
ULPS = {"float64": 1.12e-16, "float32": 6e-8, "bfloat16": 3.9e-3}
SAME = 1e-3  # relative difference up to which two paths are one
CLIPS: dict[str, Callable[[Array, float], Array]] = {
    "each entry clipped to {}": lambda g, c: np.clip(g, -c, c),
    "gradient clipped to norm {}": lambda g, c: g * min(1.0, c / float(np.linalg.norm(g))),
}


def watch(driver: Driver, start: Array, gradients: Array) -> Seen:
    """Return what an optimizer does with one parameter."""
    path = driver.run([start], [[row] for row in gradients], driver.dtypes[0])
    shapes = {np.shape(row[0]) for row in path}
    if shapes != {start.shape}:
        (other, *_) = shapes - {start.shape}
        raise Unusable(
            f"{driver.name} makes of a parameter of shape {start.shape} one of shape {other}"
        )
    ulp = ULPS[driver.dtypes[0]]  # only now: that of a program is known by its answers
    return Seen(start, gradients, np.array([row[0] for row in path]), ulp)


def coupled(driver: Driver, seen: Seen) -> list[str]:
    """Say whether an entry's steps depend on the other entries of its parameter."""
    alone = watch(driver, seen.start[5:6], seen.gradients[:, 5:6])
    gap = abs(alone.moves[:, 0] - seen.moves[:, 5]) - seen.noise[5]
    if (gap <= SAME * seen.scale[5]).all():
        return []
    return [
        "an entry's step depends on the other entries of its parameter, as in LAMB, Adafactor and "
        "Muon: no rule for each entry alone explains it"
    ]


def clipping(driver: Driver, fitted: Fitted, seen: Seen) -> list[str]:
    """Say whether large gradients are clipped: by entry, by a parameter's norm, or by that of all.

    The rule with its hyper-parameters foretells what unclipped gradients would do.
    """
    columns = [0, 5, 6, 8]
    # Four large gradients, then ordinary ones: what the large ones left in the average of squares
    # shortens the steps of the others.
    gradients = np.vstack([LARGE * seen.gradients[:4, columns], seen.gradients[4:40, columns]])
    start = np.zeros(len(columns))
    large = watch(driver, start, gradients)

    def off(given: Array) -> float:
        with np.errstate(all="ignore"):
            moves = fitted.candidate.moves(fitted.values, start, given)
        return float(deviations(large, moves).mean())

    if off(gradients) < SAME:
        return []
    best = (np.inf, "", 0.0)
    for words, clip in CLIPS.items():
        scales = np.geomspace(1e-3, 1e3, 61)
        for _ in range(4):  # each time a tenth as wide
            found = [(off(np.array([clip(g, c) for g in gradients])), c) for c in scales]
            nearest = min(found)[1]
            width = scales[1] / scales[0]
            scales = nearest * np.geomspace(1 / width, width, 21)
        best = min(best, (min(found)[0], words, nearest))
    if best[0] > 1e-3:
        return ["large gradients do not move it as the rule says, and no clipping explains it"]
    value = float(f"{best[2]:.3g}")
    words = best[1].format(f"{value:g}")
    if "norm" in words:
        words += _whose_norm(driver, best[2])
    return [words]


def _whose_norm(driver: Driver, c: float) -> str:
    """Say whether a norm is that of one parameter or of all: a small gradient beside a large one
    is left alone, or made smaller with it."""
    small, large = np.full(3, 0.1 * c), np.full(3, 10 * c)
    both = driver.run([np.zeros(3)] * 2, [[small, large], [small, small]], driver.dtypes[0])
    alone = driver.run([np.zeros(3)], [[small], [small]], driver.dtypes[0])
    same = np.allclose(both[-1][0], alone[-1][0], rtol=SAME, atol=0)
    return " of each parameter" if same else " of all parameters together"


def decay_and_rate(driver: Driver, decay: str) -> list[str]:
    """Say whether a decoupled decay is multiplied by the rate: does another rate change it?"""
    again = getattr(driver, "with_rate", None)
    if decay != DECOUPLED or again is None:
        return []
    zero = [[np.zeros(1)]]
    once, twice = (
        1 - one.run([np.ones(1)], zero, driver.dtypes[0])[0][0][0] for one in (driver, again(2.0))
    )
    if np.isclose(twice, 2 * once, rtol=0.05):
        return ["the decay is multiplied by the rate"]
    if np.isclose(twice, once, rtol=0.05):
        return [f"the decay is not multiplied by the rate: {once:.3g} of the weight in each step"]
    return [f"twice the rate makes the decay {twice / once:.3g} times as strong"]


def counters(driver: Driver) -> list[str]:
    """Say whether two parameters with the same gradients move alike."""
    row = np.array([0.05, -0.02])
    path = driver.run([np.zeros(2)] * 2, [[row, row]] * 3, driver.dtypes[0])
    first, second = path[0]
    if np.allclose(path[-1][0], path[-1][1], rtol=SAME, atol=0):
        return []
    with np.errstate(all="ignore"):
        ratio = float(np.median(second / first))
    return [
        "two parameters with the same gradients move differently, the second "
        f"{ratio:.3g} times as far in the first step: its counter goes on once for each parameter"
    ]


def late(driver: Driver) -> list[str]:
    """Say how a parameter moves whose first gradient comes after a thousand steps; after a hundred
    where a thousand take long."""
    g = np.array([0.05])
    began = time.perf_counter()
    driver.run([np.zeros(1)] * 2, [[g, g]] * SOONER, driver.dtypes[0])
    steps = LATE if time.perf_counter() - began < 1.0 else SOONER

    def first_move(before: Array | None) -> float:
        rows: Iterator[list[Array | None]] = ([g, before] for _ in range(steps))
        path = driver.run([np.zeros(1)] * 2, [*rows, [g, g]], driver.dtypes[0])
        return float((path[-1][1] - path[-2][1])[0])

    early = float(driver.run([np.zeros(1)], [[g]], driver.dtypes[0])[0][0][0])
    if early == 0:
        return []
    zero = first_move(np.zeros(1)) / early
    text = "a parameter that has {} for {:,} steps then moves {:.3g} times its first step"
    try:
        none = first_move(None) / early if driver.sparse else zero
    except Exception as error:
        return [
            f"a parameter without a gradient raises {type(error).__name__}",
            text.format("a gradient of zero", steps, zero),
        ]
    if abs(none - zero) < SAME * abs(zero):
        words = "no gradient, or one of zero," if abs(zero - 1) > SAME else "a gradient of zero"
        return [text.format(words, steps, zero)] if abs(zero - 1) > SAME else []
    told = {"no gradient": none, "a gradient of zero": zero}
    sentences = [text.format(words, steps, ratio) for words, ratio in told.items()]
    if abs(none - 1) < SAME:
        sentences[0] = (
            "each parameter counts its own steps: one that has no gradient for "
            f"{steps:,} steps then moves as at the first"
        )
    return sentences


def not_a_number(driver: Driver) -> list[str]:
    """Say what one NaN in a gradient does to the entry that has it, and to its neighbor."""
    gradients = np.full((6, 2), 0.05)
    gradients[2, 0] = np.nan
    try:
        after = watch(driver, np.zeros(2), gradients).points
    except Unusable:  # it cannot be given one
        return []
    except Exception as error:
        return [f"a NaN in a gradient raises {type(error).__name__}"]
    bad = ~np.isfinite(after[-1])
    if bad.all():
        return ["one NaN in a gradient makes all entries of the parameter NaN, for ever"]
    if bad[0]:
        return ["one NaN in a gradient makes that entry NaN, for ever"]
    still = after[2] == after[1]
    later = abs(np.diff(after[2:], axis=0)).sum(axis=0)
    if later[0] < 0.01 * later[1]:  # what moves is a decay
        return ["one NaN in a gradient stops that entry for ever"]
    if still.all():
        return ["a step whose gradient has a NaN is left out"]
    if still[0]:
        return ["an entry whose gradient is NaN stands still in that step"]
    return ["after a NaN in a gradient it goes on"]


def half(driver: Driver) -> list[str]:
    """Say how a bfloat16 parameter moves beside a float32 one."""
    if "bfloat16" not in driver.dtypes:
        return []
    steps, g = 20, np.array([1.0])
    try:
        moves = {
            dtype: [p[0] for p in driver.run([np.zeros(1)], [[g]] * steps, dtype)]
            for dtype in ("float32", "bfloat16")
        }
    except Exception as error:
        return [f"with a bfloat16 parameter it raises {type(error).__name__}"]
    fine, coarse = (np.array(moves[dtype])[:, 0] for dtype in ("float32", "bfloat16"))
    if not np.isfinite(coarse).all():
        return ["a bfloat16 parameter becomes NaN"]
    if not coarse.any():
        return ["a bfloat16 parameter never moves"]
    early = coarse[0] / fine[0]
    if abs(early - 1) > 0.02:
        return [f"a bfloat16 parameter takes {early:.3g} times the first step"]
    return []


ALWAYS: dict[str, Callable[[Driver], list[str]]] = {
    "two parameters": counters,
    "a late parameter": late,
    "NaN": not_a_number,
    "bfloat16": half,
}


def sentences(driver: Driver, progress: Callable[[str], Any]) -> list[str]:
    """Return what all of these say."""
    found = []
    for words, ask in ALWAYS.items():
        progress(words)
        found += answered(words, ask, driver)
    return found


def answered(words: str, ask: Callable[..., list[str]], *given: Any) -> list[str]:
    """Return what a question says, or that the optimizer fails where it is asked."""
    try:
        return ask(*given)
    except Unusable as error:
        return [f"asked about {words}: {error}"]
    except Exception as error:
        return [f"asked about {words}, it raises {type(error).__name__}: {flat(error)}"]


def flat(error: Exception) -> str:
    """Return what an error says, in one line."""
    return " ".join(str(error).split())
