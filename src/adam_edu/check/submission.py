"""What a student hands in: a file of Python or a notebook, read without running any of it."""

import ast
import importlib.util
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .exercises import EXERCISES

LONGEST = 2**21
SKIPPED = ("__pycache__", "node_modules", "site-packages")
# These count wherever they stand in a notebook; all else only in a cell with an exercise.
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
TOO_DEEP = (RecursionError, MemoryError)


@dataclass(frozen=True)
class Part:
    """Some lines of a program: from which file or cell, and whether it can do without them."""

    file: str
    source: str
    needed: bool = True


@dataclass(frozen=True)
class Submission:
    """One file that was handed in.

    Attributes
    ----------
    path : the file
    student : whose it is
    parts : what is to be run, in order
    names : the exercises that it is meant to hold, as far as can be seen without running it
    problem : what is wrong with the file, if it cannot be read
    """

    path: Path
    student: str
    parts: tuple[Part, ...] = ()
    names: tuple[str, ...] = ()
    problem: str = ""


def submissions(paths: list[Path]) -> list[Submission]:
    """Return what is handed in under some paths: files, and folders with files in them.

    A file is its own student's, called by its name. In a folder, each folder within is a student's,
    and files count that define an exercise.

    Raises
    ------
    FileNotFoundError
        If there is nothing under a path.
    """
    found: list[Submission] = []
    for path in paths:
        if path.is_dir():
            inside = [(file, _student(path, file)) for file in _files(path)]
            handed_in = [read(file, student) for file, student in inside]
            found += [one for one in handed_in if one.names]
        elif path.exists():
            found.append(read(path, path.stem))
        else:
            raise FileNotFoundError(f"there is no file {path}; adam-edu exercise start writes one")
    return found


def _files(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f[0] != "." and f not in SKIPPED)
        for name in sorted(files):
            file = Path(here, name)
            if file.suffix in (".py", ".ipynb") and name[0] != "." and not file.is_symlink():
                yield file


def _student(folder: Path, file: Path) -> str:
    first, *rest = file.relative_to(folder).parts
    return first if rest else file.stem


def read(path: Path, student: str) -> Submission:
    """Return a file as a submission.

    Raises
    ------
    OSError
        If it cannot be read at all.
    """
    stem = (path.stem,) if path.stem in EXERCISES else ()
    data = path.read_bytes()
    try:
        if len(data) > LONGEST:
            raise ValueError(f"The file has {len(data)} bytes, more than any solution needs.")
        parts = _of_notebook(path, data) if path.suffix == ".ipynb" else _of_file(path, data)
    except (ValueError, UnicodeError, SyntaxError) as error:
        return Submission(path, student, names=stem or _mentioned(data), problem=str(error))
    defined = [name for part in parts if part.needed for name in _defined(part.source)]
    names = tuple(name for name in EXERCISES if name in (*defined, *stem))
    return Submission(path, student, tuple(parts), names)


def _of_file(path: Path, data: bytes) -> list[Part]:
    try:
        source = importlib.util.decode_source(data)
    except (UnicodeError, SyntaxError) as error:
        raise ValueError(f"The file is no text in UTF-8, nor in what it says: {error}.") from None
    return [Part(str(path), source)]


def _of_notebook(path: Path, data: bytes) -> list[Part]:
    """Return the cells that define an exercise, and what they may need out of the others.

    Those tagged ``solution`` are the book's own. Of what a cell with an exercise shows, only a call
    of the checker counts: ``check.adam_step(mine)`` says what the exercise's function is.
    """
    try:
        cells = [_Cell(**_plain(cell)) for cell in json.loads(data)["cells"]]
    except (ValueError, KeyError, TypeError, AttributeError, *TOO_DEEP):
        raise ValueError("The file is no notebook that Jupyter could read.") from None
    parts: list[Part] = []
    for number, cell in enumerate(cells, start=1):
        if cell.kind == "code" and "solution" not in cell.tags and cell.source[:2] != "%%":
            parts += _of_cell(f"cell {number} of {path.name}", cell.source)
    return parts


@dataclass(frozen=True)
class _Cell:
    kind: str
    source: str
    tags: list[str]


def _plain(cell: dict[str, Any]) -> dict[str, Any]:
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(source)
    return {"kind": cell["cell_type"], "source": text, "tags": cell["metadata"].get("tags", [])}


def _of_cell(file: str, source: str) -> Iterator[Part]:
    wanted = bool(_mentioned(source.encode()))
    tree = _parsed(source)
    if tree is None:  # with commands of the notebook, perhaps
        source = re.sub(r"^(\s*)[%!?].*$", r"\1pass", source, flags=re.MULTILINE)
        tree = _parsed(source)
    if tree is None:
        if wanted:
            yield Part(file, source)
    elif wanted:
        shown = [node for node in tree.body if isinstance(node, ast.Expr)]
        kept = _only(source, [node for node in tree.body if node not in shown])
        yield Part(file, kept + "".join(map(_handed_in, shown)))
    else:
        for node in tree.body:
            if isinstance(node, DEFINITIONS) or _is_constant(node):
                yield Part(file, _only(source, [node]), needed=False)


def _handed_in(node: ast.Expr) -> str:
    """Return the line that gives an exercise's name to what the checker is called with, or none."""
    match node.value:
        case ast.Call(func=ast.Attribute(attr=name), args=[given]) if name in EXERCISES:
            return f"{name} = {ast.unparse(given)}\n"
    return ""


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, *TOO_DEEP):
        return None


def _is_constant(node: ast.stmt) -> bool:
    try:
        return isinstance(node, ast.Assign) and ast.literal_eval(node.value) is not ...
    except (ValueError, TypeError, *TOO_DEEP):
        return False


def _only(source: str, nodes: list[ast.stmt]) -> str:
    """Return the lines of some statements where they stand, and empty ones in place of others."""
    kept: set[int] = set()
    for node in nodes:
        decorators = [one.lineno for one in getattr(node, "decorator_list", [])]
        kept |= set(range(min([node.lineno, *decorators]), (node.end_lineno or node.lineno) + 1))
    lines = source.splitlines()
    return "\n".join(line if n in kept else "" for n, line in enumerate(lines, start=1)) + "\n"


def _defined(source: str) -> set[str]:
    """Return the names that a program gives to functions or values of its own."""
    tree = _parsed(source)
    if tree is None:
        return set(_mentioned(source.encode()))
    names = {node.name for node in tree.body if isinstance(node, DEFINITIONS[2:])}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _mentioned(data: bytes) -> tuple[str, ...]:
    """Return the exercises that a program or a notebook begins to define, as its text tells."""
    text = data.decode("utf-8", "replace")
    found = set(re.findall(r"\bdef (\w+)\s*\(|^(\w+) *=|\bcheck\.(\w+)\(", text, re.MULTILINE))
    words = {word for pair in found for word in pair}
    return tuple(name for name in EXERCISES if name in words)
