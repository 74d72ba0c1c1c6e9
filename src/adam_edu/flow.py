"""The flow of data in one step of a rule, as a picture: what each line reads, and what is kept.

It is made from the rule's own lines, so that it cannot say anything else than the code.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from .base import Rule
from .lines import lines_of
from .plots import FIRST_MOMENT, GRADIENT, INK, SECOND_MOMENT, Axes, panels
from .symbolic import symbol

CLOSEST = 0.9  # between two boxes of a row
COLORS = {"m": FIRST_MOMENT, "v": SECOND_MOMENT, "g": GRADIENT}
STEP = "step"


@dataclass(frozen=True)
class Box:
    """A value in the flow.

    Attributes
    ----------
    name : its name in the code; ``"step"`` for the change of x
    row : 0 for what the step begins with, otherwise one more than the highest row that it reads
    place : to the left or right of the gradient, which is at 0
    kept : whether the last step left it
    """

    name: str
    row: int
    place: float
    kept: bool = False

    @property
    def text(self) -> str:
        """What stands in the box."""
        if self.name == STEP:
            return f"step of ${symbol('x')}$"
        return f"kept ${symbol(self.name)}$" if self.kept else f"${symbol(self.name)}$"


@dataclass(frozen=True)
class Flow:
    """The values of a step, and for each arrow the positions of the two that it joins."""

    boxes: tuple[Box, ...]
    arrows: tuple[tuple[int, int], ...]


def flow_of(rule: type[Rule]) -> Flow:
    """Return what a rule's lines read of one another. Numbers that all weights share are left out.

    Raises
    ------
    Unreadable
        If its methods hold anything else than lines of operators and of :mod:`adam_edu.ops`.

    Examples
    --------
    >>> from adam_edu.rules import Adam
    >>> found = flow_of(Adam)
    >>> for start, end in found.arrows:
    ...     print(found.boxes[start].text, "->", found.boxes[end].text)
    kept $m$ -> $m$
    $g$ -> $m$
    $g$ -> $v$
    kept $v$ -> $v$
    $m$ -> $\\hat m$
    $v$ -> $\\hat v$
    $\\hat m$ -> step of $x$
    $\\hat v$ -> step of $x$
    """
    lines = [line for line in lines_of(rule).whole_step if not line.scalar]
    read = {name for line in lines for name in line.reads}
    slots = [name for name in rule.slots if name in read]
    left = len(slots) // 2
    begin = [*slots[:left], "g", *slots[left:], *({"x"} & read)]
    boxes = [Box(name, 0, float(i - left), name in slots) for i, name in enumerate(begin)]
    latest = {box.name: i for i, box in enumerate(boxes)}
    arrows: list[tuple[int, int]] = []
    for line in lines:
        sources = sorted(latest[name] for name in line.reads if name in latest)
        arrows += [(source, len(boxes)) for source in sources]
        latest[line.name] = len(boxes)
        boxes.append(
            Box(
                STEP if line.name == "change" else line.name,
                1 + max(boxes[source].row for source in sources),
                float(np.mean([boxes[source].place for source in sources])),
            )
        )
    return Flow(_apart(boxes), tuple(arrows))


def _apart(boxes: list[Box]) -> tuple[Box, ...]:
    """Return the boxes moved sideways until no two of a row overlap."""
    places: dict[int, float] = {}
    for row in {box.row for box in boxes}:
        order = sorted((box.place, i) for i, box in enumerate(boxes) if box.row == row)
        wanted = np.array([place for place, _ in order])
        found = wanted.copy()
        for one, next_ in pairwise(range(len(found))):
            found[next_] = max(found[next_], found[one] + CLOSEST)
        found += (wanted - found).mean()
        places |= {i: float(place) for (_, i), place in zip(order, found, strict=True)}
    return tuple(Box(box.name, box.row, places[i], box.kept) for i, box in enumerate(boxes))


def draw(rule: type[Rule], ax: Axes | None = None) -> Axes:
    """Draw the flow of data in one step, from the gradient and what is kept to the change.

    Boxes with a dashed frame hold what the last step left. ``ax`` is where to draw, for several
    rules in one picture; by default it has a picture of its own.
    """
    flow = flow_of(rule)
    rows = max(box.row for box in flow.boxes)
    if ax is None:
        ax = panels(height=0.75 * rows + 0.6)
    places = [box.place for box in flow.boxes]
    ax.set(xlim=(min(places) - 0.6, max(places) + 0.6), ylim=(-rows - 0.4, 0.4))
    ax.axis("off")
    labels = []
    for box in flow.boxes:
        color = COLORS.get(box.name.partition("_")[0], INK)
        frame: dict[str, Any] = {"boxstyle": "round,pad=0.4", "facecolor": "white"}
        frame |= {"edgecolor": color, "linestyle": "--" if box.kept else "-", "linewidth": 1.6}
        labels.append(ax.text(box.place, -box.row, box.text, ha="center", va="center", bbox=frame))
    for start, end in flow.arrows:
        ax.annotate(
            "",
            xy=(flow.boxes[end].place, -flow.boxes[end].row),
            xytext=(flow.boxes[start].place, -flow.boxes[start].row),
            arrowprops={
                "arrowstyle": "-|>",
                "color": INK,
                "patchA": labels[start].get_bbox_patch(),
                "patchB": labels[end].get_bbox_patch(),
                "shrinkA": 3,
                "shrinkB": 3,
            },
        )
    return ax
