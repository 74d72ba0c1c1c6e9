"""Measure a library for the atlas: run the program that names its optimizers, and identify each.

``python -m adam_edu.libraries FOLDER`` does so with what is installed, and prints the
rows as lines of JSON. The program is ``optimizers.py``, whose ``OPTIMIZERS`` has, by the name that
users call it, what :func:`identify` takes; or, with ``--command``, one in another language, or of
another Python. Without an argument that one prints an object of JSON, for each name what has no
default; with a name, it takes its steps by lines of JSON, as :class:`Command` says.
"""

import argparse
import inspect
import json
import math
import runpy
import shlex
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .atlas import IDENTIFIED, Row
from .base import Driver, Unusable
from .drive import driver
from .functions import Command
from .identify import identify, plain

PROGRAM = "optimizers.py"
GRADIENTS = 1.0, 1e-3, 1e-7  # of the first steps that are recorded


class Made:
    """An optimizer that a library makes when it is called without parameters.

    Attributes
    ----------
    make : a class or a function of the library
    arguments : what has no default there
    """

    def __init__(self, make: Callable[..., Any], **arguments: Any) -> None:
        self.make, self.arguments = make, arguments


def measured(call: str, optimizer: Any, **about: Any) -> Row:
    """Identify one optimizer, and take its first steps.

    Parameters
    ----------
    call : as its users call it
    optimizer : what :func:`identify` takes; a :class:`Made`; a partial of what takes parameters
    about : other fields of the row
    """
    maker, chosen = optimizer, {}
    if isinstance(optimizer, Made):
        maker, chosen = optimizer.make, dict(optimizer.arguments)
        optimizer = maker(**chosen)
    elif isinstance(optimizer, partial):
        maker, chosen = optimizer.func, dict(optimizer.keywords)
    row: dict[str, Any] = dict.fromkeys(("library", "version", "language"), "")
    row |= {"optimizer": call, "date": date.today().isoformat(), "how": IDENTIFIED}
    row |= {"chosen": chosen, "declared": declared(maker)}
    driven = driver(optimizer)
    driven.name = call
    try:
        found = identify(driven)
    except Unusable as error:
        return Row(**row | about | {"words": str(error)})
    settings = {
        name: plain(name, *value) for name, value in found.settings.items() if told(name, *value)
    }
    return Row(
        **row
        | about
        | {
            "words": found.words,
            "rule": found.rule.__name__ if found.fits else "",
            "settings": settings if found.fits else {},
            "decay": found.decay if found.fits else "none",
            "deviation": float(f"{found.deviation:.1g}") if found.fits else None,
            "first": tuple(first_moves(driven)),
            "notes": (*((found.departs,) if found.departs else ()), *found.notes),
        }
    )


def told(name: str, value: float, error: float) -> bool:
    """Return whether the steps tell a number: its error is not as large as itself.

    >>> told("eps", 1e-8, 1e-12), told("eps", 1e-12, 1e-9)
    (True, False)
    """
    return math.isfinite(error) and (error < abs(value) or name == "weight_decay")


def first_moves(driven: Driver) -> Iterator[tuple[float, float]]:
    """Yield a few gradients, and the first move that each makes, from zero."""
    for g in GRADIENTS:
        [[x]] = driven.run([np.zeros(1)], [[np.array([g])]], driven.dtypes[0])
        yield g, float(f"{x[0]:.5g}")


def declared(maker: Any) -> dict[str, Any]:
    """Return the defaults of an optimizer's numeric arguments, under its own names.

    >>> declared(lambda params, lr=0.1, betas=(0.9, 0.999), fused=None: None)
    {'lr': 0.1, 'betas': [0.9, 0.999]}
    """
    try:
        arguments = inspect.signature(maker).parameters
    except (TypeError, ValueError):
        return {}
    defaults = {
        name: list(one.default) if isinstance(one.default, tuple) else one.default
        for name, one in arguments.items()
        if one.default is not one.empty
    }
    return {name: value for name, value in defaults.items() if _numeric(value)}


def _numeric(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(map(_numeric, value))
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def rows(folder: Path, command: str = "", **about: Any) -> Iterator[Row]:
    """Yield the row of each optimizer that the program of a folder names.

    Parameters
    ----------
    folder : with ``optimizers.py``
    command : a program in its place
    about : fields that all of them share
    """
    if not command:
        named = runpy.run_path(str(folder / PROGRAM))["OPTIMIZERS"]
        for call, optimizer in named.items():
            yield measured(call, optimizer, **about)
        return
    said = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True).stdout
    for call, chosen in json.loads(said.splitlines()[-1]).items():
        asked = Command(f"{command} {shlex.quote(call)}")
        yield measured(call, asked, **about | {"chosen": chosen})


def main() -> None:
    """Measure one library, and print its rows."""
    parser = argparse.ArgumentParser(description="Measure the optimizers of one library.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--command", default="", help="a program in place of optimizers.py")
    parser.add_argument("--about", type=json.loads, default={}, help="what all rows share, as JSON")
    options = parser.parse_args()
    for row in rows(options.folder, options.command, **options.about):
        print(row.as_json(), flush=True)
