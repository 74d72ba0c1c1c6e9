"""What the words of a comparison promise: an order where there is one, none where there is none."""

from functools import partial

import numpy as np
import pytest

import adam_edu as ae
from adam_edu import evidence
from adam_edu.evidence import compare, contest, final_losses, tune
from adam_edu.problems import LogisticRegression, NoisyQuadratic, TwoLayerNetwork
from adam_edu.rules import SGD, Adam, Momentum

INPUTS = np.random.default_rng(0).standard_normal((50, 6))
LABELS = (INPUTS[:, 0] > 0).astype(int) + (INPUTS[:, 1] > 1)
MODELS = [
    NoisyQuadratic(),
    LogisticRegression(INPUTS, LABELS, batch=4, l2=0.01),
    LogisticRegression(INPUTS, LABELS),
    TwoLayerNetwork(INPUTS, LABELS, batch=4, hidden=5),
]


def alone(rule, problem, seed, steps):
    x, rng = problem.start.copy(), np.random.default_rng(seed)
    optimizer = ae.Optimizer(rule, x)
    for t in range(1, steps + 1):
        optimizer.step(problem.sample(x, t, rng))
    return problem.value(x)


def bowl(rate, seeds, best=0.02):
    """A loss that is lowest at a rate, on every seed."""
    return [1 + np.log10(rate / best) ** 2 + seed for seed in seeds]


# Training


@pytest.mark.parametrize("problem", MODELS, ids=lambda problem: type(problem).__name__)
def test_the_values_of_several_points_are_those_of_each(problem):
    x = problem.start + np.random.default_rng(0).standard_normal((3, problem.start.size))
    np.testing.assert_allclose(problem.value_each(x), [problem.value(one) for one in x], 1e-12)


@pytest.mark.parametrize("kind", [LogisticRegression, TwoLayerNetwork])
def test_a_model_in_float32_stays_in_it_and_comes_to_about_the_same(kind):
    ends = []
    for dtype in (np.float64, np.float32):
        model = kind(INPUTS, LABELS, batch=4, dtype=dtype)
        sample = model.sample(model.start, 1, np.random.default_rng(0))
        assert model.start.dtype == sample.dtype == dtype
        ends.append(final_losses(Adam(0.01), model, range(3), steps=30))
    np.testing.assert_allclose(*ends, rtol=1e-4)
    with pytest.raises(ValueError, match="dtype must be of floating-point numbers"):
        kind(INPUTS, LABELS, dtype=int)


@pytest.mark.parametrize("problem", MODELS, ids=lambda problem: type(problem).__name__)
@pytest.mark.parametrize("rule", [Momentum(0.05), Adam(0.01)], ids=lambda rule: type(rule).__name__)
def test_runs_side_by_side_are_the_runs_alone(problem, rule):
    together = final_losses(rule, problem, seeds=(3, 1, 8), steps=20)

    np.testing.assert_allclose(together, [alone(rule, problem, s, 20) for s in (3, 1, 8)])


def test_a_run_that_diverges_counts_as_infinite_and_leaves_the_others_alone():
    class Trap(NoisyQuadratic):
        def sample_each(self, x, t, rngs):
            g = super().sample_each(x, t, rngs)
            g[1] = np.inf if t == 5 else g[1]
            return g

    trapped = final_losses(SGD(0.1), Trap(), range(3), 20)
    free = final_losses(SGD(0.1), NoisyQuadratic(), range(3), 20)

    assert trapped[1] == np.inf
    np.testing.assert_array_equal(trapped[[0, 2]], free[[0, 2]])
    assert np.isinf(final_losses(SGD(1e3), NoisyQuadratic(), range(2), 500)).all()


def test_another_problem_may_judge():
    judge = NoisyQuadratic(curvatures=(2.0, 20.0))
    own, other = (
        final_losses(SGD(0.1), NoisyQuadratic(), range(3), 10, judge=j) for j in (None, judge)
    )

    np.testing.assert_allclose(other, 2 * own)


# Tuning


@pytest.mark.parametrize("rates", [(1e-5, 1e-4), (1.0, 10.0), (1e-3, 1.0), (0.019, 0.021)])
def test_the_best_rate_is_inside_and_its_neighbors_near(rates):
    found = tune(bowl, rates, seeds=range(3))
    best = int(found.medians.argmin())

    assert 0 < best < len(found.rates) - 1
    ratios = found.rates[1:] / found.rates[:-1]
    assert ratios[best - 1 : best + 1].max() <= 1.5 * (1 + 1e-6)
    assert found.best == pytest.approx(0.02, rel=0.5)


def test_rates_that_diverge_are_beyond_the_end():
    def run(rate, seeds):
        return [np.inf if rate > 0.1 else 1 / rate for _ in seeds]

    assert 0.07 < tune(run, (0.01, 0.03), seeds=range(10)).best <= 0.1


# Comparing


def test_an_order_is_told_and_chance_is_not():
    rng = np.random.default_rng(1)
    said = []
    for _ in range(200):
        task, one, other = rng.lognormal(sigma=((1.0,), (0.2,), (0.2,)), size=(3, 20))
        said.append((compare(task * one, task * other), compare(0.7 * task * one, task * other)))
    chance, order = zip(*said, strict=True)

    assert sum(found.verdict != "no order seen" for found in chance) <= 16
    assert sum(found.verdict == "lower" for found in order) >= 150
    assert sum(found.low <= 0.7 <= found.high for found in order) >= 180


def test_two_comparisons_that_change_places_say_the_opposite():
    rng = np.random.default_rng(2)
    one, other = rng.lognormal(size=(2, 15))
    one = one * 0.1
    forth, back = compare(one, other), compare(other, one)

    assert (forth.verdict, back.verdict) == ("lower", "higher")
    assert (forth.lower, forth.higher) == (back.higher, back.lower)
    assert forth.center * back.center == pytest.approx(1)
    assert forth.low * back.high == pytest.approx(1, rel=0.1)
    assert str(back).startswith(f"higher on {back.higher} of 15 seeds")
    assert str(back).startswith(back.order)
    assert str(forth).startswith(forth.order)


def test_ties_and_runs_that_diverged():
    same = np.ones(10)
    assert compare(same, same).verdict == "no order seen"
    assert compare(same, same).order == f"no order seen on {len(same)} seeds"
    assert compare(same, same).p == 1.0

    lost = np.where(np.arange(10) < 3, np.inf, 1.0)
    found = compare(lost, same)
    assert (found.higher, found.verdict) == (3, "no order seen")
    assert compare(np.full(10, np.inf), same).verdict == "higher"
    assert compare(lost, lost).center == 1.0


def test_differences_may_be_negative():
    found = compare(np.arange(10.0) - 5, np.arange(10.0) - 4, scale="difference")

    assert str(found) == "lower on 10 of 10 seeds, by -1.00 (-1.00 to -1.00)"


def test_a_contest_chooses_on_some_seeds_and_reports_on_others():
    asked = {}

    def run(name, rate, seeds):
        asked.setdefault(name, []).append((rate, tuple(seeds)))
        return bowl(rate, seeds, best={"A": 0.02, "B": 0.2}[name])

    found = contest({name: partial(run, name) for name in "AB"}, (0.01, 0.1))

    for name in "AB":
        assert {seeds for _, seeds in asked[name][:-1]} == {tuple(range(10))}
        assert asked[name][-1] == (found.tuned[name].best, tuple(range(100, 120)))
        assert found.losses[name].shape == (20,)
    assert found.against("A").startswith("A against B ")


# Refusals


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: compare(np.ones(9), np.ones(9)), "9 seeds carry no comparison"),
        (lambda: compare(np.ones(10), np.ones(11)), "not one per seed"),
        (lambda: compare(np.ones((10, 1)), np.ones((10, 1))), "not one per seed"),
        (lambda: compare(np.full(10, np.nan), np.ones(10)), "NaN"),
        (lambda: compare(np.zeros(10), np.ones(10)), "scale='difference'"),
        (lambda: compare(np.ones(10), np.ones(10), scale="log"), "'ratio' or 'difference'"),
        (lambda: tune(bowl, [], range(10)), "two or more finite numbers"),
        (lambda: tune(bowl, [0.1, 0.1], range(10)), "two or more finite numbers"),
        (lambda: tune(bowl, [0.0, 0.1], range(10)), "two or more finite numbers"),
        (lambda: tune(bowl, [0.1, 1.0], []), "seeds is empty"),
        (lambda: tune(lambda r, s: [1 / r] * len(s), [0.1, 1.0], range(10)), "still falls"),
        (lambda: tune(lambda r, s: [np.inf] * len(s), [0.1, 1.0], range(10)), "diverge"),
        (lambda: tune(lambda r, s: [1.0], [0.1, 1.0], range(10)), "not one per seed"),
        (lambda: contest({"A": bowl}, [0.1, 1.0], report=range(5, 25)), "both choose"),
        (lambda: contest({"A": bowl}, [0.1, 1.0], choose=range(3)), "not 3 and 20"),
        (lambda: final_losses(SGD(), NoisyQuadratic(), [], 10), "seeds is empty"),
        (lambda: final_losses(SGD(), NoisyQuadratic(), [0], -1), "whole number"),
    ],
)
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("seeds", [10, 11, 20, 33])
def test_interval_and_test_are_scipys(seeds):
    stats = pytest.importorskip("scipy.stats")
    first, second = np.random.default_rng(seeds).lognormal(size=(2, seeds))
    found = compare(first, second, scale="difference")
    options = {"n_resamples": evidence.RESAMPLES, "rng": np.random.default_rng(0)}
    interval = stats.bootstrap(
        (first - second,), np.median, method="percentile", **options
    ).confidence_interval

    assert (found.low, found.high) == (interval.low, interval.high)
    assert found.p == pytest.approx(stats.binomtest(found.lower, seeds).pvalue, rel=1e-12)


def test_an_interval_alone_is_no_order():
    """Fourteen of twenty come by chance more often than once in twenty, however far they are."""
    found = compare([0.5] * 14 + [1.001] * 6, [1.0] * 20)

    assert found.high < 1
    assert found.p > 0.05
    assert found.verdict == "no order seen"


def test_a_comparison_is_drawn_as_its_interval_and_a_hollow_dot_where_no_order_is_seen():
    plots = pytest.importorskip("adam_edu.plots")
    losses = np.linspace(1.0, 2.0, 10)
    found = {"ahead": compare(0.5 * losses, losses), "level": compare(losses, losses[::-1])}
    ax = plots.panels()
    plots.intervals(ax, found)

    dots = [line for line in ax.get_lines() if line.get_marker() == "o"]
    assert [dot.get_xdata()[0] for dot in dots] == [one.center for one in found.values()]
    assert [dot.get_markerfacecolor() for dot in dots] == [plots.INK, "white"]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(found)
