"""The figures' one style: a colour, a marker and a dash for each optimizer, labels on the lines.

Needs Matplotlib: ``pip install adam-edu[course]``. Figures are 4.8 inches wide in 12.5 point, so
that their text is 9 point on a phone; two panels stand one above the other for that reason.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .descent import Trace
from .looks import (
    DASHED as DASHED,
    DOTTED as DOTTED,
    FIRST_MOMENT as FIRST_MOMENT,
    GRADIENT as GRADIENT,
    INK as INK,
    SECOND_MOMENT as SECOND_MOMENT,
    SERIES as SERIES,
    STYLE as STYLE,
    Style as Style,
    line_style as line_style,
    marker as marker,
)
from .problems.base import Problem

try:
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator, MaxNLocator, NullLocator
except ImportError as error:
    raise ImportError("figures need Matplotlib: pip install adam-edu[course]") from error


SETTINGS: Any = {
    "figure.figsize": (4.8, 3.1),
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 12.5,
    "axes.titlesize": 12.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.0,
    # Computer Modern's hairlines, such as those of "=", vanish on a screen of few dots.
    "mathtext.fontset": "dejavusans",
    "savefig.facecolor": "white",
}


def use_style() -> None:
    """Draw all figures from here on in the course's style, sharp on dense screens."""
    plt.rcParams.update(SETTINGS)
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:  # in a notebook: elsewhere it would begin a session of its own
        set_matplotlib_formats("retina")


def panels(
    rows: int = 1, xlabel: str = "", ylabels: Sequence[str] = ("",), height: float = 3.1
) -> Any:
    """Return one axes, or an array of ``rows`` of them above each other with a common x axis.

    Parameters
    ----------
    rows : how many
    xlabel : under the lowest
    ylabels : one for each row
    height : of one row, in inches
    """
    use_style()
    _, axes = plt.subplots(rows, 1, sharex=True, figsize=(4.8, height * (0.4 + 0.6 * rows)))
    for ax, ylabel in zip(np.atleast_1d(axes), ylabels, strict=True):
        ax.set_ylabel(ylabel)
    np.atleast_1d(axes)[-1].set_xlabel(xlabel)
    return axes


def grid(rows: int, columns: int, height: float = 2.0) -> Any:
    """Return axes that share nothing, shape (rows, columns), for pictures side by side."""
    use_style()
    return plt.subplots(rows, columns, squeeze=False, figsize=(4.8, height * rows))[1]


class PlainOrPowers(LogFormatterSciNotation):
    """Numbers on a logarithmic axis, all in one form: as they are on a short axis around 1."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick."""
        low, high = sorted(self.axis.get_view_interval())  # type: ignore[union-attr]
        plain = low > 5e-4 and high < 5e4 and high < 2e3 * low
        settings: Any = plt.rcParams
        least = settings["axes.formatter.min_exponent"]
        # This one alone: a context would copy all settings, for each label anew.
        settings["axes.formatter.min_exponent"] = 5 if plain else 0
        try:
            return str(super().__call__(x, pos))
        finally:
            settings["axes.formatter.min_exponent"] = least


def name_ticks(ax: Axes) -> None:
    """Give the ticks of logarithmic axes labels of one form; called by what draws over them.

    Labels that are not Matplotlib's own for powers of ten stay as they are.
    """
    for axis in (ax.xaxis, ax.yaxis):
        usual = type(axis.get_major_formatter()) is LogFormatterSciNotation
        if usual and getattr(axis.get_transform(), "base", None) == 10:
            axis.set_major_formatter(PlainOrPowers())
            axis.set_minor_formatter(PlainOrPowers(labelOnlyBase=False))


def name_lines(ax: Axes, gap: float = 1.15) -> None:
    """Write each line's label at its right end, in its colour, and move apart what would overlap.

    ``gap`` is the least distance of two labels, in line heights.
    """
    name_ticks(ax)
    lines = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    ends = [_last_visible(ax, line) for line in lines]
    ax.figure.canvas.draw()  # settles the layout, and with it what a pixel is
    to_pixels, to_data = ax.transData.transform, ax.transData.inverted().transform
    height = gap * plt.rcParams["font.size"] * ax.figure.dpi / 72
    floor = -np.inf
    for i in np.argsort([to_pixels(end)[1] for end in ends]):
        x, y = to_pixels(ends[i])
        y = max(y, floor + height)
        floor = y
        ax.annotate(
            lines[i].get_label(),
            xy=tuple(to_data((x, y))),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=lines[i].get_color(),
            annotation_clip=False,
        )


def _last_visible(ax: Axes, line: Any) -> tuple[float, float]:
    """Return the last finite point of a line, moved into the axes' vertical range."""
    x, y = (np.asarray(values, dtype=float) for values in line.get_data())
    last = np.flatnonzero(np.isfinite(y))[-1]
    low, high = sorted(ax.get_ylim())
    return float(x[last]), float(np.clip(y[last], low, high))


def styles(traces: Sequence[Trace]) -> list[Style]:
    """Return a style for each trace: its optimizer's own, unless two have the same optimizer."""
    names = [type(trace.rule).__name__ for trace in traces]
    if len(set(names)) < len(names):
        return [SERIES[i % len(SERIES)] for i in range(len(names))]
    return [STYLE.get(name, SERIES[-1]) for name in names]


def losses(traces: Sequence[Trace], labels: Sequence[str] | None = None, ax: Any = None) -> Axes:
    """Draw the loss of each trace over its steps, on a logarithmic scale.

    The loss is measured from the problem's minimum where that is known.
    """
    if ax is None:
        known = traces[0].problem.minimum is not None
        ax = panels(xlabel="step $t$", ylabels=["loss above minimum" if known else "loss"])
    for trace, style, label in zip(traces, styles(traces), _labels(traces, labels), strict=True):
        best = trace.problem.minimum
        floor = 0.0 if best is None else float(trace.problem.value(best))
        above = np.maximum(trace.loss - floor, 1e-16)
        ax.plot(above, color=style.color, linestyle=style.dash, label=label)
    ax.set_yscale("log")
    name_lines(ax)
    return ax


def contours(problem: Problem, ax: Any = None) -> Axes:
    """Draw a surface as a map: lines of equal loss, closer together near the minimum."""
    if problem.view is None or len(problem.view) != 2:
        raise ValueError(f"{type(problem).__name__} has no two-dimensional view to draw")
    ax = panels(height=3.4) if ax is None else ax
    (left, right), (low, high) = problem.view
    a, b = np.meshgrid(np.linspace(left, right, 200), np.linspace(low, high, 200))
    z = problem.value(np.stack([a, b], axis=-1))
    z = z - z.min() + 1e-3 * (z.max() - z.min())
    levels = np.geomspace(z.min(), z.max(), 18)
    ax.contour(a, b, z, levels=levels, norm=LogNorm(), cmap="Greys_r", linewidths=0.8, alpha=0.7)
    if problem.minimum is not None:
        ax.plot(*problem.minimum, marker="*", color=INK, markersize=13, linestyle="none")
    ax.set(xlim=(left, right), ylim=(low, high), xlabel="$a$", ylabel="$b$")
    return ax


def paths(traces: Sequence[Trace], labels: Sequence[str] | None = None, ax: Any = None) -> Axes:
    """Draw where each trace went, over the map of the first one's problem."""
    ax = contours(traces[0].problem, ax)
    for trace, style, label in zip(traces, styles(traces), _labels(traces, labels), strict=True):
        x = trace.x[: _steps_in_view(trace) + 1]
        look = {"color": style.color, "linestyle": style.dash, "marker": style.marker}
        every = max(len(x) // 40, 1)
        ax.plot(*x.T, markersize=5, markevery=every, linewidth=1.6, label=label, **look)
    ax.figure.legend(loc="outside upper left", ncols=3, fontsize=11.5, frameon=False)
    return ax


def _steps_in_view(trace: Trace) -> int:
    """Return the step at which a path leaves the picture for the first time, or the last step."""
    low, high = np.array(trace.problem.view).T
    outside = ((trace.x < low) | (trace.x > high)).any(axis=1)
    return int(outside.argmax()) if outside.any() else trace.steps


def _labels(traces: Sequence[Trace], labels: Sequence[str] | None) -> Sequence[str]:
    return [type(trace.rule).__name__ for trace in traces] if labels is None else labels


def band(ax: Axes, x: Any, runs: Any, label: str) -> None:
    """Draw the median over runs as a line, and their spread as a band around it.

    ``runs`` has shape (points, runs). The style is the next of :data:`SERIES`.
    """
    style = SERIES[len(ax.get_lines()) % len(SERIES)]
    median = np.median(runs, axis=1)
    ax.plot(x, median, color=style.color, marker=style.marker, markersize=5, label=label)
    ax.fill_between(x, np.min(runs, axis=1), np.max(runs, axis=1), color=style.color, alpha=0.2)


def intervals(ax: Axes, found: Mapping[str, Any], label: str = "ratio of losses") -> None:
    """Draw comparisons as dots with their 95 % intervals, the first on top.

    ``found`` holds each :class:`adam_edu.evidence.Comparison` by its name. The dot of one in which
    no order is seen is hollow.
    """
    for place, one in enumerate(found.values()):
        inside = "white" if one.verdict == "no order seen" else INK
        ax.plot([one.low, one.high], [place, place], color=INK, linewidth=1.6)
        ax.plot([one.center], [place], "o", color=INK, markersize=7, markerfacecolor=inside)
    ax.axvline(1.0 if one.scale == "ratio" else 0.0, color=INK, linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(found)), list(found))
    ax.set(ylim=(len(found) - 0.5, -0.5), xlabel=label)


def recorded(ax: Axes, curves: Mapping[str, Any], names: Mapping[str, str] | None = None) -> None:
    """Draw each optimizer's recorded curve over its epochs: the median, and the spread of seeds.

    Parameters
    ----------
    curves : of :func:`adam_edu.recorded.curves`: by optimizer, shape (epochs, seeds)
    names : labels that differ from the optimizers' names
    """
    for optimizer, runs in curves.items():
        look = line_style(optimizer) | {"label": (names or {}).get(optimizer, optimizer)}
        seen = np.isfinite(runs).any(axis=1)
        epochs, runs = np.arange(1, len(runs) + 1)[seen], runs[seen]
        every = max(len(epochs) // 12, 1)
        look |= marker(optimizer) | {"markevery": every}
        ax.plot(epochs, np.nanmedian(runs, axis=1), **look)
        low, high = np.nanmin(runs, axis=1), np.nanmax(runs, axis=1)
        ax.fill_between(epochs, low, high, color=look["color"], alpha=0.2, linewidth=0)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))


def rates(ax: Axes, found: Mapping[str, Any]) -> None:
    """Draw what each optimizer reached over the learning rate: columns of rate and value."""
    for optimizer, columns in found.items():
        ax.plot(columns[:, 0], columns[:, 1], **line_style(optimizer), **marker(optimizer))
    ax.set(xscale="log", xlabel=r"learning rate $\alpha$")
    name_ticks(ax)


def sweep(
    ax: Axes, rates: Any, losses: Any, broken: Any, *, shift: float = 0.0, **look: Any
) -> None:
    """Draw final losses over the learning rate; a broken run is a cross at the top edge.

    Parameters
    ----------
    rates, losses : of each run
    broken : which of them are drawn as crosses, outside the line
    shift : by which factor, as a power of ten, to move the crosses aside, so that those of several
        lines can be told apart
    look : colour, marker, label and the like, of the line
    """
    rates, broken = np.asarray(rates, dtype=float), np.asarray(broken, dtype=bool)
    ax.plot(rates, np.where(broken, np.nan, losses), **look)
    gone = rates[broken] * 10**shift
    if len(gone):
        at_top: dict[str, Any] = {"transform": ax.get_xaxis_transform(), "clip_on": False}
        ax.plot(gone, np.full(len(gone), 0.97), "x", color=look.get("color"), ms=7, mew=2, **at_top)
    ax.set_xscale("log")
    name_ticks(ax)


def heat_map(
    ax: Axes, x: Any, y: Any, values: Any, within: float = 1.5, best: float | None = None
) -> None:
    """Draw losses over two settings as a map: a star at the best, a dot where nearly as good.

    Parameters
    ----------
    x, y : the settings along each axis, in any steps; cells are of one size and labelled with them
    values : the losses, above 0, shape (len(y), len(x)); what is not finite stays white
    within : a dot marks what is at most so many times ``best``
    best : where the colours begin, by default the lowest value; one for all maps to be compared

    Raises
    ------
    ValueError
        If the shapes do not fit, or no value is finite.
    """
    values = np.asarray(values, dtype=float)
    if values.shape != (len(y), len(x)):
        raise ValueError(
            f"values must have shape (len(y), len(x)) = ({len(y)}, {len(x)}), not {values.shape}"
        )
    finite = np.isfinite(values)
    if not finite.any():
        raise ValueError("no value is finite")
    shown = np.where(finite, values, np.nan)
    lowest = np.nanmin(shown)
    best = lowest if best is None else best
    image = ax.imshow(
        shown,
        norm=LogNorm(best, min(np.nanmax(shown), 30 * best)),
        cmap="cividis_r",
        aspect="auto",
        origin="lower",
    )
    for row, column in np.argwhere(finite & (values <= max(within * best, lowest))):
        ax.plot(column, row, "*" if values[row, column] == lowest else ".", color="black", ms=9)
    every = -(-len(x) // 5)
    labels = [f"{float(f'{value:.2g}'):g}" for value in x[::every]]
    ax.set_xticks(range(0, len(x), every), labels)
    ax.set_yticks(range(len(y)), [f"{value:g}" for value in y])
    some = LogLocator(subs=(1, 1.5, 2, 3, 5, 7))
    bar = ax.figure.colorbar(image, ax=ax, extend="max", pad=0.02, ticks=some, format="%g")
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label("loss")


def smooth(values: Any, window: int) -> Any:
    """Return the running mean over ``window`` points, shorter where the curve begins and ends."""
    kernel = np.ones(window)
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
