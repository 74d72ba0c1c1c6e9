"""Archives for a page: of others' archives what is needed, with bytecode, kept between builds."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ..data.files import cache_folder

PYTHON = (3, 12)
NO_CODE = (".pyi", ".h", ".a", ".pxd", ".pyx", ".typed")
# The same content gives the same archive, whenever it is made.
DATE = (2020, 1, 1, 0, 0, 0)
FORM = 2
"""Of what is kept; another number leaves what was kept before alone."""

# Run by a Python of the page's version in a folder with tasks.json, which lists for each archive
# what is to be compiled. Bytecode is never compared with its source.
COMPILE = """
import importlib.util, json, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc as hashed
for name, (wanted, level, beside) in json.load(open(f"{folder}/tasks.json")).items():
    wanted = set(wanted)
    made = zipfile.ZipFile(f"{folder}/{name}.made", "w")
    with made, zipfile.ZipFile(f"{folder}/{name}") as old:
        for member in old.namelist():
            content = old.read(member)
            if member not in wanted:
                made.writestr(member, content)
                continue
            code = compile(content, member, "exec", dont_inherit=True, optimize=level)
            code = hashed(code, importlib.util.source_hash(content), False)
            if beside:
                place, _, last = member.rpartition("/")
                made.writestr(f"{place}/__pycache__/{last[:-3]}.cpython-312.pyc", code)
                made.writestr(member, content)
            else:
                made.writestr(f"{member}c", code)
"""
# The same by the page's own Python, where Node runs it.
NODE = """
const [home, folder, code] = process.argv.slice(1);
const { loadPyodide } = require(`${home}/pyodide.js`);
loadPyodide({ indexURL: `${home}/`, packageCacheDir: folder }).then((python) => {
  python.FS.mkdirTree("/made");
  python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, "/made");
  python.runPython(`folder = "/made"\\n${code}`);
});
"""
# What Pyodide asks for by its own name, and nothing else is on the list.
LOCK = {
    "info": {
        "abi_version": "2024_0",
        "arch": "wasm32",
        "platform": "emscripten_3_1_58",
        "python": "3.12.7",
        "version": "0.27.7",
    },
    "packages": {},
}


@dataclass(frozen=True)
class Task:
    """What becomes one archive.

    Attributes
    ----------
    archives : whose members go into it
    left_out : how the names of members begin that do not
    started : members that become bytecode, since a start imports them
    docstrings : whether bytecode keeps them: NumPy writes to its own
    everything : whether every module becomes bytecode
    sources : whether modules keep their source beside it
    """

    archives: tuple[bytes, ...]
    left_out: tuple[str, ...]
    started: tuple[str, ...]
    docstrings: bool = False
    everything: bool = False
    sources: bool = False

    def key(self, compiles: bool) -> str:
        """Return a name for the outcome."""
        digest = hashlib.sha256(repr((FORM, self.left_out, self.started, compiles)).encode())
        digest.update(bytes((self.docstrings, self.everything, self.sources)))
        for archive in self.archives:
            digest.update(hashlib.sha256(archive).digest())
        return digest.hexdigest()[:16]

    def members(self) -> dict[str, bytes]:
        """Return what goes into the archive, before anything is compiled."""
        found = {}
        for archive in self.archives:
            with zipfile.ZipFile(io.BytesIO(archive)) as opened:
                for name in opened.namelist():
                    if not name.startswith(self.left_out) and not name.endswith((*NO_CODE, "/")):
                        found[name] = opened.read(name)
        return dict(sorted(found.items()))


def archives(runtime: dict[str, bytes], *tasks: Task) -> list[bytes]:
    """Return the archive of each task; from the cache, where an earlier build has left it.

    Without an interpreter of the page's version the archives hold sources alone: a start is slower.
    """
    how = compiler()
    paths = [kept_as(f"{task.key(how != '')}.zip") for task in tasks]
    made = {path: task for path, task in zip(paths, tasks, strict=True) if not path.exists()}
    if made:
        found = [task.members() for task in made.values()]
        if how:
            found = compiled(how, runtime, list(made.values()), found)
        for path, members in zip(made, found, strict=True):
            keep(path, stored(members))
    return [path.read_bytes() for path in paths]


def gzipped(content: bytes) -> bytes:
    """Return a content compressed; from the cache, where an earlier build has left it."""
    path = kept_as(f"{hashlib.sha256(content).hexdigest()[:16]}.gz")
    if not path.exists():
        keep(path, gzip.compress(content, 9, mtime=0))
    return path.read_bytes()


def kept_as(name: str) -> Path:
    """Return where something lies between two builds."""
    return cache_folder() / "live" / "packed" / name


def keep(path: Path, content: bytes) -> None:
    """Write a file whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)


def compiler() -> str:
    """Return what compiles for the page: a Python of its version, else Node; "" without either.

    Node comes with Playwright, whose browser tests the pages.
    """
    if sys.version_info[:2] == PYTHON:
        return sys.executable
    try:
        from playwright._impl._driver import compute_driver_executable
    except ImportError:
        return ""
    node = Path(compute_driver_executable()[0])
    return str(node) if node.exists() else ""


def compiled(
    how: str, runtime: dict[str, bytes], tasks: list[Task], plain: list[dict[str, bytes]]
) -> list[dict[str, bytes]]:
    """Return the members of each task with bytecode."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listed = {}
        for number, (task, members) in enumerate(zip(tasks, plain, strict=True)):
            wanted = [
                member
                for member in members
                if member.endswith(".py") and (task.everything or member in task.started)
            ]
            listed[f"{number}.zip"] = (wanted, 0 if task.docstrings else 2, task.sources)
            (folder / f"{number}.zip").write_bytes(stored(members))
        (folder / "tasks.json").write_text(json.dumps(listed), encoding="utf-8")
        if how == sys.executable:
            command = [how, "-I", "-c", f"folder = {name!r}\n{COMPILE}"]
        else:
            home = folder / "runtime"
            home.mkdir()
            for file in ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"):
                (home / file).write_bytes(runtime[file])
            (home / "pyodide-lock.json").write_text(json.dumps(LOCK), encoding="utf-8")
            command = [how, "-e", NODE, str(home), name, COMPILE]
        subprocess.run(command, check=True, capture_output=True)
        found = []
        for number in range(len(tasks)):
            with zipfile.ZipFile(folder / f"{number}.zip.made") as archive:
                found.append({name: archive.read(name) for name in sorted(archive.namelist())})
        return found


def stored(members: dict[str, bytes]) -> bytes:
    """Return an archive that compresses nothing: as one stream it packs better than by member.

    Those of a kind stand together; the same members give the same bytes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members, key=lambda name: (name.rpartition(".")[2], name)):
            archive.writestr(zipfile.ZipInfo(name, DATE), members[name])
    return buffer.getvalue()
