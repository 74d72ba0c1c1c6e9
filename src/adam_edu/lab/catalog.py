"""What the live figures can show, as data and JavaScript: the module ``rules.js``."""

import json
import re
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from importlib.resources import files
from textwrap import indent
from typing import Any

import numpy as np
from matplotlib.markers import MarkerStyle

from .. import base, schedules
from ..base import Domain, Rule
from ..lines import lines_of
from ..plots import DOTTED, SERIES, STYLE, Style
from ..problems import SURFACES, Surface
from ..rules import RULES
from ..schedules import Schedule

GENERATED = "rules.js"  # what rules_module returns
SURFACE = "Bowl"
STEPS = 200

# How far a slider goes, in powers of ten, and whether its lowest place means 0. For decay rates,
# powers of ten of 1 - value.
REACH: dict[Domain, tuple[float, float, bool]] = {
    base.RATE: (-5, 1, False),
    base.Decay.__metadata__[0]: (0, 4, False),  # type: ignore[attr-defined]
    base.Epsilon.__metadata__[0]: (-12, 1, True),  # type: ignore[attr-defined]
    base.Strength.__metadata__[0]: (-4, 1, True),  # type: ignore[attr-defined]
    base.Mixture.__metadata__[0]: (-1, 2, True),  # type: ignore[attr-defined]
    base.Speed.__metadata__[0]: (-5, 0, False),  # type: ignore[attr-defined]
}

# Learning rates to begin with: on these maps the defaults, made for networks, would hardly move.
# A rule whose steps, or the first five of them, are as long as the gradient needs one for each
# surface.
RULE_RATES = {"AdaGrad": 0.5, "RMSProp": 0.02, "CenteredRMSProp": 0.01, "AdaDelta": 1.0}
RATE_OF_OTHERS = 0.1
GRADIENT_RULES = ("SGD", "Momentum", "Nesterov", "RAdam", "ScheduleFreeSGD")
SURFACE_RATES = {"Bowl": 0.02, "Ravine": 0.01, "Rosenbrock": 0.0005, "Beale": 0.005, "Saddle": 0.05}
RATE_ON_OTHERS = 0.01

SCHEDULES: dict[str, type[Schedule]] = {
    schedule.__name__: schedule
    for schedule in (
        schedules.Constant,
        schedules.InverseSqrt,
        schedules.Exponential,
        schedules.Step,
        schedules.Cosine,
        schedules.KerasDecay,
        schedules.Warmup,
    )
}

STEP_COUNT = {"scale": "log", "min": 1, "max": 3, "zero": False, "whole": True, "low": 1}
SLIDERS: dict[str, dict[str, Any]] = {
    "steps": STEP_COUNT,
    "warmup": {"scale": "log", "min": 0, "max": 3, "zero": True, "whole": True},
    "noise": {"scale": "log", "min": -2, "max": 1, "zero": True},
    "window": STEP_COUNT,
    "condition": {"scale": "log", "min": 0, "max": 3, "zero": False, "low": 1},
    "decay": {"scale": "log1m", "min": 0, "max": 4, "zero": False},
    "every": STEP_COUNT,
    "factor": {"scale": "linear", "min": 0.05, "max": 1, "step": 0.05, "low": 0.01},
    "floor": {"scale": "linear", "min": 0, "max": 1, "step": 0.05},
}
# What each view uses of a state; a link to a figure holds this and nothing else.
MAP = ("surface", "shape", "rules", "start")
PARTS: dict[str, tuple[str, ...]] = {
    "race": (*MAP, "steps", "t"),
    "pair": (*MAP, "steps", "t"),
    "tuner": (*MAP, "steps", "t"),
    "inside": (*MAP, "coordinate", "steps", "t"),
    "bias": ("rules", "signal", "drawn", "steps", "t"),
    "weight": ("rules", "signal", "drawn", "steps", "t"),
    "schedule": (*MAP, "schedule", "parameters", "warmup", "noise", "steps", "t"),
    "average": (*MAP, "window", "noise", "steps", "t"),
    "record": ("quantity", "dropout", "scale", "t"),
    "grid": ("quantity", "beta1", "scale", "t"),
}
# The gradients that a view can show, and the only rules of views that are about some.
SIGNALS: dict[str, tuple[str, ...]] = {
    "bias": ("constant", "noisy", "rare", "turning", "drawn"),
    "weight": ("constant", "alternating", "noise", "zeros-then-ones", "1-then-10", "drawn"),
}
ONLY: dict[str, tuple[str, ...]] = {"bias": ("Adam",), "weight": ("Adam", "AdamUncorrected")}
# Schedules made for thousands of steps, as short as the figure.
SHORT = {"every": 50, "factor": 0.5, "steps": STEPS, ("Exponential", "decay"): 0.98}


# The names of the code, as a reader of the formulas knows them.
LABELS = {
    "lr": "learning rate α",
    "final_lr": "final rate α*",
    "beta": "β",
    "beta1": "β₁",
    "beta2": "β₂",
    "beta3": "β₃",
    "mix": "κ",
    "eps": "ε",
    "rho": "ρ",
    "momentum": "momentum μ",
    "weight_decay": "weight decay λ",
    "gamma": "γ",
    "momentum_decay": "ψ",
    "m_hat": "m̂",
    "m_bar": "m̄",
    "v_hat": "v̂",
    "s_hat": "ŝ",
    "y_hat": "ŷ",
    "m2": "m₂",
    "p": "last g",
    "difference": "d",
    "ahead": "u",
    "scaled": "u",
    "agreed": "φ",
    "delta": "Δ",
    "variance": "σ²",
    "rate": "η",
    "change": "step",
    "condition": "condition number",
    "noise": "gradient noise",
    "warmup": "warm-up steps",
    "window": "window of the average",
    "parameters.every": "steps between drops",
    "parameters.steps": "steps of the curve",
    "parameters.factor": "factor of a drop",
}
ADANS = ("y", "y_hat", "p", "difference", "ahead")
# What is compared on one scale, and in one colour: averages of g, and averages of its square.
UNITS = {
    **dict.fromkeys(("g", "m", "m_hat", "m_bar", "c", "m2", *ADANS), "first"),
    **dict.fromkeys(("s", "v", "w", "v_hat", "s_hat", "variance"), "second"),
    **dict.fromkeys(("change", "z"), "third"),
}


def rate(rule: str, surface: str) -> float:
    """Return the learning rate with which a rule enters a figure of a surface."""
    if rule in GRADIENT_RULES:
        return SURFACE_RATES.get(surface, RATE_ON_OTHERS)
    return RULE_RATES.get(rule, RATE_OF_OTHERS)


def hyper_specs(rule: type[Rule]) -> dict[str, dict[str, Any]]:
    """Return the default and the slider of each hyper-parameter of a rule."""
    specs = {}
    for field in fields(rule):
        domain = base.domains(rule)[field.name]  # type: ignore[arg-type]
        low, high, zero = REACH[domain]
        reach = {"scale": domain.scale, "min": low, "max": high, "zero": zero, "low": domain.low}
        specs[field.name] = {"value": field.default, "rate": domain is base.RATE, **reach}
    return specs


def shape_specs(surface: type[Surface]) -> dict[str, dict[str, Any]]:
    """Return the default and the slider of each parameter of a surface."""
    return {f.name: {"value": f.default, **SLIDERS[f.name]} for f in fields(surface)}  # type: ignore[arg-type]


def schedule_specs(schedule: type[Schedule]) -> dict[str, dict[str, Any]]:
    """Return the default and the slider of each parameter of a schedule."""
    specs = {}
    for field in fields(schedule):
        if field.name == "then":
            continue
        default = SHORT.get((schedule.__name__, field.name), SHORT.get(field.name, field.default))
        specs[field.name] = {"value": default, **SLIDERS[field.name]}
    if schedule is schedules.KerasDecay:
        specs["decay"] |= {"value": 0.05, "scale": "log", "min": -4, "zero": True, "max": 1}
    return specs


# Inverts a colour and turns its hue back (CSS: invert(1) hue-rotate(180deg)), as the book's pages
# do with drawn figures in the dark: an optimizer has one colour there, too.
TURN = np.array([[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]])


def _style(style: Style) -> dict[str, Any]:
    """Return a style for the canvas, with a second colour for the dark."""
    parts = np.array([int(style.color[i : i + 2], 16) for i in (1, 3, 5)])
    dark = "#" + "".join(f"{round(part):02x}" for part in np.clip(TURN @ (255 - parts), 0, 255))
    dash = [] if isinstance(style.dash, str) else style.dash[1]
    return {"color": style.color, "dark": dark, "dash": dash, "marker": _outline(style.marker)}


def _outline(marker: str) -> list[list[float]] | None:
    """Return the corners of a marker of about the size of the unit circle; None for the circle."""
    if marker == "o":
        return None
    mark = MarkerStyle(marker)
    corners = np.asarray(mark.get_path().transformed(mark.get_transform()).vertices, float)[:-1]
    y_down = np.array([1.0, -1.0])
    return (corners * y_down / np.sqrt((corners**2).sum(axis=1)).mean() * 1.15).round(2).tolist()


def style(rule: str) -> Style:
    """Return how a rule is drawn; one that has no style of its own gets a common one."""
    return STYLE.get(rule, SERIES[-1])


# How further ones of a rule are drawn that is in a figure already: as no rule is.
FURTHER = (
    Style("#006d77", "P", DOTTED),
    Style("#283593", "X", DOTTED),
    Style("#6d2e46", "d", DOTTED),
    Style("#33691e", "p", DOTTED),
    Style("#4e342e", "h", DOTTED),
)


def looks(rules: Sequence[str]) -> list[Style]:
    """Return a style for each optimizer of a figure, by the names of their rules.

    The first of a rule looks as everywhere in the book, whatever else is in the figure.

    >>> looks(["SGD", "Adam", "Adam"])[:2] == looks(["SGD", "Adam"])
    True
    """
    further = iter(FURTHER)
    return [
        style(rule) if rules.index(rule) == i else next(further) for i, rule in enumerate(rules)
    ]


def _entry(name: str, data: dict[str, Any], code: str) -> str:
    """Return one entry of a JavaScript object: its data, then its methods."""
    rows = [f"{key}: {json.dumps(value)}," for key, value in data.items()]
    return f"  {name}: {{\n{indent(chr(10).join([*rows, code]), '    ')},\n  }},"


def _table(name: str, entries: list[str]) -> str:
    return "\n".join([f"export const {name} = {{", *entries, "};\n"])


@cache
def rules_module() -> str:
    """Return the JavaScript module of all rules, surfaces and schedules, generated by SymPy."""
    # Here, since a figure's state and its still picture do without SymPy.
    from .javascript import rule_javascript, schedule_javascript, surface_javascript

    rules = [
        _entry(
            name,
            {
                "hyper": hyper_specs(rule),
                "slots": rule.slots,
                "lines": [str(line) for line in lines_of(rule)],
                "style": _style(style(name)),
                "rate": None if name in GRADIENT_RULES else rate(name, SURFACE),
            },
            rule_javascript(rule),
        )
        for name, rule in RULES.items()
    ]
    surfaces = [
        _entry(
            name,
            {
                "shape": shape_specs(surface),
                "start": surface.start.tolist(),
                "minimum": surface.minimum.tolist(),  # type: ignore[union-attr]
                "view": surface.view,
                "rate": rate("SGD", name),
            },
            surface_javascript(surface),
        )
        for name, surface in SURFACES.items()
    ]
    times = [
        _entry(name, {"parameters": schedule_specs(schedule)}, schedule_javascript(schedule))
        for name, schedule in SCHEDULES.items()
    ]
    defaults = {
        "surface": SURFACE,
        "steps": STEPS,
        "series": [_style(one) for one in SERIES],
        "further": [_style(one) | {"hollow": True} for one in FURTHER],
        "star": _outline("*"),
        "units": UNITS,
    }
    return "\n".join(
        [
            "// Generated by adam_edu.lab.catalog from the Python rules, surfaces and schedules.\n",
            PRODUCT,
            _table("RULES", rules),
            _table("SURFACES", surfaces),
            _table("SCHEDULES", times),
            f"export const SLIDERS = {json.dumps(SLIDERS)};\n",
            f"export const PARTS = {json.dumps(PARTS)};\n",
            f"export const SIGNALS = {json.dumps(SIGNALS)};\n",
            f"export const ONLY = {json.dumps(ONLY)};\n",
            f"export const DEFAULTS = {json.dumps(defaults)};\n",
            f"export const LABELS = {json.dumps(LABELS)};\n",
            f"export const STYLES = {json.dumps(source('lab.css'))};",
            "",
        ]
    )


# As ops.product: a driver asks for n = 1, 2, 3, ... in turn, so each costs one multiplication.
PRODUCT = """\
let last = { words: null, values: [], n: 0, value: 1 };
function product(words, values, term, n) {
  const known = last.words === words && values.every((value, i) => value === last.values[i]);
  if (!known || last.n > n) last = { words, values, n: 0, value: 1 };
  for (; last.n < n; last.n += 1) last.value *= term(last.n + 1);
  return last.value;
}
"""


def source(name: str) -> str:
    """Return the text of a file that lies beside this one."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


IMPORT = re.compile(r'^import [^;]* from "\./(.*)";\n', re.MULTILINE)


def modules(entry: str = "lab.js") -> list[str]:
    """Return the names of a JavaScript module and of all that it imports, each after its own."""
    found: list[str] = []

    def visit(name: str) -> None:
        if name not in found and name != GENERATED:
            for other in IMPORT.findall(source(f"js/{name}")):
                visit(other)
            found.append(name)

    visit(entry)
    return found


def widget_module() -> str:
    """Return the widget's front end as a single module: the rules, their descent, the figures."""
    parts = [rules_module(), *(source(f"js/{name}") for name in modules())]
    return "\n".join(IMPORT.sub("", part) for part in parts)


def page_script() -> str:
    """Return the figures of a page as one classic script.

    A browser refuses modules to a page that was opened from a disk, and readers do open the book
    so. The script is the widget's module with its exports taken out.
    """
    module = re.sub(r"^export default .*\n", "", widget_module(), flags=re.M)
    body = re.sub(r"^export ", "", module, flags=re.M)
    return f"(() => {{\n{body}\n{source('js/page.js')}}})();\n"
