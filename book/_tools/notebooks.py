"""Re-execute notebooks in place: `python book/_tools/notebooks.py [FILE ...]`.

Without arguments, the notebooks of the book that could come out differently: their code, the parts
of the package that they use, or the pinned versions have changed since they were run. With files
named, those. What moved in the outputs is printed as a diff.

The first code cell becomes the set-up cell of `book/_setup_cell.py`; metadata that would differ
between two machines is left out.
"""

import argparse
import ast
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from difflib import unified_diff
from functools import cache
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

# More threads wait for one another on a busy machine: a cell of three seconds took two minutes.
os.environ.setdefault("OMP_NUM_THREADS", "1")

BOOK = Path(__file__).parents[1]
PACKAGE = BOOK.parent / "src/adam_edu"
RULE_FILES = ("rules.py", "recent_rules.py")
PINS = BOOK.parent / "requirements.txt"
SETUP_CELL = (BOOK / "_setup_cell.py").read_text(encoding="utf-8").rstrip("\n")
SETUP = "setup-cell"
SETUP_METADATA = {
    "tags": [SETUP, "hide-input"],
    "mystnb": {
        "code_prompt_show": "Set-up, for Colab: show",
        "code_prompt_hide": "Set-up, for Colab: hide",
    },
}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def put_setup_cell(notebook: nbformat.NotebookNode) -> None:
    """Make the set-up cell the first code cell, folded away on the page."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if code and SETUP in code[0].metadata.get("tags", []):
        cell = code[0]
    else:
        cell = nbformat.v4.new_code_cell()
        notebook.cells.insert(1, cell)  # below the title
    cell.source = SETUP_CELL
    cell.metadata = nbformat.from_dict(SETUP_METADATA)


def make_deterministic(notebook: nbformat.NotebookNode) -> None:
    """Drop what depends on the machine or the moment; number the cells' ids."""
    inputs = {"adam_edu": {"inputs": fingerprint(notebook)}}
    notebook.metadata = nbformat.from_dict(METADATA | inputs)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            # A widget's id is new in every session; its HTML stands for it where no kernel runs.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def execute(path: Path) -> None:
    """Run a notebook from its own folder and write it back with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    put_setup_cell(notebook)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources=resources,
        record_timing=False,
        coalesce_streams=True,
    )
    client.execute()
    make_deterministic(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


# What a notebook depends on


def code_of(notebook: nbformat.NotebookNode) -> str:
    """Return the source of all code cells but the set-up cell, which does nothing here."""
    return "\n".join(
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and SETUP not in cell.metadata.get("tags", [])
    )


def imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the modules of the package that a module's code names, found anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file, which leaves out its comments."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path, module: str) -> frozenset[str]:
    """Return the modules of the package that a file of it names."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return frozenset(imported(parsed(path), package))


@cache
def unparsed(path: Path) -> str:
    """Return a file's code in one form, however it is laid out, without the version's number."""
    return re.sub(r"^__version__ = .*$", "", ast.unparse(parsed(path)), flags=re.MULTILINE)


def file_of(module: str) -> Path | None:
    """Return the file of a module of the package; None for what is no module of it."""
    if module != "adam_edu" and not module.startswith("adam_edu."):
        return None
    place = PACKAGE.parent.joinpath(*module.split("."))
    found = (place.with_suffix(".py"), place / "__init__.py")
    return next((path for path in found if path.exists()), None)


def package_files(code: str) -> set[Path]:
    """Return the files of the package that code may run, through all imports of imports."""
    # Cells may hold IPython's own syntax, which is no Python.
    plain = re.sub(r"^\s*[%!].*$", "", code, flags=re.MULTILINE)
    modules = set(imported(ast.parse(plain), ""))
    # `import adam_edu as ae; ae.plots` imports on first use.
    modules |= {f"adam_edu.{name}" for name in re.findall(r"\b(?:ae|adam_edu)\.(\w+)", plain)}
    seen: set[Path] = set()
    while modules:
        module = modules.pop()
        path = file_of(module)
        if path is None or path in seen:
            continue
        seen.add(path)
        modules |= imports_of(path, module)
        modules.add(module.rpartition(".")[0])
    return seen


def used_source(path: Path, code: str) -> str:
    """Return a file of the package without its comments; of the rules, those that are named."""
    if path.parent != PACKAGE or path.name not in RULE_FILES or "RULES" in code:
        return unparsed(path)
    words = set(re.findall(r"\w+", code.lower()))
    return "\n".join(
        ast.unparse(node)
        for node in parsed(path).body
        if not isinstance(node, ast.ClassDef) or node.name.lower() in words
    )


def fingerprint(notebook: nbformat.NotebookNode) -> str:
    """Return what changes when a notebook's code, its part of the package or a pin does."""
    code = code_of(notebook)
    pins = [line.partition("#")[0].strip() for line in PINS.read_text(encoding="utf-8").split("\n")]
    parts = [code, *filter(None, pins)]
    for path in sorted(package_files(code)):
        parts += [path.relative_to(PACKAGE).as_posix(), used_source(path, code)]
    # Recorded runs are read by their names.
    for record in sorted((PACKAGE / "results").glob("*.json")):
        if record.stem in code:
            parts.append(record.read_text(encoding="utf-8"))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def is_stale(path: Path) -> bool:
    """Say whether a notebook's outputs may be those of something else than is there now."""
    notebook = nbformat.read(path, as_version=4)
    stored = notebook.metadata.get("adam_edu", {}).get("inputs")
    put_setup_cell(notebook)
    return stored != fingerprint(notebook)


# What moved


def outputs_as_text(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the outputs of all cells as lines; a picture is one line, with a hash."""
    lines = []
    for number, cell in enumerate(c for c in notebook.cells if c.cell_type == "code"):
        lines.append(
            f"[cell {number}] {cell.source.strip().splitlines()[0] if cell.source else ''}"
        )
        for output in cell.get("outputs", []):
            data = output.get("data", {"text/plain": output.get("text", "")})
            for kind, value in sorted(data.items()):
                if kind.endswith("widget-view+json"):
                    continue  # its id is new in every session
                if kind == "text/plain":
                    lines += [f"  {line}" for line in value.splitlines()]
                else:
                    digest = hashlib.sha256(str(value).encode()).hexdigest()[:8]
                    lines.append(f"  <{kind}, {len(str(value))} characters, {digest}>")
    return lines


def difference(before: nbformat.NotebookNode, after: nbformat.NotebookNode, name: str) -> str:
    """Return what moved in the outputs, as a unified diff; nothing if they are the same."""
    texts = (outputs_as_text(before), outputs_as_text(after))
    return "\n".join(unified_diff(*texts, f"{name} (stored)", f"{name} (now)", n=2, lineterm=""))


def main() -> int:
    """Execute the notebooks named on the command line, or those that could have changed."""
    parser = argparse.ArgumentParser(description="Re-execute notebooks and store their outputs.")
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--all", action="store_true", help="also those that nothing has changed")
    options = parser.parse_args()
    everything = sorted(BOOK.glob("*.ipynb"))
    chosen = options.notebooks or [p for p in everything if options.all or is_stale(p)]
    failed = []
    for path in chosen:
        print(f"executing {path}", flush=True)
        before = nbformat.read(path, as_version=4)
        try:
            execute(path)
        except CellExecutionError as error:
            print(f"{path} failed and is left as it was:\n{error}", file=sys.stderr)
            failed.append(path)
            continue
        moved = difference(before, nbformat.read(path, as_version=4), path.name)
        print(moved or "  the outputs are as they were", flush=True)
    if not options.notebooks:
        print(f"{len(everything) - len(chosen)} of {len(everything)} had nothing new to run")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
