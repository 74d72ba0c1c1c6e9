"""Exercises on averaging the weights: the corrected average in one line, and SWA."""
# mypy: allow-untyped-defs

import numpy as np

from ...averaging import FromFirst
from ..formula import formula
from ..mistake import wrong

# A corrected average that needs no second number


@wrong("new")
def running_uncorrected(average, x, beta):
    """Your share of the new point is 1 - beta from the first step on. That average starts at zero
    and remembers it. A corrected one takes the whole first point: its share is 1 at t = 1."""
    return beta * average + (1 - beta) * x


@wrong("new")
def running_corrected_again(average, x, t, beta):
    """You correct what is corrected already. The average that you are given has been divided by
    1 - beta**(t - 1); to mix as from zero, multiply it by that first, or correct the share of the
    new point alone."""
    return (beta * average + (1 - beta) * x) / (1 - beta**t)


@wrong("new")
def running_mean_of_all(average, x, t):
    """You take the share 1 / t: that is the plain mean of all points, the limit for a beta of 1.
    It forgets nothing."""
    return average + (x - average) / t


@wrong("new")
def running_from_first(average, x, t, beta):
    """You take the first point whole, and the share 1 - beta from then on, as PyTorch does. Then
    the first point keeps the weight beta**(t - 1). In the corrected average the share falls little
    by little."""
    return FromFirst(beta).update(t, average, x)


@wrong("new")
def running_one_behind(average, x, t, beta):
    """Your correction is that of the step before. The new point is in the average already when it
    is corrected: 1 - beta**t. At t = 1 yours divides by zero."""
    return average + np.divide(1 - beta, 1 - beta ** (t - 1)) * (x - average)


@wrong("new")
def running_beta_warmed_up(average, x, t, beta):
    """You let beta rise as (1 + t) / (10 + t), as some libraries do instead of a correction. At
    t = 1 that keeps a fifth of what the average starts from."""
    now = min(beta, (1 + t) / (10 + t))
    return now * average + (1 - now) * x


@wrong("new")
def running_left_uncorrected(average, x, t, beta):
    """You take the correction out of the average, mix the new point in, and do not correct the
    result: divide it by 1 - beta**t."""
    return beta * (1 - beta ** (t - 1)) * average + (1 - beta) * x


@wrong("new")
def running_undone_one_ahead(average, x, t, beta):
    """You undo the correction of step t. The average that you are given is of t - 1 points: it was
    divided by 1 - beta**(t - 1)."""
    return (beta * (1 - beta**t) * average + (1 - beta) * x) / (1 - beta**t)


@wrong("new")
def running_mean_at_first(average, x, t, beta):
    """You take the plain mean until 1 / t is below 1 - beta, and that share from then on. It is a
    good habit, and another average: after the first step the corrected share is above both."""
    return average + max(1 / t, 1 - beta) * (x - average)


@wrong("new")
def running_newest(x):
    """You return the new point: nothing of the ones before is left."""
    return 1.0 * x


_A, _B = np.array([0.5, -2.0, 3.0]), np.array([4.0, 1.0, -1.5])

running_average = formula(
    "running_average(average, x, t, beta)",
    "average + (1 - beta) / (1 - beta**t) * (x - average)",
    returns="new",
    statement="You are given the corrected exponential average of the first t - 1 points of a path "
    "and x, the t-th. Return the corrected average of all t. It is the only number that you keep. "
    "At t = 1 the average that you are given is worth nothing, whatever it is.",
    probes=[
        {"average": _A, "x": _B, "t": t, "beta": beta}
        for t, beta in ((1, 0.9), (2, 0.9), (5, 0.8), (3, 0.5), (40, 0.97))
    ],
    mistakes=(
        running_uncorrected,
        running_corrected_again,
        running_mean_of_all,
        running_from_first,
        running_one_behind,
        running_beta_warmed_up,
        running_left_uncorrected,
        running_undone_one_ahead,
        running_mean_at_first,
        running_newest,
    ),
    read="averaging",
    one_by_one=True,
)


# Stochastic weight averaging


def _chosen(points, start, every):
    return points[start - 1 :: every]


@wrong("average")
def swa_one_late(points, start, every):
    """You take the step for an index. points[0] is the point after step 1, so that after step start
    is points[start - 1]."""
    return points[start::every].mean(axis=0)


@wrong("average")
def swa_start_left_out(points, start, every):
    """You wait for another round first. The point after step start is in the average already."""
    return points[start - 1 + every :: every].mean(axis=0)


@wrong("average")
def swa_every_ignored(points, start):
    """You take every point from start on. One in every `every` is asked for."""
    return points[start - 1 :].mean(axis=0)


@wrong("average")
def swa_start_ignored(points, every):
    """You begin at the first point. The early ones, from before start, are far from where the path
    ends: that is why one starts late."""
    return points[::every].mean(axis=0)


@wrong("average")
def swa_multiples(points, start, every):
    """You take the steps that are multiples of `every`. Counting begins at start: start,
    start + every, and so on."""
    chosen = [x for t, x in enumerate(points, 1) if t >= start and t % every == 0]
    return np.mean(chosen, axis=0)


@wrong("average")
def swa_over_everything(points, start, every):
    """You average over the weights too, and have one number for all. Average over the steps alone:
    axis=0."""
    return np.full(points.shape[1], _chosen(points, start, every).mean())


@wrong("average")
def swa_over_the_weights(points, start, every):
    """You take the mean of each row: a number for each step. Average over the steps, weight by
    weight: axis=0."""
    return _chosen(points, start, every).mean(axis=1)


@wrong("average")
def swa_sum(points, start, every):
    """You add the points up. A mean is divided by how many there are."""
    return _chosen(points, start, every).sum(axis=0)


@wrong("average")
def swa_divided_by_all(points, start, every):
    """You divide by the number of all points. Divide by the number of those that you added."""
    return _chosen(points, start, every).sum(axis=0) / len(points)


@wrong("average")
def swa_every_as_end(points, start, every):
    """You put `every` where a slice has its end. A slice is first:end:every, and without an end it
    goes on to the last row."""
    chosen = points[start - 1 : every]
    return chosen.mean(axis=0) if len(chosen) else np.full(points.shape[1], np.nan)


@wrong("average")
def swa_of_all(points):
    """You take the mean of all points. Where it starts, and how often it looks, are arguments."""
    return points.mean(axis=0)


@wrong("average")
def swa_last(points):
    """You return the last point. Asked for is a mean of several."""
    return 1.0 * points[-1]


@wrong("average")
def swa_median(points, start, every):
    """You take the median of each weight. Asked for is the mean."""
    return np.median(_chosen(points, start, every), axis=0)


@wrong("average")
def swa_every_before_start(points, start, every):
    """You take one in `every` points first, and count to start among these. start is a step of the
    path: begin there, then take one in `every`."""
    chosen = points[::every][start - 1 :]
    return chosen.mean(axis=0) if len(chosen) else np.full(points.shape[1], np.nan)


_PATH = np.array(
    [
        [9.0, -5.0],
        [6.0, -7.0],
        [1.5, 2.0],
        [2.0, 0.5],
        [-3.0, 4.0],
        [0.5, 8.0],
        [4.0, -1.0],
        [-2.5, 3.0],
        [1.0, 1.0],
    ]
)

swa = formula(
    "swa(points, start, every)",
    lambda points, start, every: _chosen(points, start, every).mean(axis=0),
    returns="average",
    statement="points has a row for each step: points[0] holds the weights after step 1. Return "
    "the mean, weight by weight, of the rows after the steps start, start + every, "
    "start + 2 * every and so on.",
    probes=[
        {"points": _PATH, "start": start, "every": every}
        for start, every in ((4, 2), (3, 3), (2, 1), (5, 4))
    ],
    mistakes=(
        swa_one_late,
        swa_start_left_out,
        swa_every_ignored,
        swa_start_ignored,
        swa_multiples,
        swa_over_everything,
        swa_over_the_weights,
        swa_sum,
        swa_divided_by_all,
        swa_every_as_end,
        swa_of_all,
        swa_last,
        swa_median,
        swa_every_before_start,
    ),
    read="averaging",
)
