"""Exercises on what makes language hard: the softmax's gradient, losses by frequency."""
# mypy: allow-untyped-defs

import numpy as np

from ..formula import formula
from ..mistake import wrong

# The gradient of the softmax's loss


def _softmax(z):
    odds = np.exp(z - np.max(z))
    return odds / np.sum(odds)


def _one_hot(z, y):
    return np.eye(len(z))[y]


@wrong("g")
def at_the_word_alone(z, y):
    """You have the right word's entry, and zeros elsewhere. The other scores count too: each raises
    the loss, by its probability."""
    return _one_hot(z, y) * (_softmax(z) - 1)


@wrong("g")
def others_alone(z, y):
    """At the right word your entry is its probability set to zero. It is its probability minus
    1."""
    return (1 - _one_hot(z, y)) * _softmax(z)


@wrong("g")
def derivative_of_softmax(z, y):
    """That is the derivative of the *probability* of the right word. The loss is minus its
    logarithm, so divide by the probability and change the sign."""
    p = _softmax(z)
    return p[y] * (_one_hot(z, y) - p)


@wrong("g")
def sigmoid_of_each(z, y):
    """You squash each score by itself, as for two classes. The softmax divides by the sum over all
    words."""
    return 1 / (1 + np.exp(-z)) - _one_hot(z, y)


@wrong("g")
def loss_returned(z, y):
    """You return the loss. Asked for is its gradient: a number for each score."""
    return np.full(len(z), -np.log(_softmax(z)[y]))


@wrong("g")
def gradient_over_words(z, y):
    """You divide by the number of words. The loss is of one prediction, and nothing is averaged
    over the vocabulary."""
    return (_softmax(z) - _one_hot(z, y)) / len(z)


@wrong("g")
def surprises(z):
    """You return the loss that each word would have, had it come. Asked for is the gradient of the
    loss of the one that came."""
    return -np.log(_softmax(z))


@wrong("g")
def derivative_of_its_own(z):
    """p * (1 - p) is how each *probability* changes with its own score. The loss is minus the
    logarithm of one of them."""
    return _softmax(z) * (1 - _softmax(z))


@wrong("g")
def positive_at_the_word(z, y):
    """At the right word you have 1 minus its probability. It is the probability minus 1: that score
    is to rise, so its entry of the gradient is negative."""
    return np.where(_one_hot(z, y) > 0, 1 - _softmax(z), _softmax(z))


@wrong("g")
def minus_one_alone(z, y):
    """At the right word you put -1 in the place of its probability. Subtract 1 from it: a word that
    is certain already has no gradient left."""
    return np.where(_one_hot(z, y) > 0, -1.0, _softmax(z))


softmax_gradient = formula(
    "softmax_gradient(z, y)",
    ("odds = exp(z)", "p = odds / sum(odds)", "g = p - one_hot(z, y)"),
    returns="g",
    statement="z holds a score for each word, and y is the number of the word that came, from 0. "
    "The loss is minus the logarithm of the softmax's probability of that word. Return its "
    "gradient by the scores, a number for each.",
    probes=[
        {"z": np.array([1.0, -0.5, 2.0, 0.3]), "y": 2},
        {"z": np.array([0.4, 3.0, -1.0]), "y": 0},
        {"z": np.array([-2.0, 0.7, 0.1, 1.5, -0.3]), "y": 4},
    ],
    mistakes=(
        at_the_word_alone,
        others_alone,
        derivative_of_softmax,
        sigmoid_of_each,
        loss_returned,
        gradient_over_words,
        surprises,
        derivative_of_its_own,
        positive_at_the_word,
        minus_one_alone,
    ),
    read="language",
)


# Losses by frequency


def _of_each(words, groups):
    return np.array(groups)[list(words)]


def _sums(losses, words, groups):
    return np.bincount(_of_each(words, groups), losses, max(groups) + 1)


def _numbers(words, groups):
    return np.bincount(_of_each(words, groups), minlength=max(groups) + 1)


@wrong("means")
def over_all_tokens(losses, words, groups):
    """You divide by the number of all losses. Each group's sum is divided by how many losses *it*
    has; else a group of few looks as if it were learned."""
    return _sums(losses, words, groups) / len(losses)


@wrong("means")
def over_words_of_group(losses, words, groups):
    """You divide by the number of different words in the group. A word that comes twice has two
    losses in the sum, so it counts twice below the line as well."""
    return _sums(losses, words, groups) / np.bincount(groups)


@wrong("means")
def mean_of_word_means(losses, words, groups):
    """You take each word's mean first, then the mean of these, so that a word counts once however
    often it comes. Here every *loss* counts once."""
    every = sorted(set(words))
    found = [np.mean(losses[np.array(words) == word]) for word in every]
    return _sums(found, every, groups) / _numbers(every, groups)


@wrong("means")
def grouped_by_place(losses, groups):
    """You take groups[i] for loss i. groups has an entry for each *word of the vocabulary*: the
    group of loss i is groups[words[i]]."""
    return np.bincount(groups, losses[: len(groups)]) / np.bincount(groups)


@wrong("means")
def by_word_not_group(losses, words, groups):
    """You collect by the word's number. Look up the word's group: groups[words[i]]."""
    every = np.array(words)
    return np.array([np.mean(losses[every == k]) for k in range(max(groups) + 1)])


@wrong("means")
def group_counts(words, groups):
    """You return how many losses each group has. Asked for is their mean."""
    return 1.0 * _numbers(words, groups)


@wrong("means")
def one_mean_for_all(losses, groups):
    """You return the mean of all losses for each group. Take only those of its words."""
    return np.full(max(groups) + 1, np.mean(losses))


@wrong("means")
def groups_reversed(losses, words, groups):
    """Your groups come in the opposite order. Group 0 is first."""
    return (_sums(losses, words, groups) / _numbers(words, groups))[::-1]


@wrong("means")
def group_median(losses, words, groups):
    """You take the median. Asked for is the mean, since the total loss is a mean."""
    of_each = _of_each(words, groups)
    return np.array([np.median(losses[of_each == k]) for k in range(max(groups) + 1)])


@wrong("means")
def group_largest(losses, words, groups):
    """You take the largest loss of each group. Asked for is the mean."""
    of_each = _of_each(words, groups)
    return np.array([np.max(losses[of_each == k]) for k in range(max(groups) + 1)])


_LOSSES = np.array([0.5, 4.0, 1.5, 7.0, 0.25, 6.0, 3.0, 9.0])

loss_by_group = formula(
    "loss_by_group(losses, words, groups)",
    lambda losses, words, groups: _sums(losses, words, groups) / _numbers(words, groups),
    returns="means",
    statement="Return the mean loss of each group of words, from group 0. losses has a loss for "
    "each prediction, words the number of the word that came there, and groups the group of every "
    "word of the vocabulary. words and groups are tuples; each group occurs.",
    probes=[
        {"losses": _LOSSES, "words": (0, 2, 1, 3, 0, 4, 2, 3), "groups": (0, 0, 1, 2, 2)},
        {"losses": _LOSSES[:6], "words": (3, 1, 1, 0, 2, 1), "groups": (2, 1, 0, 1)},
        {"losses": _LOSSES[2:], "words": (5, 4, 0, 1, 2, 0), "groups": (0, 1, 0, 1, 1, 0)},
    ],
    mistakes=(
        over_all_tokens,
        over_words_of_group,
        mean_of_word_means,
        grouped_by_place,
        by_word_not_group,
        one_mean_for_all,
        groups_reversed,
        group_median,
        group_counts,
        group_largest,
    ),
    read="language",
)
