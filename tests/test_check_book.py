"""The chapters' exercises: every solution passes the checker, every stub fails it."""

import ast
import re

import nbformat
import pytest
from conftest import notebooks

from adam_edu import check
from adam_edu.check.chapters import TITLES
from adam_edu.check.quiz import Quiz

CHAPTERS = {path.stem: nbformat.read(path, as_version=4) for path in notebooks()}


CALL = re.compile(r"^check\.(\w+)\(.*\)\Z", re.MULTILINE)


def is_checked(cell, tag):
    """Return whether a cell has a tag and ends with a call of the checker."""
    return tag in cell.metadata.get("tags", []) and bool(CALL.search(cell.source))


def cells(tag):
    """Return each cell with a tag that calls the checker, and what it may use.

    That is what its chapter has imported up to there, and the functions of earlier solutions.
    """
    found = []
    for stem, notebook in CHAPTERS.items():
        imports = ""
        for cell in notebook.cells:
            if is_checked(cell, tag):
                name = f"{stem}-{CALL.search(cell.source)[1]}"
                found.append(pytest.param(imports, cell.source, id=name))
            if cell.cell_type == "code" and "setup-cell" not in cell.metadata.get("tags", []):
                kinds: tuple[type, ...] = (ast.Import, ast.ImportFrom)
                if is_checked(cell, "solution"):
                    kinds += (ast.FunctionDef,)
                lines = [node for node in ast.parse(cell.source).body if isinstance(node, kinds)]
                imports += "".join(f"{ast.unparse(node)}\n" for node in lines)
    return found


def value_of(imports, source):
    """Run a cell and return the value of its last line."""
    namespace = {}
    exec(imports, namespace)
    tree = ast.parse(source)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr)
    exec(compile(tree, "<cell>", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace)


@pytest.mark.parametrize(("imports", "source"), cells("solution"))
def test_each_solution_passes(imports, source):
    report = value_of(imports, source)

    assert report.ok, report


@pytest.mark.parametrize(("imports", "source"), cells("stub"))
def test_each_stub_fails(imports, source):
    report = value_of(imports, source)

    assert not report.ok
    assert report.mistakes


def test_reports_name_a_chapter_by_its_title():
    assert {task.read for task in check.EXERCISES.values()} == set(TITLES)
    for stem, title in TITLES.items():
        assert CHAPTERS[stem].cells[0].source.splitlines()[0] == f"# {title}"
        end = "" if title.endswith("?") else "."
        assert all(
            task.reading == ("Read", f"the chapter {title}{end}")
            for task in check.EXERCISES.values()
            if task.read == stem
        )


def test_every_stub_has_a_solution_after_it():
    for stem, notebook in CHAPTERS.items():
        tags = [
            (tag, CALL.search(cell.source)[1])
            for cell in notebook.cells
            for tag in ("stub", "solution")
            if is_checked(cell, tag)
        ]
        stubs, solutions = tags[::2], tags[1::2]
        assert [("solution", name) for _, name in stubs] == solutions, stem


def test_a_call_of_the_checker_is_tagged():
    for stem, notebook in CHAPTERS.items():
        for cell in notebook.cells:
            if cell.cell_type == "code" and CALL.search(cell.source):
                assert {"stub", "solution"} & set(cell.metadata.get("tags", [])), stem


def test_a_solution_is_folded_away_in_jupyter_and_colab():
    for notebook in CHAPTERS.values():
        for cell in notebook.cells:
            if "solution" in cell.metadata.get("tags", []) or "quiz(" in cell.source:
                assert cell.metadata.get("jupyter") == {"source_hidden": True}, cell.source
                assert cell.metadata.get("cellView") == "form", cell.source


@pytest.mark.parametrize("stem", CHAPTERS)
def test_every_exercise_of_a_page_has_a_solution(stem):
    text = "\n".join(c.source for c in CHAPTERS[stem].cells if c.cell_type == "markdown")
    labels = re.findall(r"\{exercise(?:-start)?\}[^\n]*\n:label: (\S+)", text)
    solved = re.findall(r"\{solution(?:-start)?\} (\S+)", text)

    assert labels == solved


def test_every_quiz_is_one():
    for stem, notebook in CHAPTERS.items():
        for cell in notebook.cells:
            if cell.cell_type == "code" and "quiz(" in cell.source:
                found = value_of("", cell.source)
                assert isinstance(found, Quiz), stem
                assert 3 <= len(found.questions) <= 6, stem
                assert "remove-input" in cell.metadata.tags, stem
