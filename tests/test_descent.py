"""A recorded descent: that a trace tells what happened, and what is refused."""

import numpy as np
import pytest

from adam_edu import RULES, Rule, Trace, descend, steps_of
from adam_edu.lines import lines_of
from adam_edu.problems import Bowl, Function, NoisyQuadratic, Reddi, Rosenbrock
from adam_edu.rules import SGD, Adam
from adam_edu.schedules import Cosine, Exponential, ReduceOnPlateau

every_rule = pytest.mark.parametrize("name", RULES)


@every_rule
def test_row_t_of_a_trace_belongs_to_step_t(name):
    rule, schedule = RULES[name](), Exponential(0.5)
    trace = descend(rule, Rosenbrock(), steps=6, schedule=schedule)
    assert trace.steps == 6
    assert trace.x.shape == trace.g.shape == (7, 2)
    assert trace.loss.shape == trace.lr.shape == (7,)
    assert np.isnan(trace.g[0]).all()
    assert np.isnan(trace.lr[0])
    assert not trace.diverged
    assert list(trace.slots) == list(rule.slots)
    assert all((slot[0] == 0).all() for slot in trace.slots.values())
    for t in range(1, 7):
        np.testing.assert_array_equal(trace.g[t], Rosenbrock().gradient(trace.x[t - 1]))
        before = [slot[t - 1] for slot in trace.slots.values()]
        x, *after = rule.scaled(schedule(t)).update(t, trace.x[t - 1], trace.g[t], *before)
        np.testing.assert_array_equal(trace.x[t], x)
        for slot, expected in zip(trace.slots.values(), after, strict=True):
            np.testing.assert_array_equal(slot[t], expected)
        assert trace.loss[t] == Rosenbrock().value(trace.x[t])
        assert trace.lr[t] == rule.lr * schedule(t)


class Echo(Rule):
    """A rule of the reader's own, whose slot has the name of something else in a trace."""

    slots = ("g",)

    def step(self, x, g, seen):
        return -g, seen + 1.0


def test_a_slot_may_have_any_name():
    trace = descend(Echo(), Bowl(condition=1.0), start=[1.0, 2.0], steps=2)
    assert trace.g[1].tolist() == [1.0, 2.0]
    assert trace.slots["g"][:, 0].tolist() == [0.0, 1.0, 2.0]


def test_no_steps_leave_the_start():
    trace = descend(Adam(), Bowl(), steps=0)
    assert (trace.steps, trace.x.tolist()) == (0, [Bowl.start.tolist()])
    assert isinstance(trace, Trace)


def test_divergence_is_flagged_and_cut_short():
    trace = descend(SGD(lr=1.0), Bowl(condition=10.0), steps=5000)
    assert trace.diverged
    assert 0 < trace.steps < 5000
    assert len(trace.x) == len(trace.loss) == len(trace.g) == len(trace.lr)
    assert np.isfinite(trace.x).all()
    assert np.isfinite(trace.loss).all()


def test_a_gradient_that_is_not_finite_ends_a_descent():
    wall = Function(lambda x: float(x[0]), lambda x: np.full(1, np.nan), start=[1.0])
    trace = descend(SGD(), wall, steps=3)
    assert (trace.diverged, trace.steps) == (True, 0)


def test_steps_are_projected():
    trace = descend(SGD(lr=10.0), Reddi(), steps=9)
    assert np.abs(trace.x).max() == 1.0


def test_the_seed_alone_decides():
    def path(seed):
        return descend(Adam(lr=0.1), NoisyQuadratic(), steps=20, seed=seed).x

    np.testing.assert_array_equal(path(1), path(1))
    assert (path(1)[1:] != path(2)[1:]).all()


def test_a_plateau_lowers_the_rate_of_a_descent():
    schedule = ReduceOnPlateau(factor=0.5, patience=3)
    trace = descend(SGD(lr=0.2), Bowl(condition=10.0), steps=60, schedule=schedule)
    assert trace.lr[1] == 0.2
    assert trace.lr[-1] < 0.2
    assert trace.loss[-1] < 0.1
    assert schedule(1) == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"steps": -1}, "steps must be a whole number, 0 or more, not -1"),
        ({"steps": 1.5}, "steps must be a whole number"),
        ({"start": [1.0]}, r"start has shape \(1,\), but a point of Bowl has shape \(2,\)"),
        ({"start": [1.0, np.nan]}, r"a NaN or an infinity at \(1,\)"),
    ],
)
def test_bad_arguments_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        descend(Adam(), Bowl(), **arguments)


def test_the_start_is_copied():
    start = np.array([1.0, 1.0])
    descend(SGD(), Bowl(), start=start, steps=2, schedule=Cosine(2))
    assert start.tolist() == [1.0, 1.0]


# What follows given gradients


@every_rule
def test_steps_are_what_a_descent_subtracts(name):
    """Where neither the gradient nor the rule depends on the weight: on a slope."""
    rule = RULES[name]()
    if {"x"} & {read for line in lines_of(RULES[name]).whole_step for read in line.reads}:
        pytest.skip("its step depends on where the weight is")
    slope = Function(lambda x: float(2.0 * x[0]), lambda x: np.full(1, 2.0), np.zeros(1))
    trace = descend(rule, slope, steps=30)
    np.testing.assert_allclose(
        steps_of(rule, np.full(30, 2.0)), -np.diff(trace.x[:, 0]), rtol=1e-9, atol=1e-15
    )


def test_weights_side_by_side_are_weights_alone():
    gradients = np.random.default_rng(0).standard_normal((20, 3))
    together = steps_of(Adam(), gradients)
    alone = np.transpose([steps_of(Adam(), column) for column in gradients.T])
    np.testing.assert_array_equal(together, alone)


def test_a_silence_is_that_many_zeros():
    zeros = np.zeros(50)
    np.testing.assert_array_equal(
        steps_of(Adam(), [1.0, -2.0], silence=50),
        steps_of(Adam(), [*zeros, 1.0, -2.0])[50:],
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((1.0,), "not one number"), (([1.0], -1), "silence must be"), (([1.0], 1.5), "silence must")],
)
def test_steps_of_no_gradients_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        steps_of(Adam(), *arguments)
