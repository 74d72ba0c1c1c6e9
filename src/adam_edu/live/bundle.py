"""What a page loads, made small: archives without what no exercise imports, packed beforehand."""

import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# Rooms of this package that need what a page has not, or that no exercise asks for.
ROOMS_LEFT_OUT = ("torch/", "results/", "lab/", "experiments/")
# Of Python's library: programs, servers, databases, and what draws or sends mail.
LIBRARY_LEFT_OUT = tuple(
    "curses/ dbm/ doctest.py ensurepip/ ftplib.py idlelib/ imaplib.py lib2to3/ mailbox.py "
    "multiprocessing/ nntplib.py pdb.py poplib.py pydoc.py pydoc_data/ smtplib.py sqlite3/ "
    "telnetlib.py tkinter/ turtle.py turtledemo/ unittest/ venv/ wsgiref/ xml/ xmlrpc/".split()
)
# Of NumPy: what compiles against it.
NUMPY_LEFT_OUT = (
    "numpy/f2py/",
    "numpy/distutils/",
    "numpy/_core/include/",
    "numpy/_core/lib/",
    "numpy/random/lib/",
)
NO_CODE = (".pyi", ".h", ".a", ".pxd", ".pyx", ".typed")
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
        Part("python_stdlib.zip", "library", library),
        Part("numpy.zip", "packages", repacked(runtime[numpy], NUMPY_LEFT_OUT)),
    ]


def package_part() -> Part:
    """Return what a page loads of this package."""
    return Part("adam_edu.zip", "packages", package_archive())


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
