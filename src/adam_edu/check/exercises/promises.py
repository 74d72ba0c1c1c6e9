"""Exercises on what the theorems say: regret, a rate for a bound, a beta1 that decays."""
# mypy: allow-untyped-defs

import math

import numpy as np

from ...theory import regret as right_regret
from ..formula import formula
from ..mistake import wrong

# Regret


@wrong("regret")
def best_of_each_step(played, fixed):
    """At each step you take the point that is best there: a rival who changes the point every time.
    Regret is against one point for all steps: add up each column first, then take the least sum."""
    return played.sum() - fixed.min(axis=1).sum()


@wrong("regret")
def best_loss_of_each_point(played, fixed):
    """You add up the least loss of each point. Add up all losses of a point, down its column; the
    rival is the point with the least sum."""
    return played.sum() - fixed.min(axis=0).sum()


@wrong("regret")
def fixed_added_along_rows(played, fixed):
    """You add up the wrong way: the losses of all points at one step. A point is a column: sum down
    it, over the steps."""
    return played.sum() - fixed.sum(axis=1).min()


@wrong("regret")
def worst_fixed_point(played, fixed):
    """Your rival is the point with the largest sum, the worst. Regret is against the best: the
    least sum."""
    return played.sum() - fixed.sum(axis=0).max()


@wrong("regret")
def mean_fixed_point(played, fixed):
    """Your rival is the mean over the points. Regret is against the best of them: the least sum."""
    return played.sum() - fixed.sum(axis=0).mean()


@wrong("regret")
def first_fixed_point(played, fixed):
    """Your rival is the first point. Regret is against the best of all: the least sum over a
    column."""
    return played.sum() - fixed[:, 0].sum()


@wrong("regret")
def best_at_the_end(played, fixed):
    """Your rival is the point that is best at the last step. What counts is the sum over all
    steps."""
    return played.sum() - fixed[:, np.argmin(fixed[-1])].sum()


@wrong("regret")
def regret_with_other_sign(played, fixed):
    """Your sign is the other way round. Regret is what was lost beyond the best point: the played
    losses minus its."""
    return fixed.sum(axis=0).min() - played.sum()


@wrong("regret")
def regret_per_step(played, fixed):
    """You divide by the number of steps. That is the average regret, R(T) / T; asked for is the
    sum, R(T)."""
    return (played.sum() - fixed.sum(axis=0).min()) / len(played)


@wrong("regret")
def regret_of_last_step(played, fixed):
    """You compare the last step alone. Regret adds up over all steps."""
    return played[-1] - fixed[-1].min()


@wrong("regret")
def regret_in_size(played, fixed):
    """You take the size of the difference. Regret has a sign: below zero, you did better than any
    point that stays."""
    return abs(played.sum() - fixed.sum(axis=0).min())


@wrong("regret")
def regret_not_below_zero(played, fixed):
    """You stop at zero. Regret may be below it: a player who moves can do better than any point
    that stays."""
    return max(played.sum() - fixed.sum(axis=0).min(), 0.0)


@wrong("regret")
def gains_only(played, fixed):
    """You count only the steps at which the rival did better. The others count as well, with their
    minus: regret is a difference of sums."""
    best = fixed[:, fixed.sum(axis=0).argmin()]
    return np.maximum(played - best, 0.0).sum()


@wrong("regret")
def loss_played(played):
    """You return all that was lost. Regret is what was lost beyond the best fixed point: take its
    sum away. (A loop that looks for the least sum must not begin at 0, which is less than any.)"""
    return played.sum()


@wrong("regret")
def loss_of_best(fixed):
    """You return the losses of the best fixed point. Regret is the played losses minus those."""
    return fixed.sum(axis=0).min()


@wrong("regret")
def least_of_all(played, fixed):
    """Your rival's loss is the least number in the whole table. It is a sum: that of the column
    with the least sum."""
    return played.sum() - fixed.min()


@wrong("regret")
def all_points_together(played, fixed):
    """You take away the losses of all points together. The rival is one of them: the least of the
    sums over a column."""
    return played.sum() - fixed.sum()


@wrong("regret")
def worst_of_each_step(played, fixed):
    """Your rival takes at each step the point that is worst there. The rival is one point for all
    steps, the best: the least of the sums over a column."""
    return played.sum() - fixed.max(axis=1).sum()


@wrong("regret")
def number_of_best(played, fixed):
    """argmin says which point is best, its number. Take away its sum: min."""
    return played.sum() - fixed.sum(axis=0).argmin()


@wrong("regret")
def regret_as_ratio(played, fixed):
    """You divide. Regret is a difference: the played losses minus those of the best point."""
    return played.sum() / fixed.sum(axis=0).min()


@wrong("regret")
def played_means(played, fixed):
    """You take the mean of the played losses and the sum of the rival's. Take the sum of both."""
    return played.mean() - fixed.sum(axis=0).min()


@wrong("regret")
def rival_at_the_last_step(played, fixed):
    """Your rival has lost at the last step alone. Add up each column, over all steps."""
    return played.sum() - fixed[-1].min()


@wrong("regret")
def median_fixed_point(played, fixed):
    """Your rival is the point in the middle. Regret is against the best: the least sum."""
    return played.sum() - np.median(fixed.sum(axis=0))


@wrong("regret")
def against_each_point(played, fixed):
    """You add up the regret against every point. There is one rival, the best of them."""
    return (played[:, np.newaxis] - fixed).sum()


regret = formula(
    "regret(played, fixed)",
    lambda played, fixed: right_regret(played, fixed),
    returns="regret",
    statement="played has the loss of each step at the point that was chosen for it. fixed has a "
    "row for each step and a column for each fixed point: the loss that it would have had. Return "
    "the regret against the best of these points.",
    probes=[
        {
            "played": np.array([1.0, 0.5, 2.0, 1.5]),
            "fixed": np.array(
                [[0.25, 3.0, 1.0], [2.0, 0.75, 0.5], [2.5, 1.5, 1.0], [1.5, 0.5, 0.75]]
            ),
        },
        {
            "played": np.array([0.25, 0.5, 0.75]),
            "fixed": np.array([[3.0, 0.25], [0.5, 2.5], [1.0, 2.0]]),
        },
        {
            "played": np.array([2.0, 1.0, 4.0, 0.5, 3.0]),
            "fixed": np.array([[4.0, 1.0], [4.5, 0.5], [4.25, 2.0], [0.25, 1.5], [0.5, 0.75]]),
        },
    ],
    mistakes=(
        best_of_each_step,
        best_loss_of_each_point,
        fixed_added_along_rows,
        worst_fixed_point,
        mean_fixed_point,
        first_fixed_point,
        best_at_the_end,
        regret_with_other_sign,
        regret_per_step,
        regret_of_last_step,
        regret_in_size,
        regret_not_below_zero,
        gains_only,
        loss_played,
        loss_of_best,
        least_of_all,
        all_points_together,
        worst_of_each_step,
        number_of_best,
        regret_as_ratio,
        played_means,
        rival_at_the_last_step,
        median_fixed_point,
        against_each_point,
    ),
    read="theory",
)


# A beta1 that decays


@wrong("beta1_t")
def decayed_from_first(t, beta1, decay):
    """Your beta1 has decayed at the first step already. There it is still beta1: the power is
    t - 1."""
    return beta1 * decay**t


@wrong("beta1_t")
def decayed_by_exponential(t, beta1, decay):
    """Your beta1 falls as an exponential of (1 - decay) t: close, for a decay near 1, but not the
    same. Multiply by decay at each step after the first."""
    return beta1 * math.exp(-(1 - decay) * (t - 1))


@wrong("beta1_t")
def decayed_as_a_rate(t, beta1):
    """You divide by the root of t: that is the rate's schedule. In the theorem beta1 is multiplied
    by decay at each step after the first."""
    return beta1 / math.sqrt(t)


theorem_beta1 = formula(
    "theorem_beta1(t, beta1, decay)",
    "beta1 * decay ** (t - 1)",
    returns="beta1_t",
    statement="Return the beta1 of step t = 1, 2, ... as theorem 4.1 has it: beta1 at the first "
    "step, and at each step after it decay times what it was.",
    probes=[
        {"t": t, "beta1": beta1, "decay": decay}
        for t, beta1, decay in ((1, 0.9, 0.5), (2, 0.9, 0.5), (4, 0.8, 0.9), (30, 0.95, 0.99))
    ],
    mistakes=(
        decayed_from_first,
        decayed_by_exponential,
        decayed_as_a_rate,
    ),
    read="theory",
)


# The rate at which a bound is least


@wrong("rate")
def best_rate_without_two(distance, gradient):
    """The 2 under D**2 is lost. The derivative is zero where D**2 / (2 rate**2) = G**2: D / G,
    divided by the root of 2."""
    return distance / gradient


@wrong("rate")
def best_rate_with_two(distance, gradient):
    """You divide by 2 where the root of 2 belongs: the 2 stands with the squares, under the
    root."""
    return distance / (2 * gradient)


@wrong("rate")
def best_rate_two_above(distance, gradient):
    """You multiply by the root of 2 where you should divide."""
    return math.sqrt(2) * distance / gradient


@wrong("rate")
def least_bound_itself(distance, gradient):
    """That is the bound at the best rate, over the root of T. Asked for is the rate."""
    return math.sqrt(2) * distance * gradient


best_rate = formula(
    "best_rate(distance, gradient)",
    "distance / (sqrt(2) * gradient)",
    returns="rate",
    statement="The regret of gradient descent with the rate lr / sqrt(t) is at most "
    "(distance**2 / (2 * lr) + lr * gradient**2) * sqrt(T). Return the lr at which that is least.",
    probes=[
        {"distance": distance, "gradient": gradient}
        for distance, gradient in ((7.0, 4.5), (1.0, 1.0), (0.5, 3.0), (10.0, 0.2))
    ],
    mistakes=(
        best_rate_without_two,
        best_rate_with_two,
        best_rate_two_above,
        least_bound_itself,
    ),
    read="theory",
)
