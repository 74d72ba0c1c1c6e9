"""What a live figure shows, as plain data: made from Python's arguments, and read back.

The same data travel to the page and back from the browser, so whatever comes back is checked here
as an argument would be. ``lab.js`` does the same on its side for links.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np

from ..averaging import Exponential
from ..base import Rule
from ..descent import Trace, descend
from ..names import lookup
from ..problems import SURFACES, Surface
from ..problems.base import Array
from ..rules import RULES
from ..schedules import Constant, Schedule, Warmup
from . import records
from .catalog import ONLY, SCHEDULES, SIGNALS, rate, schedule_specs

State = dict[str, Any]

VIEWS = ("race", "pair", "tuner", "inside", "bias", "weight", "schedule", "average", *records.VIEWS)
MAX_RULES = 6
MAX_STEPS = 5000


def entry(rule: str | Rule, surface: Surface, lr: float | Mapping[str, float] | None) -> State:
    """Return an optimizer as data; one given by its name gets ``lr``, or a rate for the surface."""
    if isinstance(rule, Rule):
        name = type(rule).__name__
        lookup(name, RULES, "rule")
        return {"name": name, "hyper": asdict(rule)}
    kind = lookup(rule, RULES, "rule")
    name = kind.__name__
    given = lr.get(name) if isinstance(lr, Mapping) else lr
    chosen = rate(name, type(surface).__name__) if given is None else given
    return {"name": name, "hyper": asdict(kind(lr=chosen))}  # type: ignore[call-arg]


def surface_of(surface: str | Surface) -> Surface:
    """Return a surface by its name, or the one given."""
    return surface if isinstance(surface, Surface) else lookup(surface, SURFACES, "surface")()


def place_of(surface: str | Surface) -> State:
    """Return a surface as data: its parameters, and where a descent begins on it."""
    where = surface_of(surface)
    shape = {field.name: getattr(where, field.name) for field in fields(where)}  # type: ignore[arg-type]
    return {"surface": type(where).__name__, "shape": shape, "start": where.start.tolist()}


def parameters_of(schedule: str | Schedule) -> dict[str, Any]:
    """Return the parameters of a schedule as data; those of one given by its name suit a figure."""
    when, _ = schedule_of(schedule)
    return {name: getattr(when, name) for name in schedule_specs(type(when))}


def schedule_of(schedule: str | Schedule) -> tuple[Schedule, int]:
    """Return a schedule and the steps of warm-up before it."""
    if isinstance(schedule, Warmup):
        return schedule.then, schedule.steps
    if isinstance(schedule, Schedule):
        return schedule, 0
    kind = lookup(schedule, SCHEDULES, "schedule")
    return kind(**{name: spec["value"] for name, spec in schedule_specs(kind).items()}), 0


def make(
    view: str,
    surface: str | Surface = "Bowl",
    rules: Sequence[str | Rule] = ("Adam",),
    *,
    lr: float | Mapping[str, float] | None = None,
    start: Sequence[float] | None = None,
    steps: int = 200,
    t: int | None = None,
    coordinate: int = 0,
    schedule: str | Schedule = "Constant",
    noise: float = 0.0,
    signal: str = "noisy",
    drawn: Sequence[float] = (),
    window: int | None = None,
) -> State:
    """Return a state, checked; see :func:`adam_edu.lab.race` and the others for its parts."""
    where, place = surface_of(surface), place_of(surface)
    when, warmup = schedule_of(schedule)
    if isinstance(rules, str | Rule):
        rules = [rules]
    if isinstance(lr, Mapping):
        for name in lr:
            lookup(name, RULES, "rule")
    state = {
        "view": view,
        "surface": place["surface"],
        "shape": place["shape"],
        "rules": [entry(rule, where, lr) for rule in rules],
        "start": place["start"] if start is None else [float(v) for v in start],
        "steps": steps,
        "t": steps if t is None else t,
        "coordinate": coordinate,
        "schedule": type(when).__name__,
        "parameters": parameters_of(when),
        "warmup": warmup,
        "noise": float(noise),
        "signal": signal,
        "drawn": [float(v) for v in drawn],
    }
    if window is not None:
        state["window"] = window
    return checked(state)


def checked(state: Any) -> State:
    """Return a state if all its parts are what a live figure can show.

    Raises
    ------
    KeyError, TypeError, ValueError
        With what was wrong and what would be right.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"the state must be a mapping, not {type(state).__name__}")
    state = dict(state)
    _require(state["view"] in VIEWS, "view", state["view"], "one of " + ", ".join(VIEWS))
    if state["view"] in records.VIEWS:
        return records.checked(state)
    count = len(state["rules"])
    _require(1 <= count <= MAX_RULES, "the number of optimizers", count, f"1 to {MAX_RULES}")
    only = ONLY.get(state["view"], tuple(RULES))
    for name in (rule["name"] for rule in state["rules"]):
        lookup(name, RULES, "rule")
        _require(name in only, "the rule of this figure", name, f"one of {', '.join(only)}")
    if state["view"] == "pair":
        _require(count == 2, "the number of optimizers of a pair", count, "2")
    surface = chosen_surface(state)
    chosen_rules(state), chosen_schedule(state)  # raise if they cannot be made
    box = np.array(surface.view)
    start = np.array(state["start"], dtype=float)
    inside = start.shape == (2,) and bool(((start >= box[:, 0]) & (start <= box[:, 1])).all())
    _require(inside, "start", state["start"], f"a point of the map, {surface.view}")
    _require(_whole(state["steps"], 1, MAX_STEPS), "steps", state["steps"], f"1 to {MAX_STEPS}")
    _require(_whole(state["t"], 0, state["steps"]), "t", state["t"], "a step, from 0 to steps")
    _require(state["coordinate"] in (0, 1), "coordinate", state["coordinate"], "0 or 1")
    _require(_whole(state["warmup"], 0, 1000), "warmup", state["warmup"], "0 to 1000 steps")
    _require(0 <= state["noise"] <= 100, "noise", state["noise"], "a number from 0 to 100")
    signals = SIGNALS.get(state["view"], SIGNALS["bias"])
    _require(state["signal"] in signals, "signal", state["signal"], f"one of {', '.join(signals)}")
    drawn = state["drawn"]
    fine = len(drawn) <= 40 and all(math.isfinite(v) and abs(v) <= 3 for v in drawn)
    _require(fine, "drawn", drawn, "at most 40 numbers from -3 to 3")
    if state["view"] == "average":
        window = state.get("window")
        _require(_whole(window, 1, 1000), "window", window, "1 to 1000 steps")
    return state


def _require(condition: bool, name: str, value: Any, right: str) -> None:
    if not condition:
        raise ValueError(f"{name} must be {right}, not {value!r}")


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


# Reading a state back


def _require_descent(state: State) -> None:
    if state["view"] in records.VIEWS:
        raise TypeError(
            "a figure of recorded runs has no rule to run; its summary says what it has"
        )


def chosen_surface(state: State) -> Surface:
    """Return the surface of a state."""
    _require_descent(state)
    return lookup(state["surface"], SURFACES, "surface")(**state["shape"])


def chosen_rules(state: State) -> list[Rule]:
    """Return the optimizers of a state."""
    _require_descent(state)
    return [lookup(one["name"], RULES, "rule")(**one["hyper"]) for one in state["rules"]]


def chosen_schedule(state: State) -> Schedule:
    """Return the schedule of a state, warm-up included."""
    _require_descent(state)
    kind = lookup(state["schedule"], SCHEDULES, "schedule")
    then = kind(**state["parameters"])
    return Warmup(steps=state["warmup"], then=then) if state["warmup"] else then


class _Noisy(Surface):
    """A surface whose slope is seen with Gaussian noise."""

    def __init__(self, surface: Surface, noise: float) -> None:
        self.noise = noise
        self.minimum, self.start = surface.minimum, surface.start
        self.height, self.slope = surface.height, surface.slope  # type: ignore[method-assign]

    def sample(self, x: Array, t: int, rng: np.random.Generator) -> Array:
        return self.gradient(x) + self.noise * rng.standard_normal(x.shape)


def traces(state: State) -> list[Trace]:
    """Run the optimizers of a state in NumPy; after one whose average is shown, the average.

    Noise, if the figure has any, is drawn anew: the same in distribution, not in its numbers.
    """
    problem = chosen_surface(state)
    if state["noise"]:
        problem = _Noisy(problem, state["noise"])
    when = chosen_schedule(state) if state["view"] == "schedule" else Constant()
    found = [
        descend(rule, problem, start=state["start"], steps=state["steps"], schedule=when)
        for rule in chosen_rules(state)
    ]
    return [*found, _averaged(found[0], state["window"])] if state["view"] == "average" else found


def _averaged(trace: Trace, window: int) -> Trace:
    """Return a trace with the exponential average of the points in the place of each."""
    points = Exponential(1 - 1 / window).along(trace.x[1:])
    x = np.concatenate([trace.x[:1], points])
    return replace(trace, x=x, loss=np.asarray(trace.problem.value(x)))
