"""The live figures: an optimizer on a map, its settings as sliders, on a page with no server.

And recorded runs, to be stopped at any epoch. Needs anywidget and SymPy: ``pip install
adam-edu[lab]``. Each function returns a :class:`Lab`, one widget in one of several views. In a
notebook with a kernel it is synced with Python, so that ``lab.rule`` and ``lab.trace`` are what the
reader has chosen. On a page of the book the same JavaScript runs alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..base import Rule
from ..descent import Trace
from ..problems import Surface
from ..recorded import Record
from ..rules import Adam, AdamUncorrected
from ..schedules import Cosine, Schedule

try:
    import anywidget
    import traitlets

    from . import picture, records, states
    from .catalog import widget_module
except ImportError as error:
    raise ImportError(f"the live figures need more: pip install adam-edu[lab] ({error})") from error

__all__ = [
    "Lab",
    "average",
    "bias",
    "inside",
    "pair",
    "race",
    "record",
    "schedule",
    "tuner",
    "weight",
]

Rates = float | Mapping[str, float] | None


class Lab(anywidget.AnyWidget):
    """A live figure. Made by :func:`race`, :func:`tuner`, :func:`inside` and their like.

    Attributes
    ----------
    state : all that the figure shows, as plain data; assign to it to change the figure
    """

    state = traitlets.Dict().tag(sync=True)
    _esm = traitlets.Unicode().tag(sync=True)

    @traitlets.default("_esm")
    def _module(self) -> str:
        return widget_module()

    @traitlets.validate("state")
    def _checked(self, proposal: Any) -> states.State:
        return states.checked(proposal["value"])

    @property
    def rules(self) -> list[Rule]:
        """The optimizers as they are set now."""
        return states.chosen_rules(self.state)

    @property
    def rule(self) -> Rule:
        """The first optimizer as it is set now."""
        return self.rules[0]

    @property
    def surface(self) -> Surface:
        """The surface that is chosen now."""
        return states.chosen_surface(self.state)

    @property
    def schedule(self) -> Schedule:
        """The learning-rate schedule that is chosen now."""
        return states.chosen_schedule(self.state)

    @property
    def traces(self) -> list[Trace]:
        """The descent of each optimizer as it is set now, run in NumPy.

        Noise, if the figure has any, is drawn anew.
        """
        return states.traces(self.state)

    @property
    def trace(self) -> Trace:
        """The descent of the first optimizer as it is set now, run in NumPy."""
        return self.traces[0]

    @property
    def summary(self) -> str:
        """What the figure shows now, as a sentence; its still picture has it as the caption."""
        return picture.summary(self.state)

    def __repr__(self) -> str:
        """Return a text that is the same in every session, unlike a widget's memory address."""
        if self.state["view"] in records.VIEWS:
            return f"Lab({self.state['view']}: {self.summary})"
        return f"Lab({self.state['view']}: {self.surface}, {', '.join(map(str, self.rules))})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        return data | {"text/html": picture.html(self.state)}, metadata


def race(
    surface: str | Surface = "Rosenbrock",
    rules: Sequence[str | Rule] = ("SGD", "Momentum", "Adam"),
    *,
    lr: Rates = None,
    start: Sequence[float] | None = None,
    steps: int = 200,
    t: int | None = None,
) -> Lab:
    """Return several optimizers on one map, from one start, with their losses below.

    Parameters
    ----------
    surface : its name in ``problems.SURFACES``, or one such as ``Bowl(condition=50)``
    rules : up to six, by name or as ``Adam(lr=0.1, beta2=0.99)``; the same one may stand twice
    lr : the learning rate of those given by name, one for all or a dict by name; by default one
        that suits the surface
    start : a point of the map
    steps : how many
    t : the step shown first, by default the last

    Raises
    ------
    KeyError, TypeError, ValueError
        If a name is unknown (the message offers the nearest) or a value outside its range.

    Examples
    --------
    >>> race("Bowl", ["SGD", "Adam"], lr={"SGD": 0.1})
    Lab(race: Bowl(condition=10.0), SGD(lr=0.1), Adam(lr=0.1, beta1=0.9, beta2=0.999, eps=1e-08))
    """
    return Lab(state=states.make("race", surface, rules, lr=lr, start=start, steps=steps, t=t))


def pair(
    one: str | Rule = "Adam",
    other: str | Rule = "AMSGrad",
    surface: str | Surface = "Ravine",
    *,
    lr: Rates = None,
    start: Sequence[float] | None = None,
    steps: int = 200,
    t: int | None = None,
) -> Lab:
    """Return two optimizers on one map, with the lines of their rules side by side.

    Arguments as of :func:`race`.

    Examples
    --------
    >>> print(pair("Adam", "AMSGrad").summary.partition(". ")[0])
    Adam and AMSGrad differ in 2 of 8 lines
    """
    state = states.make("pair", surface, [one, other], lr=lr, start=start, steps=steps, t=t)
    return Lab(state=state)


def tuner(
    rule: str | Rule = "Adam",
    surface: str | Surface = "Bowl",
    *,
    lr: float | None = None,
    start: Sequence[float] | None = None,
    steps: int = 200,
    t: int | None = None,
) -> Lab:
    """Return one optimizer with a slider for each hyper-parameter. Arguments as of :func:`race`."""
    return Lab(state=states.make("tuner", surface, [rule], lr=lr, start=start, steps=steps, t=t))


def inside(
    rule: str | Rule = "Adam",
    surface: str | Surface = "Bowl",
    *,
    parameter: str = "a",
    lr: float | None = None,
    start: Sequence[float] | None = None,
    steps: int = 50,
    t: int | None = 1,
) -> Lab:
    """Return bars of all that a rule computes for one parameter, step by step.

    ``parameter`` is ``"a"``, the map's horizontal coordinate, or ``"b"``. Other arguments as of
    :func:`race`.
    """
    if parameter not in ("a", "b"):
        raise ValueError(f"parameter must be 'a' or 'b', a coordinate, not {parameter!r}")
    coordinate = "ab".index(parameter)
    chosen = {"lr": lr, "start": start, "steps": steps, "t": t, "coordinate": coordinate}
    return Lab(state=states.make("inside", surface, [rule], **chosen))  # type: ignore[arg-type]


def bias(
    beta1: float = 0.9,
    beta2: float = 0.999,
    *,
    signal: str | Sequence[float] = "noisy",
    steps: int = 200,
    t: int | None = None,
) -> Lab:
    """Return Adam's two moving averages of a gradient, with and without bias correction.

    ``signal`` is the gradient over the steps: ``"constant"`` (1), ``"noisy"`` (0.5 and noise),
    ``"rare"`` (mostly 0), ``"turning"`` (1, then -1), ``"drawn"`` by the reader, or up to 40
    numbers from -3 to 3 to begin drawing with.
    """
    adam = Adam(lr=1.0, beta1=beta1, beta2=beta2)
    kind, drawn = (signal, ()) if isinstance(signal, str) else ("drawn", signal)
    state = states.make("bias", "Bowl", [adam], signal=kind, drawn=drawn, steps=steps, t=t)
    return Lab(state=state)


def weight(
    beta1: float = 0.9,
    beta2: float = 0.999,
    *,
    signal: str | Sequence[float] = "constant",
    corrected: bool = True,
    steps: int = 200,
    t: int | None = None,
) -> Lab:
    """Return one weight under Adam: its gradients, what is left of each in the averages, its steps.

    ``signal`` is the gradient over the steps: ``"constant"`` (1), ``"alternating"`` (1, -1),
    ``"noise"`` (of size 1), ``"zeros-then-ones"``, ``"1-then-10"``, ``"drawn"`` by the reader, or
    numbers as of :func:`bias`. The still picture is a grid of all cases.
    """
    rule = (Adam if corrected else AdamUncorrected)(lr=1.0, beta1=beta1, beta2=beta2)
    kind, drawn = (signal, ()) if isinstance(signal, str) else ("drawn", signal)
    state = states.make("weight", "Bowl", [rule], signal=kind, drawn=drawn, steps=steps, t=t)
    return Lab(state=state)


def schedule(
    schedule: str | Schedule | None = None,
    rule: str | Rule = "SGD",
    surface: str | Surface = "Bowl",
    *,
    noise: float = 1.0,
    lr: float = 0.1,
    start: Sequence[float] | None = None,
    steps: int = 200,
    t: int | None = None,
) -> Lab:
    """Return a learning-rate schedule and its effect: one optimizer with it and without.

    ``schedule`` is one of :mod:`adam_edu.schedules`, by default a cosine over all steps; a warm-up
    is ``Warmup(20, then=Cosine(200))``. ``noise`` is the standard deviation of the noise on each
    gradient. Other arguments as of :func:`race`.
    """
    when = Cosine(steps=steps) if schedule is None else schedule
    chosen = {"lr": lr, "start": start, "steps": steps, "t": t, "noise": noise}
    return Lab(state=states.make("schedule", surface, [rule], schedule=when, **chosen))  # type: ignore[arg-type]


def average(
    rule: str | Rule = "SGD",
    surface: str | Surface = "Bowl",
    *,
    window: int = 20,
    noise: float = 1.0,
    lr: float = 0.1,
    start: Sequence[float] | None = None,
    steps: int = 200,
    t: int | None = None,
) -> Lab:
    """Return a noisy path and the exponential average of its points, with bias correction.

    ``window`` is 1 / (1 - beta), from 1 to 1000 steps; 1 is the path itself. Other arguments as of
    :func:`schedule`. ``lab.traces`` are the two.
    """
    chosen = {"lr": lr, "start": start, "steps": steps, "t": t, "noise": noise}
    return Lab(state=states.make("average", surface, [rule], window=window, **chosen))  # type: ignore[arg-type]


def record(
    record: str | Record,
    quantity: str = "train",
    *,
    dropout: bool | None = None,
    beta1: float | None = None,
    epoch: int | None = None,
    scale: str = "log",
    title: str | None = None,
) -> Lab:
    """Return the curves of recorded runs with a slider that stops them, and their ranking there.

    A record whose grid of settings is the experiment, as of figure 4 of the Adam paper, is drawn
    as losses over the learning rate instead, with and without bias correction.

    Parameters
    ----------
    record : a record's name, as of :func:`adam_edu.recorded.load_result`, or one such as
        :func:`adam_edu.experiments.reproduce.live` returns it
    quantity : shown first: ``"train"``, ``"test_loss"`` or ``"test_error"``
    dropout : the version shown first, by default the record's first
    beta1 : for a grid, the value shown first, by default the lowest
    epoch : where the curves stop first, from 1; by default where the longest ends
    scale : of the vertical axis, ``"log"`` or ``"linear"``
    title : by default the experiment's name

    Raises
    ------
    KeyError, TypeError, ValueError
        If a name is unknown (the message offers the nearest), if the record has no such runs, or
        if it is none.

    Examples
    --------
    >>> print(record("logistic-mnist", epoch=1).summary.partition("first: ")[2])
    Adam 0.375 (0.365 to 0.377); AdaGrad 0.547 (0.509 to 0.57); Nesterov 1.01 (0.791 to 1.03).
    """
    chosen = {"dropout": dropout, "beta1": beta1, "epoch": epoch, "scale": scale, "title": title}
    return Lab(state=records.make(record, quantity, **chosen))  # type: ignore[arg-type]
