"""What a page loads, made small: archives without what no exercise imports, packed beforehand."""

import gzip
import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# Rooms of this package that need what a page has not, or that no exercise asks for.
ROOMS_LEFT_OUT = (
    "torch/",
    "results/",
    "lab/",
    "libraries/",
    "experiments/",
    "check/cli.py",
    "cli.py",
    "__main__.py",
    "claims.py",
    "plots.py",
    "symbolic.py",
    "live/sphinx.py",
    "live/bundle.py",
    "live/runtime.py",
    "live/exercises.py",
    "live/started.txt",
    "live/files.json",
)
# Of Python's library: programs, servers, databases, what draws or sends mail, and old alphabets.
LIBRARY_LEFT_OUT = (
    "cgi.py",
    "cgitb.py",
    "curses/",
    "dbm/",
    "doctest.py",
    "ensurepip/",
    "ftplib.py",
    "idlelib/",
    "imaplib.py",
    "lib2to3/",
    "mailbox.py",
    "multiprocessing/",
    "nntplib.py",
    "pdb.py",
    "poplib.py",
    "pydoc.py",
    "pydoc_data/",
    "smtplib.py",
    "sqlite3/",
    "optparse.py",
    "pickletools.py",
    "telnetlib.py",
    "tkinter/",
    "turtle.py",
    "turtledemo/",
    "unittest/",
    "venv/",
    "wsgiref/",
    "xml/",
    "xmlrpc/",
    "zoneinfo/",
    "encodings/big5",
    "encodings/cp0",
    "encodings/cp1",
    "encodings/cp5",
    "encodings/cp7",
    "encodings/cp8",
    "encodings/cp9",
    "encodings/euc",
    "encodings/gb",
    "encodings/hp_",
    "encodings/hz",
    "encodings/iso",
    "encodings/johab",
    "encodings/koi8",
    "encodings/kz",
    "encodings/mac_",
    "encodings/palmos",
    "encodings/ptcp",
    "encodings/shift",
    "encodings/tis",
    "http/server.py",
    "http/cookie",
)
# Of NumPy: what compiles against it.
NUMPY_LEFT_OUT = (
    "numpy/f2py/",
    "numpy/distutils/",
    "numpy/_core/include/",
    "numpy/_core/lib/",
    "numpy/random/lib/",
    "numpy/doc/",
    "numpy/_pyinstaller/",
    "numpy-2.0.2.dist-info/RECORD",
)
NO_CODE = (".pyi", ".h", ".a", ".pxd", ".pyx", ".typed")
PYTHON = "3.12"
# Every module of others that a first verdict imports, as `sys.modules` has it then.
STARTED = Path(__file__).with_name("started.txt")
# Bytecode, never compared with its source, in its place. NumPy writes to its docstrings.
COMPILE = """
import importlib.util, io, sys, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc as packed
wanted = set(sys.argv[1:])
members = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))
out = io.BytesIO()
with zipfile.ZipFile(out, "w") as made:
    for name in members.namelist():
        content = members.read(name)
        if name in wanted:
            level = 0 if name.startswith("numpy/") else 2
            code = compile(content, name, "exec", dont_inherit=True, optimize=level)
            content = packed(code, importlib.util.source_hash(content), False)
            name += "c"
        made.writestr(name, content)
sys.stdout.buffer.write(out.getvalue())
"""
# The same content gives the same archive, whenever it is made.
DATE = (2020, 1, 1, 0, 0, 0)


@dataclass(eq=False)
class Part:
    """One file that a page loads.

    Attributes
    ----------
    name : of the file as Pyodide knows it
    kind : what the page does with it: "script", "wasm", "library" or "packages"
    content : as it is used
    """

    name: str
    kind: str
    content: bytes

    @cached_property
    def _gzipped(self) -> bytes:
        return gzip.compress(self.content, 9, mtime=0)

    @property
    def file(self) -> str:
        """The name under which it lies there."""
        return f"{self.name}.gz" if self.kind == "wasm" else self.name

    @property
    def packed(self) -> bytes:
        """What lies there: compressed where the page unpacks it. A script the host compresses."""
        return self._gzipped if self.kind == "wasm" else self.content

    @property
    def sent(self) -> int:
        """How many bytes of it travel."""
        return len(self._gzipped if self.kind in ("wasm", "script") else self.content)

    @cached_property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()


def runtime_parts(runtime: dict[str, bytes]) -> list[Part]:
    """Return what a page loads of others for a verdict, made of the runtime's files."""
    (numpy,) = (name for name in runtime if name.startswith("numpy-"))
    library = repacked(runtime["python_stdlib.zip"], LIBRARY_LEFT_OUT)
    return [
        Part("pyodide.js", "script", runtime["pyodide.js"]),
        Part("pyodide.asm.js", "script", runtime["pyodide.asm.js"]),
        Part("pyodide.asm.wasm", "wasm", runtime["pyodide.asm.wasm"]),
        Part("python_stdlib.zip", "library", compiled(library)),
        Part("numpy.zip", "packages", compiled(repacked(runtime[numpy], NUMPY_LEFT_OUT))),
    ]


def package_part() -> Part:
    """Return what a page loads of this package."""
    return Part("adam_edu.zip", "packages", package_archive())


def compiler() -> str | None:
    """Return an interpreter that writes the bytecode of the page's Python, or None."""
    for found in (sys.executable, shutil.which(f"python{PYTHON}")):
        asks = "import sys; print('{}.{}'.format(*sys.version_info))"
        done = found and subprocess.run([found, "-c", asks], capture_output=True, text=True)
        if done and done.returncode == 0 and done.stdout.strip() == PYTHON:
            return found
    return None


def compiled(archive: bytes) -> bytes:
    """Return an archive with bytecode for the modules that a start imports, so that it is faster.

    Without an interpreter of the page's version the archive comes back as it is. Bytecode packs
    worse than its source, so other modules stay as they are.
    """
    python = compiler()
    if python is None:
        return archive
    task = [python, "-I", "-c", COMPILE, *STARTED.read_text(encoding="utf-8").split()]
    done = subprocess.run(task, input=archive, capture_output=True, check=True)
    with zipfile.ZipFile(io.BytesIO(done.stdout)) as members:
        return zipped((name, members.read(name)) for name in sorted(members.namelist()))


def package_archive() -> bytes:
    """Return this package as an archive that Python can unpack or import."""
    found = []
    for pattern in ("**/*.py", "**/*.json", "**/*.txt"):
        for path in PACKAGE.glob(pattern):
            name = path.relative_to(PACKAGE).as_posix()
            if not name.startswith(ROOMS_LEFT_OUT):
                found.append((f"adam_edu/{name}", path.read_bytes()))
    return zipped(sorted(found))


def repacked(archive: bytes, left_out: tuple[str, ...]) -> bytes:
    """Return an archive without the members whose names begin so, and without headers and types."""
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        return zipped(
            (name, members.read(name))
            for name in sorted(members.namelist())
            if not name.startswith(left_out) and not name.endswith((*NO_CODE, "/"))
        )


def zipped(members: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip archive of names and contents; the same members give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, DATE), content, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()
