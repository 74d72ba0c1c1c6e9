"""Measure libraries for the atlas, each in an environment of its own, and say what has moved.

``make atlas LIBRARY=river`` is this. A folder beside this file is a library: its requirements, with
exact versions, and a program that names its optimizers and hands them to ``identify``.

- ``optimizers.py`` and ``requirements.txt``: a Python library. Where the requirements begin with
  ``# Python 3.8``, that interpreter runs the program, which speaks lines of JSON (``speak.py``).
- ``optimizers.mjs`` and ``package.json``: one in JavaScript, run by Node.
- ``optimizers.cpp``: one in C++, whose first line says what it takes to compile it.

An environment is a folder in ``_build/atlas``. Nothing is installed with ``--here``.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "src"))

from adam_edu.libraries.atlas import RECORD, Row, moved

RESULTS = ROOT / "src" / "adam_edu" / "results" / RECORD
ENVIRONMENTS = ROOT / "_build" / "atlas"
LANGUAGES = {".py": "Python", ".mjs": "JavaScript", ".cpp": "C++"}
KEPT = "library", "surprise", "explained", "source"  # what a person wrote


class Failed(Exception):
    """A library could not be installed or measured; the text is the last that was said."""


@dataclass(frozen=True)
class Library:
    """A folder with a program that names the optimizers of a library.

    Attributes
    ----------
    folder : beside this file
    newest : whether the newest version is measured, and not the one named
    """

    folder: Path
    newest: bool = False

    @property
    def name(self) -> str:
        """That of the folder."""
        return self.folder.name

    @property
    def program(self) -> Path:
        """The program, in whatever language."""
        return next(self.folder.glob("optimizers.*"))

    @property
    def language(self) -> str:
        """The language of the library."""
        return LANGUAGES[self.program.suffix]

    @property
    def requirements(self) -> list[str]:
        """What pip installs: the library first; empty for another language."""
        path = self.folder / "requirements.txt"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        found = [line for line in lines if line and not line.startswith("#")]
        if self.newest and found:
            found[0] = found[0].partition("==")[0]
        return found

    @property
    def python(self) -> str:
        """The version of Python that it takes, such as "3.8"; empty if this one will do."""
        path = self.folder / "requirements.txt"
        said = re.match(r"# Python ([\d.]+)", path.read_text()) if path.exists() else None
        return said[1] if said else ""

    @property
    def needs(self) -> str:
        """What it takes beside this Python, for a reader."""
        if self.language == "C++":
            return f"a compiler and {self._head().partition(';')[0]}"
        if self.language == "JavaScript":
            return "Node"
        return f"Python {self.python}" if self.python else ""

    def _head(self) -> str:
        return self.program.read_text(encoding="utf-8").partition("\n")[0].strip("/ .")

    @property
    def environment(self) -> Path:
        """The folder of what is installed for it."""
        return ENVIRONMENTS / (self.name + ("-newest" if self.newest else ""))

    def install(self) -> None:
        """Make the environment anew; one that was made for the same requirements stays."""
        stamp = self.environment / "made"
        wanted = "\n".join(
            [self.program.read_text() if self.language == "C++" else "", *self._wants()]
        )
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted and not self.newest:
            return
        shutil.rmtree(self.environment, ignore_errors=True)
        self.environment.mkdir(parents=True)
        for command in self._installations():
            ran(command, cwd=self.environment)
        stamp.write_text(wanted, encoding="utf-8")

    def _wants(self) -> list[str]:
        package = self.folder / "package.json"
        return self.requirements + ([package.read_text()] if package.exists() else [])

    def _installations(self) -> list[list[str]]:
        if self.language == "JavaScript":
            shutil.copy(self.folder / "package.json", self.environment)
            return [["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]]
        commands = []
        if self.requirements:
            python = f"python{self.python}" if self.python else sys.executable
            if shutil.which(python) is None:
                raise Failed(f"there is no {python} here")
            commands += [[python, "-m", "venv", "."]]
            commands += [[self.interpreter, "-m", "pip", "install", "--quiet", *self.requirements]]
        if self.language == "C++":
            flags = re.findall(r"\s(-\S+)", self._head())
            commands += [["c++", "-O2", str(self.program), "-o", "optimizers", *flags]]
        return commands

    @property
    def interpreter(self) -> str:
        """The Python of its environment."""
        folder = "Scripts" if os.name == "nt" else "bin"
        return str(self.environment / folder / "python")

    @property
    def command(self) -> str:
        """What runs its program by lines of JSON; empty for one that runs with this package."""
        if self.language == "JavaScript":
            return f"node {self.environment / self.program.name}"
        if self.language == "C++":
            return str(self.environment / "optimizers")
        return f"{self.interpreter} {self.program}" if self.python else ""

    def version(self, interpreter: str) -> str:
        """Return the version that is installed."""
        if self.language == "JavaScript":
            name, *_ = json.loads((self.folder / "package.json").read_text())["dependencies"]
            installed = self.environment / "node_modules" / name / "package.json"
            return str(json.loads(installed.read_text())["version"])
        if not self.requirements:
            return str(re.findall(r"\d[\w.]*", self.needs)[-1])
        distribution = re.split(r"[=<>\[ ;]", self.requirements[0])[0]
        said = ran([interpreter, "-m", "pip", "show", distribution])
        return re.search(r"^Version: ([^+\s]*)", said, re.MULTILINE)[1]

    def rows(self, here: bool = False) -> list[Row]:
        """Return a row for each of its optimizers.

        Raises
        ------
        Failed
            If it could not be installed, or its program failed.
        """
        if not here:
            self.install()
        if self.language == "JavaScript":  # which looks for packages beside the program
            shutil.copy(self.program, self.environment)
        own = sys.executable if here or not self.requirements else self.interpreter
        about = {
            "library": self.name,
            "version": self.version(own),
            "language": self.language,
            "program": self.name,
            "needs": self.needs,
        }
        interpreter = sys.executable if self.command else own
        command = [interpreter, "-m", "adam_edu.libraries", str(self.folder)]
        command += ["--about", json.dumps(about), "--command", self.command]
        said = ran(command, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
        return [Row.of_json(line) for line in said.splitlines() if line.startswith('{"library"')]


def ran(command: Sequence[str], **options: Any) -> str:
    """Run a command and return what it says; its errors pass through."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["it says nothing"]
        raise Failed(said[-1])
    return done.stdout


def libraries() -> list[str]:
    """Return the names of the libraries that have a program here."""
    return sorted(path.parent.name for path in HERE.glob("*/optimizers.*"))


def merged(record: Sequence[Row], now: Sequence[Row], program: str) -> list[Row]:
    """Return a record with a library measured anew; what a person wrote in it stays."""
    before = [row for row in record if row.program == program]
    written = {row.optimizer: {name: getattr(row, name) for name in KEPT} for row in before}
    known = {"library": before[0].library, "source": before[0].source} if before else {}
    new = [replace(row, **written.get(row.optimizer, known)) for row in now]
    new = [replace(row, explained="") if row.rule else row for row in new]
    at = record.index(before[0]) if before else len(record)
    return [*record[:at], *new, *(row for row in record[at:] if row.program != program)]


def told(before: Sequence[Row], now: Sequence[Row]) -> list[str]:
    """Say what moved in a library, a line each."""
    old = {row.optimizer: row for row in before}
    new = {row.optimizer: row for row in now}
    lines = [f"{name}: gone" for name in old.keys() - new.keys()]
    for name, row in new.items():
        said = moved(old[name], row) if name in old else [f"new: {row.words}"]
        lines += [f"{name}: {one}" for one in said]
    return lines


def measure(name: str, options: argparse.Namespace) -> bool:
    """Measure one library and print what moved; return whether nothing did."""
    library = Library(HERE / name, options.newest)
    try:
        now = library.rows(options.here)
    except Failed as failure:
        print(f"{name}: not measured: {failure}", flush=True)
        return False
    finally:
        if options.newest:
            shutil.rmtree(library.environment, ignore_errors=True)
    record = [Row.of_json(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]
    before = [row for row in record if row.program == name]
    versions = " and ".join(sorted({row.version for row in before} | {row.version for row in now}))
    lines = told(before, now)
    print(f"{name} {versions}: {len(now)} optimizers, {len(lines) or 'nothing'} moved", flush=True)
    for line in lines:
        print(f"  {line}", flush=True)
    if options.update:
        text = "".join(f"{row.as_json()}\n" for row in merged(record, now, name))
        RESULTS.write_text(text, encoding="utf-8")
    return not lines


def part(text: str) -> tuple[int, int]:
    """Return the two numbers of 2/4."""
    first, of = map(int, text.split("/"))
    return first, of


def main() -> int:
    """Measure what is named; 1 if something moved or could not be measured."""
    parser = argparse.ArgumentParser(description="Measure libraries for the atlas.")
    parser.add_argument("library", nargs="*", help="folders; without: all Python libraries")
    parser.add_argument("--update", action="store_true", help="write the rows into the record")
    parser.add_argument("--newest", action="store_true", help="of a library, the newest version")
    parser.add_argument("--here", action="store_true", help="with what is installed, offline")
    parser.add_argument("--part", type=part, default=(1, 1), help="such as 2/4: a quarter of them")
    options = parser.parse_args()
    known = libraries()
    for name in options.library:
        if name not in known:
            parser.error(f"no library is called {name!r} here; known: {', '.join(known)}")
    first, of = options.part
    plain = [name for name in known if not Library(HERE / name).needs][first - 1 :: of]
    kept = [measure(name, options) for name in options.library or plain]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
