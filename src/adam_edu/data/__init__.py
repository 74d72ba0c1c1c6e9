"""Real data sets, downloaded once and verified, and three that need no download.

``load(name)`` looks in the folder named by the environment variable ``ADAM_EDU_DATA``, then in
the cache of the user, and else downloads from the first mirror that answers with the right content.
"""

from collections.abc import Callable

from ..names import lookup
from .cifar10 import load_cifar10
from .dataset import DataSet
from .embedded import load_digits, load_synthetic_bow
from .files import DataError
from .imdb import load_imdb, load_imdb_text
from .mnist import load_fashion_mnist, load_mnist
from .texts import load_alice

LOADERS: dict[str, Callable[[], DataSet]] = {
    "digits": load_digits,
    "synthetic_bow": load_synthetic_bow,
    "mnist": load_mnist,
    "fashion_mnist": load_fashion_mnist,
    "imdb": load_imdb,
    "imdb_text": load_imdb_text,
    "cifar10": load_cifar10,
    "alice": load_alice,
}

__all__ = ["LOADERS", "DataError", "DataSet", "load"]


def load(name: str = "digits") -> DataSet:
    """Load a data set by its name.

    =================  ================  ======================  =================  ========
    name               train, test       an example              entries            download
    =================  ================  ======================  =================  ========
    ``digits``         1,437, 360        (64,), 8 x 8 pixels     float32 in [0, 1]  none
    ``synthetic_bow``  2,000, 1,000      (2000,), made-up words  uint8, 0 or 1      none
    ``alice``          686, 122          (32,), words by number  int32, 0 to 499    none
    ``mnist``          60,000, 10,000    (784,), 28 x 28 pixels  float32 in [0, 1]  12 MB
    ``fashion_mnist``  60,000, 10,000    (784,), 28 x 28 pixels  float32 in [0, 1]  31 MB
    ``imdb``           25,000, 25,000    (10000,), words         uint8, 0 or 1      84 MB
    ``imdb_text``      164,798, 160,806  (32,), words by number  int32, 0 to 2,999  84 MB
    ``cifar10``        50,000, 10,000    (3, 32, 32), red first  float32 in [0, 1]  170 MB
    =================  ================  ======================  =================  ========

    Classes are int64 numbers; of a text, the numbers of the words that follow. Each call returns
    new arrays, which are the caller's to change.

    Raises
    ------
    KeyError
        If there is no such data set; the message offers the nearest.
    DataError
        An OSError: if the files cannot be downloaded, verified or kept. The message says what to
        do.
    ModuleNotFoundError
        If a library is missing; ``pip install 'adam-edu[data]'`` has them all.

    Examples
    --------
    >>> digits = load("digits")
    >>> digits
    <digits: 1437 training and 360 test examples of 64, 10 classes>
    >>> digits.train_x.shape, digits.train_x.dtype, digits.train_y[:5]
    ((1437, 64), dtype('float32'), array([6, 6, 6, 2, 5]))
    >>> load("cifra10")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    KeyError: "no data set is called 'cifra10'; did you mean 'cifar10'? Known: ..."
    """
    loader = lookup(name, LOADERS, "data set")
    try:
        return loader()
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"data sets need {error.name}: pip install 'adam-edu[data]'", name=error.name
        ) from error
