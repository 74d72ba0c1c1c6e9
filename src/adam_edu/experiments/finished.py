"""Finished trials in a text file, which goes to the next machine where checkpoints cannot.

One line of JSON a trial: what the record says of it, on what it was made, and two hashes. There
are no weights in it, so it is small, and a trial in progress is no part of it.
"""

import errno
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .checkpoint import Progress, no_room
from .plan import Outcome, run_entry
from .products import PRECISIONS, Precision
from .specs import Spec
from .trials import Curves, Trial, fingerprint

CURVES = tuple(vars(Curves()))


class Finished:
    """The trials that a file holds; to those, each further one is added when it ends.

    A trial counts once, also where two files were put together that both have it. Lines of trials
    that another budget of the same experiment asks for are left as they are.

    Attributes
    ----------
    path : of the file, which is made if it is not there; None for no file, which keeps nothing
    name_of : from a trial, and a precision, to a name that it shares with no other, nor with itself
        under another spec, engine or kind of device
    precision : of this run
    made : how a trial of this run is made: precision as a record names it, versions, hardware
    here : that, or nothing without a file

    Raises
    ------
    ValueError
        If a line is damaged, or not of this experiment as it is now.
    OSError
        If the file cannot be read or written.
    """

    def __init__(
        self,
        path: Path | None,
        spec: Spec,
        name_of: Callable[[Trial, Precision], str],
        *,
        precision: Precision,
        made: dict[str, Any],
    ) -> None:
        self.path, self.spec, self.name_of, self.precision = path, spec, name_of, precision
        self.made = {name: made[name] for name in ("precision", "versions")}
        self.here = {} if path is None else self.made | {"hardware": [made["hardware"]]}
        self.lines: dict[str, dict[str, Any]] = {}
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()  # refused now rather than when the first trial ends
        for number, line in whole_lines(path):
            self.check(line, f"{path}, line {number}")
            self.lines.setdefault(line["trial"], line)

    def check(self, line: dict[str, Any], where: str) -> None:
        """Raise ValueError unless a line is of a trial of this experiment as it is now."""
        if line["experiment"] != self.spec.name:
            raise ValueError(
                f"{where} is a run of {line['experiment']}, not of {self.spec.name}: "
                "name another file"
            )
        for entrant in self.spec.entrants:
            if entrant.label == line["optimizer"]:
                trial = Trial(entrant, line["lr"], line["dropout"], line["seed"], line["epochs"])
                names = {self.name_of(trial, precision): precision for precision in PRECISIONS}
                precision = names.get(line["trial"])
                if precision == self.precision:
                    return
                if precision is not None:
                    raise ValueError(
                        f"{where} is a run in another precision: give --precision {precision}, "
                        "or name another file"
                    )
        raise ValueError(
            f"{where} is a run of {self.spec.name} with other settings or data, on another kind "
            "of device, or by an older engine: name another file"
        )

    def progress(self, trials: Sequence[Trial]) -> Progress | None:
        """Return what the file says of trials that run together; None if it lacks one of them."""
        names = [self.name_of(trial, self.precision) for trial in trials]
        if not self.lines.keys() >= set(names):
            return None
        lines = [self.lines[name] for name in names]
        curves = [Curves(**{name: line[name] for name in CURVES if name in line}) for line in lines]
        used = dict.fromkeys(name for line in lines for name in line["hardware"])
        return Progress(curves, sum(line["seconds"] for line in lines), tuple(used))

    def origin(self, trial: Trial) -> dict[str, Any]:
        """Return in which precision, as a record names it, and by which versions it was made."""
        line = self.lines.get(self.name_of(trial, self.precision), self.made)
        return {name: line[name] for name in self.made}

    def add(self, trials: Sequence[Trial], progress: Progress) -> None:
        """Write those of trials that ran together to the end which the file does not have yet.

        Raises
        ------
        OSError
            If there is no room.
        """
        if self.path is None or progress.epoch < trials[0].epochs:
            return
        new = {}
        for trial, curves in zip(trials, progress.curves, strict=True):
            name = self.name_of(trial, self.precision)
            if name not in self.lines:
                seconds = progress.seconds / len(trials)
                new[name] = checked(
                    {"experiment": self.spec.name, "trial": name}
                    | run_entry(Outcome(trial, curves, seconds))
                    | {"hardware": list(progress.hardware), **self.made}
                    | {"date": datetime.now(UTC).isoformat(timespec="seconds")}
                )
        append(self.path, new.values())
        self.lines |= new


def checked(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line with a hash of itself, by which damage is seen."""
    return line | {"check": fingerprint(line)}


def whole_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the lines of a file with their numbers.

    Raises
    ------
    ValueError
        If one of them is not what was written.
    """
    for number, text in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        try:
            line = json.loads(text)
            whole = text.endswith(b"\n") and line == checked(
                {name: value for name, value in line.items() if name != "check"}
            )
        except (ValueError, AttributeError):
            whole = False
        if not whole:
            raise ValueError(
                f"{path}, line {number} is damaged: take that line out, and its run is made again"
            )
        yield number, line


def append(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    """Write lines to the end of a file: all of them, or none if there is no room.

    Several processes may do so at once.
    """
    text = "".join(
        json.dumps(line, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"
        for line in lines
    )
    content = text.encode()
    # Without a buffer it is one call of the system: Ctrl-C comes before it or after it.
    with no_room(path.parent), path.open("ab", buffering=0) as file:
        before = file.seek(0, os.SEEK_END)
        if file.write(content) < len(content):
            file.truncate(before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file.fileno())
