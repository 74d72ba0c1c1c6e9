"""What changes between two rules: their lines side by side, and what each has and remembers.

It is computed from the rules' own lines (:mod:`adam_edu.lines`), so that it cannot say anything
else than the code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .base import Rule
from .lines import lines_of
from .trees import Line

SAME, CHANGED, REMOVED, ADDED = "same", "changed", "removed", "added"


class Row(NamedTuple):
    """A line of the one rule beside that of the other; ``None`` where there is no such line."""

    before: Line | None
    after: Line | None

    @property
    def kind(self) -> str:
        """``"same"``, ``"changed"``, ``"removed"`` or ``"added"``."""
        if self.before is None:
            return ADDED
        if self.after is None:
            return REMOVED
        return SAME if self.before.expression == self.after.expression else CHANGED


@dataclass(frozen=True)
class Difference:
    """How to make one rule of another.

    Attributes
    ----------
    parent, child : the rules
    rows : their lines side by side, in the order in which each has them
    """

    parent: type[Rule]
    child: type[Rule]
    rows: tuple[Row, ...]

    @property
    def changes(self) -> tuple[Row, ...]:
        """The rows whose two sides are not the same."""
        return tuple(row for row in self.rows if row.kind != SAME)

    @property
    def gone(self) -> tuple[Line, ...]:
        """The parent's lines that the child has nowhere."""
        kept = {line for _, line in self.rows}
        return tuple(line for line, _ in self.rows if line is not None and line not in kept)

    @property
    def new(self) -> tuple[Line, ...]:
        """The child's lines that the parent has nowhere."""
        had = {line for line, _ in self.rows}
        return tuple(line for _, line in self.rows if line is not None and line not in had)

    @property
    def slots(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The slots that go, and those that come."""
        return _gone_and_new(self.parent.slots, self.child.slots)

    @property
    def hyper(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The hyper-parameters that go, and those that come."""
        return _gone_and_new(lines_of(self.parent).hyper, lines_of(self.child).hyper)

    def applied(self, lines: Sequence[Line]) -> tuple[Line, ...]:
        """Return the child's lines, made of the parent's ``lines``.

        Raises
        ------
        ValueError
            If ``lines`` are not those of the parent.
        """
        rest = list(lines)
        made = []
        for row in self.rows:
            if row.before is not None:
                if not rest or rest[0] != row.before:
                    raise ValueError(f"these are no lines of {self.parent.__name__}")
                kept = rest.pop(0)
            if row.kind == SAME:
                made.append(kept)
            elif row.after is not None:
                made.append(row.after)
        if rest:
            raise ValueError(f"these are more lines than {self.parent.__name__} has")
        return tuple(made)


def difference(parent: type[Rule], child: type[Rule]) -> Difference:
    """Return what makes ``child`` of ``parent``.

    Lines of one name stand side by side, as many as can without changing an order.

    Examples
    --------
    >>> from adam_edu.rules import Adam, AMSGrad
    >>> for row in difference(Adam, AMSGrad).changes:
    ...     print(row.kind, "|", row.before, "|", row.after)
    added | None | w = maximum(w, v)
    changed | v_hat = v / bias2 | v_hat = w / bias2
    """
    before, after = tuple(lines_of(parent)), tuple(lines_of(child))
    return Difference(parent, child, tuple(_side_by_side(before, after)))


def _side_by_side(before: Sequence[Line], after: Sequence[Line]) -> list[Row]:
    # The longest common sequence of names: kept[i][j] is its length from before[i] and after[j] on.
    kept = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i in reversed(range(len(before))):
        for j in reversed(range(len(after))):
            if before[i].name == after[j].name:
                kept[i][j] = 1 + kept[i + 1][j + 1]
            else:
                kept[i][j] = max(kept[i + 1][j], kept[i][j + 1])
    rows, i, j = [], 0, 0
    while i < len(before) or j < len(after):
        if i < len(before) and j < len(after) and before[i].name == after[j].name:
            rows.append(Row(before[i], after[j]))
            i, j = i + 1, j + 1
        elif j == len(after) or (i < len(before) and kept[i + 1][j] >= kept[i][j + 1]):
            rows.append(Row(before[i], None))
            i += 1
        else:
            rows.append(Row(None, after[j]))
            j += 1
    return rows


def _gone_and_new(
    before: Sequence[str], after: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(n for n in before if n not in after), tuple(n for n in after if n not in before)
