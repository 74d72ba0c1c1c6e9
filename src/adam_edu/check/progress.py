"""What a student has done: one small file in the folder that the system has for such things.

``$XDG_STATE_HOME/adam-edu/exercises.json`` or its place in ``~/.local/state`` on Linux, in
``~/Library/Application Support`` on macOS, in ``%LOCALAPPDATA%`` on Windows.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path


def path() -> Path:
    """Return where the file is, or would be."""
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return folder / "adam-edu" / "exercises.json"


def done() -> dict[str, str]:
    """Return the exercises that were right once, with the day; none where no file can be read."""
    try:
        known = json.loads(path().read_text(encoding="utf-8"))["done"]
        return {str(name): str(day) for name, day in known.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def note(names: Iterable[str]) -> None:
    """Note that exercises are right. Where no file can be written, nothing is noted."""
    before = done()
    after = {name: date.today().isoformat() for name in names} | before
    if after == before:
        return
    try:
        folder = path().parent
        folder.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: two checks may end at the same time.
        with tempfile.NamedTemporaryFile(
            "w", dir=folder, encoding="utf-8", delete=False, suffix=".part"
        ) as file:
            json.dump({"version": 1, "done": after}, file, indent=2)
        os.replace(file.name, path())
    except OSError:
        pass
