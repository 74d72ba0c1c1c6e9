"""The family tree of the rules: which descends from which, and by what change.

Who is whose parent is a choice, and here it is data: the rule that a reader knows already and from
which the fewest lines change, or the one that its authors start from. What changes is not a choice.
It is computed from the lines of both (:mod:`adam_edu.differences`).

The tree needs Matplotlib: ``pip install adam-edu[course]``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .base import Rule
from .differences import Difference, difference
from .plots import INK, STYLE, Axes, panels
from .rules import RULES


class Origin(NamedTuple):
    """Where an optimizer comes from: the name of its parent, and what it changes, in words."""

    parent: str
    change: str


ROOT = "SGD"

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
    "ADOPT": Origin("Adam", "divides by the second moment of before, then averages"),
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
    return [child for child, origin in (PARENTS | MATRIX_PARENTS).items() if origin.parent == name]


def generations(name: str = ROOT, depth: int = 0) -> Iterator[tuple[str, int]]:
    """Yield an optimizer and all its descendants, each before its own, with how deep they are."""
    yield name, depth
    for child in children_of(name):
        yield from generations(child, depth + 1)


def draw() -> Axes:
    """Draw the tree, a row for each optimizer, with the lines that are not its parent's."""
    rows = list(generations())
    ax = panels(height=0.27 * len(rows) + 0.3)
    ax.set(xlim=(-0.1, 6.6), ylim=(len(rows) - 0.4, -0.6))
    ax.axis("off")
    place = {name: (0.42 * depth, y) for y, (name, depth) in enumerate(rows)}
    for name, (x, y) in place.items():
        look = STYLE[name]
        origin = (PARENTS | MATRIX_PARENTS).get(name)
        if origin:
            x0, y0 = place[origin.parent]
            ax.plot([x0, x0, x - 0.1], [y0 + 0.35, y, y], color=INK, linewidth=0.8, zorder=0)
        ax.plot([x], [y], look.marker, color=look.color, markersize=7)
        ax.text(x + 0.18, y, f"{name}{_news(name)}", va="center", color=look.color)
    return ax


def _news(name: str) -> str:
    if name not in PARENTS:
        return ", of matrices" if name in MATRIX_PARENTS else ""
    found = descent_of(name)
    total = sum(row.after is not None for row in found.rows)
    return f", {len(found.new)} of {total} lines"


# As text


@dataclass(frozen=True)
class Table:
    """A table of text: in a notebook and on the page a real one, elsewhere lines."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        return "\n".join(" | ".join(row).rstrip() for row in (self.head, *self.rows))

    def _repr_markdown_(self) -> str:
        rule = " | ".join("---" for _ in self.head)
        rows = (" | ".join(row) for row in (self.head, (rule,), *self.rows))
        return "\n".join(f"| {row} |" for row in rows)


MARKS = {"same": "", "changed": "changed", "removed": "gone", "added": "new"}


def side_by_side(parent: type[Rule], child: type[Rule]) -> Table:
    """Return the lines of two rules beside each other, and what becomes of each."""
    found = difference(parent, child)
    rows = tuple(
        (MARKS[row.kind], *(f"`{line}`" if line else "" for line in row)) for row in found.rows
    )
    return Table(("", parent.__name__, child.__name__), rows)


def every_change(names: Iterable[str] = PARENTS) -> Table:
    """Return a row for each rule: its parent, the change in words, the lines that are not the
    parent's, and the parent's lines that are gone."""
    rows = []
    for name in names:
        found = descent_of(name)
        new, gone = ("<br>".join(f"`{one}`" for one in lines) for lines in (found.new, found.gone))
        rows.append((f"**{name}** of {PARENTS[name].parent}", PARENTS[name].change, new, gone))
    return Table(("rule", "what it does", "its lines", "in place of"), tuple(rows))
