"""The cells of a chapter, read from its notebook: what of each runs on a page, and what does not.

A page has NumPy, Matplotlib and this package, but no Torch and no SciPy. What a statement lacks is
seen from the names that it reads: those that come from a library which is not there, and whatever
was made of them. The other statements of its cell run.
"""

import ast
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from .exercises import CALL, SETUP, bound

PACKAGE = Path(__file__).parents[1]
# Libraries that no page has, by the name of their module, as readers know them; and what a page has
# of one in spite of that.
ABSENT = {
    "torch": "Torch",
    "scipy": "SciPy",
    "sklearn": "scikit-learn",
    "sympy": "SymPy",
    "optax": "Optax",
    "keras": "Keras",
}
PRESENT = ("sklearn.datasets.load_digits",)
# What a name lacks that its module has only when it is called, or not in a browser.
CALLED = {
    "time.thread_time": "a clock of the processor",
    "adam_edu.check.in_place.in_place": "Torch",
    "adam_edu.libraries.identify": "SciPy",
}

FILES = "importlib.resources.files"
AND = " and "
Read = ast.Name | ast.Attribute | ast.Call


@dataclass(frozen=True)
class Cell:
    """One cell of code.

    Attributes
    ----------
    index : of the cell among all of the notebook
    source : as it stands on the page
    runs : the same, with empty lines in place of what lacks something
    lacks : what that is, such as "Torch", or nothing
    offered : whether a reader may run it by itself: it lacks nothing, and is no quiz and no
        exercise, which has its own way
    stored : the texts of its stored outputs, and how many pictures there are
    """

    index: int
    source: str
    runs: str
    lacks: str
    offered: bool
    stored: dict[str, Any]


def of_notebook(path: Path) -> list[Cell]:
    """Return the cells of a notebook in its order, without the set-up cell."""
    seen = Lacking()
    found = []
    for index, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        tags = cell["metadata"].get("tags", ())
        if cell["cell_type"] != "code" or SETUP in tags:
            continue
        source = "".join(cell["source"])
        runs, lacks = seen.divide(source)
        exercise = "stub" in tags and CALL.search(source)
        offered = not (lacks or exercise or "remove-input" in tags)
        found.append(Cell(index, source, runs, lacks, offered, stored(cell.get("outputs", []))))
    return found


def lacked(chapter: list[Cell]) -> list[str]:
    """Return everything that a page lacks of what a chapter's cells need, each once."""
    return list(
        dict.fromkeys(what for cell in chapter if cell.lacks for what in cell.lacks.split(AND))
    )


def stored(outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is compared of a cell's outputs: its printed text, other texts, its pictures."""
    texts: list[dict[str, str]] = []
    printed = ""
    pictures = 0
    for output in outputs:
        printed += "".join(output.get("text", ""))
        data = {kind: "".join(text) for kind, text in output.get("data", {}).items()}
        pictures += "image/png" in data
        if data and "image/png" not in data:
            texts.append(data)
    return {"printed": printed, "texts": texts, "pictures": pictures}


@dataclass
class Lacking:
    """The names that a chapter has so far of what a page lacks, each with what that is."""

    names: dict[str, str] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)  # name in the chapter -> of which module

    def divide(self, source: str) -> tuple[str, str]:
        """Return the part of a cell that runs, and what the rest lacks beside its imports."""
        lines = source.splitlines()
        lacks: dict[str, None] = {}
        for node in ast.parse(source).body:
            what = self._run(node)
            if not what:
                continue
            lacks[what] = None
            self._mark(_made(node), what)
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            for number in range(first, (node.end_lineno or node.lineno) + 1):
                lines[number - 1] = ""
        return "\n".join(lines), AND.join(lacks)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            from_module = getattr(node, "module", None)
            whole = f"{from_module}.{alias.name}" if from_module else alias.name
            name = bound(alias)
            # `import adam_edu.torch` binds adam_edu, of which only that room is lacking.
            self.modules[name] = whole if alias.asname or from_module else name
            self.names.pop(name, None)
            if what := lacking(self.modules[name]):
                self.names[name] = what

    def _run(self, node: ast.stmt) -> str:
        """Return what a statement lacks when it runs, and remember what it makes of that."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._import(node)
            return ""
        if isinstance(node, ast.FunctionDef):
            heads = [*node.decorator_list, node.args, *filter(None, [node.returns])]
            self._mark([node.name], self._first(free(node)))
            return self._first(read for head in heads for read in free(head))
        blocks = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
        inside = [child for block in blocks for child in block]
        if isinstance(node, ast.ClassDef) or not inside:
            found = self._first(free(node))
            self._mark(_made(node), found)
            return found
        heads = [part for part in ast.iter_child_nodes(node) if part not in inside]
        found = self._first(read for head in heads for read in free(head))
        self._mark((name for head in heads for name in _stored(head)), found)
        return found or next(filter(None, [self._run(child) for child in inside]), "")

    def _mark(self, names: Iterable[str], what: str) -> None:
        """Remember what names lack now; nothing if they lack nothing."""
        for name in names:
            if name in self.modules:
                continue
            self.names.pop(name, None)
            if what:
                self.names[name] = what

    def _first(self, reads: Iterable[Read]) -> str:
        """Return what the first of some names lacks, or of the package's rooms, by a dot or as the
        name of a room whose files are asked for."""
        for node in reads:
            if isinstance(node, ast.Name):
                what = self.names.get(node.id, "")
            elif isinstance(node, ast.Call):
                asked = isinstance(node.func, ast.Name) and self.modules.get(node.func.id) == FILES
                room = node.args[0] if asked and node.args else None
                what = lacking(str(room.value)) if isinstance(room, ast.Constant) else ""
            else:
                root = node.value
                module = self.modules.get(root.id, "") if isinstance(root, ast.Name) else ""
                what = lacking(f"{module}.{node.attr}") if module.startswith("adam_edu") else ""
            if what:
                return what
        return ""


def free(node: ast.AST, own: frozenset[str] = frozenset()) -> Iterator[Read]:
    """Yield the names that a tree reads and does not bind for itself alone, attributes, calls."""
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load) and node.id not in own:
            yield node
        return
    if isinstance(node, ast.Attribute | ast.Call):
        yield node
    elif isinstance(node, ast.FunctionDef | ast.Lambda):
        own |= {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
        own |= set(_stored(node)) if isinstance(node, ast.FunctionDef) else set()
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        own |= {name for one in node.generators for name in _stored(one.target)}
    for child in ast.iter_child_nodes(node):
        yield from free(child, own)


def _stored(node: ast.AST) -> Iterator[str]:
    """Yield the names that are bound in a tree."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def _made(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds or changes, also by an index or a method."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
        return
    for part in ast.walk(node):
        changed: Any = part
        if isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
            changed = part.value.func if isinstance(part.value.func, ast.Attribute) else None
        elif not isinstance(getattr(part, "ctx", None), ast.Store):
            continue
        while isinstance(changed, ast.Attribute | ast.Subscript):
            changed = changed.value
        if isinstance(changed, ast.Name):
            yield changed.id


@cache
def lacking(name: str) -> str:
    """Return what a page lacks of a module or of a name of one; nothing if it has it.

    >>> lacking("torch.nn"), lacking("sklearn.datasets.load_digits"), lacking("adam_edu.torch")
    ('Torch', '', 'Torch')
    """
    root = name.partition(".")[0]
    if name in PRESENT:
        return ""
    if name in CALLED:
        return CALLED[name]
    if root != PACKAGE.name:
        return ABSENT.get(root, "")
    return _imported_by(name.split(".")[1:])


def _imported_by(parts: list[str]) -> str:
    """Return what a module of this package imports that a page lacks, at its beginning."""
    while parts:
        place = PACKAGE.joinpath(*parts)
        path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if path.exists():
            return _lacking_in(path)
        parts = parts[:-1]
    return ""


@cache
def _lacking_in(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = list(path.parent.relative_to(PACKAGE).parts)
    tried = [child for node in tree.body if isinstance(node, ast.Try) for child in node.body]
    for node in (*tree.body, *tried):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level]
            within = ".".join([PACKAGE.name, *above, *filter(None, [node.module])])
            names = [f"{within}.{alias.name}" for alias in node.names]
        else:
            continue
        if what := next(filter(None, map(lacking, names)), ""):
            return what
    return ""
