"""The checked exercises of a chapter, read from its notebook."""

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import check

CALL = re.compile(r"^check\.(\w+)\((.*)\)\s*\Z", re.MULTILINE)
SETUP = "setup-cell"
# Given to every exercise, since readers write these names without looking whether they are there.
GIVEN = "import math\nimport numpy as np\nimport adam_edu as ae\nfrom adam_edu import check\n"


@dataclass(frozen=True)
class Exercise:
    """One exercise, as the page needs it.

    Attributes
    ----------
    name : of the exercise, a key of ``check.EXERCISES``
    stub : what the reader begins with, without the imports and the call of the checker
    solution : the same of the chapter's solution
    before : what runs before the reader's text
    torch : whether it needs Torch, which no page has
    """

    name: str
    stub: str
    solution: str
    before: str
    torch: bool


def of_notebook(path: Path) -> list[Exercise]:
    """Return the checked exercises of a notebook, in its order; those by hand are not among them.

    Raises
    ------
    ValueError
        If a stub calls an exercise that does not exist, or has no solution after it.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [
        (set(cell["metadata"].get("tags", ())), "".join(cell["source"]))
        for cell in cells
        if cell["cell_type"] == "code"
    ]
    found = []
    imports: list[ast.stmt] = []
    functions: list[ast.stmt] = []
    for place, (tags, source) in enumerate(code):
        if SETUP in tags:
            continue
        called = CALL.search(source)
        if "stub" in tags and called:
            solution = next((text for kinds, text in code[place:] if "solution" in kinds), "")
            answered = CALL.search(solution)
            if called[1] not in check.EXERCISES or not answered or answered[1] != called[1]:
                raise ValueError(f"{path}: the stub of {called[1]} has no exercise or no solution")
            own = [node for node in ast.parse(source).body if is_import(node)]
            found.append(_exercise(called, source, solution, [*imports, *functions, *own]))
        tree = ast.parse(source) if not source.lstrip().startswith("%") else ast.Module([], [])
        imports += [node for node in tree.body if is_import(node)]
        if "solution" in tags and called:
            functions += [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return found


def _exercise(
    called: re.Match[str], source: str, solution: str, earlier: list[ast.stmt]
) -> Exercise:
    name, argument = called.groups()
    stub, answer = bare(source), bare(solution)
    wanted = names(ast.parse(stub)) | names(ast.parse(answer))
    before = needed(earlier, wanted - {name})
    torch = argument != name or "torch" in wanted
    return Exercise(name, stub, answer, GIVEN + before, torch)


def is_import(node: ast.stmt) -> bool:
    """Return whether a statement is an import."""
    return isinstance(node, ast.Import | ast.ImportFrom)


def bare(source: str) -> str:
    """Return a cell without its imports at the top and without the call of the checker."""
    lines = source.splitlines()
    tree = ast.parse(source)
    for node in tree.body:
        if is_import(node) or node is tree.body[-1]:
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[number - 1] = ""
    return "\n".join(lines).strip("\n") + "\n"


def names(tree: ast.AST) -> set[str]:
    """Return every name that a tree says."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def needed(statements: list[ast.stmt], wanted: set[str]) -> str:
    """Return those imports and functions, in order, that bind a name that is wanted."""
    kept: list[str] = []
    for node in reversed(statements):
        if isinstance(node, ast.FunctionDef):
            if node.name in wanted:
                wanted = wanted | names(node)
                kept.append(ast.unparse(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            aliases = [
                a for a in node.names if bound(a) in wanted and bound(a) not in GIVEN.split()
            ]
            if aliases:
                parts: dict[str, Any] = dict(ast.iter_fields(node)) | {"names": aliases}
                kept.append(ast.unparse(type(node)(**parts)))
    return "".join(f"{line}\n" for line in dict.fromkeys(reversed(kept)))


def bound(alias: ast.alias) -> str:
    """Return the name that an import gives."""
    return alias.asname or alias.name.partition(".")[0]
