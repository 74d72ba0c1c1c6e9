"""A rule as what an optimizer may compute, and what an optimizer was seen to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import Domain, Rule, Strength, domains
from ..lines import lines_of
from ..ops import answering
from ..rules import RULES
from ..trees import Call, Line, reads, subtrees
from .rules import FORMS

Array = NDArray[np.float64]
Values = Mapping[str, Any]

NO_DECAY, COUPLED, DECOUPLED = "none", "coupled", "decoupled"
STRENGTH: Domain = Strength.__metadata__[0]  # type: ignore[attr-defined]
ROUNDED = 4  # times what rounding may do to one move, that a weight at rest may be off
STARTS: dict[str, float] = {"lr": 1.0, "weight_decay": 0.01}


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

    def first(self, steps: int) -> "Seen":
        """Return its first steps alone."""
        return replace(self, gradients=self.gradients[:steps], points=self.points[:steps])

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

    @cached_property
    def turns(self) -> bool:
        """Whether a line takes the sign of what is remembered: moves then jump where a share is
        changed by a little."""
        computed = {*self.rule.slots, *(line.name for line in self._lines)}
        return any(
            isinstance(tree, Call)
            and tree.op == "sign"
            and any(name.removesuffix("_before") in computed for name in reads(tree))
            for line in self._lines
            for _, tree in subtrees(line.expression)
        )

    @cached_property
    def bounded(self) -> bool:
        """Whether a line keeps a number between bounds, which recorded steps may never reach."""
        trees = (tree for line in self._lines for _, tree in subtrees(line.expression))
        return any(isinstance(tree, Call) and tree.op == "clip" for tree in trees)

    @property
    def _lines(self) -> Sequence[Line]:
        return lines_of(self.rule).step

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


def decay_of(seen: Seen) -> str:
    """Return how weights decay, by one of 2 without a gradient: if by the same share in each step,
    the gradient has no part in it. (With SGD the two are one.)

    One that has come no farther in all steps than rounding may take it does not decay: an optimizer
    that keeps an average of its weights computes them anew in each step, and rounds them then."""
    if abs(seen.points[:, -1] - seen.start[-1]).max() <= ROUNDED * seen.noise[-1]:
        return NO_DECAY
    with np.errstate(all="ignore"):  # one that is set to 0 has no shares from then on
        shares = seen.moves[:, -1] / (seen.points[:, -1] - seen.moves[:, -1])
    return DECOUPLED if np.allclose(shares, shares[0], rtol=1e-2) else COUPLED


def candidates(decay: str) -> list[Candidate]:
    """Return every rule and form, with this decay where it has none of its own."""
    found = []
    for rule in (*RULES.values(), *FORMS):
        if rule.__name__ in ("AdamL2", "AdamW"):
            continue  # Adam with decay
        own = "weight_decay" in domains(rule)  # type: ignore[arg-type]
        found.append(Candidate(rule, NO_DECAY if own else decay))
        if decay != NO_DECAY and "initial" in domains(rule):  # type: ignore[arg-type]
            found.append(Candidate(rule))  # what it starts at moves weights without a gradient
    return found
