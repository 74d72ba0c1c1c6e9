"""What a record says, for a terminal: the paper's claims with their verdicts, and the curves."""

from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from ..claims import claims
from ..recorded import SHORT, Array, Record, verdict

WIDTH = 78
LINES = 6  # curves in one picture


def verdicts(record: Record) -> str:
    """Say what the paper claims, whether it held here, and by which numbers."""
    lines = [f"{record['figure']}: the paper's claims, and this record"]
    rows = claims(record).rows
    for row in rows:
        lines.append(_indented(f"{verdict(row.held)}: {row.claim}", "  "))
        lines.append(_indented(row.found, "      "))
    if not rows:
        lines.append(_indented(record["claim"], "  "))
    if record["quick"]:
        name = record["data"]["name"]
        lines.append(_indented(f"A quick run on {name} is a trial of the program, no test.", "  "))
    return "\n".join(lines)


def _indented(text: str, indent: str) -> str:
    return fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


def lines(record: Record, *, dropout: bool) -> dict[str, Array]:
    """Return the training loss of each optimizer at its best rate, the median over seeds.

    At most ``LINES`` of them, those that end lowest, in the record's order. Epochs that not every
    seed has done are those of the seeds that have.
    """
    found: dict[str, dict[float, list[list[Any]]]] = {}
    for run in record["runs"]:
        if run["dropout"] == dropout:
            name = SHORT.get(run["optimizer"], run["optimizer"])
            found.setdefault(name, {}).setdefault(run["lr"], []).append(run["train"])
    best = {}
    for name, by_rate in found.items():
        medians = [_median(seeds) for seeds in by_rate.values()]
        best[name] = min(medians, key=_end)
    shown = sorted(best, key=lambda name: _end(best[name]))[:LINES]
    return {name: line for name, line in best.items() if name in shown}


def _median(seeds: list[list[Any]]) -> Array:
    longest = max(map(len, seeds))
    padded = np.array([run + [None] * (longest - len(run)) for run in seeds], dtype=float)
    kept = ~np.isnan(padded).all(axis=0)
    median = np.full(longest, np.nan)
    median[kept] = np.nanmedian(padded[:, kept], axis=0)
    return median


def _end(line: Array) -> float:
    return float(line[-1]) if len(line) and np.isfinite(line[-1]) else float("inf")


def panels(record: Record) -> dict[str, dict[str, Array]]:
    """Return the curves of each version of an experiment, by its title."""
    versions = sorted({run["dropout"] for run in record["runs"]}, reverse=True)
    titles = [f"{record['experiment']}: training loss"] * len(versions)
    if len(versions) > 1:
        titles = [f"{titles[0]}, {word} dropout" for word in ("with", "without")]
    drawn = [lines(record, dropout=version) for version in versions]
    return dict(zip(titles, drawn, strict=True))


def as_text(record: Record, *, color: bool) -> str:
    """Return the curves as a picture of letters, without ``color`` in ASCII alone.

    Needs uniplot.
    """
    from uniplot import plot_to_string

    drawn = []
    for title, found in panels(record).items():
        xs, ys = [], []
        for line in found.values():
            finite = np.isfinite(line) & (line > 0)
            xs.append(np.flatnonzero(finite) + 1)
            ys.append(line[finite])
        if any(map(len, xs)):
            drawn.append(
                plot_to_string(
                    xs=xs,
                    ys=ys,
                    title=title,
                    legend_labels=list(found),
                    lines=True,
                    y_as_log=bool(np.ptp(np.log10(np.concatenate(ys))) > 1),
                    color=color,
                    character_set="block" if color else "ascii",
                    height=14,
                    width=WIDTH - 16,
                )
            )
    return "\n".join(drawn) or "No epoch is done yet: there is nothing to draw."


def write_picture(record: Record, path: Path) -> None:
    """Draw the curves into a file. Needs Matplotlib."""
    from matplotlib.figure import Figure

    drawn = panels(record)
    figure = Figure(figsize=(6.4, 4.0 * max(1, len(drawn))), layout="constrained")
    for place, (title, found) in enumerate(drawn.items(), 1):
        axes = figure.add_subplot(len(drawn), 1, place, title=title, xlabel="epoch", yscale="log")
        for name, line in found.items():
            axes.plot(np.arange(1, len(line) + 1), line, label=name, marker=".")
        axes.legend()
    figure.savefig(path, dpi=150)
