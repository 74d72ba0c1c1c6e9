"""The sum-of-functions optimizer: a quasi-Newton method for minibatches that stay the same.

SFO keeps, for each minibatch, the last position and gradient and a quadratic model of its loss; it
goes to the minimum of the sum of the models, and evaluates there the minibatch whose model is most
out of date. All this happens in a subspace that holds the last positions and gradients. Source:
Sohl-Dickstein, Poole and Ganguli (2014), Fast large-scale optimization by unifying stochastic
gradient and quasi-Newton methods; the numbers are those of the authors' implementation.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Objective = Callable[[Tensor, int], tuple[float, Tensor]]

TINY = 1e-12
LARGEST_CONDITION = 1e8  # of a model's Hessian
LONGEST_STEP = 10.0  # times the mean length so far, after the first pass
SHORTEST_SCALE = 1e-5
GROWTH = 1.5  # of the subspace before it is cut back


@dataclass
class Models:
    """The quadratic model of every subfunction, in coordinates of the subspace, float64.

    Attributes
    ----------
    position, gradient : where each was last evaluated, at first the start, and what came out,
        (subfunctions, subspace)
    value : likewise, (subfunctions,)
    moves, changes : of position and gradient from one evaluation to the next, newest first,
        (subfunctions, history, subspace); zeros where there is none yet
    diagonal, vectors, weights : the Hessians, ``diagonal I + vectors diag(weights) vectors'``
    """

    position: Tensor
    gradient: Tensor
    value: Tensor
    moves: Tensor
    changes: Tensor
    diagonal: Tensor
    vectors: Tensor
    weights: Tensor

    @classmethod
    def empty(cls, count: int, history: int, width: int) -> "Models":
        """Return models of nothing yet."""

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(count, *shape, dtype=torch.float64)

        return cls(
            zeros(width),
            zeros(width),
            zeros(),
            zeros(history, width),
            zeros(history, width),
            zeros(),
            zeros(width, 2 * history),
            zeros(2 * history),
        )

    def hessian(self) -> Tensor:
        """Return the sum of all Hessians, (subspace, subspace)."""
        low_rank = torch.einsum("nka,na,nla->kl", self.vectors, self.weights, self.vectors)
        return low_rank + self.diagonal.sum() * torch.eye(len(low_rank), dtype=torch.float64)

    def bend(self, away: Tensor) -> Tensor:
        """Return each Hessian times the row of ``away`` (subfunctions, subspace)."""
        inner = torch.einsum("nka,nk->na", self.vectors, away) * self.weights
        return torch.einsum("nka,na->nk", self.vectors, inner) + self.diagonal[:, None] * away

    def predict(self, i: int, position: Tensor) -> float:
        """Return the value of a model at a position."""
        away = position - self.position
        curved = self.gradient[i] + self.bend(away)[i] / 2
        return (self.value[i] + away[i] @ curved).item()

    def project(self, matrix: Tensor) -> None:
        """Go over to other coordinates: ``matrix`` (subspace, subspace) maps a row to its new one.

        What points out of the new subspace is lost.
        """
        for name in ("position", "gradient", "moves", "changes"):
            setattr(self, name, getattr(self, name) @ matrix)
        self.vectors = matrix.T @ self.vectors


@dataclass
class SFO:
    """Minimizes the sum of ``count`` functions of one vector, one evaluation after the other.

    Attributes
    ----------
    objective : from the vector and the number of a function to its value and gradient, always the
        same for the same vector
    x : the vector, changed in place
    count : how many functions
    generator : of the random numbers that choose among functions
    history : how many changes of gradient a model is made from
    first_step : length of the first step over that of ``x``: short, since nothing is known of the
        curvature, and long enough for the gradient to change by more than rounding does
    """

    objective: Objective
    x: Tensor
    count: int
    generator: torch.Generator
    history: int = 10
    first_step: float = 1e-3
    scale: float = 1.0
    distance: float = 0.0
    gain: float = 0.0
    since_growth: int = 0
    used: int = 0
    evaluated: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        size = self.x.numel()
        self.smallest = min(2 * self.count + 2, size)
        self.largest = min(int(-(-GROWTH * self.smallest // 1)), size)
        self.models = Models.empty(self.count, self.history, self.largest)
        self.evaluations = torch.zeros(self.count, dtype=torch.long)
        self.active = torch.zeros(self.count, dtype=torch.bool)
        self.active[torch.randperm(self.count, generator=self.generator)[:2]] = True
        self.basis = torch.zeros(size, self.largest, dtype=self.x.dtype)
        if self.largest == size:
            self.basis.fill_diagonal_(1.0)
            self.used = size
        else:
            self.include(self.x)
        self.models.position += self.place
        self.before = self.x.clone()

    @property
    def place(self) -> Tensor:
        """Coordinates of the vector in the subspace."""
        return self.coordinates(self.x)

    def coordinates(self, vector: Tensor) -> Tensor:
        """Return the coordinates of a vector in the subspace, (subspace,), float64."""
        return (vector @ self.basis).double()

    def step(self) -> float:
        """Evaluate one function, learn from it, and move; return its value.

        A step that turns out bad costs some evaluations more. ``evaluated`` holds all values.
        """
        i = self.choose()
        value, gradient = self.evaluate(self.x, i)
        failed, value, gradient = self.check(i, value, gradient)
        self.remember(i, self.x, value, gradient)
        self.distance += (self.x - self.before).norm().item()
        self.model(i)
        total = self.models.hessian()
        place = self.place
        slopes = self.models.gradient + self.models.bend(place - self.models.position)
        move = -self.scale * torch.linalg.solve(total, slopes[self.active].sum(0))
        length = max(move.norm().item(), TINY)
        # A shorter one would change gradients by what rounding changes them: no curvature in that.
        shortest = 0.5 * torch.finfo(self.x.dtype).eps ** 0.5
        move *= max(1.0, shortest / length)
        evaluations = int(self.evaluations.sum())
        if evaluations > self.count and length > shortest:
            longest = LONGEST_STEP * self.distance / evaluations
            move *= min(1.0, longest / length)
        self.before = self.x.clone()
        self.x += self.basis @ move.to(self.x.dtype)
        self.gain = 0.5 * (move @ total @ move).item()
        self.grow(total, failed)
        return value

    def evaluate(self, x: Tensor, i: int) -> tuple[float, Tensor]:
        """Return a function's value and gradient, with the gradient in the subspace from now on."""
        value, gradient = self.objective(x, i)
        self.evaluations[i] += 1
        self.evaluated.append(value)
        self.include(gradient)
        return value, gradient

    def choose(self) -> int:
        """Return which function to evaluate: one with less than two evaluations, or the farthest.

        By the metric of all models together, or of each alone, in random turns.
        """
        young = self.active & (self.evaluations < 2)
        if young.any():
            return int(((self.evaluations + 1) * young).argmax())
        away = self.place - self.models.position
        together = torch.rand((), generator=self.generator) < 0.5
        bent = away @ self.models.hessian() if together else self.models.bend(away)
        distances = (away * bent).sum(1).masked_fill(~self.active, -torch.inf)
        if distances.max() < TINY and not self.active.all():
            return self.activate()
        return int(distances.argmax())

    def activate(self) -> int:
        """Take one more function into the sum, and return its number."""
        idle = torch.nonzero(~self.active).flatten()
        i = int(idle[torch.randint(len(idle), (), generator=self.generator)])
        self.active[i] = True
        self.since_growth = 0
        return i

    def grow(self, total: Tensor, failed: bool) -> None:
        """Take one more function into the sum where those in it say too little.

        That is so if the mean gradient's standard error is as large as itself, after a bad step,
        and after a whole pass over the functions in the sum.
        """
        gradients = self.models.gradient[self.active]
        mean, count = gradients.mean(0), len(gradients)
        apart = gradients - mean
        noise = (apart * torch.linalg.solve(total, apart.T).T).sum() / count / (count - 1)
        signal = mean @ torch.linalg.solve(total, mean)
        wanted = bool(noise >= signal) or failed or self.since_growth > count
        self.since_growth += 1
        if wanted and not self.active.all() and self.evaluations[self.active].min() >= 2:
            self.activate()

    def remember(self, i: int, x: Tensor, value: float, gradient: Tensor) -> None:
        """Keep an evaluation, and how position and gradient changed since the last one."""
        models = self.models
        position, slope = self.coordinates(x), self.coordinates(gradient)
        move, change = position - models.position[i], slope - models.gradient[i]
        lengths = move.norm() * change.norm()
        if self.evaluations[i] > 1 and lengths > 0 and abs(move @ change) > TINY * lengths:
            for kept, new in ((models.moves, move), (models.changes, change)):
                kept[i] = torch.cat([new[None], kept[i, :-1]])
        models.position[i], models.gradient[i], models.value[i] = position, slope, value

    def model(self, i: int) -> None:
        """Make a function's Hessian anew from its history: BFGS, kept positive definite."""
        models = self.models
        known = models.moves[i].square().sum(1) > 0
        if not known.any():
            if models.diagonal.sum() == 0:  # the very first
                length = self.first_step * max(self.x.norm().item(), 1.0)
                models.diagonal[self.active] = models.gradient[i].norm() / length
            else:
                middle = torch.linalg.eigvalsh(models.hessian()).median()
                models.diagonal[i] = middle / self.active.sum()
            return
        moves, changes = models.moves[i, known].T, models.changes[i, known].T
        own, _ = torch.linalg.qr(torch.cat([moves, changes], 1))
        start, values, vectors = curvature(own.T @ moves, own.T @ changes)
        models.diagonal[i] = start  # where the history says nothing, it is what BFGS began with
        models.vectors[i] = 0
        models.vectors[i, :, : len(values)] = own @ vectors
        models.weights[i] = 0
        models.weights[i, : len(values)] = values - start

    def check(self, i: int, value: float, gradient: Tensor) -> tuple[bool, float, Tensor]:
        """Say whether the last step was bad; if so, go back to where it began.

        Returns the value and gradient at the place where the vector is then.
        """
        if not self.bad(i, value, gradient):
            self.scale += (1 - self.scale) / self.count
            return False, value, gradient
        self.scale = max(self.scale / 2, SHORTEST_SCALE)
        old_value, old_gradient = self.evaluate(self.before, i)
        expected = abs(self.models.predict(i, self.place) - self.models.value[i].item())
        for _ in range(10):  # what is far out of scale would spoil the history
            if value - old_value < 10 * max(expected, TINY):
                break
            self.x.lerp_(self.before, 0.99)
            value, gradient = self.evaluate(self.x, i)
        if value < old_value:
            self.remember(i, self.before, old_value, old_gradient)
            return True, value, gradient
        if torch.isfinite(gradient).all():
            self.remember(i, self.x, value, gradient)
        self.x.copy_(self.before)
        return True, old_value, old_gradient

    def bad(self, i: int, value: float, gradient: Tensor) -> bool:
        """Say whether a value is so high that the step to it was a mistake.

        A function seen before: if it exceeds its model's prediction by more than the others are
        expected to gain. A new one: if it is three standard deviations above the others.
        """
        if not torch.isfinite(gradient).all() or value != value or abs(value) == torch.inf:
            return True
        if self.evaluations[i] == 1:
            others = self.models.value[self.evaluations > 1]
            if len(others) == 0:
                return False
            return value > (others.mean() + 3 * others.std(correction=0)).item()
        last = self.models.value[i].item()
        if value <= last:
            return False
        predicted = self.models.predict(i, self.place)
        return value - predicted > self.gain - (last - predicted)

    def include(self, vector: Tensor) -> None:
        """Add a direction to the subspace, unless it holds it; cut it back when it is full."""
        if self.used == self.x.numel() or not torch.isfinite(vector).all():
            return
        new = vector / vector.norm().clamp(min=TINY)
        rounding = torch.finfo(new.dtype).eps ** 0.75
        for _ in range(3):  # once leaves what rounding left
            new = new - self.basis @ (new @ self.basis)
            length = new.norm().item()
            if length < rounding:
                return
            new /= length
            if length > 0.1:
                break
        self.basis[:, self.used] = new
        self.used += 1
        if self.used == self.largest:
            self.collapse(vector)

    def collapse(self, vector: Tensor) -> None:
        """Cut the subspace back to the last positions and gradients, and ``vector``."""
        models = self.models
        kept = [models.gradient[self.active], models.position[self.active]]
        spare = torch.randn(
            self.smallest, self.largest, generator=self.generator, dtype=torch.float64
        )
        rows = torch.cat([*kept, self.coordinates(vector)[None], self.place[None], spare])
        own, _ = torch.linalg.qr(rows[: self.smallest].T)
        matrix = torch.zeros(self.largest, self.largest, dtype=torch.float64)
        matrix[:, : self.smallest] = own
        self.basis = self.basis @ matrix.to(self.basis.dtype)
        self.used = self.smallest
        models.project(matrix)

    def state_dict(self) -> dict[str, Any]:
        """Return the whole state but the generator's."""
        numbers = {
            name: getattr(self, name)
            for name in ("scale", "distance", "gain", "since_growth", "used")
        }
        tensors = {
            name: getattr(self, name).clone() for name in ("x", "before", "evaluations", "active")
        }
        tensors["basis"] = self.basis[:, : self.used].clone()
        models = {name: value.clone() for name, value in vars(self.models).items()}
        return {"numbers": numbers, "tensors": tensors, "models": models}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a state; ``x`` is changed in place."""
        for name, value in state["numbers"].items():
            setattr(self, name, value)
        self.x.copy_(state["tensors"]["x"])
        for name in ("before", "evaluations", "active"):
            setattr(self, name, state["tensors"][name].clone())
        self.basis.zero_()[:, : self.used] = state["tensors"]["basis"]
        self.models = Models(**{name: value.clone() for name, value in state["models"].items()})


def curvature(moves: Tensor, changes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what BFGS begins with, and its Hessian's eigenvalues (n,) and eigenvectors (n, n).

    ``moves`` and ``changes`` are (n, history), newest first. BFGS begins with the smallest
    curvature that they show, the same in every direction. Of the eigenvalues, those that come out
    negative or tiny become the median of the others: all are positive.
    """
    count = moves.shape[1]
    shown = torch.linalg.svdvals(changes @ torch.linalg.pinv(moves))[:count]
    largest = shown.max()
    smallest = shown.min().clamp(min=largest / LARGEST_CONDITION)
    hessian = smallest * torch.eye(len(moves), dtype=moves.dtype)
    for s, y in reversed(list(zip(moves.T, changes.T, strict=True))):
        bent = hessian @ s
        if abs(y @ s) > TINY * y.norm() * s.norm() and abs(s @ bent) > 0:
            hessian = hessian + torch.outer(y, y) / (y @ s) - torch.outer(bent, bent) / (s @ bent)
    values, vectors = torch.linalg.eigh((hessian + hessian.T) / 2)
    positive = values[values > 0]
    middle = positive.median() if len(positive) else largest
    values = values.where(values >= values.abs().max() / LARGEST_CONDITION, middle)
    return smallest, values, vectors
