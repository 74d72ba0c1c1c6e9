"""The family tree of the rules: which descends from which, and by what change.

Who is whose parent is a choice, and here it is data: the rule that a reader knows already and from
which the fewest lines change, or the one that its authors start from. What changes is not a choice.
It is computed from the lines of both (:mod:`adam_edu.differences`).

Needs Matplotlib, for the colors of the book: ``pip install adam-edu[course]``.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .base import Rule
from .differences import Difference, difference
from .plots import INK, STYLE
from .rules import RULES


class Origin(NamedTuple):
    """Where an optimizer comes from: the name of its parent, and what it changes, in words."""

    parent: str
    change: str


ROOT = "SGD"
NUMBER = re.compile(r"[\d.,]+")

PARENTS: dict[str, Origin] = {
    "Momentum": Origin("SGD", "sums the gradients in a buffer that decays"),
    "Nesterov": Origin("Momentum", "steps as the next step would"),
    "Lion": Origin("Momentum", "steps by the sign of an average"),
    "ScheduleFreeSGD": Origin("SGD", "averages its path, and takes the gradient near the average"),
    "AdaGrad": Origin("SGD", "divides by the root of all squared gradients so far"),
    "RMSProp": Origin("AdaGrad", "averages the squares, where AdaGrad sums them"),
    "CenteredRMSProp": Origin("RMSProp", "subtracts the square of the mean"),
    "AdaDelta": Origin("RMSProp", "takes the rate from its own last steps"),
    "Adam": Origin("RMSProp", "averages the gradient too, and corrects both averages"),
    "AdamUncorrected": Origin("Adam", "leaves the correction out"),
    "AdaMax": Origin("Adam", "keeps a decaying maximum in place of the second moment"),
    "NAdam": Origin("Adam", "looks ahead as Nesterov's momentum does"),
    "AMSGrad": Origin("Adam", "divides by the largest second moment so far"),
    "AdamL2": Origin("Adam", "adds the decay to the gradient"),
    "AdamW": Origin("Adam", "adds the decay to the step"),
    "AdaBound": Origin("Adam", "clips the rate of each weight to a band that closes"),
    "RAdam": Origin("Adam", "takes short steps while the second moment is uncertain"),
    "ScheduleFreeAdamW": Origin("ScheduleFreeSGD", "divides as Adam does, and decays the weights"),
    "Yogi": Origin("AdamUncorrected", "moves the second moment by a share of the new square only"),
    "AdaBelief": Origin("Adam", "squares the distance of the gradient from its average"),
    "Adan": Origin("AdamW", "looks ahead by an average of the gradient's differences"),
    "ADOPT": Origin("Adam", "divides by the last step's second moment, then averages"),
    "AdEMAMix": Origin("AdamW", "adds a second, slow average of the gradient"),
    "CautiousAdamW": Origin("AdamW", "skips where momentum and gradient disagree"),
}

# Functions of whole matrices (adam_edu.matrix_rules): no lines to compare.
MATRIX_PARENTS: dict[str, Origin] = {
    "LAMB": Origin("AdamW", "makes the step a share of the layer's norm"),
    "Adafactor": Origin("RMSProp", "keeps row and column means of the squares only"),
    "Muon": Origin("Nesterov", "sets all singular values of the step to about 1"),
    "Shampoo": Origin("AdaGrad", "keeps a matrix for the rows and one for the columns"),
}

ORIGINS = PARENTS | MATRIX_PARENTS


def descent_of(name: str) -> Difference:
    """Return what makes a rule of its parent.

    Raises
    ------
    KeyError
        If the rule is the root or none of the course.

    Examples
    --------
    >>> print(*(row.after for row in descent_of("AdaBelief").changes if row.after), sep="\\n")
    s = beta2 * s + (1 - beta2) * (g - m) * (g - m) + eps
    s_hat = s / bias2
    change = -lr * m_hat / (sqrt(s_hat) + eps)
    """
    return difference(RULES[PARENTS[name].parent], RULES[name])


def children_of(name: str) -> list[str]:
    """Return those that descend from an optimizer, one generation, in the order of the course.

    >>> children_of("Momentum")
    ['Nesterov', 'Lion']
    """
    return [child for child, origin in ORIGINS.items() if origin.parent == name]


def generations(name: str = ROOT, depth: int = 0) -> Iterator[tuple[str, int]]:
    """Yield an optimizer and all its descendants, each before its own, with how deep they are."""
    yield name, depth
    for child in children_of(name):
        yield from generations(child, depth + 1)


# As a picture

WIDE, HIGH, INDENT = 345, 20, 21  # of the picture, of a row, of a generation, in its own pixels


@dataclass(frozen=True)
class Tree:
    """The tree as a picture of text, which a notebook draws: small, and sharp at any size."""

    rows: tuple[tuple[str, int], ...]

    def __repr__(self) -> str:
        return "\n".join(f"{'  ' * depth}{name}{_news(name)}" for name, depth in self.rows)

    def _repr_svg_(self) -> str:
        """Return a row for each optimizer, with a line from its parent's row to its own."""
        high = HIGH * len(self.rows) + 4
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{high}" '
            f'viewBox="0 0 {WIDE} {high}" font-family="system-ui, sans-serif" font-size="13">',
            f'<rect width="{WIDE}" height="{high}" fill="#fff"/>',
        ]
        place = {
            name: (8 + INDENT * depth, HIGH * row + 12)
            for row, (name, depth) in enumerate(self.rows)
        }
        for name, (x, y) in place.items():
            color = STYLE[name].color
            if name in ORIGINS:
                left, top = place[ORIGINS[name].parent]
                parts.append(
                    f'<path d="M{left},{top + 5}V{y}H{x - 5}" fill="none" stroke="{INK}" '
                    'stroke-width=".8"/>'
                )
            parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{color}"/>')
            parts.append(
                f'<text x="{x + 9}" y="{y + 4.5}" fill="{color}">{name}{_news(name)}</text>'
            )
        return "".join([*parts, "</svg>"])


def tree() -> Tree:
    """Return the picture of the tree, with the number of lines that are not the parent's.

    Examples
    --------
    >>> print(*repr(tree()).splitlines()[:4], sep="\\n")
    SGD
      Momentum, 2 of 2 lines
        Nesterov, 1 of 2 lines
          Muon, of matrices
    """
    return Tree(tuple(generations()))


def _news(name: str) -> str:
    if name not in PARENTS:
        return ", of matrices" if name in MATRIX_PARENTS else ""
    found = descent_of(name)
    total = sum(row.after is not None for row in found.rows)
    return f", {len(found.new)} of {total} lines"


# As text


@dataclass(frozen=True)
class Table:
    """A table: in a notebook and on the page a real one, numbers to the right, elsewhere lines."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        return "\n".join(" | ".join(row).rstrip() for row in (self.head, *self.rows))

    def _repr_markdown_(self) -> str:
        rule = " | ".join(map(_rule, zip(*self.rows, strict=True)))
        rows = (" | ".join(row) for row in (self.head, (rule,), *self.rows))
        return "\n".join(f"| {row} |" for row in rows)


def _rule(column: tuple[str, ...]) -> str:
    """Return what aligns a column: numbers to the right."""
    return "---:" if all(NUMBER.fullmatch(cell) for cell in column) else "---"


MARKS = {"same": "", "changed": "changed", "removed": "gone", "added": "new"}


def side_by_side(parent: type[Rule], child: type[Rule]) -> Table:
    """Return the lines of two rules beside each other, and what becomes of each."""
    found = difference(parent, child)
    rows = tuple(
        (MARKS[row.kind], *(f"`{line}`" if line else "" for line in row)) for row in found.rows
    )
    return Table(("", parent.__name__, child.__name__), rows)


def every_change(names: Iterable[str] = PARENTS) -> Table:
    """Return a row for each rule: what it does to its parent, and the lines that are gone (−) and
    new (+)."""
    rows = []
    for name in names:
        found = descent_of(name)
        lines = [*(f"− `{line}`" for line in found.gone), *(f"+ `{line}`" for line in found.new)]
        what = f"**{name}** of {PARENTS[name].parent}: {PARENTS[name].change}"
        rows.append((what, "<br>".join(lines)))
    return Table(("rule", "lines"), tuple(rows))
