"""The labels of logarithmic axes, and figures outside a notebook."""

import subprocess
import sys

import matplotlib.pyplot as plt
import pytest

from adam_edu import plots


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.035, 0.5, ["0.04", "0.06", "0.1", "0.2", "0.3", "0.4"]),
        (0.05, 20, ["0.1", "1", "10"]),
        (1e-6, 2e-3, ["10^{-6}", "10^{-5}", "10^{-4}", "10^{-3}"]),
        (1e-2, 1e3, ["10^{-2}", "10^{-1}", "10^{0}", "10^{1}", "10^{2}", "10^{3}"]),
    ],
)
def test_one_axis_has_numbers_of_one_form(low, high, labels):
    ax = plots.panels()
    ax.plot([1, 2], [low, high], label="line")
    ax.set(yscale="log", ylim=(low, high))
    plots.name_lines(ax)
    ax.figure.canvas.draw()
    ticks = sorted(
        (tick.get_loc(), tick.label1.get_text())
        for kind in ("major", "minor")
        for tick in getattr(ax.yaxis, f"get_{kind}_ticks")()
        if tick.label1.get_text() and low <= tick.get_loc() <= high
    )
    plt.close(ax.figure)

    assert [text.removeprefix(r"$\mathdefault{").removesuffix("}$") for _, text in ticks] == labels


def test_labels_chosen_by_hand_stay():
    ax = plots.panels()
    ax.plot([1, 8], [1, 2], label="line")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_yticks([1, 2], ["one", "two"])
    plots.name_lines(ax)
    ax.figure.canvas.draw()
    x, y = (
        [tick.get_text() for tick in axis.get_majorticklabels()] for axis in (ax.xaxis, ax.yaxis)
    )
    plt.close(ax.figure)

    assert r"$\mathdefault{2^{3}}$" in x
    assert y == ["one", "two"]


def test_drawing_outside_a_notebook_begins_no_session():
    code = (
        "from adam_edu import plots; plots.panels(); "
        "from IPython.core.interactiveshell import InteractiveShell; "
        "print(InteractiveShell.initialized())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
