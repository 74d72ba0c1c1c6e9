"""Which edits of a program's lines compute what was seen: one, or two together."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

import numpy as np

from ..edits import filled
from ..program import Array, Program
from ..trees import Node
from ..wrongs import Group, Wrong
from .bench import Bench, Target, together

# More pairs than this at once would not fit into the processor's caches.
AT_ONCE = 200_000
# So many pairs are tried at most.
PAIRS = 600_000
# Where a pair takes longer, as a product has to be computed for each.
SLOWER = 4


def single(
    bench: Bench,
    target: Target,
    results: Sequence[str],
    wrong: Sequence[str],
    some: Callable[[Group], Group] = lambda group: group,
) -> list[tuple[Wrong, ...]]:
    """Return every edit under which the results are what came back, of ``some`` of each group.

    ``wrong`` are those of the results that are not right: an edit must count for each of them.
    """
    hits: list[tuple[Wrong, ...]] = []
    groups = (
        group
        for group in bench.groups(results)
        if all(bench.reaches(group.places, [name]) for name in wrong)
    )
    for group in filter(attrgetter("wrongs"), map(some, groups)):
        over = bench.stacked(group)
        memo: dict[int, Any] = {}
        agrees = np.ones(len(group.wrongs), dtype=bool)
        for name in results:
            agrees &= target.agree(name, bench.value(bench.program.roots[name], over, memo))
            if not agrees.any():
                break
        hits += [(_in(group.wrongs[i], group.places),) for i in np.flatnonzero(agrees)]
    return hits


def _in(wrong: Wrong, places: tuple[int, ...]) -> Wrong:
    return replace(wrong, places=places)


def pairs(
    bench: Bench, few: Bench, target: Target, seen: Array, result: str
) -> list[tuple[Wrong, ...]]:
    """Return every two edits under which a result is what came back.

    Parameters
    ----------
    bench : all calls
    few : a few numbers of them, on which all pairs are tried first
    seen : the result's values there
    """
    groups = bench.groups([result])
    most = PAIRS // SLOWER if bench.program.has("product") else PAIRS
    likely, possible = _affordable(groups, most)
    near = Target({result: seen}, target.relative)
    hits: list[tuple[Wrong, ...]] = []
    hits += _products(few, near, result, likely, possible)
    rest = [group.minus(less) for group, less in zip(possible, likely, strict=True)]
    hits += _products(few, near, result, rest, likely, nested_only=True)
    return _checked(bench, target, result, hits)


def _products(
    few: Bench,
    near: Target,
    result: str,
    first: list[Group],
    second: list[Group],
    nested_only: bool = False,
) -> Iterator[tuple[Wrong, ...]]:
    """Yield the pairs of an edit of an inner or earlier place, and one of another place."""
    root, size = few.program.roots[result], near.values[result].size
    outers = [few.stacked(group) if group.wrongs and not nested_only else {} for group in second]
    # Places come after those that they are computed from.
    for a, inner in enumerate(first):
        if not inner.wrongs:
            continue
        stacks = few.stacked(inner)
        for b, outer in enumerate(second):
            if not outer.wrongs or b == a or set(inner.places) & set(outer.places):
                continue
            if any(few.mask[i] >> j & 1 for i in inner.places for j in outer.places):
                continue
            nested = any(few.mask[i] >> j & 1 for i in outer.places for j in inner.places)
            if not nested and nested_only:
                continue
            others = outer.around if nested else outer
            step = max(1, AT_ONCE // (max(len(others.wrongs), 1) * size))
            for start in range(0, len(inner.wrongs) if others.wrongs else 0, step):
                over = {i: stack[start : start + step] for i, stack in stacks.items()}
                more = few.stacked(others, over) if nested else outers[b]
                more = {i: s if s.ndim == 4 else s[:, None] for i, s in more.items()}
                value = few.value(root, {**over, **more}, {})
                count = len(inner.wrongs[start : start + step])
                shape = (len(others.wrongs), count, *near.values[result].shape)
                agrees = near.agree(result, value)
                agrees = np.broadcast_to(agrees, shape[:2])
                for j, i in np.argwhere(agrees)[:200]:
                    one, two = inner.wrongs[start + i], others.wrongs[j]
                    yield _in(one, inner.places), _in(two, others.places)


def _affordable(groups: list[Group], most: int) -> tuple[list[Group], list[Group]]:
    """Return the likely edits of each group, and those that may come with one of them: as many as
    pairs can be tried of."""
    for one, other in ((1.3, 1.5), (1.2, 1.5), (1.2, 1.4), (1.2, 1.3), (1.1, 1.2), (1.0, 1.1)):
        likely = [group.likely(one) for group in groups]
        possible = [group.likely(other) for group in groups]
        if _count(likely) * _count(possible) < most:
            break
    return likely, possible


def _count(groups: list[Group]) -> int:
    return sum(len(group.wrongs) for group in groups)


def _checked(
    bench: Bench, target: Target, result: str, hits: list[tuple[Wrong, ...]]
) -> list[tuple[Wrong, ...]]:
    """Return those of the pairs that hold in all calls, the likeliest first."""
    hits.sort(key=lambda pair: sum(wrong.cost for wrong in pair))
    root = bench.program.roots[result]
    good = []
    for pair in hits:
        if target.agree(result, bench.value(root, together(bench, pair), {})):
            good.append(pair)
        if len(good) == 40:
            break
    return good


def classes(
    bench: Bench, hits: Iterable[tuple[Wrong, ...]], results: Sequence[str]
) -> list[list[tuple[Wrong, ...]]]:
    """Return explanations by what they compute in other calls, the likeliest first."""
    kinds: list[tuple[list[Any], list[tuple[Wrong, ...]]]] = []
    for hit in sorted(hits, key=lambda hit: sum(wrong.cost for wrong in hit))[:60]:
        over = together(bench, hit)
        memo: dict[int, Any] = {}
        values = [bench.value(bench.program.roots[name], over, memo) for name in results]
        for known, members in kinds:
            if all(map(_alike, known, values)):
                members.append(hit)
                break
        else:
            kinds.append((values, [hit]))
    return [members for _, members in kinds]


def _alike(some: Any, others: Any) -> bool:
    return bool(np.allclose(some, others, rtol=1e-6, atol=1e-12, equal_nan=True))


def line_of(program: Program, wrong: Wrong) -> str:
    """Return the name of the line in which an edit stands first."""
    return program.places[wrong.places[0]].line


def written(program: Program, wrong: Wrong) -> tuple[Node, Node]:
    """Return what belongs in the place of an edit, and what stands there."""
    place = program.places[wrong.places[0]]
    return place.node, filled(wrong.new, place.node)
