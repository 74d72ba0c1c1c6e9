"""Data sets that need no download: small digits, and made-up text."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .dataset import DataSet

WORDS = 2_000
TRAIN, TEST = 2_000, 1_000
FREQUENT = 200
INFORMATIVE = 400
LENGTH = 120
ODDS = 1.8


def load_digits() -> DataSet:
    """Load the 1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn.

    Rows of 64 pixels in 16 steps, as float32 in [0, 1]. A fixed shuffle makes 1,437 of them the
    training set and 360 the test set, four to one.
    """
    table = _digits_of_scikit_learn()
    x = np.divide(table[:, :-1], 16, dtype=np.float32)
    y = table[:, -1].astype(np.int64)
    order = np.random.default_rng(0).permutation(len(x))
    train, test = order[: len(x) * 4 // 5], order[len(x) * 4 // 5 :]
    return DataSet(
        "digits",
        x[train],
        y[train],
        x[test],
        y[test],
        tuple("0123456789"),
        "Optical recognition of handwritten digits, test part: Alpaydin and Kaynak (1998), as it "
        "comes with scikit-learn",
    )


def _digits_of_scikit_learn() -> NDArray[np.float64]:
    """Return pixels from 0 to 16 and, last, the digit: shape (1797, 65).

    Read from its file, unless scikit-learn is imported already: that takes a second.
    """
    found = None if "sklearn" in sys.modules else find_spec("sklearn")
    for folder in (found.submodule_search_locations or ()) if found else ():
        file = Path(folder, "datasets/data/digits.csv.gz")
        if file.exists():
            return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits as embedded_digits  # it says what is missing

    digits = embedded_digits()
    return np.column_stack([digits.data, digits.target])


def load_synthetic_bow() -> DataSet:
    """Make bags of words with the frequencies of a language and a class in the rare words.

    A text of 120 words draws each word from a vocabulary of 2,000 in which the word of rank r has
    a probability proportional to 1/r (Zipf's law); an entry is 1 where the text has the word. 400
    of the words beyond rank 200 tell the class: half of them are 1.8 times as probable in one
    class and 1/1.8 as probable in the other, half the other way round. So a few inputs are nearly
    always one and say nothing, and most gradients of the weights that matter are zero, as in real
    text. A linear model gets 0.87 of the test texts right (0.88 of the film reviews). The words are
    made up: a figure drawn from them must say so.
    """
    rng = np.random.default_rng(0)
    frequency = 1 / np.arange(1, WORDS + 1)
    tilt = np.zeros(WORDS)
    tilt[rng.choice(np.arange(FREQUENT, WORDS), INFORMATIVE, replace=False)] = np.tile(
        [1, -1], INFORMATIVE // 2
    )
    word_probability = frequency * ODDS ** np.stack([tilt, -tilt])
    word_probability /= word_probability.sum(axis=1, keepdims=True)
    # The chance that a text of so many independent draws has the word.
    present = 1 - (1 - word_probability) ** LENGTH
    y = rng.integers(2, size=TRAIN + TEST)
    x = (rng.random((TRAIN + TEST, WORDS)) < present[y]).astype(np.uint8)
    return DataSet(
        "synthetic_bow",
        x[:TRAIN],
        y[:TRAIN],
        x[TRAIN:],
        y[TRAIN:],
        ("a", "b"),
        "made up by adam_edu.data from seed 0",
        note="made-up text with Zipf frequencies, a stand-in for real reviews",
        words=tuple(f"word{rank}" for rank in range(1, WORDS + 1)),
    )
