"""What a page loads, made small: archives without what no exercise imports, packed beforehand."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata, resources
from pathlib import Path

from . import packed, stand_ins

PACKAGE = Path(__file__).parents[1]
# Rooms of this package that need what a page has not.
ROOMS_LEFT_OUT = (
    "torch/",
    "experiments/",
    "check/cli.py",
    "check/grading.py",
    "check/process.py",
    "check/progress.py",
    "check/submission.py",
    "check/wire.py",
    "check/worker.py",
    "arguments.py",
    "cli.py",
    "__main__.py",
    "lab/sphinx.py",
    "live/sphinx.py",
    "live/bundle.py",
    "live/cells.py",
    "live/packed.py",
    "live/runtime.py",
    "live/exercises.py",
    "live/licenses",
    "live/started.txt",
    "live/files.json",
)
# Those that chapters ask for, and exercises do not.
ROOMS_OF_CELLS = (
    "results/",
    "data/",
    "lab/",
    "libraries/",
    "native/",
    "array_calls.py",
    "problems/masks.py",
    "problems/networks.py",
    "problems/sparse.py",
    "problems/transformer.py",
    "check/quiz.py",
    "cards.py",
    "claims.py",
    "differences.py",
    "evidence.py",
    "family.py",
    "flow.py",
    "looks.py",
    "matrix_rules.py",
    "plots.py",
    "recorded.py",
    "symbolic.py",
    "live/notebook.py",
    "live/stand_ins.py",
)
# Of Python's library: programs, servers, databases, what draws or sends mail, and old alphabets.
LIBRARY_LEFT_OUT = (
    "_pydatetime.py",  # what stands in where the compiled one is missing
    "_pyio.py",
    "aifc.py",
    "cProfile.py",
    "cgi.py",
    "cgitb.py",
    "curses/",
    "dbm/",
    "doctest.py",
    "email/_header_value_parser.py",
    "email/headerregistry.py",
    "email/policy.py",
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
    "profile.py",
    "pstats.py",
    "pyclbr.py",
    "pydoc.py",
    "pydoc_data/",
    "smtplib.py",
    "sqlite3/",
    "sunau.py",
    "tabnanny.py",
    "optparse.py",
    "pickletools.py",
    "telnetlib.py",
    "tkinter/",
    "turtle.py",
    "turtledemo/",
    "unittest/",
    "venv/",
    "wave.py",
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
    "numpy/_core/_operand_flag_tests",
    "numpy/_core/_rational_tests",
    "numpy/_core/_simd",
    "numpy/_core/_struct_ufunc_tests",
    "numpy/_core/_umath_tests",
    "numpy/_pyinstaller/",
    "numpy/testing/",
    "numpy-2.0.2.dist-info/RECORD",
)
# Of Matplotlib: what draws into windows and files that no page has, its examples and its tests.
FIGURES_LEFT_OUT = (
    "matplotlib/backends/_backend_gtk",
    "matplotlib/backends/_backend_pdf",
    "matplotlib/backends/_backend_tk",
    "matplotlib/backends/_macosx",
    "matplotlib/backends/_tkagg",
    "matplotlib/backends/backend_cairo",
    "matplotlib/backends/backend_gtk",
    "matplotlib/backends/backend_macosx",
    "matplotlib/backends/backend_nbagg",
    "matplotlib/backends/backend_pdf",
    "matplotlib/backends/backend_pgf",
    "matplotlib/backends/backend_ps",
    "matplotlib/backends/backend_qt",
    "matplotlib/backends/backend_svg",
    "matplotlib/backends/backend_tk",
    "matplotlib/backends/backend_web",
    "matplotlib/backends/backend_wx",
    "matplotlib/backends/qt_",
    "matplotlib/backends/web_backend",
    "matplotlib/mpl-data/fonts/afm",
    "matplotlib/mpl-data/fonts/pdfcorefonts",
    "matplotlib/mpl-data/images",
    "matplotlib/mpl-data/plot_directive",
    "matplotlib/mpl-data/sample_data",
    "matplotlib/sphinxext/",
    "matplotlib/tests/",
    "matplotlib/testing/",
    "mpl_toolkits/",
    "dateutil/zoneinfo/",
    "PIL/ImageQt",
    "PIL/ImageTk",
    "traitlets/config/",
    "traitlets/tests/",
    "traitlets/utils/nested_update",
)
# Every module of others that a first verdict imports, as `sys.modules` has it then.
STARTED = Path(__file__).with_name("started.txt")


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

    @property
    def file(self) -> str:
        """The name under which it lies there."""
        return self.name if self.kind == "script" else f"{self.name}.gz"

    @property
    def packed(self) -> bytes:
        """What lies there: compressed where the page unpacks it. A script the host compresses."""
        return self.content if self.kind == "script" else packed.gzipped(self.content)

    @cached_property
    def sent(self) -> int:
        """How many bytes of it travel."""
        return len(packed.gzipped(self.content))

    @cached_property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()


def runtime_parts(runtime: dict[str, bytes]) -> list[Part]:
    """Return what a page loads of others for a verdict, made of the runtime's files."""
    (numpy,) = (name for name in runtime if name.startswith("numpy-"))
    started = tuple(STARTED.read_text(encoding="utf-8").split())
    library, numbers = packed.archives(
        runtime,
        packed.Task((runtime["python_stdlib.zip"],), LIBRARY_LEFT_OUT, started),
        packed.Task((runtime[numpy],), NUMPY_LEFT_OUT, started, docstrings=True),
    )
    return [
        Part("pyodide.js", "script", runtime["pyodide.js"]),
        Part("pyodide.asm.js", "script", runtime["pyodide.asm.js"]),
        Part("pyodide.asm.wasm", "wasm", runtime["pyodide.asm.wasm"]),
        Part("python_stdlib.zip", "library", library),
        Part("numpy.zip", "packages", numbers),
    ]


def figure_parts(runtime: dict[str, bytes], figures: dict[str, bytes]) -> list[Part]:
    """Return what a page loads of others for a chapter's cells: Matplotlib, and what it needs.

    Traitlets, for the live figures, is the one that builds the book.
    """
    wheels = (*figures.values(), _installed("traitlets"))
    task = packed.Task(wheels, FIGURES_LEFT_OUT, (), docstrings=True, everything=True)
    return [Part("figures.zip", "packages", *packed.archives(runtime, task))]


def _installed(name: str) -> bytes:
    """Return a package of pure Python that is installed here, as an archive."""
    found = [path for path in metadata.files(name) or () if path.suffix == ".py"]
    return packed.stored({path.as_posix(): path.read_binary() for path in found})


def _started() -> tuple[str, ...]:
    """Return the files of this package that the exercises import, from above the package."""
    files = "[getattr(module, '__file__', None) or '' for module in sys.modules.values()]"
    reads = "import sys; from adam_edu.live.runner import check; tuple(check.EXERCISES)"
    lists = f"{reads}; print(*{files}, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", lists], capture_output=True, check=True, text=True)
    above = PACKAGE.parent
    own = [Path(line) for line in done.stdout.splitlines() if line.startswith(str(PACKAGE))]
    return tuple(sorted(path.relative_to(above).as_posix() for path in own))


def package_parts(runtime: dict[str, bytes]) -> list[Part]:
    """Return what a page loads of this package: for a verdict, and more of it for cells.

    Its modules keep their source beside their bytecode, since pages show it.
    """
    checked: dict[str, bytes] = {}
    rest: dict[str, bytes] = {}
    for pattern in ("**/*.py", "**/*.json", "**/*.jsonl", "**/*.txt"):
        for path in PACKAGE.glob(pattern):
            name = path.relative_to(PACKAGE).as_posix()
            kept = rest if name.startswith(ROOMS_OF_CELLS) else checked
            if not name.startswith(ROOMS_LEFT_OUT):
                kept[f"adam_edu/{name}"] = path.read_bytes()
    digits = resources.files("sklearn.datasets.data").joinpath(stand_ins.DIGITS)
    rest[f"adam_edu/live/{stand_ins.DIGITS}"] = digits.read_bytes()
    started = _started()
    tasks = (
        packed.Task((packed.stored(members),), (), started, docstrings=True, sources=True)
        for members in (checked, rest)
    )
    first, second = packed.archives(runtime, *tasks)
    return [Part("adam_edu.zip", "packages", first), Part("chapters.zip", "packages", second)]
