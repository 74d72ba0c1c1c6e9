"""Running text, to predict the next word: whose numbers, in pieces; and a book that is embedded."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .dataset import DataSet
from .parsed import Arrays

UNKNOWN = "<unknown>"  # has number 0
CONTEXT = 32  # words that a piece gives to predict from
ALICE = Path(__file__).with_name("alice.txt")
ALICE_WORDS = 500
WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
HELD_OUT = "CHAPTER XI."


def pieces(text: np.ndarray) -> np.ndarray:
    """Cut a text, the numbers of its words, into pieces: (pieces, CONTEXT + 1), without the rest.

    All but the last word of a piece are there to predict from, all but the first to be predicted.
    """
    length = CONTEXT + 1
    count = len(text) // length
    return text[: count * length].reshape(count, length)


def text_set(
    name: str, arrays: Arrays, words: Sequence[str], source: str, note: str = ""
) -> DataSet:
    """Return a data set of running text from its pieces ``arrays["train"]`` and ``["test"]``.

    An example is the words of a piece but the last, int32, and its classes those that follow.
    """
    (train_x, train_y), (test_x, test_y) = (
        (half[:, :-1].astype(np.int32), half[:, 1:].astype(np.int64))
        for half in (arrays["train"], arrays["test"])
    )
    names = tuple(words)
    return DataSet(name, train_x, train_y, test_x, test_y, names, source, note, names)


def load_alice() -> DataSet:
    """Load a book that comes with the package: the 26,000 words of Alice in Wonderland.

    Its 499 most frequent words have the numbers 1 to 499, from the most frequent, words of equal
    number in alphabetical order; 0 stands for all others. The last two of its twelve chapters are
    for testing. The book, of 1865, is in the public domain.
    """
    train, test = alice()
    frequent = sorted(Counter(train).items(), key=lambda item: (-item[1], item[0]))
    words = [UNKNOWN, *(word for word, _ in frequent[: ALICE_WORDS - 1])]
    numbers = {word: number for number, word in enumerate(words)}
    halves = {
        name: pieces(np.array([numbers.get(word, 0) for word in text]))
        for name, text in (("train", train), ("test", test))
    }
    return text_set("alice", halves, words, "Carroll (1865), Alice's Adventures in Wonderland")


def alice() -> tuple[list[str], list[str]]:
    """Return the words of the book's first ten chapters and of its last two, in order.

    Examples
    --------
    >>> alice()[0][4:10]
    ['rabbit', 'hole', 'alice', 'was', 'beginning', 'to']
    """
    text = ALICE.read_text(encoding="utf-8")
    cut = text.index(HELD_OUT)
    train, test = (WORD.findall(part.lower()) for part in (text[:cut], text[cut:]))
    return train, test
