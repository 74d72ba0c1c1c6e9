"""Learning-rate schedules: the factor on the learning rate at step t = 1, 2, ...

A schedule multiplies whatever rate the rule has, so each works with every rule. At the first step
all answer 1 but the warm-up, and that does not answer 0: a first step of length zero is wasted.
"""

import math
from dataclasses import dataclass, field


@dataclass
class Schedule:
    """A factor on the learning rate; call it with the step number, which counts from 1."""

    def __call__(self, t: int) -> float:
        """Return the factor at step ``t`` = 1, 2, ..."""
        raise NotImplementedError

    def observe(self, loss: float) -> None:
        """Take note of the loss after a step; only :class:`ReduceOnPlateau` does."""


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _require_steps(owner: Schedule, name: str, value: int, least: int = 1) -> None:
    _require(
        isinstance(value, int) and not isinstance(value, bool) and value >= least,
        f"{type(owner).__name__}({name}={value!r}): {name} must be a whole number, {least} or more",
    )


def _require_fraction(owner: Schedule, name: str, value: float) -> None:
    _require(
        0 < value <= 1,
        f"{type(owner).__name__}({name}={value!r}): {name} must be above 0 and at most 1; "
        "above 1 the learning rate would grow",
    )


@dataclass
class Constant(Schedule):
    """No schedule: the factor is 1 throughout.

    >>> Constant()(1000)
    1.0
    """

    def __call__(self, t: int) -> float:
        return 1.0


@dataclass
class InverseSqrt(Schedule):
    """The factor 1/sqrt(t), under which Kingma and Ba (2015) prove their bound (section 4).

    They also use it for logistic regression (section 6.1).

    >>> InverseSqrt()(100)
    0.1
    """

    def __call__(self, t: int) -> float:
        return 1.0 / math.sqrt(t)


@dataclass
class Exponential(Schedule):
    """The factor ``decay ** (t - 1)``: each step's rate is ``decay`` times the last.

    >>> Exponential(0.5)(3)
    0.25
    """

    decay: float = 0.999

    def __post_init__(self) -> None:
        _require_fraction(self, "decay", self.decay)

    def __call__(self, t: int) -> float:
        return self.decay ** (t - 1)


@dataclass
class Step(Schedule):
    """The rate times ``factor`` after every ``every`` steps.

    >>> [Step(every=2, factor=0.5)(t) for t in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    every: int = 1000
    factor: float = 0.1

    def __post_init__(self) -> None:
        _require_steps(self, "every", self.every)
        _require_fraction(self, "factor", self.factor)

    def __call__(self, t: int) -> float:
        return self.factor ** ((t - 1) // self.every)


@dataclass
class Cosine(Schedule):
    """Half a cosine wave from 1 down to ``floor`` within ``steps`` steps, then ``floor``.

    Source: Loshchilov and Hutter (2017), equation 5, without the restarts.

    >>> [round(Cosine(steps=4)(t), 3) for t in (1, 3, 4)]
    [1.0, 0.5, 0.146]
    """

    steps: int = 1000
    floor: float = 0.0

    def __post_init__(self) -> None:
        _require_steps(self, "steps", self.steps)
        _require(
            0 <= self.floor <= 1,
            f"Cosine(floor={self.floor!r}): floor must be from 0 to 1, a share of the rate",
        )

    def __call__(self, t: int) -> float:
        done = min((t - 1) / self.steps, 1.0)
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * done)) / 2


@dataclass
class KerasDecay(Schedule):
    """The factor 1 / (1 + decay * (t - 1)): the argument ``decay`` of old Keras optimizers.

    It is a schedule, not weight decay. Source: Keras 2, ``optimizers.py``; today it is
    ``keras.optimizers.schedules.InverseTimeDecay``.

    >>> KerasDecay(0.5)(3)
    0.5
    """

    decay: float = 1e-4

    def __post_init__(self) -> None:
        _require(
            self.decay >= 0 and math.isfinite(self.decay),
            f"KerasDecay(decay={self.decay!r}): decay must be a finite number, 0 or more",
        )

    def __call__(self, t: int) -> float:
        return 1.0 / (1.0 + self.decay * (t - 1))


@dataclass
class Warmup(Schedule):
    """A straight line from ``1 / steps`` at the first step up to 1, then the schedule ``then``.

    ``then`` counts its own steps from 1 when the warm-up is over.

    >>> [round(Warmup(steps=4, then=InverseSqrt())(t), 2) for t in (1, 2, 4, 5, 8)]
    [0.25, 0.5, 1.0, 1.0, 0.5]
    """

    steps: int = 100
    then: Schedule = field(default_factory=Constant)

    def __post_init__(self) -> None:
        _require_steps(self, "steps", self.steps)
        if not isinstance(self.then, Schedule):
            raise TypeError(f"Warmup(then={self.then!r}): then must be a schedule, as Cosine()")

    def __call__(self, t: int) -> float:
        return t / self.steps if t <= self.steps else self.then(t - self.steps)

    def observe(self, loss: float) -> None:
        """Pass the loss on."""
        self.then.observe(loss)


@dataclass
class ReduceOnPlateau(Schedule):
    """The rate times ``factor`` whenever the loss has not improved for ``patience`` steps.

    An improvement is a loss below the best so far by the share ``threshold`` of its size. As
    ``torch.optim.lr_scheduler.ReduceLROnPlateau`` with ``mode="min"``, except that this one is
    told the loss at every step and not once an epoch, and that a share of a negative loss is
    taken of its size: Torch would count a slightly worse one as an improvement.

    >>> schedule = ReduceOnPlateau(factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.observe(loss)
    >>> schedule(5)
    0.5
    """

    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    _best: float = field(default=math.inf, init=False, repr=False)
    _waited: int = field(default=0, init=False, repr=False)
    _current: float = field(default=1.0, init=False, repr=False)

    def __post_init__(self) -> None:
        _require_fraction(self, "factor", self.factor)
        _require_steps(self, "patience", self.patience, least=0)
        _require(
            0 <= self.threshold < 1,
            f"ReduceOnPlateau(threshold={self.threshold!r}): threshold must be at least 0 and "
            "below 1, a share of the best loss",
        )

    def __call__(self, t: int) -> float:
        return self._current

    def observe(self, loss: float) -> None:
        """Take note of a loss; too many in a row without improvement lower the rate."""
        margin = self.threshold * abs(self._best) if math.isfinite(self._best) else 0.0
        if loss < self._best - margin:
            self._best = loss
            self._waited = 0
            return
        self._waited += 1
        if self._waited > self.patience:
            self._current *= self.factor
            self._waited = 0
