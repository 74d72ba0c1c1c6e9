"""Which rule, with which hyper-parameters, takes the steps that were seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import Domain, Rule, Strength, domains
from ..forms import FORMS
from ..ops import answering
from ..rules import RULES

Array = NDArray[np.float64]
Values = Mapping[str, Any]

NO_DECAY, COUPLED, DECOUPLED = "none", "coupled", "decoupled"
STRENGTH: Domain = Strength.__metadata__[0]  # type: ignore[attr-defined]
STARTS: dict[str, float] = {"lr": 1.0, "weight_decay": 0.01}
GRID = 16  # points on each axis, where shares are found by signs
STEP = 1e-6  # of a logarithm, for a derivative
FEW = 20  # steps that show whether moves are proportional to the rate
HOPELESS = 0.1  # a mean of residuals after which a fit is not made finer
SPAN = {"log": (-46.0, 14.0), "log1m": (-18.0, 0.0)}  # of what is fitted


@dataclass(frozen=True)
class Seen:
    """What an optimizer did: the parameter after each step.

    Attributes
    ----------
    start : where it began, of shape (n,)
    gradients, points : of shape (T, n)
    ulp : the relative spacing of the parameter's numbers, 1.1e-16 for float64
    """

    start: Array
    gradients: Array
    points: Array
    ulp: float

    @cached_property
    def moves(self) -> Array:
        """The change of each step, of shape (T, n)."""
        return np.diff(np.vstack([self.start, self.points]), axis=0)

    @cached_property
    def noise(self) -> Array:
        """What rounding of the parameter alone may have done to a move, of shape (n,)."""
        reached = np.maximum(abs(self.start), abs(self.points).max(axis=0))
        return np.asarray(2 * self.ulp * reached)

    @cached_property
    def scale(self) -> Array:
        """The longest move of each coordinate, of shape (n,), or what rounding could do to it."""
        longest = abs(self.moves).max(axis=0)
        return np.asarray(np.maximum(np.maximum(longest, 1e3 * self.noise), 1e-300))


class _Running:
    """A product that goes on by one term a step, of numbers or of columns of them."""

    def __init__(self) -> None:
        self.value: Any = 1.0

    def __call__(self, term: Any, n: int, *args: Any) -> Any:
        self.value = self.value * term(n, *args)
        return self.value


@dataclass(frozen=True)
class Candidate:
    """A rule, and how it forgets weights beside it.

    Attributes
    ----------
    rule : its class
    decay : one of the three words of this module
    """

    rule: type[Rule]
    decay: str = NO_DECAY

    @property
    def words(self) -> str:
        """What it is, for a reader."""
        return getattr(self.rule, "words", "") or self.rule.__name__

    @property
    def changes(self) -> list[tuple[str, str]]:
        """Lines that are not as in the rule: as they are there, and as they are here."""
        return []

    @cached_property
    def domains(self) -> dict[str, Domain]:
        """What there is to fit, and where it may lie."""
        own = dict(domains(self.rule))  # type: ignore[arg-type]
        return own if self.decay == NO_DECAY else own | {"weight_decay": STRENGTH}

    def begin(self) -> dict[str, float]:
        """Return where a fit begins: the rule's defaults."""
        default = {f.name: float(f.default) for f in fields(self.rule)}  # type: ignore[arg-type]
        return {name: default.get(name, STARTS.get(name, 0.0)) for name in self.domains}

    def moves(self, values: Values, start: Array, gradients: Array) -> Array:
        """Return the changes of its steps, of shape (T, n), with these hyper-parameters.

        They may be columns, arrays of shape (k, 1): the changes are then of shape (T, k, n).
        """
        rule, strength = self._rule(values), values.get("weight_decay", 0.0)
        shape = np.broadcast_shapes(start.shape, *(np.shape(value) for value in values.values()))
        x = np.broadcast_to(start, shape).astype(np.float64)
        slots: Any = self.rule.init(rule, x)
        found = np.empty((len(gradients), *shape))
        with answering(_Running()):
            scalars = [rule.scalars(t) for t in range(1, len(gradients) + 1)]
        for t, g in enumerate(gradients):
            before = x
            if self.decay == COUPLED:
                g = g + strength * x
            elif self.decay == DECOUPLED:
                x = x - values["lr"] * strength * x
            change, *slots = rule.step(x, g, *slots, *scalars[t])
            x = x + change
            found[t] = x - before
        return found

    def _rule(self, values: Values) -> Rule:
        own = {name: values[name] for name in domains(self.rule)}  # type: ignore[arg-type]
        if not any(np.ndim(value) for value in own.values()):
            return self.rule(**own)
        rule = object.__new__(self.rule)  # a rule wants numbers, and its lines take arrays as well
        for name, value in own.items():
            object.__setattr__(rule, name, value)
        return rule

    def all_moves(self, table: Sequence[Values], start: Array, gradients: Array) -> Array:
        """Return the changes for each of several choices, of shape (T, k, n), computed at once."""
        columns = {name: np.array([[values[name]] for values in table]) for name in table[0]}
        return self.moves(columns, start, gradients)


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
    gap = np.maximum(abs(moves - seen.moves) - seen.noise, 0.0) / seen.scale
    return np.where(np.isfinite(gap), gap, np.inf)


def apart(seen: Seen, one: Fitted) -> float:
    """Return how far a rule is from what was seen, over all steps, between 0 and 1."""
    with np.errstate(all="ignore"):
        moves = one.candidate.moves(one.values, seen.start, seen.gradients)
    return float(np.minimum(deviations(seen, moves), 1.0).mean())


def decay_of(seen: Seen) -> str:
    """Return how weights decay, by one of 2 without a gradient: if by the same share in each step,
    the gradient has no part in it. (With SGD the two are one.)"""
    shares = seen.moves[:, -1] / (seen.points[:, -1] - seen.moves[:, -1])
    if not shares.any():
        return NO_DECAY
    return DECOUPLED if np.allclose(shares, shares[0], rtol=1e-2) else COUPLED


def candidates(decay: str) -> list[Candidate]:
    """Return every rule and form, with this decay where it has none of its own."""
    found = []
    for rule in (*RULES.values(), *FORMS):
        if rule.__name__ in ("AdamL2", "AdamW"):
            continue  # Adam with decay
        own = "weight_decay" in domains(rule)  # type: ignore[arg-type]
        found.append(Candidate(rule, NO_DECAY if own else decay))
    return found


# Where a fit may have to begin, beside a rule's defaults: a shorter memory of either kind, an
# epsilon as large as gradients, a weaker or stronger decay, a momentum that warms up sooner.
OTHERS: tuple[tuple[dict[str, float], ...], ...] = (
    ({"beta1": 0.5, "momentum": 0.5, "beta": 0.5},),
    ({"beta2": 0.9, "rho": 0.9},),
    ({"eps": 0.01}, {"eps": 1e-8}),
    ({"weight_decay": 1e-4}, {"weight_decay": 5e-4}, {"weight_decay": 0.1}),
    ({"momentum_decay": 0.05}, {"momentum_decay": 1.0}),
)


def quick(candidate: Candidate, seen: Seen) -> tuple[float, dict[str, float]]:
    """Return how near a candidate comes before it is fitted, and with which hyper-parameters.

    Its defaults and a few others are tried, each with its rate scaled. The nearness is a mean over
    all moves, between 0 and 1.
    """
    tried: list[dict[str, float]] = [candidate.begin()]
    for choices in OTHERS:
        known = [{k: v for k, v in one.items() if k in candidate.domains} for one in choices]
        tried += [one | other for one in tried for other in known if other]
    own = seen.moves[:, None]
    with np.errstate(all="ignore"):
        moves = candidate.all_moves(tried, seen.start, seen.gradients)
        for _ in range(2):
            factors = _medians(abs(seen.moves).sum(axis=0) / abs(moves).sum(axis=0))
            for values, factor in zip(tried, factors.tolist(), strict=True):
                values["lr"] *= factor
                if candidate.decay == DECOUPLED:
                    share = abs(seen.moves[0, -1] / seen.start[-1])
                    values["weight_decay"] = float(share / values["lr"])
            # Where weights decay, or a rate is bounded, moves are not proportional to it.
            if "weight_decay" not in candidate.domains:
                few = candidate.all_moves(tried[:1], seen.start, seen.gradients[:FEW])
                scaled = factors[:, None] * moves
                if np.allclose(few[:, 0], scaled[:FEW, 0], rtol=1e-9, atol=0.0):
                    moves = scaled
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


def fit(candidate: Candidate, seen: Seen, start: dict[str, float], tries: int = 60) -> Fitted:
    """Return the hyper-parameters with which a candidate comes nearest to what was seen.

    Least squares over the logarithms of rates and of 1 - beta, each coordinate's moves measured by
    its longest, from ``start`` on; ``tries`` bounds the evaluations.

    Raises
    ------
    ImportError
        Without SciPy.
    """
    from scipy.optimize import least_squares

    names = list(candidate.domains)
    scales = [candidate.domains[name].scale for name in names]
    spans = np.array([SPAN[scale] for scale in scales]).T

    def values(point: Array) -> dict[str, float]:
        return {
            name: float(1 - np.exp(p) if scale == "log1m" else np.exp(p))
            for name, scale, p in zip(names, scales, point, strict=True)
        }

    def all_residuals(points: Sequence[Array]) -> Array:
        with np.errstate(all="ignore"):
            moves = candidate.all_moves(list(map(values, points)), seen.start, seen.gradients)
            gap = (moves - seen.moves[:, None]) / seen.scale
        gap = np.nan_to_num(np.clip(gap, -1e3, 1e3), nan=1e3)
        return np.asarray(gap.swapaxes(0, 1).reshape(len(points), -1))

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
    turning = [n for n, scale, f in zip(names, scales, flat, strict=True) if f and scale == "log1m"]
    if turning:
        shares = _bracketed(candidate, start, turning, seen)
        for i, name in enumerate(names):
            begin[i] = np.log(1 - shares[name][0]) if name in shares else begin[i]
        halves = {name: half for name, (_, half) in shares.items()}
    else:
        halves = {}
    options: dict[str, Any] = {"jac": jacobian, "bounds": spans, "xtol": 1e-15, "gtol": 1e-15}
    rough = least_squares(residuals, begin, loss="soft_l1", max_nfev=tries, **options)
    found = rough
    if abs(residuals(rough.x)).mean() < HOPELESS:
        found = least_squares(residuals, rough.x, ftol=1e-15, max_nfev=tries, **options)
    best = values(found.x)
    with np.errstate(all="ignore"):
        moves = candidate.moves(best, seen.start, seen.gradients)
    spread = _spread(names, scales, found, best, seen) | halves
    return Fitted(candidate, best, spread, float(deviations(seen, moves).max()))


def _bracketed(
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


def _spread(
    names: list[str], scales: list[str], found: Any, best: dict[str, float], seen: Seen
) -> dict[str, float]:
    """Return standard errors: of a logarithm by the fit's curvature, then of the number itself.

    Each move has an error of its own, what is left of it or what rounding may have done to it; the
    errors of the numbers follow from these (White's estimator).
    """
    rounding = np.tile(seen.noise / seen.scale, len(seen.gradients))
    errors = np.maximum(np.maximum(abs(found.fun), rounding), 1e-17)
    felt = (found.jac**2).sum(axis=0) > 1e-18
    spread = np.full(len(names), np.inf)
    if felt.any():
        jacobian = found.jac[:, felt]
        inverse = np.linalg.pinv(jacobian)
        spread[felt] = np.sqrt(((inverse * errors) ** 2).sum(axis=1))
    return {
        name: float(s * ((1 - best[name]) if scale == "log1m" else best[name]))
        for name, scale, s in zip(names, scales, spread, strict=True)
    }
