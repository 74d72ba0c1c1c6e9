"""Runs that survive an interruption: states on disk, replaced in one piece."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from .trials import Curves, Run

SECONDS_BETWEEN_SAVES = 30.0


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then move it there.

    Whoever reads ``path`` finds the old content or the new, never a part of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def finish(
    make: Callable[[], Run],
    path: Path,
    epochs: int,
    *,
    deadline: float = float("inf"),
    report: Callable[[int, bool], None] = lambda epochs, restored: None,
    seconds_between_saves: float = SECONDS_BETWEEN_SAVES,
) -> list[Curves]:
    """Train a run up to ``epochs``, going on from what ``path`` holds, and return its curves.

    ``path`` with the suffix .pt holds the state while training, and with .json the curves in the
    end, so that a finished run is not built again. At the ``deadline`` (of ``time.monotonic()``)
    the state is saved and the curves so far returned. ``report`` is told how many epochs have been
    added, and whether they were restored from ``path`` rather than trained now.
    """
    state_path, curves_path = path.with_suffix(".pt"), path.with_suffix(".json")
    if curves_path.exists():
        report(epochs, True)
        return [Curves(**curves) for curves in json.loads(curves_path.read_text())]
    if time.monotonic() > deadline:
        return []
    run = make()
    if state_path.exists():
        run.load_state_dict(torch.load(state_path, map_location="cpu", weights_only=True))
        report(run.epoch, True)
    saved = time.monotonic()
    while run.epoch < epochs and time.monotonic() <= deadline:
        run.train_epoch()
        report(1, False)
        if time.monotonic() - saved >= seconds_between_saves:
            write_atomically(state_path, lambda p: torch.save(run.state_dict(), p))
            saved = time.monotonic()
    if run.epoch < epochs:
        write_atomically(state_path, lambda p: torch.save(run.state_dict(), p))
    else:
        text = json.dumps([asdict(curves) for curves in run.curves])
        write_atomically(curves_path, lambda p: p.write_text(text))
        state_path.unlink(missing_ok=True)
    return run.curves
