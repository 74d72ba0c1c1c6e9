"""Shares that are found by where they turn a sign, since a rule of signs has no slope."""

from collections.abc import Callable, Sequence

import numpy as np

from .candidate import Array, Candidate, Seen

GRID = 16  # points on each axis, where shares are found by signs
# Of a logarithm of 1 - beta: where a grid begins and ends, then how far each finer one, about what
# is best in the one before, goes to either side.
WHOLE = -10.0, -0.05
WIDTHS = 0.3, 0.04, 6e-3, 1e-3, 1.5e-4, 2e-5
ACROSS = 33  # points of such a grid, the first of twice as many
STEP = 1e-6  # of a logarithm, for a derivative
LEVEL = 1e-7  # relative, of a slope that is none, and of a residual that is the same

Rows = Callable[[Sequence[Array]], Array]


def bracketed(
    candidate: Candidate, start: dict[str, float], names: list[str], seen: Seen
) -> dict[str, tuple[float, float]]:
    """Return shares found by where they turn a sign, since a rule of signs has no slope: each with
    half of the width in which no step is another.

    A grid over all of them, then a finer one about what agrees best with what was seen, until it
    grows no finer.
    """
    low, high = np.full(len(names), 1e-4), np.ones(len(names))  # of 1 - beta
    for _ in range(12):
        axes = [np.geomspace(a, b, GRID) for a, b in zip(low, high, strict=True)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(names))
        shares = [dict(zip(names, (1 - row).tolist(), strict=True)) for row in grid]
        with np.errstate(all="ignore"):
            table = [start | row for row in shares]
            moves = candidate.all_moves(table, seen.start, seen.gradients)
            gap = abs(moves - seen.moves[:, None]) / seen.scale
        off = np.minimum(np.nan_to_num(gap, nan=1.0), 1.0).mean(axis=(0, 2))
        best = grid[off <= off.min() + 1e-4]
        step = (high / low) ** (1 / (GRID - 1))
        nearer = np.maximum(best.min(axis=0) / step, 1e-6), np.minimum(best.max(axis=0) * step, 1)
        if np.allclose(nearer[0], low, rtol=1e-2) and np.allclose(nearer[1], high, rtol=1e-2):
            break
        low, high = nearer
    middle = np.sqrt(low * high)
    return {
        name: (float(1 - m), float((b - a) / 2))
        for name, m, a, b in zip(names, middle, low, high, strict=True)
    }


def across(residuals: Rows, point: Array, axis: int, spans: Array) -> Array:
    """Return the point that fits best along one axis, the others following; where the residuals
    jump along that axis, a fit stops at the next jump.

    Parameters
    ----------
    residuals : of several points, a row for each
    point : where to begin
    spans : the lowest and the highest value of each coordinate, of shape (2, p)
    """
    others = [i for i in range(len(point)) if i != axis]

    def sloped(rows: Array, asked: Sequence[int]) -> tuple[Array, Array]:
        table = np.stack([rows, *(rows + STEP * np.eye(len(point))[i] for i in asked)], axis=1)
        found = residuals(list(table.reshape(-1, len(point)))).reshape(*table.shape[:2], -1)
        return found[:, 0], (found[:, 1:] - found[:, :1]) / STEP

    _, slopes = sloped(point[None], [axis, *others])
    along = np.ones(len(point))
    along[others] = _newton(slopes[:, 1:], slopes[:, 0])[0]
    grids = [np.linspace(*WHOLE, 2 * ACROSS) - point[axis]]
    grids += [np.linspace(-width, width, ACROSS) for width in WIDTHS]
    for grid in grids:
        rows = np.clip(point + np.outer(grid, along), *spans)
        for _ in range(2):
            here, slopes = sloped(rows, others)
            rows[:, others] += np.clip(_newton(slopes, here), -1.0, 1.0)
            rows = np.clip(rows, *spans)
        rows = np.vstack([point, rows])
        off = np.minimum(abs(residuals(list(rows))), 1.0).mean(axis=1)
        point = rows[off.argmin()]
    return point


def _newton(slopes: Array, residuals: Array) -> Array:
    """Return the steps of Gauss and Newton, of shape (k, p), from slopes of shape (k, p, n)."""
    inverse = np.linalg.pinv(slopes @ slopes.swapaxes(1, 2), rcond=1e-9, hermitian=True)
    return -(inverse @ (slopes @ residuals[..., None]))[..., 0]


def between(residuals: Rows, point: Array, slopes: Array) -> tuple[Array, Array]:
    """Return the middle of where no sign turns and nothing else changes, and half of its width in
    each coordinate: zeros where every direction has a slope.

    Parameters
    ----------
    slopes : of the residuals at ``point``, of shape (n, p)
    """
    _, sizes, directions = np.linalg.svd(slopes, full_matrices=False)
    if sizes[-1] > LEVEL * sizes[0]:
        return point, np.zeros(len(point))
    along = directions[-1]
    here = residuals([point])

    def reach(sign: int) -> float:
        low, high = 0.0, 1.0
        for _ in range(4):
            steps = np.linspace(low, high, ACROSS)[1:]
            rows = residuals([point + sign * step * along for step in steps])
            same = np.all(abs(rows - here) < LEVEL, axis=1)
            count = len(same) if same.all() else int(same.argmin())
            width = steps[1] - steps[0]
            low, high = low + count * width, low + (count + 1) * width
        return low

    up, down = reach(1), reach(-1)
    return point + (up - down) / 2 * along, (up + down) / 2 * abs(along)
