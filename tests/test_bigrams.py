"""The bigram model: its gradient, its least loss, what evens and turns it."""

import numpy as np
import pytest

from adam_edu import data
from adam_edu.evidence import final_losses
from adam_edu.problems import Bigrams, frequency_groups
from adam_edu.rules import SGD, Adam, Lion

RNG = np.random.default_rng(0)
PREVIOUS, FOLLOWING = RNG.zipf(1.5, (2, 500)) - 1
VARIANTS = (
    {},
    {"even_previous": True},
    {"even_following": True},
    {"even_previous": True, "even_following": True},
    {"turned": 3},
)


@pytest.mark.parametrize("how", VARIANTS)
def test_the_gradient_is_that_of_the_value(how):
    model = Bigrams(PREVIOUS, FOLLOWING, 6, **how)
    x = RNG.standard_normal(36)
    g = model.gradient(x)
    steps = 1e-6 * np.eye(36)
    np.testing.assert_allclose(
        g, [(model.value(x + e) - model.value(x - e)) / 2e-6 for e in steps], atol=1e-8
    )


@pytest.mark.parametrize("how", VARIANTS)
def test_minibatches_are_right_on_average(how):
    model = Bigrams(PREVIOUS, FOLLOWING, 6, batch=20_000, **how)
    x, rng = RNG.standard_normal(36), np.random.default_rng(1)
    mean = np.mean([model.sample(x, 1, rng) for _ in range(20)], axis=0)
    np.testing.assert_allclose(mean, model.gradient(x), atol=3e-3)


def test_the_least_loss_is_that_of_the_counts():
    """At the logarithms of the conditional shares, smoothed by next to nothing."""
    model = Bigrams(PREVIOUS, FOLLOWING, 6)
    x = np.log(model.shares / model.rows + 1e-12).ravel()
    assert model.value(x) == pytest.approx(0, abs=1e-8)
    assert model.value(model.start) == pytest.approx(np.log(6) - model.least.sum())
    found = model.by_group(model.start)
    assert found[~np.isnan(found)] == pytest.approx(1)
    assert np.isnan(found).tolist() == [not (model.groups == group).any() for group in range(5)]


def test_even_words_count_alike():
    model = Bigrams(PREVIOUS, FOLLOWING, 6, even_following=True)
    np.testing.assert_allclose(model.shares.sum(axis=0), 1 / 6)
    model = Bigrams(PREVIOUS, FOLLOWING, 6, even_previous=True)
    np.testing.assert_allclose(model.shares.sum(axis=1), 1 / 6)
    model = Bigrams(PREVIOUS, FOLLOWING, 6, even_previous=True, even_following=True)
    np.testing.assert_allclose(model.shares.sum(axis=1), 1 / 6, atol=1e-3)
    np.testing.assert_allclose(model.shares.sum(axis=0), 1 / 6, atol=1e-3)


def test_a_turn_of_the_inputs_changes_adam_and_not_gradient_descent():
    words = data.load("alice")
    pairs = [half.ravel() - 1 for half in (words.train_x, words.train_y)]
    models = [Bigrams(*pairs, 60, turned=seed) for seed in (None, 0)]

    def ends(rule):
        return [final_losses(rule, model, [0], 30)[0] for model in models]

    before, after = ends(SGD(100.0))
    assert after == pytest.approx(before)
    for rule in (Adam(0.5), Lion(0.1, 0.9, 0.9, 0.0)):
        before, after = ends(rule)
        assert after > 1.1 * before


def test_several_points_at_once_are_each_its_own():
    model = Bigrams(PREVIOUS, FOLLOWING, 6, turned=1)
    x = RNG.standard_normal((3, 36))
    np.testing.assert_allclose(model.gradient(x), [model.gradient(one) for one in x])
    np.testing.assert_allclose(model.by_group(x), [model.by_group(one) for one in x])


def test_impossible_ones_are_refused():
    with pytest.raises(ValueError, match="no pair of words has numbers from 0 to 2"):
        Bigrams(np.array([7]), np.array([1]), 3)
    with pytest.raises(ValueError, match="batch must be 1 or more"):
        Bigrams(PREVIOUS, FOLLOWING, 6, batch=0)


def test_groups_share_the_occurrences_evenly():
    counts = 1000 // np.arange(1, 400)
    groups = frequency_groups(RNG.permutation(counts), 5)
    assert set(groups) == set(range(5))
    ordered = frequency_groups(counts, 5)
    assert (np.diff(ordered) >= 0).all()
    shares = np.bincount(ordered, counts) / counts.sum()
    assert shares.max() < 0.25 > 0.15 < shares.min()


def test_the_book_has_the_counts_of_a_language():
    """Zipf's law: over two decades of ranks the count falls about as one over the rank."""
    words = data.load("alice")
    counts = np.bincount(words.train_y.ravel(), minlength=500)[1:]
    slope = np.polyfit(np.log(np.arange(5, 400)), np.log(np.sort(counts)[::-1][4:399]), 1)[0]
    assert -1.15 < slope < -0.85
    assert words.words[:4] == ("<unknown>", "the", "and", "to")
    assert words.train_x.shape[1] == words.test_y.shape[1] == 32
    np.testing.assert_array_equal(words.train_x[:, 1:], words.train_y[:, :-1])
