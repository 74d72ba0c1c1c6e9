"""The map of losses over two settings."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from adam_edu import plots


@pytest.fixture
def ax():
    ax = plots.panels()
    yield ax
    plt.close(ax.figure)


def marked(ax, marker):
    return [
        (int(line.get_xdata()[0]), int(line.get_ydata()[0]))
        for line in ax.get_lines()
        if line.get_marker() == marker
    ]


def test_the_best_has_a_star_and_the_nearly_best_a_dot(ax):
    values = [[4.0, 1.4, np.inf], [2.0, 1.0, 1.6]]

    plots.heat_map(ax, [0.1, 1, 10], [1e-8, 1], values)

    assert marked(ax, "*") == [(1, 1)]
    assert marked(ax, ".") == [(1, 0)]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.1", "1", "10"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["1e-08", "1"]


def test_maps_to_be_compared_have_one_reference(ax):
    plots.heat_map(ax, [1, 2, 3], [1], [[2.0, 1.6, 3.0]], best=1.0)

    assert marked(ax, "*") == [(1, 0)]
    assert marked(ax, ".") == []
    assert ax.images[0].norm.vmin == 1.0


def test_what_diverged_stays_white(ax):
    plots.heat_map(ax, [1, 2], [3], [[np.nan, 2.0]])

    assert np.isnan(np.ma.filled(ax.images[0].get_array(), np.nan)).tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("values", "message"),
    [([[1.0, 2.0]], r"\(1, 3\), not \(1, 2\)"), ([[np.inf] * 3], "no value is finite")],
)
def test_bad_values_are_refused(ax, values, message):
    with pytest.raises(ValueError, match=message):
        plots.heat_map(ax, [1, 2, 3], [4], values)
