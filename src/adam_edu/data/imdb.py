"""The Large Movie Review Dataset, as bags of words and as running text."""

import re
from collections import defaultdict
from collections.abc import Callable
from itertools import count

import numpy as np

from .archives import members
from .dataset import DataSet
from .files import DataError, File, local_path, read
from .parsed import Arrays, kept
from .texts import UNKNOWN, pieces, text_set

PUBLISHED = File(
    "imdb/aclImdb_v1.tar.gz",
    84_125_825,
    "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    (
        "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        "https://dataset.bj.bcebos.com/imdb%2FaclImdb_v1.tar.gz",
    ),
)
# The same labelled reviews without the unlabelled ones, for a local copy.
LABELLED = File(
    "imdb/aclImdb_labelled.tar.xz",
    20_254_256,
    "e8ecf6872beb3e3d6da3564b8f9e471760143ec80105868dde6f4b9d9608c706",
)

WORDS = 10_000
TEXT_WORDS = 3_000  # of running text, the unknown word among them
CLASSES = ("negative", "positive")
REVIEW = re.compile(r"aclImdb/(train|test)/(neg|pos)/(\d+_\d+)\.txt")
WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")
UNPACKED_LIMIT = 1 << 30
SOURCE = (
    "Large Movie Review Dataset v1.0: Maas, Daly, Pham, Huang, Ng and Potts (2011), Learning "
    "word vectors for sentiment analysis"
)
Reviews = list[tuple[np.ndarray, int]]
# Part of the key under which the parsed arrays are kept: raise it when the parser changes.
PARSER = 1


def tokens(text: str) -> list[str]:
    """Return the words of a review, in order.

    Upper case becomes lower case; the line breaks ``<br />`` go; a word is a run of the letters a
    to z and digits, with apostrophes inside it. All else separates words.

    Examples
    --------
    >>> tokens("Didn't like it.<br /><br />A 'B-movie', 3/10")
    ["didn't", 'like', 'it', 'a', 'b', 'movie', '3', '10']
    """
    return WORD.findall(text.lower().replace("<br />", " "))


def load_imdb() -> DataSet:
    """Load the 50,000 labelled film reviews as bags of the 10,000 most frequent words.

    As in Kingma and Ba (2015), section 6.1. The most frequent are those with the most occurrences
    in the training reviews, the most frequent first, words of equal number in alphabetical order;
    see :func:`tokens` for what a word is. The paper does not say whether it counts a word or notes
    its presence. Here it is presence: it suits sentiment better (Pang, Lee and Vaithyanathan,
    2002), and dropout noise (Wang and Manning, 2013) then removes a word from a review, or not.

    Both halves are whole arrays of one byte an entry, 250 MB each, although about 99 entries of 100
    are zero: a minibatch is then a plain choice of rows in NumPy as in Torch. Reviews come in the
    order of a fixed shuffle, since the files are sorted by class.
    """
    arrays = parsed("imdb", parse)
    return DataSet(
        "imdb",
        dense(arrays["train_ones"], len(arrays["train_y"])),
        arrays["train_y"],
        dense(arrays["test_ones"], len(arrays["test_y"])),
        arrays["test_y"],
        CLASSES,
        SOURCE,
        words=tuple(arrays["words"].tolist()),
    )


def load_imdb_text() -> DataSet:
    """Load the same reviews as running text, to predict the next word.

    The vocabulary is that of the bags of words, cut to 2,999, after :data:`~.texts.UNKNOWN` with
    number 0, which stands for all others; the words follow from the most frequent. Each review is
    cut into pieces of 33 words, and what is left of it is left out; see :func:`~.texts.pieces`.
    """
    arrays = parsed("imdb-text", parse_text)
    return text_set("imdb_text", arrays, arrays["words"].tolist(), SOURCE)


def parsed(name: str, parse: Callable[[bytes], Arrays]) -> Arrays:
    """Return what ``parse`` makes of the archive, kept from the last time if it was."""
    file = LABELLED if local_path(LABELLED) and not local_path(PUBLISHED) else PUBLISHED
    archive = read(file)
    try:
        return kept(name, f"{file.sha256[:16]}-{PARSER}", lambda: parse(archive))
    except ValueError as error:
        raise DataError(f"{file.name}: {error}") from error


def dense(ones: np.ndarray, rows: int) -> np.ndarray:
    """Return the 0-1 matrix (rows, WORDS) with ones at these positions, counted row by row."""
    matrix = np.zeros((rows, WORDS), np.uint8)
    matrix.reshape(-1)[ones] = 1
    return matrix


def parse(archive: bytes) -> Arrays:
    """Return the vocabulary, and where the bags of words of both halves are one."""
    words, train, test = read_reviews(archive, WORDS)
    return {
        "words": words,
        "train_ones": ones(train),
        "train_y": np.array([label for _, label in train]),
        "test_ones": ones(test),
        "test_y": np.array([label for _, label in test]),
    }


def parse_text(archive: bytes) -> Arrays:
    """Return the vocabulary, and the pieces of both halves, in the order of the reviews."""
    words, train, test = read_reviews(archive, TEXT_WORDS - 1)
    # What is no word of the vocabulary is -1: counted from one, it is the unknown word.
    halves = [np.concatenate([pieces(text + 1) for text, _ in half]) for half in (train, test)]
    return {"words": np.array([UNKNOWN, *words]), "train": halves[0], "test": halves[1]}


def read_reviews(archive: bytes, limit: int) -> tuple[np.ndarray, Reviews, Reviews]:
    """Return the most frequent words, and the training and the test reviews in these words.

    A review is the numbers of its words, -1 where a word is none of them, and its class.
    """
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    found: dict[str, dict[str, tuple[np.ndarray, int]]] = {"train": {}, "test": {}}
    for name, content in members(
        archive, lambda name: bool(REVIEW.fullmatch(name)), UNPACKED_LIMIT
    ):
        half, sentiment, _ = REVIEW.fullmatch(name).groups()  # type: ignore[union-attr]
        words = [numbers[word] for word in tokens(content.decode("utf-8"))]
        found[half][name] = np.array(words, np.int32), int(sentiment == "pos")
    train, test = (shuffled(reviews) for reviews in found.values())
    if len(train) < 2 or len(test) < 2:
        raise ValueError("no reviews in the archive")
    every_word = np.array(list(numbers))
    frequency = np.bincount(np.concatenate([w for w, _ in train]), minlength=len(every_word))
    # lexsort's last key comes first: frequency, then the word itself.
    vocabulary = np.lexsort((every_word, -frequency))[:limit]
    vocabulary = vocabulary[frequency[vocabulary] > 0]
    column = np.full(len(every_word), -1, np.int32)
    column[vocabulary] = np.arange(len(vocabulary))
    train, test = ([(column[text], label) for text, label in half] for half in (train, test))
    return every_word[vocabulary], train, test


def shuffled(reviews: dict[str, tuple[np.ndarray, int]]) -> Reviews:
    """Return the reviews in an order that depends on their names alone."""
    names = sorted(reviews)
    return [reviews[names[i]] for i in np.random.default_rng(0).permutation(len(names))]


def ones(reviews: Reviews) -> np.ndarray:
    """Return the positions of the ones in the matrix of the reviews, counted row by row, once."""
    rows = np.repeat(np.arange(len(reviews)), [len(words) for words, _ in reviews])
    columns = np.concatenate([words for words, _ in reviews])
    known = columns >= 0
    return np.flatnonzero(dense(rows[known] * WORDS + columns[known], len(reviews))).astype(
        np.int32
    )
