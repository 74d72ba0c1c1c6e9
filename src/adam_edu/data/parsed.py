"""Keep the arrays that take long to parse."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from .files import cache_folder

Arrays = dict[str, np.ndarray]


def kept(name: str, key: str, parse: Callable[[], Arrays]) -> Arrays:
    """Return ``parse()``, or what it returned before for the same key.

    The arrays lie as ``NAME-KEY.npz`` in the cache. The key must say what was parsed, by the
    SHA-256 of its content, and how. They are read without unpickling, and the checksums inside the
    file are verified; one that is damaged is replaced. Where the cache cannot be written, a
    warning says so, and the arrays are parsed again the next time.
    """
    path = cache_folder() / "parsed" / f"{name}-{key}.npz"
    arrays = read_arrays(path)
    if arrays is None:
        arrays = parse()
        try:
            write_arrays(path, arrays)
        except OSError as error:
            warnings.warn(
                f"{name} is parsed anew each time, since {path.parent} cannot be written: "
                f"{error.strerror or error}",
                stacklevel=2,
            )
    return arrays


def read_arrays(path: Path) -> Arrays | None:
    """Return the arrays of a file, None if it is missing or damaged."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return dict(file)
    except Exception:  # There is no end to what a damaged file can raise.
        return None


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write the arrays under a temporary name, then rename: a reader sees all of them or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        try:
            np.savez(part, allow_pickle=False, **arrays)
            part.close()
            os.replace(part.name, path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
