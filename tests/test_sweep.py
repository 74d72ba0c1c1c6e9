"""The figure of final losses over the learning rate, in which broken runs are crosses."""

import warnings

import numpy as np
import pytest

pytest.importorskip("matplotlib")
from matplotlib import pyplot as plt

from adam_edu import plots

RATES = (1e-3, 1e-2, 1e-1)


def drawn(broken):
    ax = plots.panels(1, "learning rate", ["loss"])
    plots.sweep(ax, RATES, [3.0, 2.0, 1e33], broken, color="red", label="Adam")
    return ax


def test_a_broken_run_is_a_cross_and_no_point_of_the_line():
    ax = drawn([False, False, True])
    line, crosses = ax.get_lines()
    np.testing.assert_array_equal(line.get_ydata(), [3, 2, np.nan])
    np.testing.assert_array_equal(crosses.get_xdata(), [0.1])
    assert crosses.get_color() == "red"
    assert ax.get_xscale() == "log"
    plt.close(ax.figure)


def test_without_broken_runs_there_is_no_cross_and_the_layout_holds():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = drawn([False, False, False])
        ax.figure.canvas.draw()
    assert len(ax.get_lines()) == 1
    plt.close(ax.figure)
