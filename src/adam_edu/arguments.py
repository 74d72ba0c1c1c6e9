"""What the command line accepts: numbers and folders, refused in words before anything is done."""

import os
import tempfile
from argparse import ArgumentTypeError
from math import inf
from pathlib import Path


def whole(text: str) -> int:
    """Return a whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        raise ArgumentTypeError(f"must be a whole number, 1 or more, not {text!r}") from None
    if value < 1:
        raise ArgumentTypeError(f"must be 1 or more, not {value}")
    return value


def minutes(text: str) -> float:
    """Return a time in minutes, above 0; a fraction is allowed."""
    value = _number(text)
    if not 0 < value < inf:
        raise ArgumentTypeError(f"must be a number of minutes above 0, not {text!r}")
    return value


def rates(text: str) -> tuple[float, ...]:
    """Return learning rates that stand between commas, each once."""
    values = tuple(map(_number, text.split(",")))
    if not all(0 < value < inf for value in values):
        raise ArgumentTypeError(
            f"must be learning rates above 0 between commas, such as 0.001,0.01, not {text!r}"
        )
    if len(set(values)) < len(values):
        raise ArgumentTypeError(f"names a learning rate twice: {text}")
    return values


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def folder(path: Path, option: str) -> Path:
    """Return a folder in which a file can be written; make it if it is not there.

    Raises
    ------
    ValueError
        If it cannot be made, or nothing can be written in it. The message names the option.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as trial:
            trial.write(b"x")
            trial.flush()
    except OSError as error:
        if path.exists() and not path.is_dir():
            raise ValueError(f"{option} must be a folder, and {path} is a file") from error
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ValueError(
            f"{option}: nothing can be written in {path} ({reason}); name another folder"
        ) from error
    return path
