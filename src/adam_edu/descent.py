"""The NumPy driver: an optimizer that works in place, and recorded runs for pictures."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import array_step
from .array_checks import (
    by_key,
    check_apart,
    check_keys,
    check_parameter,
    checked_gradient,
    loaded_slot,
    not_finite,
)
from .array_step import ENGINES, Engine, slot_dtype
from .base import Rule
from .problems.base import Problem
from .schedules import Constant, Schedule

Array = NDArray[np.floating[Any]]
Arrays = Array | Sequence[Array] | Mapping[str, Array]


class Optimizer:
    """Apply a rule to arrays, in place.

    Parameters
    ----------
    rule : the algorithm
    params : one floating-point array, a list of them, or a dict; any shapes. They are updated
        where they lie.
    schedule : the factor on the learning rate at each step
    engine : ``"native"`` for the rule's lines as one compiled loop, ``"numpy"`` for NumPy's
        operations, ``"auto"`` for the loop where the arrays are large enough that it pays. Both
        compute the same up to rounding.
    threads : at most so many for the loop; by default as many as there are cores

    Attributes
    ----------
    t : steps taken so far
    slots : for each parameter, by its key, a dict of the rule's slots

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a writable array of floating-point numbers, two share memory, or
        there is no such engine.

    Examples
    --------
    >>> from adam_edu.rules import SGD
    >>> w = np.array([1.0, -2.0])
    >>> optimizer = Optimizer(SGD(lr=0.1), w)
    >>> optimizer.step(np.array([10.0, 0.0]))
    >>> w
    array([ 0., -2.])
    """

    def __init__(
        self,
        rule: Rule,
        params: Arrays,
        schedule: Schedule | None = None,
        *,
        engine: Engine = "auto",
        threads: int | None = None,
    ) -> None:
        if not isinstance(rule, Rule):
            raise TypeError(f"rule must be a Rule such as Adam(), not {rule!r}")
        if schedule is not None and not isinstance(schedule, Schedule):
            raise TypeError(f"schedule must be a Schedule such as Cosine(), not {schedule!r}")
        if engine not in ENGINES:
            raise ValueError(f"engine must be one of {', '.join(ENGINES)}, not {engine!r}")
        if threads is not None and (not isinstance(threads, int) or threads < 1):
            raise ValueError(f"threads must be a whole number above 0, not {threads!r}")
        self.engine, self.threads = engine, threads
        self.rule = rule
        self.schedule = Constant() if schedule is None else deepcopy(schedule)
        self.params = by_key(params)
        for key, x in self.params.items():
            check_parameter(key, x)
        check_apart(self.params)
        self.t = 0
        self._last = 1.0, rule, rule.scaled(1.0)
        self.slots = {
            key: {name: np.zeros(x.shape, slot_dtype(x)) for name in rule.slots}
            for key, x in self.params.items()
        }

    def step(self, grads: Arrays) -> None:
        """Take one step along gradients of the parameters' form and shapes.

        Raises
        ------
        TypeError, ValueError, KeyError
            If a gradient is missing, unknown, of another shape, not real or not finite. Nothing
            has been changed then.
        """
        grads = by_key(grads)
        check_keys(self.params, grads, "gradient")
        grads = {key: checked_gradient(key, x, grads[key]) for key, x in self.params.items()}
        t = self.t + 1
        rule = self._scaled(self.schedule(t))
        scalars = rule.scalars(t)
        columns = [[*self.params.values()], [*grads.values()], *self._columns()]
        if not array_step.step(rule, columns, scalars, self.engine, self.threads):
            raise not_finite(self.params, grads)
        self.t = t

    def _scaled(self, factor: float) -> Rule:
        """Return the rule at a schedule's factor: made anew where it has changed."""
        if (factor, self.rule) != self._last[:2]:
            self._last = factor, self.rule, self.rule.scaled(factor)
        return self._last[2]

    def _columns(self) -> list[list[Array]]:
        """Return the arrays of each slot, if they are still such as belong to the parameters."""
        columns = []
        for name in self.rule.slots:
            columns.append([slots[name] for slots in self.slots.values()])
            for (key, x), slot in zip(self.params.items(), columns[-1], strict=True):
                if slot.shape != x.shape:
                    raise ValueError(
                        f"slot {name!r} of parameter {key!r} has shape {slot.shape}, the parameter "
                        f"{x.shape}: was one of them resized?"
                    )
        return columns

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that a later run needs to go on: rule, step, schedule and slots."""
        return {
            "rule": type(self.rule).__name__,
            "t": self.t,
            "schedule": deepcopy(self.schedule),
            "slots": deepcopy(self.slots),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where a :meth:`state_dict` was taken.

        Raises
        ------
        KeyError, ValueError
            If the state is of another rule or of other parameters. Nothing has been changed then.
        """
        missing = {"rule", "t", "schedule", "slots"} - set(state)
        if missing:
            raise KeyError(f"the state lacks {', '.join(sorted(missing))}: is it a state_dict()?")
        if state["rule"] != type(self.rule).__name__:
            raise ValueError(
                f"the state is of {state['rule']}, but this optimizer's rule is "
                f"{type(self.rule).__name__}"
            )
        if not isinstance(state["t"], int) or state["t"] < 0:
            raise ValueError(f"t must be a whole number, 0 or more, not {state['t']!r}")
        if not isinstance(state["schedule"], Schedule):
            raise ValueError(f"schedule must be a Schedule, not {state['schedule']!r}")
        check_keys(self.params, state["slots"], "slot")
        slots = {
            key: {name: loaded_slot(key, x, name, state["slots"][key]) for name in self.rule.slots}
            for key, x in self.params.items()
        }
        self.t = state["t"]
        self.schedule = deepcopy(state["schedule"])
        self.slots = slots


@dataclass(frozen=True)
class Trace:
    """A recorded descent. Row t of each array belongs to step t of the paper's notation.

    Attributes
    ----------
    rule, problem : what ran, on what
    x : the parameters after each step, shape (steps + 1, n); row 0 is the start
    loss : the problem's value there, shape (steps + 1,)
    g : the gradient that step t used, taken at ``x[t - 1]``; row 0, before the first, is NaN
    slots : each slot after each step, of the shape of ``x``; row 0 is zero
    lr : the learning rate of step t, shape (steps + 1,); row 0 is NaN
    diverged : whether the descent was cut short by a number too large to go on with
    """

    rule: Rule
    problem: Problem
    x: Array
    loss: Array
    g: Array
    slots: dict[str, Array]
    lr: Array
    diverged: bool

    @property
    def steps(self) -> int:
        """The number of steps taken."""
        return len(self.x) - 1


def descend(
    rule: Rule,
    problem: Problem,
    start: ArrayLike | None = None,
    steps: int = 100,
    schedule: Schedule | None = None,
    seed: int = 0,
) -> Trace:
    """Minimize a problem by a rule, and record every step.

    Parameters
    ----------
    rule : the algorithm
    problem : see :mod:`adam_edu.problems`
    start : where to begin, shape (n,); by default the problem's own start
    steps : how many to take; fewer are taken if the numbers grow beyond float64
    schedule : the factor on the learning rate at each step
    seed : of the random numbers that a stochastic problem draws

    Raises
    ------
    TypeError, ValueError
        If the start is not finite or of the wrong shape, or ``steps`` is not 0 or more.

    Examples
    --------
    >>> from adam_edu.problems import Bowl
    >>> from adam_edu.rules import SGD
    >>> trace = descend(SGD(lr=0.1), Bowl(condition=5), start=[1.0, 1.0], steps=2)
    >>> trace.x.round(3).tolist()
    [[1.0, 1.0], [0.9, 0.5], [0.81, 0.25]]
    """
    if not isinstance(steps, int) or steps < 0:
        raise ValueError(f"steps must be a whole number, 0 or more, not {steps!r}")
    x = np.array(problem.start if start is None else start, dtype=float)
    if x.shape != problem.start.shape:
        raise ValueError(
            f"start has shape {x.shape}, but a point of {type(problem).__name__} has shape "
            f"{problem.start.shape}"
        )
    optimizer = Optimizer(rule, x, schedule)
    rng = np.random.default_rng(seed)
    nothing = np.full_like(x, np.nan)
    rows: dict[str, list[Any]] = {"x": [x.copy()], "g": [nothing], "lr": [np.nan]}
    rows["loss"] = [problem.value(x)]
    slot_rows = {name: [np.zeros_like(x)] for name in rule.slots}
    diverged = False
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(1, steps + 1):
            g = problem.sample(x, t, rng)
            rate = getattr(rule, "lr", np.nan) * optimizer.schedule(t)
            if not np.isfinite(g).all():
                diverged = True
                break
            optimizer.step(g)
            x[...] = problem.project(x)
            loss = problem.value(x)
            if not (np.isfinite(x).all() and np.isfinite(loss)):
                diverged = True
                break
            optimizer.schedule.observe(loss)
            for name, value in {"x": x, "g": g, "lr": rate, "loss": loss}.items():
                rows[name].append(np.copy(value))
            for name, value in optimizer.slots[0].items():
                slot_rows[name].append(value.copy())
    return Trace(
        rule=rule,
        problem=problem,
        x=np.array(rows["x"]),
        loss=np.array(rows["loss"], dtype=float),
        g=np.array(rows["g"]),
        slots={name: np.array(values) for name, values in slot_rows.items()},
        lr=np.array(rows["lr"]),
        diverged=diverged,
    )


def steps_of(rule: Rule, gradients: ArrayLike, silence: int = 0) -> Array:
    """Return what a rule subtracts from a weight after each of the given gradients.

    The weight stays at 0, whatever is subtracted.

    Parameters
    ----------
    gradients : of one weight, shape (steps,), or of several side by side, shape (steps, weights)
    silence : so many gradients of zero came before; they leave a slot that begins at zero there

    Returns
    -------
    Of the shape of ``gradients``, in the unit of the learning rate if that is 1.

    Raises
    ------
    ValueError
        If the gradients have no axis of steps, or ``silence`` is not 0 or more.

    Examples
    --------
    >>> from adam_edu.rules import Adam
    >>> steps_of(Adam(lr=1.0), [3.0, -3.0]).round(3)
    array([ 1.   , -0.053])
    """
    gradients = np.asarray(gradients, dtype=float)
    if gradients.ndim == 0:
        raise ValueError("gradients must be a sequence, one for each step, not one number")
    if not isinstance(silence, int) or silence < 0:
        raise ValueError(f"silence must be a whole number, 0 or more, not {silence!r}")
    steps = np.empty_like(gradients)
    numbers: Any = gradients.tolist() if gradients.ndim == 1 else gradients  # floats are faster
    slots: Sequence[Any] = rule.init(np.zeros(gradients.shape[1:]) if gradients.ndim > 1 else 0.0)
    for i, g in enumerate(numbers):
        x, *slots = rule.update(silence + i + 1, 0.0 * g, g, *slots)
        steps[i] = 0.0 - x
    return steps
