"""The still picture of a live figure, in SVG: for print, for readers without JavaScript.

It stands in the notebook's output, so it is small, and equal on every machine.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import Any

import numpy as np
from contourpy import contour_generator

from ..base import Rule
from ..descent import Trace, steps_of
from ..differences import difference
from ..lines import lines_of
from ..plots import Style
from ..rules import Adam, AdamUncorrected
from ..trees import evaluate
from . import recorded_picture, states
from .catalog import LABELS, SIGNALS, UNITS, looks
from .signals import gradients
from .states import State
from .strokes import (
    FAINT,
    FIRST,
    GRID,
    HEIGHT,
    INK,
    SECOND,
    THIRD,
    WIDTH,
    Point,
    stroke,
    thinned,
    written,
)

UNIT_COLORS = {"first": FIRST, "second": SECOND, "third": THIRD}


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


def summary(state: State) -> str:
    """Return what the still picture shows, in a sentence."""
    return _VIEWS[state["view"]](state)[0]


def _names(rules: Sequence[Rule]) -> list[str]:
    """Return what each optimizer is called: two of one rule with the settings that differ."""
    names = []
    for rule in rules:
        same = [asdict(one) for one in rules if type(one) is type(rule)]
        differ = [key for key in same[0] if len({one[key] for one in same}) > 1]
        symbols = (f"{LABELS.get(key, key).split()[-1]} {getattr(rule, key):g}" for key in differ)
        names.append(", ".join([type(rule).__name__, *symbols]))
    return names


def _ends(name: str, trace: Trace) -> str:
    """Say in words how a descent ended."""
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
        stroke(pixels(line), GRID, 0.8)
        for level in np.linspace(logs.min(), logs.max(), 11)[1:-1]
        for line in contours.lines(float(level))
    ]
    traces = states.traces(state)
    names = _names(states.chosen_rules(state))
    styles = looks([type(rule).__name__ for rule in states.chosen_rules(state)])
    if state["view"] == "average":
        names.append("its average")
        styles.append(Style(SECOND, "o"))
    for i, (trace, look) in enumerate(zip(traces, styles, strict=True)):
        dash = "" if look.dash == "-" else "6 3"
        path = pixels(trace.x[: state["t"] + 1])
        lines.append(stroke(thinned(path), look.color, 1.8, dash))
        x, y = (min(max(v, 6), top - 6) for v, top in zip(path[-1], (WIDTH, HEIGHT), strict=True))
        lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{look.color}"/>')
        lines.append(written(8, 18 + 17 * i, names[i], look.color))
    if surface.minimum is not None:
        ((x, y),) = pixels([surface.minimum])
        lines.append(written(x, y + 5, "★", INK, "middle"))
    ends = "; ".join(map(_ends, names, traces))
    return f"{state['surface']}, {state['steps']} steps: {ends}.", "".join(lines)


def _pair(state: State) -> tuple[str, str]:
    """Draw the paths of two rules, and say how many of their lines differ."""
    one, other = (type(rule) for rule in states.chosen_rules(state))
    found = difference(one, other)
    title, body = _map(state)
    names = f"{one.__name__} and {other.__name__}"
    return f"{names} differ in {len(found.changes)} of {len(found.rows)} lines. {title}", body


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
    parts = [
        written(8, 18, f"{name}, step {t}"),
        stroke([(middle, 30), (middle, HEIGHT - 8)], FAINT),
    ]
    for i, (key, value) in enumerate(values.items()):
        y = 34 + i * height
        end = middle + reach * value / most[UNITS.get(key, key)]
        color = INK if key == "g" else UNIT_COLORS.get(UNITS.get(key, key), FAINT)
        place = f'x="{min(middle, end):.1f}" y="{y:.1f}" width="{abs(end - middle):.1f}"'
        parts.append(f'<rect {place} height="{height - 8:.1f}" fill="{color}"/>')
        parts.append(written(8, y + height / 2, LABELS.get(key, key)))
        parts.append(written(WIDTH - 8, y + height / 2, _number(value), INK, "end"))
    words = ", ".join(f"{LABELS.get(key, key)} = {_number(value)}" for key, value in values.items())
    axis = "ab"[state["coordinate"]]
    return f"{state['surface']}, coordinate {axis}, step {t} of {name}: {words}.", "".join(parts)


def _number(value: float) -> str:
    """Return three digits, without an exponent where none is needed; a zero has no sign."""
    return f"{float(f'{value:.3g}') + 0.0:g}".replace("-", "−")


def _named(trace: Trace, t: int, i: int) -> dict[str, float]:
    """Return the gradient, and what each line of the rule gave, at step t for parameter i."""
    rule = trace.rule
    known = asdict(rule) | {"t": t, "x": float(trace.x[t - 1, i]), "g": float(trace.g[t, i])}
    known |= {slot: float(values[t - 1, i]) for slot, values in trace.slots.items()}
    named = {"g": known["g"]}
    for line in lines_of(type(rule)):
        known[line.name] = evaluate(line.expression, known)
        if not line.scalar:  # what depends on the step alone is not drawn
            named[line.name] = known[line.name]
    return named


def _curves(title: str, curves: dict[str, tuple[Any, str, str]], end: int) -> tuple[str, str]:
    """Draw lines over the steps 1 to ``end``: name -> (values, colour, dash)."""
    values = np.concatenate([np.asarray(v) for v, _, _ in curves.values()])
    low, high = min(0.0, float(values.min())), float(values.max()) or 1.0
    left, right, top, bottom = 50, WIDTH - 60, 30, HEIGHT - 30
    across = (right - left) / max(end - 1, 1)
    up = (bottom - top) / (high - low)
    parts = [
        stroke([(left, top), (left, bottom), (right, bottom)], FAINT, 1),
        written(8, 18, title),
        written(left - 6, top + 4, f"{high:.3g}", FAINT, "end"),
        written(left - 6, bottom + 4, f"{low:.3g}", FAINT, "end"),
        written(right, bottom + 20, f"step {end}", FAINT, "end"),
    ]
    for name, (line, color, dash) in curves.items():
        points = [(left + i * across, bottom - (v - low) * up) for i, v in enumerate(line)]
        parts.append(stroke(thinned(points), color, 1.8, dash))
        parts.append(written(right + 6, points[-1][1] + 4, name, color))
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


CASES = [signal for signal in SIGNALS["weight"] if signal != "drawn"]
ACROSS, LEAST, MOST = 3, -1.2, 8.0  # cells in a row; the common axis of the steps


def _weight(state: State) -> tuple[str, str]:
    """Draw all cases side by side: gradients above, steps below, corrected and not."""
    chosen = asdict(states.chosen_rules(state)[0])
    with_, without = (kind(**chosen) for kind in (Adam, AdamUncorrected))
    wide, high = WIDTH / ACROSS, HEIGHT / 2
    every = int(state["steps"] / 72) // 2 * 2 + 1  # odd, so that an alternation is seen
    parts: list[str] = []
    longest: list[str] = []
    for i, signal in enumerate(CASES):
        left, top = 8 + i % ACROSS * wide, i // ACROSS * high
        g = gradients(state | {"signal": signal})
        steps = {"": steps_of(with_, g), "2 3": steps_of(without, g)}
        one, other = (_number(float(np.abs(found).max())) for found in steps.values())
        longest.append(f"{signal} {one} ({other})")
        x = left + (wide - 16) * np.arange(len(g)) / max(len(g) - 1, 1)
        most = float(np.abs(g).max())
        parts += [
            written(left, top + 16, signal),
            stroke(zip(x[::every], (top + 44 - 18 * g / most)[::every], strict=True), FAINT, 1),
        ]
        for value in (0.0, 1.0):
            y = top + 74 + 76 * (MOST - value) / (MOST - LEAST)
            parts.append(stroke([(x[0], y), (x[-1], y)], GRID, 0.8))
        for dash, found in steps.items():
            y_all = top + 74 + 76 * (MOST - np.clip(found, LEAST, MOST)) / (MOST - LEAST)
            parts.append(stroke(zip(x[::every], y_all[::every], strict=True), THIRD, 1.6, dash))
    words = [
        "gray: gradients",
        "red: step over α",
        "dotted: without",
        "the correction",
        "lines: 0 and 1",
    ]
    left = 8 + len(CASES) % ACROSS * wide
    parts += [written(left, high + 34 + 18 * i, line, FAINT) for i, line in enumerate(words)]
    betas = f"β₁ = {chosen['beta1']:g}, β₂ = {chosen['beta2']:g}"
    title = f"One weight, {state['steps']} steps, {betas}. Longest step over α (without correction)"
    return f"{title}: {'; '.join(longest)}.", "".join(parts)


def _schedule(state: State) -> tuple[str, str]:
    """Draw the learning rate over the steps."""
    factor = states.chosen_schedule(state)
    (rule,) = states.chosen_rules(state)
    rate = [getattr(rule, "lr", 1.0) * factor(t) for t in range(1, state["steps"] + 1)]
    warm = f" after {state['warmup']} steps of warm-up" if state["warmup"] else ""
    title = f"Learning rate of {type(rule).__name__}: {state['schedule']}{warm}"
    return _curves(title, {"rate": (rate, FIRST, "")}, state["steps"])


_VIEWS = {
    "race": _map,
    "pair": _pair,
    "tuner": _map,
    "inside": _inside,
    "bias": _bias,
    "weight": _weight,
    "schedule": _schedule,
    "average": _map,
    "record": recorded_picture.record,
    "grid": recorded_picture.grid,
}
