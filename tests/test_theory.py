"""What the theorems bound and their bounds: by hand, and against runs that meet the conditions."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from adam_edu import Optimizer, descend
from adam_edu.problems import Reddi
from adam_edu.rules import SGD, AdaGrad, Adam, AMSGrad
from adam_edu.schedules import InverseSqrt
from adam_edu.theory import (
    TheoremAdam,
    adagrad_bound,
    adam_bound,
    descent_bound,
    inverse_rates,
    regret,
    side_by_side,
)

SHORT = {"lr": 0.5, "beta1": 0.0, "beta2": 0.1}


def played(rule, targets, schedule=None):
    """Return losses, gradients and points of a game: the loss is the distance of a number in [0, 1]
    from the target of the step."""
    x = np.zeros(1)
    optimizer, losses, gradients, points = Optimizer(rule, x, schedule), [], [], []
    for target in targets:
        losses.append(abs(x[0] - target))
        gradients.append(np.sign(x - target))
        points.append(x[0])
        optimizer.step(gradients[-1])
        np.clip(x, 0, 1, out=x)
    return np.array(losses), np.array(gradients), np.array(points)


def regret_of(losses, targets):
    """Return the regret against the median, which is the best fixed number."""
    return regret(losses, np.abs(np.median(targets) - targets)[:, np.newaxis])


# Regret


def test_the_rival_is_one_point_for_all_steps():
    fixed = np.array([[0.0, 1.0], [1.0, 0.0]])

    assert regret([0.0, 0.0], fixed) == -1.0  # though at each step some point has no loss


@pytest.mark.parametrize("fixed", [[1.0, 2.0], [[1.0]], [[], []]])
def test_a_table_that_does_not_fit_is_refused(fixed):
    with pytest.raises(ValueError, match="a point at least"):
        regret([1.0, 2.0], fixed)


# The theorem's Adam


def test_theorem_adam_is_adam_but_for_beta1():
    g = np.random.default_rng(0).standard_normal((40, 3))
    ends = []
    for rule in (Adam(lr=0.1), TheoremAdam(lr=0.1), TheoremAdam(lr=0.1, decay=0.9)):
        x = np.zeros(3)
        optimizer = Optimizer(rule, x)
        for row in g:
            optimizer.step(row)
        ends.append(x)

    assert ends[1] == pytest.approx(ends[0], abs=1e-6)
    assert ends[2] != pytest.approx(ends[0], abs=1e-2)


def test_theorem_adam_without_past_is_the_first_step():
    """With decay 0 there is no momentum after the first step, and beta1 corrects as before."""
    x, m, _ = TheoremAdam(lr=0.1, decay=0.0).update(2, 1.0, 2.0, 0.5, 4.0)

    assert m == 2.0
    assert x == pytest.approx(1 - 0.1 * (2 / (1 - 0.81)) / np.sqrt(4.0 / (1 - 0.999**2)), rel=1e-3)


# Bounds


@given(seed=st.integers(0, 10**6), lr=st.floats(0.05, 2))
def test_bounds_that_are_proved_hold(seed, lr):
    targets = np.random.default_rng(seed).beta(2, 5, size=200)
    losses, g, x = played(SGD(lr), targets, InverseSqrt())
    far = np.abs(x - np.median(targets)).max()
    assert regret_of(losses, targets) <= descent_bound(g, lr, far)[-1] + 1e-9

    losses, g, x = played(AdaGrad(lr), targets)
    far = np.abs(x - np.median(targets)).max()
    assert regret_of(losses, targets) <= adagrad_bound(g, lr, far)[-1] + 1e-9


def test_the_theorem_is_wrong_where_reddi_et_al_say_so():
    trace = descend(Adam(**SHORT), Reddi(), steps=2000, schedule=InverseSqrt())
    slopes = trace.g[1:]
    losses = slopes[:, 0] * trace.x[:-1, 0]
    bound = adam_bound(slopes, TheoremAdam(**SHORT, decay=0.0), distance=2, widest=2).sum(axis=0)
    regrets = np.cumsum(losses) + np.cumsum(slopes[:, 0])  # the best point is -1

    assert regrets[99] < bound[99]
    assert regrets[-1] > 2 * bound[-1]


def test_a_bound_by_hand():
    g = np.array([[3.0, 0.0], [4.0, 2.0]])
    rule = TheoremAdam(lr=0.5, beta1=0.5, beta2=0.25, decay=0.5)
    first, second, third = adam_bound(g, rule, distance=2.0, widest=1.0)[:, -1]

    v_hat = (0.25 * 0.75 * np.array([9.0, 0.0]) + 0.75 * np.array([16.0, 4.0])) / (1 - 0.25**2)
    assert first == pytest.approx(4 / (2 * 0.5 * 0.5) * np.sqrt(2 * v_hat).sum())
    assert second == pytest.approx(0.5 * 1.5 * 4 / (0.5 * 0.75**0.5 * 0.5**2) * (5 + 2))
    assert third == pytest.approx(2 * 1 * 4 * 0.75**0.5 / (2 * 0.5 * 0.5 * 0.25))


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.5), (0.1, 0.0)])
def test_betas_outside_the_theorem_are_refused(beta1, beta2):
    with pytest.raises(ValueError, match="below 1"):
        adam_bound(np.ones((3, 1)), TheoremAdam(beta1=beta1, beta2=beta2), 1.0, 1.0)


def test_what_the_proof_needs_holds_for_amsgrad_and_not_for_adam():
    for rule, slot in ((Adam(**SHORT), "v"), (AMSGrad(**SHORT), "w")):
        trace = descend(rule, Reddi(), steps=200, schedule=InverseSqrt())
        inverse = np.sqrt(trace.slots[slot][100:, 0]) / trace.lr[100:]

        assert (np.diff(inverse) < 0).any() == (slot == "v")
        if slot == "v":
            assert inverse_rates(trace.g[1:], rule)[99:, 0] == pytest.approx(inverse, rel=1e-9)


# Settings side by side


def test_each_setting_runs_as_if_alone():
    g = np.random.default_rng(0).standard_normal((30, 4))
    beta1, beta2, lr = np.array([0.0, 0.5, 0.9, 0.9]), np.array([0.1, 0.9, 0.99, 0.5]), 0.1
    settings = {"lr": lr, "beta1": beta1, "beta2": beta2}
    *_, last = side_by_side(Adam, lambda x, t: g[t - 1], np.ones(4), 30, InverseSqrt(), **settings)

    for i in range(4):
        x = np.ones(1)
        optimizer = Optimizer(Adam(lr, beta1[i], beta2[i]), x, InverseSqrt())
        for row in g:
            optimizer.step(row[i : i + 1])
        assert last[i] == pytest.approx(x[0], rel=1e-12)


def test_an_unknown_setting_is_refused():
    with pytest.raises(TypeError, match="Adam has no gamma; it has"):
        next(side_by_side(Adam, lambda x, t: x, np.ones(1), 1, gamma=0.5))
