"""Runs that survive an interruption: states on disk, checked, and replaced in one piece."""

import errno
import io
import json
import os
import pickle
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from .trials import Curves, Run, fingerprint

SECONDS_BETWEEN_SAVES = 30.0
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a temporary file beside ``path``, then move it there.

    Whoever reads ``path`` finds the old content or the new, never a part of it; also where several
    machines write to it.

    Raises
    ------
    OSError
        If there is no room, or no right to write. ``path`` is as it was then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = f"{socket.gethostname()}.{os.getpid()}.{threading.get_ident()}"
    temporary = path.with_name(f"{path.name}.{writer}.part")
    try:
        with no_room(path.parent):
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # else a power cut may leave the new name with no content
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def no_room(folder: Path) -> Iterator[None]:
    """Say in one line what to do if a folder has no room for what is written meanwhile."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise OSError(f"no room left in {folder}: make some, and run it again") from error
        raise


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes
    ----------
    curves : one for each of its trials; none before it has begun
    seconds : spent in it
    hardware : what it ran on, in order
    """

    curves: list[Curves]
    seconds: float
    hardware: tuple[str, ...] = ()

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
    stop: Callable[[], bool] = lambda: False,
    report: Callable[[int, bool], None] = lambda epoch, restored: None,
    note: Callable[[str], None] = lambda text: None,
    hardware: str = "",
    seconds_between_saves: float | None = None,
) -> Progress:
    """Train a run of ``epochs``, going on from what ``path`` holds, and return its curves.

    ``path`` with the suffix .pt holds the state while training, and with .json the curves in the
    end, so that a finished run is not built again. After epoch ``until``, and once ``stop`` says
    so, the state is saved and the curves so far are returned; a later call goes on from there to
    the same result, bit for bit. ``report`` is told the epoch reached, and whether it was restored
    from ``path`` rather than trained now; ``note`` what a person should know, in one line. A file
    that is damaged is set aside, and its run begins anew.
    """
    between = SECONDS_BETWEEN_SAVES if seconds_between_saves is None else seconds_between_saves
    state_path, curves_path = path.with_suffix(".pt"), path.with_suffix(".json")
    done = _read(curves_path, _read_curves, note)
    if done is not None:
        report(epochs, True)
        state_path.unlink(missing_ok=True)
        return done
    saved = _read(state_path, read_state, note)
    if stop() and saved is None:
        return Progress([], 0.0)
    run, seconds, used = make(), 0.0, [hardware]
    saved_epoch = 0
    if saved is not None:
        run.load_state_dict(saved["run"])
        seconds = saved["seconds"]
        used = list(dict.fromkeys([*saved["hardware"], hardware]))
        saved_epoch = run.epoch
        report(run.epoch, True)

    def save() -> None:
        state = {"run": run.state_dict(), "seconds": seconds, "hardware": used}
        content = io.BytesIO()
        torch.save(state, content)
        write_atomically(state_path, content.getvalue())

    last_save = time.monotonic()
    target = epochs if until is None else min(until, epochs)
    while run.epoch < target and not stop():
        started = time.monotonic()
        run.train_epoch()
        seconds += time.monotonic() - started
        if run.epoch >= epochs:
            break  # what is reported as the end is on disk
        if time.monotonic() - last_save >= between:
            save()
            saved_epoch, last_save = run.epoch, time.monotonic()
        report(run.epoch, False)
    if run.epoch >= epochs:
        result = {"curves": [asdict(c) for c in run.curves], "seconds": seconds, "hardware": used}
        result["fingerprint"] = fingerprint(result["curves"])
        write_atomically(curves_path, json.dumps(result).encode())
        state_path.unlink(missing_ok=True)
        report(run.epoch, False)
    elif run.epoch > saved_epoch:
        save()
    return Progress(run.curves, seconds, tuple(used))


def read_state(path: Path) -> dict[str, Any]:
    """Read a state; raise ValueError if it is not what was written."""
    try:
        with zipfile.ZipFile(path) as archive:  # Torch does not look at the check sums
            if archive.testzip() is not None:
                raise ValueError("check sum")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(str(error)) from error
    return state


def _read_curves(path: Path) -> Progress:
    saved = json.loads(path.read_text(encoding="utf-8"))
    if fingerprint(saved["curves"]) != saved["fingerprint"]:
        raise ValueError("fingerprint")
    curves = [Curves(**curves) for curves in saved["curves"]]
    return Progress(curves, saved["seconds"], tuple(saved["hardware"]))


def _read(path: Path, read: Callable[[Path], Any], note: Callable[[str], None]) -> Any:
    """Return what ``path`` holds; None if it does not exist, or is damaged and now set aside."""
    try:
        return read(path)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        note(f"a checkpoint was damaged, and its run begins anew (it is kept as {aside})")
        return None
