"""Runs that survive an interruption: states on disk, replaced in one piece."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class Progress:
    """The curves of a run so far, one for each of its trials, and the seconds spent in it."""

    curves: list[Curves]
    seconds: float

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.curves[0].train) if self.curves else 0


def finish(
    make: Callable[[], Run],
    path: Path,
    epochs: int,
    *,
    until: int | None = None,
    deadline: float = float("inf"),
    report: Callable[[int, bool], None] = lambda epoch, restored: None,
    seconds_between_saves: float = SECONDS_BETWEEN_SAVES,
) -> Progress:
    """Train a run of ``epochs``, going on from what ``path`` holds, and return its curves.

    ``path`` with the suffix .pt holds the state while training, and with .json the curves in the
    end, so that a finished run is not built again. After epoch ``until``, and at the ``deadline``
    (of ``time.monotonic()``), the state is saved and the curves so far are returned; a later call
    goes on from there to the same result, bit for bit. ``report`` is told the epoch reached, and
    whether it was restored from ``path`` rather than trained now.
    """
    state_path, curves_path = path.with_suffix(".pt"), path.with_suffix(".json")
    if curves_path.exists():
        report(epochs, True)
        saved = json.loads(curves_path.read_text(encoding="utf-8"))
        return Progress([Curves(**curves) for curves in saved["curves"]], saved["seconds"])
    if time.monotonic() > deadline and not state_path.exists():
        return Progress([], 0.0)
    run, seconds = make(), 0.0
    saved_epoch = 0
    if state_path.exists():
        state = torch.load(state_path, map_location="cpu", weights_only=True)
        run.load_state_dict(state["run"])
        seconds = state["seconds"]
        saved_epoch = run.epoch
        report(run.epoch, True)

    def save() -> None:
        state = {"run": run.state_dict(), "seconds": seconds}
        write_atomically(state_path, lambda p: torch.save(state, p))

    last_save = time.monotonic()
    target = epochs if until is None else min(until, epochs)
    while run.epoch < target and time.monotonic() <= deadline:
        started = time.monotonic()
        run.train_epoch()
        seconds += time.monotonic() - started
        report(run.epoch, False)
        if time.monotonic() - last_save >= seconds_between_saves:
            save()
            saved_epoch, last_save = run.epoch, time.monotonic()
    if run.epoch >= epochs:
        result = {"curves": [asdict(curves) for curves in run.curves], "seconds": seconds}
        write_atomically(curves_path, lambda p: p.write_text(json.dumps(result), encoding="utf-8"))
        state_path.unlink(missing_ok=True)
    elif run.epoch > saved_epoch:
        save()
    return Progress(run.curves, seconds)
