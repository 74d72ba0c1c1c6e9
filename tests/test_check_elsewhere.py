"""Wherever a student's function runs, here, in another process or a page, the verdict is one."""

import ast
import os
import shutil
import subprocess
import zipfile

import pytest
from conftest import ROOT
from student_answers import WRONG
from test_check_book import CALL, cells

from adam_edu import check
from adam_edu.check.grading import graded
from adam_edu.check.submission import read

# The first wrong answer to each exercise: what the report says must not depend on the place.
FIRST = {name: next(iter(answers)) for name, answers in WRONG.items()}
ANSWERS = {name: body for name, body in FIRST.items() if "torch" not in body}


def reports_of(path, source, names):
    """Hand a file in, and return the report on each of some exercises in it."""
    path.write_text(source, encoding="utf-8")
    reports = {report.exercise: report for report in graded(read(path, "ada"), names).reports}
    assert set(reports) >= set(names)
    return reports


@pytest.fixture(scope="module")
def wrong_answers(tmp_path_factory):
    """All of them in one file; the reports on it, and its functions as they are here."""
    source = "import math\nimport numpy as np\n"
    for name, body in ANSWERS.items():
        lines = [line for part in body.split("\n") for line in part.split("; ") if line]
        source += check.EXERCISES[name].stub.split("\n")[0]
        source += "".join(f"\n    {line}" for line in lines) + "\n"
    path = tmp_path_factory.mktemp("wrong") / "answer.py"
    reports = reports_of(path, source, ANSWERS)
    namespace = {}
    exec(compile(source, str(path), "exec"), namespace)
    return reports, namespace


@pytest.mark.parametrize("name", ANSWERS)
def test_a_report_is_the_same_from_another_process(wrong_answers, name):
    reports, namespace = wrong_answers

    assert reports[name].to_dict() == check.EXERCISES[name](namespace[name]).to_dict()


SOLUTIONS = [one for one in cells("solution") if "in_place" not in one.values[1]]


def used(before, source):
    """Return what a solution needs of the lines before it."""
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    kept = []
    for node in reversed(ast.parse(before).body):
        own = [node] if isinstance(node, ast.FunctionDef) else node.names
        if names & {one.name if one is node else one.asname or one.name for one in own}:
            names |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
            kept.insert(0, ast.unparse(node))
    return "\n".join(kept)


@pytest.fixture(scope="module")
def solutions(tmp_path_factory):
    """The reports on all solutions, of which a file holds those that need the same lines."""
    files = {}
    for imports, cell in (one.values for one in SOLUTIONS):
        name, source = CALL.search(cell)[1], CALL.sub("", cell)
        files.setdefault(used(imports, source), {})[name, source] = None
    found = {}
    for before, sources in files.items():
        names = [name for name, _ in sources]
        assert len(names) == len(set(names))
        path = tmp_path_factory.mktemp("right") / "answer.py"
        reports = reports_of(path, "\n".join([before, *(s for _, s in sources)]), names)
        found |= {key: reports[key[0]] for key in sources}
    return found


@pytest.mark.parametrize(("imports", "source"), SOLUTIONS)
def test_each_solution_of_the_book_passes_in_another_process(solutions, imports, source):
    report = solutions[CALL.search(source)[1], CALL.sub("", source)]

    assert report.ok, report


# Without processes and timers

PAGE = """
import { loadPyodide } from "%(pyodide)s/pyodide.mjs";
import { readFileSync } from "node:fs";
const python = await loadPyodide({ indexURL: "%(pyodide)s/" });
await python.loadPackage("numpy");
const archive = new Uint8Array(readFileSync("%(archive)s"));
python.unpackArchive(archive, "zip", { extractDir: "/lib/python3.12/site-packages" });
console.log(python.runPython(`%(code)s`));
"""
CODE = """
import sys
from adam_edu import check
from adam_edu.check import sandbox
sandbox.SECONDS = 0.5
def first_step(g, lr=1e-3, eps=1e-8):
    return -lr * g / (abs(g) + eps)
right = check.first_step(first_step)
def first_step(g, lr=1e-3, eps=1e-8):
    while True: pass
loops = check.first_step(first_step)
f"{right.ok} {loops.mistakes[0]} {'adam_edu.check.process' in sys.modules}"
"""


def test_the_checker_works_in_a_page(tmp_path):
    pyodide, node = os.environ.get("ADAM_EDU_PYODIDE"), shutil.which("node")
    if not (pyodide and node):
        pytest.skip("no Pyodide (ADAM_EDU_PYODIDE) or no Node.js")
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (ROOT / "src/adam_edu").rglob("*.py"):
            file.write(path, path.relative_to(ROOT / "src"))
    script = tmp_path / "page.mjs"
    script.write_text(PAGE % {"pyodide": pyodide, "archive": archive, "code": CODE})

    done = subprocess.run([node, script], capture_output=True, text=True, timeout=300)

    assert done.stdout.splitlines()[-1] == "True takes_too_long False", done.stderr[-2000:]
