"""Predict a word from the one before it: a linear softmax model whose classes are words."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .base import Array, Problem


def frequency_groups(counts: ArrayLike, groups: int) -> NDArray[np.int64]:
    """Return which of so many groups each class is in, from how often it occurs; shape (classes,).

    Group 0 has the most frequent classes. Each has about the same share of all occurrences: in the
    order of frequency, a class is in the group of its middle occurrence.

    Examples
    --------
    >>> frequency_groups([3, 50, 25, 2, 20], groups=2)
    array([1, 0, 1, 1, 1])
    """
    numbers = np.asarray(counts)
    order = np.argsort(-numbers, kind="stable")
    ordered = numbers[order].astype(float)
    middle = (ordered.cumsum() - ordered / 2) / ordered.sum()
    found = np.empty(len(numbers), np.int64)
    found[order] = (groups * middle).astype(np.int64)
    return found


class Bigrams(Problem):
    """The next word from the one before, with a weight for every pair of words.

    The logits of the next word are the row of the word before. That is softmax regression on
    one-hot inputs, and convex. The loss is the mean negative log likelihood, in nats, above the
    least that any weights reach: it goes to 0.

    Parameters
    ----------
    previous, following : numbers of words, (pairs,); others than 0 to ``words`` - 1 are left out,
        and so is a pair with one of them
    words : how many; the parameters are a matrix (words, words), flattened
    even_previous, even_following : weight the pairs so that each word counts alike as the one
        before, or as the one that follows, however often it occurs; both at once as far as both go
    turned : seed of a random rotation of the inputs, so that every word has some of every input;
        None for one-hot inputs
    batch : pairs in a minibatch, drawn with replacement by their weights; None for all of them

    Raises
    ------
    ValueError
        If no pair has two such words, or ``batch`` is below 1.

    Attributes
    ----------
    shares : weight of each pair of words, (words, words); their sum is 1
    groups : which fifth each word is in as the one that follows, from the most frequent; (words,)
    """

    def __init__(
        self,
        previous: NDArray[np.integer[Any]],
        following: NDArray[np.integer[Any]],
        words: int,
        *,
        even_previous: bool = False,
        even_following: bool = False,
        turned: int | None = None,
        batch: int | None = None,
    ) -> None:
        known = (previous >= 0) & (previous < words) & (following >= 0) & (following < words)
        counts = np.zeros((words, words))
        np.add.at(counts, (previous[known], following[known]), 1.0)
        if not counts.any():
            raise ValueError(f"no pair of words has numbers from 0 to {words - 1}")
        if batch is not None and batch < 1:
            raise ValueError(f"batch must be 1 or more, or None for all pairs, not {batch}")
        self.groups = frequency_groups(counts.sum(axis=0), 5)
        self.shares = counts / counts.sum()
        for _ in range(100 if even_previous and even_following else 1):
            for axis, even in ((0, even_following), (1, even_previous)):
                if even:
                    sums = self.shares.sum(axis=axis, keepdims=True)
                    self.shares = np.divide(self.shares, sums, where=sums > 0, out=self.shares)
        self.shares /= self.shares.sum()
        self.rows = self.shares.sum(axis=1, keepdims=True)
        self.words, self.batch = words, batch
        # The inputs of the words, a row each. One-hot ones need no product.
        self.inputs = None if turned is None else rotation(words, turned)
        self.start = np.zeros(words * words)
        self.start.flags.writeable = False
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(self.shares > 0, -self.shares * np.log(self.shares / self.rows), 0.0)
        self.least = each.sum(axis=0)  # of the loss, by the word that follows
        self.edges = self.shares.cumsum()

    def logits(self, x: Array) -> Array:
        """Return the logits of the next word, a row for each word before, (..., words, words)."""
        weights = x.reshape(*x.shape[:-1], self.words, self.words)
        return weights if self.inputs is None else self.inputs @ weights

    def backward(self, error: Array) -> Array:
        """Return the gradient by the weights, flattened, from that by the logits."""
        g = error if self.inputs is None else self.inputs.T @ error
        return g.reshape(*error.shape[:-2], -1)

    def log_likelihoods(self, x: Array) -> Array:
        """Return the logarithm of each pair's conditional probability, (..., words, words)."""
        logits = self.logits(x)
        logits = logits - logits.max(axis=-1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))

    def value(self, x: Array) -> Any:
        """Return the loss above the least, shape (...)."""
        return self.by_word(x).sum(axis=-1)

    def by_word(self, x: Array) -> Array:
        """Return what each next word adds to the loss above the least, shape (..., words)."""
        return -(self.shares * self.log_likelihoods(x)).sum(axis=-2) - self.least

    def by_group(self, x: Array) -> Array:
        """Return for each group of next words how far its loss is above that of the best weights.

        As a share of what it was at the start, shape (..., 5); NaN for a group without words.
        """
        members = np.eye(5)[self.groups]
        with np.errstate(invalid="ignore"):
            return (self.by_word(x) @ members) / (self.by_word(self.start) @ members)

    def gradient(self, x: Array) -> Array:
        """Return the gradient in full batch, of the shape of ``x``."""
        return self.backward(self.rows * np.exp(self.log_likelihoods(x)) - self.shares)

    def sample(self, x: Array, t: int, rng: np.random.Generator) -> Array:
        """Return the gradient on a minibatch, or in full batch without one."""
        if self.batch is None:
            return self.gradient(x)
        drawn = np.searchsorted(self.edges, rng.random(self.batch) * self.edges[-1], side="right")
        pairs = np.bincount(drawn, minlength=x.size).reshape(self.words, self.words) / self.batch
        used = np.flatnonzero(pairs.any(axis=1))
        logits = self.logits(x)[used]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = pairs[used].sum(axis=1, keepdims=True)
        error = -pairs
        error[used] += shares * odds / odds.sum(axis=1, keepdims=True)
        return self.backward(error)


def rotation(size: int, seed: int) -> Array:
    """Return a random rotation, (size, size), or one with a reflection; each as probable."""
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))
    return q * np.sign(np.diag(r))
