"""The still pictures of recorded runs: curves over epochs, losses over learning rates."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..looks import SERIES
from . import records
from .catalog import style
from .states import State
from .strokes import FAINT, HEIGHT, WIDTH, stroke, thinned, written

DOTTED = "2 3"
LEFT, RIGHT, TOP, BOTTOM = 50, WIDTH - 125, 34, HEIGHT - 30


def _ticks(low: float, high: float, scale: str) -> list[float]:
    """Return some three to seven round numbers between two, on either scale."""
    if scale == "log":
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for steps in ((1,), (1, 3), (1, 2, 5)):
            found = [m * 10.0**n for n in powers for m in steps if low <= m * 10.0**n <= high]
            if len(found) > 2:
                return found[:: math.ceil(len(found) / 7)]
    power = 10.0 ** math.floor(math.log10((high - low) / 3))
    step = power * max(n for n in (1, 2, 5) if n * power * 3 <= (high - low) * 1.001)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _vertical(values: Iterable[float], scale: str, most: float) -> tuple[list[str], Any]:
    """Return an axis for these values, as drawn parts, and the place of a value on it.

    What is higher than ``most``, or infinite, is put at the top.
    """
    finite = [v for v in values if math.isfinite(v) and v <= most and (v > 0 or scale != "log")]
    low, high = (min(finite), max(finite)) if finite else (0.5, 1.0)
    if scale == "log":
        low, high = low / 1.02, high * 1.02
    else:
        margin = 0.02 * (high - low) or 0.02 * abs(high) or 1.0
        low, high = low - margin, high + margin
    measure: Any = math.log10 if scale == "log" else float
    lowest, reach = measure(low), measure(high) - measure(low)

    def place(value: float) -> float:
        share = (measure(min(max(value, low), high)) - lowest) / reach
        return float(BOTTOM - share * (BOTTOM - TOP))

    parts = [stroke([(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)], FAINT, 1)]
    parts += [
        written(LEFT - 6, place(v) + 4, records.show(v), FAINT, "end")
        for v in _ticks(low, high, scale)
    ]
    return parts, place


def record(state: State) -> tuple[str, str]:
    """Draw each optimizer's curve up to the epoch: the median, and a band over seeds."""
    runs, quantity, steps, t = (
        records.entrants(state),
        state["quantity"],
        state["steps"],
        state["t"],
    )
    unit = 100.0 if quantity == "test_error" else 1.0
    curves = {
        run["optimizer"]: [unit * records.values_at(run[quantity], e + 1) for e in range(steps)]
        for run in runs
    }
    every = [float(v) for points in curves.values() for values in points for v in values]
    parts, place = _vertical(every, state["scale"], records.axis_top(every, curves))
    across = (RIGHT - LEFT) / max(steps - 1, 1)
    labels = []
    for name, points in curves.items():
        color = style(name.partition(",")[0]).color
        shown = [(LEFT + i * across, values) for i, values in enumerate(points[:t]) if len(values)]
        if not shown:
            continue
        above = thinned([(x, place(values.max())) for x, values in shown], 2)
        below = thinned([(x, place(values.min())) for x, values in shown], 2)
        edge = " ".join(f"{x:.1f},{y:.1f}" for x, y in above + below[::-1])
        parts.append(f'<path d="M{edge}" fill="{color}" opacity="0.2"/>')
        line = [(x, place(float(np.median(values)))) for x, values in shown]
        parts.append(stroke(thinned(line), color, 1.8, DOTTED if "," in name else ""))
        labels.append((line[-1][1], line[-1][0], name, color))
    labels.sort()
    height = -math.inf
    for i, (y, x, name, color) in enumerate(labels):
        lowest = HEIGHT - 18 - 15 * (len(labels) - 1 - i)
        height = min(max(y, height + 15), lowest)
        parts.append(written(x + 6, height + 4, name, color))
    parts += [written(8, 18, records.subject(state)), written(LEFT, HEIGHT - 10, "epoch 1", FAINT)]
    parts.append(written(RIGHT, HEIGHT - 10, f"epoch {steps}", FAINT, "end"))
    return f"{records.summary(state)}.", "".join(parts)


def grid(state: State) -> tuple[str, str]:
    """Draw the loss over the learning rate; a broken run stands at the top, as a cross."""
    lines_, most = records.losses(state), records.limit(state)
    rates = sorted({lr for pairs in lines_.values() for lr, _ in pairs})
    every = [v for run in state["runs"] for curve in run["train"] for v in curve if v is not None]
    parts, place = _vertical([*every, most], state["scale"], most)
    low, reach = math.log10(rates[0]), math.log10(rates[-1] / rates[0]) or 1.0
    betas = sorted({beta2 for beta2, _ in lines_})
    for (beta2, corrected), pairs in lines_.items():
        look = SERIES[betas.index(beta2) % len(SERIES)]
        points = []
        for lr, loss in pairs:
            x, y = (
                LEFT + 8 + (RIGHT - LEFT - 16) * (math.log10(lr) - low) / reach,
                place(min(loss, most)),
            )
            if math.isinf(loss) or loss > most:
                aside = x + 8 * (betas.index(beta2) - 1)
                parts.append(written(aside, TOP - 2.0, "×", look.color, "middle"))
            else:
                points.append((x, y))
        if points:
            parts.append(stroke(points, look.color, 1.8, "" if corrected else DOTTED))
        row = 60 + 18 * betas.index(beta2)
        parts.append(written(RIGHT + 12, row, f"β₂ = {beta2:g}", look.color))
    parts += [
        written(8, 18, f"{records.subject(state)}, β₁ = {state['beta1']:g}"),
        written(RIGHT + 12, 122, "solid: with"),
        written(RIGHT + 12, 139, "dotted: without"),
        written(LEFT, HEIGHT - 10, f"rate {records.show(rates[0])}", FAINT),
        written(RIGHT, HEIGHT - 10, records.show(rates[-1]), FAINT, "end"),
    ]
    return f"{records.summary(state)}.", "".join(parts)
