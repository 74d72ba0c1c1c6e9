"""The verdict: as text, as a card in a notebook, as JSON."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

WIDTH = 88
INDENT = 11
COLOURS = {"✓": "#1a7f37", "○": "#6e7781", "✗": "#bf5700"}


@dataclass(frozen=True)
class Report:
    """What the checker found.

    Attributes
    ----------
    exercise : its name
    ok : whether the solution is right
    mistakes : names from the catalogue of the exercise, or of what went wrong with the call
    title : the verdict in a few words
    parts : what is to be said, in order: a label and a text each. The label "Code" marks lines of
        a program as the student has them.
    results : for each result by name, whether it is right; empty where nothing was compared
    begun : whether the solution is more than what the exercise gave
    """

    exercise: str
    ok: bool
    mistakes: tuple[str, ...]
    title: str
    parts: tuple[tuple[str, str], ...]
    results: Mapping[str, bool] = field(default_factory=dict)
    begun: bool = True

    @property
    def mark(self) -> str:
        """The verdict as a sign; what nobody has begun is open, and no failure."""
        return "✓" if self.ok else "✗" if self.begun else "○"

    @property
    def credit(self) -> float:
        """From 0 to 1: the share of the results that are right.

        If all are, and something else is wrong, as where an argument is overwritten, that counts as
        one result more.
        """
        right, count = sum(self.results.values()), len(self.results)
        if self.ok or not right:
            return float(self.ok)
        return right / (count + (right == count))

    def __str__(self) -> str:
        lines = [f"{self.mark} {self.exercise}: {self.title}"]
        for label, text in self.parts:
            if label == "Code":
                lines.append("  You have:")
                lines += textwrap.indent(text, " " * (INDENT + 2)).splitlines()
                continue
            head = f"  {label + ':':{INDENT - 2}}"
            lines += textwrap.wrap(
                text,
                WIDTH,
                initial_indent=head,
                subsequent_indent=" " * INDENT,
                break_on_hyphens=False,
            )
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the verdict as a card. Its colours hold on a light and on a dark ground."""
        rows = []
        for label, text in self.parts:
            if label == "Code":
                rows.append('<p style="margin:0"><strong>You have:</strong></p>')
                rows.append(f'<pre style="margin:0 0 .4em 1em">{escape(text)}</pre>')
            else:
                rows.append(
                    f'<p style="margin:0 0 .4em"><strong>{escape(label)}:</strong> '
                    f"{escape(text)}</p>"
                )
        return (
            f'<div class="adam-edu-check" style="border-left:.35em solid {COLOURS[self.mark]};'
            "color:var(--pst-color-text-base,inherit);"
            'padding:.5em 1em;margin:.5em 0;overflow-wrap:anywhere">'
            f'<p style="margin:0 0 .4em"><strong>{self.mark} {escape(self.exercise)}: '
            f"{escape(self.title)}</strong></p>{''.join(rows)}</div>"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain data, to be written as JSON."""
        return {
            "exercise": self.exercise,
            "ok": self.ok,
            "credit": self.credit,
            "results": dict(self.results),
            "mistakes": list(self.mistakes),
            "text": str(self),
        }


def listed(names: list[str] | tuple[str, ...], word: str = "and") -> str:
    """Return names as a list in a sentence.

    >>> listed(["m", "v", "x"])
    'm, v and x'
    """
    return f" {word} ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def apart(found: float, expected: float) -> tuple[str, str]:
    """Return two different numbers, rounded no further than leaves them different.

    >>> apart(0.1, 0.01)
    ('0.1', '0.01')
    >>> apart(-0.0, 0.5)
    ('0', '0.5')
    >>> apart(1.00001, 1.00002)
    ('1.00001', '1.00002')
    """
    found, expected = found + 0.0, expected + 0.0  # without the sign of a zero
    for digits in range(4, 18):
        texts = f"{found:.{digits}g}", f"{expected:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts
