"""Which hyper-parameters bring a rule nearest to the steps that were seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from .candidate import DECOUPLED, NO_DECAY, Array, Candidate, Seen, decay_of
from .probes import recorded
from .signs import STEP, Rows, across, between, bracketed

FEW = 20  # steps that show whether moves are proportional to the rate
HOPELESS = 0.1  # a mean of residuals after which a fit is not made finer
# A fit goes on while a step takes more than this off its cost: one that can be exact falls fast.
WHILE, PATIENT, FINE = 1e-3, 1e-5, 1e-15
NEAR = 0.03  # a deviation from which on a fit is made as fine as it can be
TURNABLE = 0.06  # a mean after which no other share is tried where signs turn
JUMPED = 1e-7  # one above which signs may have turned
SAME = 1e-5  # one below which none has
EXACTLY = 5e-13  # a residual that nothing makes smaller
SOON = 9  # evaluations after which a fit is near what it will come to, or hopeless
DAMPINGS = 10.0 ** np.array([-4, -2, -1, 0, 1, 2])  # of steps that are tried at once, over the last
LONGEST = 4.0  # of a logarithm, a step
ELSEWHERE = -0.1, -1.0, -4.0  # of a logarithm of 1 - beta: others that may change a step
SPAN = {"log": (-46.0, 14.0), "log1m": (-18.0, 0.0)}  # of what is fitted


@dataclass(frozen=True)
class Fitted:
    """A candidate with the hyper-parameters that bring it nearest to what was seen.

    Attributes
    ----------
    candidate, values : the rule, and the number for each hyper-parameter
    spread : the standard error of each, from the curvature of the fit; infinite where no step
        depends on it
    deviation : the largest difference of a move, over the longest move of its coordinate
    """

    candidate: Candidate
    values: dict[str, float]
    spread: dict[str, float]
    deviation: float


def deviations(seen: Seen, moves: Array) -> Array:
    """Return how far moves are from those seen, beyond rounding, relative to each coordinate's
    longest, of shape (T, n); what is no number counts as infinitely far."""
    with np.errstate(all="ignore"):
        gap = np.maximum(abs(moves - seen.moves) - seen.noise, 0.0) / seen.scale
    return np.where(np.isfinite(gap), gap, np.inf)


def apart(seen: Seen, one: Fitted) -> float:
    """Return how far a rule is from what was seen, over all steps, between 0 and 1."""
    with np.errstate(all="ignore"):
        moves = one.candidate.moves(one.values, seen.start, seen.gradients)
    return float(np.minimum(deviations(seen, moves), 1.0).mean())


# Where a fit may have to begin, beside a rule's defaults: a shorter memory of either kind, an
# epsilon as large as gradients or far smaller, a weaker or stronger decay, a momentum that warms up
# sooner.
OTHERS: tuple[tuple[dict[str, float], ...], ...] = (
    ({"beta1": 0.5, "momentum": 0.5, "beta": 0.5},),
    ({"beta2": 0.9, "rho": 0.9},),
    ({"eps": 0.01}, {"eps": 1e-6}, {"eps": 1e-8}, {"eps": 1e-16}),
    ({"weight_decay": 1e-4}, {"weight_decay": 5e-4}, {"weight_decay": 0.1}),
    ({"momentum_decay": 0.05}, {"momentum_decay": 1.0}),
)


@cache
def proportional(candidate: Candidate) -> bool:
    """Return whether a candidate's moves are proportional to its rate, near its default. Where
    weights decay, or a rate is bounded there, they are not."""
    begin, (start, gradients) = candidate.begin(), recorded(FEW)
    with np.errstate(all="ignore"):
        once, twice = (
            candidate.moves(begin | {"lr": times * begin["lr"]}, start, gradients)
            for times in (1.0, 2.0)
        )
    return "weight_decay" not in begin and np.allclose(2 * once, twice, rtol=1e-9, atol=0.0)


def quick(candidate: Candidate, seen: Seen, rounds: int = 2) -> tuple[float, dict[str, float]]:
    """Return how near a candidate comes before it is fitted, and with which hyper-parameters.

    Its defaults and a few others are tried, each with its rate scaled. The nearness is a mean over
    all moves, between 0 and 1.

    Parameters
    ----------
    rounds : how often the rate is scaled anew where moves are not proportional to it
    """
    begin = candidate.begin()
    tried: list[dict[str, float]] = [dict(begin)]
    # Where a weight without a gradient stands still, nothing decays. A fit of logarithms would
    # never get to zero.
    still = "weight_decay" in candidate.domains and decay_of(seen) == NO_DECAY
    if still:
        tried[0]["weight_decay"] = 0.0
    asked = candidate.domains.keys() - ({"weight_decay"} if still else set())
    for choices in OTHERS:
        known = [{k: v for k, v in one.items() if k in asked and v != begin[k]} for one in choices]
        tried += [one | other for one in tried for other in known if other]
    own = seen.moves[:, None]
    with np.errstate(all="ignore"):
        moves = candidate.all_moves(tried, seen.start, seen.gradients)
        for _ in range(rounds):
            factors = _medians(abs(seen.moves).sum(axis=0) / abs(moves).sum(axis=0))
            for values, factor in zip(tried, factors.tolist(), strict=True):
                values["lr"] *= factor
                if candidate.decay == DECOUPLED:
                    share = abs(seen.moves[0, -1] / seen.start[-1])
                    values["weight_decay"] = float(share / values["lr"])
            if proportional(candidate):
                moves = factors[:, None] * moves
                break
            moves = candidate.all_moves(tried, seen.start, seen.gradients)
        size = abs(moves) + abs(own)
        apart = abs(moves - own) / np.where(size > 0, size, 1.0)
    near = np.where(np.isfinite(apart), apart, 1.0).mean(axis=(0, 2))
    return float(near.min()), tried[int(near.argmin())]


def _medians(ratios: Array) -> Array:
    """Return the median of each row's positive numbers; 1 where there is none."""
    usable = np.isfinite(ratios) & (ratios > 0)
    ordered, count = np.sort(np.where(usable, ratios, np.inf), axis=1), usable.sum(axis=1)
    rows = np.arange(len(ratios))
    middle = (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2
    return np.asarray(np.where(count > 0, middle, 1.0))


def descended(residuals: Rows, start: Array, spans: Array, tries: int, enough: float) -> Array:
    """Return a point of smaller residuals, by steps of Levenberg and Marquardt.

    Each step is taken with several dampings at once, and the best is kept: many points together
    cost little more than one. Large residuals count less, as in SciPy's ``soft_l1``.

    Parameters
    ----------
    residuals : of several points, a row for each
    start : of shape (p,)
    spans : the lowest and the highest value of each coordinate, of shape (2, p)
    tries : evaluations
    enough : the share that two steps must take off the cost to be followed by another
    """
    size = len(start)
    nudge = np.where(start + STEP < spans[1], STEP, -STEP) * np.eye(size)
    points, damping, idle, failed = start[None], 1e-2, 0, 0
    point, best, here, slopes = start, np.inf, np.zeros(0), np.zeros((0, 0))
    for done in range(tries):
        rows = np.concatenate([points, (points[:, None] + nudge).reshape(-1, size)])
        found = residuals(list(rows))
        costs = (np.sqrt(1 + found[: len(points)] ** 2) - 1).sum(axis=1)
        i = int(costs.argmin())
        if costs[i] < best:
            idle, failed = (0 if costs[i] < (1 - enough) * best else idle + 1), 0
            best, point, here = float(costs[i]), points[i], found[i]
            near = found[len(points) :].reshape(len(points), size, -1)[i]
            slopes = (near - here) / nudge.diagonal()[:, None]
            damping = DAMPINGS[i] * damping if len(points) > 1 else damping
            damping = min(max(damping, 1e-8), 1e4)
        else:
            failed, damping = failed + 1, damping * 1e4
        far = done >= SOON and np.minimum(abs(here), 1).mean() > HOPELESS
        if far or 2 in (idle, failed - 1) or abs(here).max() < EXACTLY:
            break
        weights = (1 + here**2) ** -0.5
        square = (slopes * weights) @ slopes.T
        down = -(slopes * weights) @ here
        scaled = np.maximum(square.diagonal(), 1e-12)
        tables = square + np.multiply.outer(damping * DAMPINGS, np.diag(scaled))
        steps = np.linalg.solve(tables, np.broadcast_to(down, (len(DAMPINGS), size))[..., None])
        points = np.clip(point + np.clip(steps[..., 0], -LONGEST, LONGEST), *spans)
    return point


def fit(
    candidate: Candidate,
    seen: Seen,
    start: dict[str, float],
    tries: int = 60,
    enough: float = WHILE,
) -> Fitted:
    """Return the hyper-parameters with which a candidate comes nearest to what was seen.

    Least squares over the logarithms of rates and of 1 - beta, each coordinate's moves measured by
    its longest, from ``start`` on; ``tries`` bounds the evaluations. A fit that is begun anew where
    it ended, and then takes less than the share ``enough`` off what is left, has come to its end.

    Raises
    ------
    ImportError
        Without SciPy.
    """
    from scipy.optimize import least_squares

    # A decay that is none where a fit begins was not seen: rounding would be taken for one.
    held = {"weight_decay": 0.0} if start.get("weight_decay") == 0.0 else {}
    names = [name for name in candidate.domains if name not in held]
    scales = [candidate.domains[name].scale for name in names]
    spans = np.array([SPAN[scale] for scale in scales]).T

    def values(point: Array) -> dict[str, float]:
        return {
            name: float(1 - np.exp(p) if scale == "log1m" else np.exp(p))
            for name, scale, p in zip(names, scales, point, strict=True)
        } | held

    logarithms = np.array([scale == "log1m" for scale in scales])

    def all_residuals(points: Sequence[Array]) -> Array:
        with np.errstate(all="ignore"):
            rows = np.exp(points)
            rows = np.where(logarithms, 1 - rows, rows)
            columns = {name: rows[:, i : i + 1] for i, name in enumerate(names)}
            columns |= {name: np.full((len(rows), 1), value) for name, value in held.items()}
            moves = candidate.moves(columns, seen.start, seen.gradients)
            gap = (moves - seen.moves[:, None]) / seen.scale
        gap = np.nan_to_num(np.clip(gap, -1e3, 1e3), nan=1e3)
        return np.asarray(gap.swapaxes(0, 1).reshape(len(points), -1))

    def matters(point: Array, i: int) -> bool:
        """Return whether a share that has no slope changes a step nevertheless, as by a sign."""
        rows = np.array([point] * (1 + len(ELSEWHERE)))
        rows[1:, i] = ELSEWHERE
        here, *found = all_residuals(list(rows))
        return any((here != other).any() for other in found)

    known: dict[bytes, tuple[Array, Array]] = {}

    def evaluated(point: Array) -> tuple[Array, Array]:
        """Return residuals and their derivatives, which cost little more than residuals alone."""
        key = point.tobytes()
        if key not in known:
            steps = STEP * np.eye(len(point))
            up, down = np.clip(point + steps, *spans), np.clip(point - steps, *spans)
            here, *found = all_residuals([point, *up, *down])
            change = np.subtract(found[: len(point)], found[len(point) :])
            known.clear()
            known[key] = here, (change / (up - down).diagonal()[:, None]).T
        return known[key]

    def residuals(point: Array) -> Array:
        return evaluated(point)[0]

    def jacobian(point: Array) -> Array:
        return evaluated(point)[1]

    begin = [
        np.log(max(1 - start[name], 1e-7) if scale == "log1m" else max(start[name], 1e-18))
        for name, scale in zip(names, scales, strict=True)
    ]
    begin = np.clip(begin, spans[0] + 1e-9, spans[1] - 1e-9)
    flat = [not column.any() for column in jacobian(begin).T]

    turning = [
        name
        for i, name in enumerate(names)
        if flat[i] and scales[i] == "log1m" and matters(begin, i)
    ]
    if turning:
        shares = bracketed(candidate, start, turning, seen)
        for i, name in enumerate(names):
            begin[i] = np.log(1 - shares[name][0]) if name in shares else begin[i]
        halves = {name: half for name, (_, half) in shares.items()}
    else:
        halves = {}
    options: dict[str, Any] = {"jac": jacobian, "bounds": spans, "xtol": FINE, "gtol": FINE}

    def finer(point: Array) -> Any:
        some = least_squares(residuals, point, ftol=WHILE, max_nfev=tries, **options)
        if abs(some.fun).max() > NEAR:
            return some
        return least_squares(residuals, some.x, ftol=FINE, max_nfev=tries, **options)

    middle = descended(all_residuals, begin, spans, tries, enough)
    found = SimpleNamespace(x=middle, fun=residuals(middle), jac=jacobian(middle))
    if abs(found.fun).max() > EXACTLY and abs(found.fun).mean() < HOPELESS:
        found = finer(found.x)
    for axis in [i for i, scale in enumerate(scales) if scale == "log1m" and candidate.turns]:
        if abs(found.fun).max() > JUMPED and abs(found.fun).mean() < TURNABLE:
            again = finer(across(all_residuals, found.x, axis, spans))
            found = min(found, again, key=lambda one: abs(one.fun).mean())
    middle, width = found.x, np.zeros(len(names))
    if candidate.turns and abs(found.fun).max() < SAME and not halves:
        middle, width = between(all_residuals, found.x, found.jac)
        middle = np.clip(middle, *spans)  # past them it may be level, too
    best = values(middle)
    with np.errstate(all="ignore"):
        moves = candidate.moves(best, seen.start, seen.gradients)
    spread = _spread(names, scales, found, best, seen, width) | halves | held
    return Fitted(candidate, best, spread, float(deviations(seen, moves).max()))


def _spread(
    names: list[str],
    scales: list[str],
    found: Any,
    best: dict[str, float],
    seen: Seen,
    width: Array,
) -> dict[str, float]:
    """Return standard errors: of a logarithm by the fit's curvature, then of the number itself.

    Each move has an error of its own, what is left of it or what rounding may have done to it; the
    errors of the numbers follow from these (White's estimator). ``width`` is what nothing tells
    apart.
    """
    rounding = np.tile(seen.noise / seen.scale, len(seen.gradients))
    errors = np.maximum(np.maximum(abs(found.fun), rounding), 1e-17)
    felt = (found.jac**2).sum(axis=0) > 1e-18
    spread = np.full(len(names), np.inf)
    if felt.any():
        jacobian = found.jac[:, felt]
        inverse = np.linalg.pinv(jacobian)
        spread[felt] = np.sqrt(((inverse * errors) ** 2).sum(axis=1)) + width[felt]
    return {
        name: float(s * ((1 - best[name]) if scale == "log1m" else best[name]))
        for name, scale, s in zip(names, scales, spread, strict=True)
    }
