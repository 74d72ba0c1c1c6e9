"""Wherever a student's function runs, here, in another process or a page, the verdict is one."""

import os
import shutil
import subprocess
import zipfile

import pytest
from conftest import ROOT
from test_check_book import CALL, cells
from test_check_students import WRONG

from adam_edu import check
from adam_edu.check.grading import graded
from adam_edu.check.submission import read

# The first wrong answer to each exercise: what the report says must not depend on the place.
FIRST = {name: next(iter(answers)) for name, answers in WRONG.items()}
ANSWERS = {name: body for name, body in FIRST.items() if "torch" not in body}


def elsewhere(path, source, name):
    path.write_text(source, encoding="utf-8")
    reports = graded(read(path, "ada"), [name]).reports
    return {report.exercise: report for report in reports}[name]


@pytest.mark.parametrize(("name", "body"), ANSWERS.items(), ids=ANSWERS)
def test_a_report_is_the_same_from_another_process(tmp_path, name, body):
    lines = [line for part in body.split("\n") for line in part.split("; ") if line]
    source = "import math\nimport numpy as np\n" + check.EXERCISES[name].stub.split("\n")[0]
    source += "".join(f"\n    {line}" for line in lines) + "\n"
    path = tmp_path / "answer.py"

    found = elsewhere(path, source, name)
    namespace = {}
    exec(compile(source, str(path), "exec"), namespace)
    here = check.EXERCISES[name](namespace[name])

    assert found.to_dict() == here.to_dict()


SOLUTIONS = [one for one in cells("solution") if "in_place" not in one.values[1]]


@pytest.mark.parametrize(("imports", "source"), SOLUTIONS)
def test_each_solution_of_the_book_passes_in_another_process(tmp_path, imports, source):
    name = CALL.search(source)[1]

    report = elsewhere(tmp_path / "answer.py", imports + CALL.sub("", source), name)

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
