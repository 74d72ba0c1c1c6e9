"""What still pictures are drawn with, in SVG: their size, their colours, lines and words.

Coordinates are rounded to a tenth of a pixel, so that a picture is small, and equal everywhere.
"""

import math
from collections.abc import Iterable, Sequence
from html import escape

WIDTH, HEIGHT = 480, 320
INK, FAINT, GRID = "#1d2733", "#5a6775", "#b9c4d0"
FIRST, SECOND, THIRD = "#0072b2", "#c26200", "#c8102e"
Point = tuple[float, float]


def stroke(points: Iterable[Point], color: str, width: float = 1.8, dash: str = "") -> str:
    """Return a line through points."""
    d = "M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{d}" fill="none" stroke="{color}" stroke-width="{width}"{dashed}/>'


def written(x: float, y: float, words: str, color: str = INK, anchor: str = "start") -> str:
    """Return words, at the place of their first, middle or last letter."""
    place = f'x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(words)}</text>"


def thinned(path: Sequence[Point], gap: float = 1.0) -> list[Point]:
    """Leave out points that lie within ``gap`` pixels of the last one kept."""
    kept = [path[0]]
    for point in path[1:]:
        if math.dist(point, kept[-1]) >= gap:
            kept.append(point)
    return kept
