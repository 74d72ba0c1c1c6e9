"""The still picture of a live figure, in SVG: for print, for readers without JavaScript.

It stands in the notebook's output, so it is small, and equal on every machine: coordinates are
rounded to a tenth of a pixel.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

import numpy as np
from contourpy import contour_generator

from ..descent import Trace
from ..rules import Adam
from ..symbolic import lines
from . import states
from .catalog import LABELS, UNITS, style
from .states import State

WIDTH, HEIGHT = 480, 320
INK, FAINT, GRID = "#1d2733", "#5a6775", "#b9c4d0"
FIRST, SECOND, THIRD = "#0072b2", "#c26200", "#c8102e"
UNIT_COLORS = {"first": FIRST, "second": SECOND, "third": THIRD}

Point = tuple[float, float]


def html(state: State) -> str:
    """Return the element that a page turns into the live figure, with the still picture in it."""
    data = escape(json.dumps(state, separators=(",", ":")))
    title, body = _VIEWS[state["view"]](state)
    return (
        f'<div class="adam-edu-lab" data-state="{data}">'
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="100%" font-family="system-ui, sans-serif" font-size="13">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{body}</svg>'
        f"<p><em>{escape(title)}</em></p></div>"
    )


def _path(points: Iterable[Point], color: str, width: float = 1.8, dash: str = "") -> str:
    d = "M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{d}" fill="none" stroke="{color}" stroke-width="{width}"{dashed}/>'


def _text(x: float, y: float, words: str, color: str = INK, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(words)}</text>"


def _ends(trace: Trace) -> str:
    """Say in words how a descent ended."""
    name = type(trace.rule).__name__
    best = trace.problem.minimum
    floor = 0.0 if best is None else float(trace.problem.value(best))
    loss = float(trace.loss[-1]) - floor
    if trace.diverged or loss > 10 * (float(trace.loss[0]) - floor):
        return f"{name} diverges"
    return f"{name} ends {max(loss, 0):.1g} above the minimum"


def _map(state: State) -> tuple[str, str]:
    """Draw the surface's contours and each optimizer's path."""
    surface = states.chosen_surface(state)
    (left, right), (low, high) = surface.view or ((-1, 1), (-1, 1))
    a, b = np.meshgrid(np.linspace(left, right, 60), np.linspace(low, high, 40))
    z = surface.height(a, b)
    logs = np.log((z - z.min()) / np.ptp(z) + 1e-3)
    place = np.array([WIDTH / (right - left), HEIGHT / (low - high)])

    def pixels(points: Any) -> list[Point]:
        moved = (np.asarray(points) - [left, high]) * place
        return [(float(x), float(y)) for x, y in np.clip(moved, -500, 1500)]

    contours = contour_generator(a, b, logs)
    lines = [
        _path(pixels(line), GRID, 0.8)
        for level in np.linspace(logs.min(), logs.max(), 11)[1:-1]
        for line in contours.lines(float(level))
    ]
    traces = states.traces(state)
    for i, trace in enumerate(traces):
        look = style(type(trace.rule).__name__)
        dash = "" if look.dash == "-" else "6 3"
        path = pixels(trace.x[: state["t"] + 1])
        lines.append(_path(_thinned(path), look.color, 1.8, dash))
        x, y = (min(max(v, 6), top - 6) for v, top in zip(path[-1], (WIDTH, HEIGHT), strict=True))
        lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{look.color}"/>')
        lines.append(_text(8, 18 + 17 * i, type(trace.rule).__name__, look.color))
    if surface.minimum is not None:
        ((x, y),) = pixels([surface.minimum])
        lines.append(_text(x, y + 5, "★", INK, "middle"))
    ends = "; ".join(map(_ends, traces))
    return f"{state['surface']}, {state['steps']} steps: {ends}.", "".join(lines)


def _thinned(path: Sequence[Point]) -> list[Point]:
    """Leave out points that lie within a pixel of the last one kept."""
    kept = [path[0]]
    for point in path[1:]:
        if math.dist(point, kept[-1]) >= 1.0:
            kept.append(point)
    return kept


def _inside(state: State) -> tuple[str, str]:
    """Draw all that the rule names in the step shown, for one parameter, as bars."""
    (trace,) = states.traces(state)
    t = min(max(state["t"], 1), trace.steps)
    name = type(trace.rule).__name__
    values = _named(trace, t, state["coordinate"])
    middle, reach, height = 240.0, 130.0, (HEIGHT - 40) / len(values)
    most: dict[str, float] = {}
    for key, value in values.items():
        unit = UNITS.get(key, key)
        most[unit] = max(most.get(unit, 1e-300), abs(value))
    parts = [_text(8, 18, f"{name}, step {t}"), _path([(middle, 30), (middle, HEIGHT - 8)], FAINT)]
    for i, (key, value) in enumerate(values.items()):
        y = 34 + i * height
        end = middle + reach * value / most[UNITS.get(key, key)]
        color = INK if key == "g" else UNIT_COLORS.get(UNITS.get(key, key), FAINT)
        place = f'x="{min(middle, end):.1f}" y="{y:.1f}" width="{abs(end - middle):.1f}"'
        parts.append(f'<rect {place} height="{height - 8:.1f}" fill="{color}"/>')
        parts.append(_text(8, y + height / 2, LABELS.get(key, key)))
        parts.append(_text(WIDTH - 8, y + height / 2, _number(value), INK, "end"))
    words = ", ".join(f"{LABELS.get(key, key)} = {_number(value)}" for key, value in values.items())
    axis = "ab"[state["coordinate"]]
    return f"{state['surface']}, coordinate {axis}, step {t} of {name}: {words}.", "".join(parts)


def _number(value: float) -> str:
    """Return three digits, without an exponent where none is needed."""
    return f"{float(f'{value:.3g}'):g}".replace("-", "−")


def _named(trace: Trace, t: int, i: int) -> dict[str, float]:
    """Return the gradient, and what each line of the rule gave, at step t for parameter i."""
    rule = trace.rule
    known: dict[str, float] = asdict(rule) | {"t": t, "x": trace.x[t - 1, i], "g": trace.g[t, i]}
    known |= {slot: values[t - 1, i] for slot, values in trace.slots.items()}
    named = {"g": known["g"]}
    seen = {"x", "g", *rule.slots}  # what depends on the step alone is not drawn
    for line in lines(type(rule)):
        names = {symbol: symbol.name for symbol in line.value.free_symbols}
        values = {symbol: known[name] for symbol, name in names.items()}
        known[line.name] = float(line.value.subs(values).doit())
        if seen & set(names.values()):
            named[line.name] = known[line.name]
            seen.add(line.name)
    return named


def _curves(title: str, curves: dict[str, tuple[Any, str, str]], end: int) -> tuple[str, str]:
    """Draw lines over the steps 1 to ``end``: name -> (values, colour, dash)."""
    values = np.concatenate([np.asarray(v) for v, _, _ in curves.values()])
    low, high = min(0.0, float(values.min())), float(values.max()) or 1.0
    left, right, top, bottom = 50, WIDTH - 60, 30, HEIGHT - 30
    across = (right - left) / max(end - 1, 1)
    up = (bottom - top) / (high - low)
    parts = [
        _path([(left, top), (left, bottom), (right, bottom)], FAINT, 1),
        _text(8, 18, title),
        _text(left - 6, top + 4, f"{high:.3g}", FAINT, "end"),
        _text(left - 6, bottom + 4, f"{low:.3g}", FAINT, "end"),
        _text(right, bottom + 20, f"step {end}", FAINT, "end"),
    ]
    for name, (line, color, dash) in curves.items():
        points = [(left + i * across, bottom - (v - low) * up) for i, v in enumerate(line)]
        parts.append(_path(_thinned(points), color, 1.8, dash))
        parts.append(_text(right + 6, points[-1][1] + 4, name, color))
    return f"{title}.", "".join(parts)


def _bias(state: State) -> tuple[str, str]:
    """Draw how much of the two averages is still the zero that they began with."""
    adam = states.chosen_rules(state)[0]
    assert isinstance(adam, Adam)
    t = np.arange(1, state["steps"] + 1)
    betas = f"m with β₁ = {adam.beta1:g} and v with β₂ = {adam.beta2:g}"
    title = f"What the averages show of a constant gradient of 1: {betas}"
    curves = {
        "m": (1 - adam.beta1**t, FIRST, ""),
        "v": (1 - adam.beta2**t, SECOND, ""),
        "m̂, v̂": (np.ones(len(t)), FAINT, "6 3"),
    }
    return _curves(title, curves, state["steps"])


def _schedule(state: State) -> tuple[str, str]:
    """Draw the learning rate over the steps."""
    factor = states.chosen_schedule(state)
    (rule,) = states.chosen_rules(state)
    rate = [getattr(rule, "lr", 1.0) * factor(t) for t in range(1, state["steps"] + 1)]
    warm = f" after {state['warmup']} steps of warm-up" if state["warmup"] else ""
    title = f"Learning rate of {type(rule).__name__}: {state['schedule']}{warm}"
    return _curves(title, {"rate": (rate, FIRST, "")}, state["steps"])


_VIEWS = {"race": _map, "tuner": _map, "inside": _inside, "bias": _bias, "schedule": _schedule}
