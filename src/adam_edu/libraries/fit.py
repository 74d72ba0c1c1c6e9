"""Which rule, with which hyper-parameters, takes the steps that were seen."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import Domain, Rule, Strength, domains
from ..rules import RULES
from .forms import FORMS

Array = NDArray[np.float64]

NO_DECAY, COUPLED, DECOUPLED, ABSOLUTE = "none", "coupled", "decoupled", "not times the rate"
STRENGTH: Domain = Strength.__metadata__[0]  # type: ignore[attr-defined]
STARTS: dict[str, float] = {"lr": 1.0, "weight_decay": 0.01}
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


@dataclass(frozen=True)
class Candidate:
    """A rule, and how it forgets weights beside it.

    Attributes
    ----------
    rule : its class
    decay : one of the four words of this module
    """

    rule: type[Rule]
    decay: str = NO_DECAY

    @property
    def words(self) -> str:
        """What it is, for a reader."""
        return getattr(self.rule, "words", "") or self.rule.__name__

    @cached_property
    def domains(self) -> dict[str, Domain]:
        """What there is to fit, and where it may lie."""
        own = dict(domains(self.rule))  # type: ignore[arg-type]
        return own if self.decay == NO_DECAY else own | {"weight_decay": STRENGTH}

    def start(self) -> dict[str, float]:
        """Return where a fit begins: the rule's defaults."""
        default = {f.name: float(f.default) for f in fields(self.rule)}  # type: ignore[arg-type]
        return {name: default.get(name, STARTS.get(name, 0.0)) for name in self.domains}

    def moves(self, values: dict[str, float], start: Array, gradients: Array) -> Array:
        """Return the changes of its steps, of shape (T, n), with these hyper-parameters."""
        own = {name: values[name] for name in domains(self.rule)}  # type: ignore[arg-type]
        rule, strength = self.rule(**own), values.get("weight_decay", 0.0)
        x, slots = start.copy(), self.rule.init(rule, start)
        found = np.empty_like(gradients)
        for t, g in enumerate(gradients, start=1):
            before = x
            if self.decay == COUPLED:
                g = g + strength * x
            elif self.decay == DECOUPLED:
                x = x - values["lr"] * strength * x
            elif self.decay == ABSOLUTE:
                x = x - strength * x
            change, *slots = rule.step(x, g, *slots, *rule.scalars(t))
            x = x + change
            found[t - 1] = x - before
        return found


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


def candidates(decays: Sequence[str]) -> list[Candidate]:
    """Return every rule and form, with each of these ways of decay that is not its own already."""
    found = []
    for rule in (*RULES.values(), *FORMS):
        own = "weight_decay" in domains(rule)  # type: ignore[arg-type]
        if rule.__name__ in ("AdamL2", "AdamW") or (own and NO_DECAY not in decays):
            continue  # Adam with decay
        found += [Candidate(rule, decay) for decay in decays if not (own and decay != NO_DECAY)]
    return found


# Where a fit may have to begin, beside a rule's defaults: a shorter memory of either kind.
SHORT = {"beta1": 0.5, "momentum": 0.5, "beta": 0.5}, {"beta2": 0.9, "rho": 0.9}


def quick(candidate: Candidate, seen: Seen) -> tuple[float, dict[str, float]]:
    """Return how near a candidate comes before it is fitted, and with which hyper-parameters.

    Its defaults and shorter memories are tried, each with its rate scaled. The nearness is a mean
    over all moves, between 0 and 1.
    """
    first, second = ({k: v for k, v in part.items() if k in candidate.domains} for part in SHORT)
    tried = [{}, first, second, first | second]
    distinct = [one for i, one in enumerate(tried) if one not in tried[:i]]
    found = [_scaled(candidate, candidate.start() | one, seen) for one in distinct]
    return min(found, key=lambda row: row[0])


def _scaled(
    candidate: Candidate, values: dict[str, float], seen: Seen
) -> tuple[float, dict[str, float]]:
    with np.errstate(all="ignore"):
        moves = candidate.moves(values, seen.start, seen.gradients)
        ratio = abs(seen.moves).sum(axis=0) / abs(moves).sum(axis=0)
        ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
        if len(ratio):
            factor = float(np.median(ratio))
            values["lr"] *= factor
            moves = factor * moves  # but for the weights' decay
        size = abs(moves) + abs(seen.moves)
        apart = abs(moves - seen.moves) / np.where(size > 0, size, 1.0)
    return float(np.nanmean(np.where(np.isfinite(apart), apart, 1.0))), values


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

    def residuals(point: Array) -> Array:
        with np.errstate(all="ignore"):
            moves = candidate.moves(values(point), seen.start, seen.gradients)
            gap = (moves - seen.moves) / seen.scale
        return np.asarray(np.nan_to_num(np.clip(gap, -1e3, 1e3), nan=1e3)).ravel()

    begin = [
        np.log(max(1 - start[name], 1e-7) if scale == "log1m" else max(start[name], 1e-18))
        for name, scale in zip(names, scales, strict=True)
    ]
    begin = np.clip(begin, spans[0] + 1e-9, spans[1] - 1e-9)
    options: dict[str, Any] = {"bounds": spans, "x_scale": 1.0, "xtol": 1e-15, "gtol": 1e-15}
    rough = least_squares(residuals, begin, loss="soft_l1", max_nfev=tries, **options)
    found = least_squares(residuals, rough.x, ftol=1e-15, max_nfev=tries, **options)
    best = values(found.x)
    with np.errstate(all="ignore"):
        moves = candidate.moves(best, seen.start, seen.gradients)
    return Fitted(
        candidate,
        best,
        _spread(names, scales, found, best),
        float(deviations(seen, moves).max()),
    )


def _spread(
    names: list[str], scales: list[str], found: Any, best: dict[str, float]
) -> dict[str, float]:
    """Return standard errors: of a logarithm by the fit's curvature, then of the number itself."""
    noise = max(float(np.mean(found.fun**2)), 1e-32)
    strength = (found.jac**2).sum(axis=0)
    seen = strength > 1e-18
    spread = np.full(len(names), np.inf)
    if seen.any():
        inverse = np.linalg.pinv(found.jac[:, seen].T @ found.jac[:, seen])
        spread[seen] = np.sqrt(noise * np.diag(inverse))
    return {
        name: float(s * ((1 - best[name]) if scale == "log1m" else best[name]))
        for name, scale, s in zip(names, scales, spread, strict=True)
    }
