"""What the page for teachers shows works as it says, with the real tools where they are."""

import csv
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from conftest import ROOT

from adam_edu import __version__, check

PAGE = (ROOT / "book/teaching.md").read_text(encoding="utf-8")
ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(ROOT / "src"),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}
RIGHT = "def sgd_step(x, g, lr=1e-3):\n    return x - lr * g\n"
ADAM = """\
def adam_step(x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    return x - lr * m / (1 - beta1**t) / ((v / (1 - beta2**t)) ** 0.5 + eps), m, v
"""
UPHILL = ADAM.replace("x - lr", "x + lr")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def block(language, part):
    (found,) = (block for block in blocks(language) if part in block)
    return found


def run(*command, folder, **more):
    environment = ENVIRONMENT | {"XDG_STATE_HOME": str(folder)} | more
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300
    )


def commands(text):
    return [line.split() for line in text.splitlines() if not line.startswith("pip")]


def needs(package):
    there = importlib.util.find_spec(package) is not None
    return pytest.mark.skipif(not there, reason=f"{package} is not installed")


@pytest.fixture
def submissions(tmp_path):
    """Hand in the work of three students."""
    handed_in = {
        "ada": {"sgd_step": RIGHT, "adam_step": UPHILL},
        "ben": {"sgd_step": RIGHT.replace("x - lr", "x + lr")},
        "=eva": {"adam_step": check.adam_step.stub, "sgd_step": "def sgd_step(x, g"},
    }
    for student, files in handed_in.items():
        for name, text in files.items():
            path = tmp_path / "submissions" / student / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return tmp_path


def test_the_exercises_that_are_assigned_exist():
    assigned = re.findall(r"`(\w+_(?:step|rate|gradient|norm|adam|runs|fail|average|hat))`", PAGE)

    assert len(set(assigned)) > 15
    assert set(assigned) <= set(check.EXERCISES)


def test_the_version_is_pinned_everywhere():
    installed = re.findall(r"git\+https://\S+?/adam-edu(@[\w.]+)?(?=[\"\s])", PAGE)

    assert len(installed) >= 3
    assert set(installed) == {f"@v{__version__}"}


def test_the_commands_of_a_student_work(tmp_path):
    found = commands(block("console", "exercise start"))

    # The last one checks the stub that the one before has written.
    assert [run(*one, folder=tmp_path).returncode for one in found] == [0, 0, 1]


def test_the_catalogue_is_printed(tmp_path):
    done = run(sys.executable, "-c", block("python", ".mistakes"), folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n    ") == len(check.adam_step.mistakes)


def test_the_commands_of_a_teacher_and_the_points(submissions):
    for command in commands(block("console", "--csv --output")):
        assert run(*command, folder=submissions).returncode == 1
    (submissions / "points.py").write_text(block("python", "grades.json"))

    done = run(sys.executable, "points.py", "grades.json", folder=submissions)

    assert done.returncode == 0, done.stderr
    rows = {row.pop("student"): row for row in csv.DictReader(done.stdout.splitlines())}
    assert rows["ada"] == {"sgd_step": "2", "adam_step": "4", "points": "6"}
    assert rows["ben"] == {"sgd_step": "0", "adam_step": "0", "points": "0"}
    assert rows["'=eva"]["points"] == "0"
    with (submissions / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert set(table) == set(rows)
    assert table["ada"]["points"] == "1.67"


def test_the_container_runs_what_is_on_the_page():
    (command,) = (one for one in commands(block("console", "docker run")))
    image = command.index("adam-edu")

    assert command[image + 1 : image + 4] == ["adam-edu", "exercise", "check"]
    assert {"--network=none", "--rm"} < set(command[:image])
    assert block("dockerfile", "pip install").startswith("FROM python:3")


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        (ADAM, [0, 0]),
        (UPHILL, [0, 1]),
        (check.adam_step.stub, [1, 1]),
        ("import os; os._exit(0)", [1, 1]),
        (None, [1, 1]),
    ],
)
def test_the_workflow_of_a_classroom_gives_points_as_the_json_says(tmp_path, text, statuses):
    (workflow,) = map(yaml.safe_load, blocks("yaml"))
    steps = workflow["jobs"]["run-autograding-tests"]["steps"]
    graders = [step for step in steps if "command-grader" in step.get("uses", "")]
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/grade.py").write_text(block("python", "adam_step m v"))
    if text is not None:
        (tmp_path / "adam_step.py").write_text(text)

    found = [run(*step["with"]["command"].split(), folder=tmp_path) for step in graders]

    assert [done.returncode for done in found] == statuses, found
    assert all(done.stdout or done.stderr for done in found)
    names = ",".join(step["id"] for step in graders)
    assert steps[-1]["with"]["runners"] == names
    assert [f"{step['id'].upper()}_RESULTS" for step in graders] == list(steps[-1]["env"])


@needs("otter")
@pytest.mark.parametrize(("text", "passed"), [(ADAM, 4), (UPHILL, 2)])
def test_the_recipe_for_otter(tmp_path, text, passed):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/adam_step.py").write_text(block("python", "otter.test_files"))
    (tmp_path / "adam_step.py").write_text(text)
    (command,) = commands(block("console", "otter check"))

    done = run(*command, folder=tmp_path, PYTHONIOENCODING="utf-8")

    assert done.returncode == 0, done.stderr
    assert ("All tests passed" in done.stdout) == (passed == 4), done.stdout
    if passed < 4:
        assert done.stdout.count("✅") == passed
        assert "goes up the slope" in " ".join(done.stdout.split())


@needs("nbgrader")
def test_the_recipe_for_nbgrader(tmp_path):
    def cell(source, **settings):
        made = nbformat.v4.new_code_cell(source)
        made.metadata.nbgrader = {"schema_version": 3, "task": False, **settings}
        return made

    def write(path, source):
        path.parent.mkdir(parents=True)
        solution = {"grade": False, "solution": True, "locked": False, "grade_id": "step"}
        tests = {"grade": True, "solution": False, "locked": True, "grade_id": "test", "points": 4}
        cells = [cell(source, **solution), cell(block("python", "4 * report.credit"), **tests)]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, path)

    write(tmp_path / "source/adam/adam.ipynb", check.adam_step.stub)
    for student, source in {"ada": ADAM, "ben": UPHILL, "eva": check.adam_step.stub}.items():
        write(tmp_path / f"submitted/{student}/adam/adam.ipynb", source)

    for command in ("generate_assignment adam --create", "autograde adam --create", "export"):
        done = run("nbgrader", *command.split(), folder=tmp_path)
        assert done.returncode == 0, done.stderr

    with (tmp_path / "grades.csv").open(newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {"ada": 4, "ben": pytest.approx(8 / 3), "eva": 0}


def test_the_json_that_is_described_is_the_json(submissions):
    done = run(*["adam-edu", "exercise", "check", "submissions/ada", "--json"], folder=submissions)

    (first, *_), *_ = (one["exercises"] for one in json.loads(done.stdout)["submissions"])
    described = re.search(r"The JSON has for each exercise: (.*?)\. Its", PAGE, re.DOTALL)[1]
    assert set(re.findall(r"`(\w+)`", described)) == set(first) - {"exercise"}
