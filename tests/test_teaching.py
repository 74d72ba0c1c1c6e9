"""What the page for teachers shows works as it says."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

from adam_edu import check

PAGE = (ROOT / "book/teaching.md").read_text()
ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(ROOT / "src"),
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}
RIGHT = "def sgd_step(x, g, lr=1e-3):\n    return x - lr * g\n"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def run(*command, **options):
    return subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, **options
    )


def test_the_exercises_that_are_assigned_exist():
    assigned = re.findall(r"`(\w+_(?:step|rate|gradient|norm|adam|runs|fail|average|hat))`", PAGE)

    assert len(set(assigned)) > 15
    assert set(assigned) <= set(check.EXERCISES)


def test_the_commands_work(tmp_path):
    commands = [line for line in blocks("console")[0].splitlines() if line.startswith("adam-edu")]
    statuses = [run(*line.split(), cwd=tmp_path).returncode for line in commands]

    # The last one checks the stub that the one before has written.
    assert statuses == [0, 0, 1]


def test_the_catalogue_is_printed():
    listing = next(
        block for block in blocks("python") if "mistakes" in block and "csv" not in block
    )
    done = run(sys.executable, "-c", listing)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n    ") == len(check.adam_step.mistakes)


def test_the_table_of_grades(tmp_path):
    (tmp_path / "grade.py").write_text(next(b for b in blocks("python") if "csv" in b))
    ada, ben, eva = (tmp_path / "submissions" / name for name in ("ada", "ben", "eva"))
    for folder in (ada, ben, eva):
        folder.mkdir(parents=True)
    (ada / "sgd_step.py").write_text(RIGHT)
    (ada / "adam_step.py").write_text(check.adam_step.stub)
    (ben / "sgd_step.py").write_text(RIGHT.replace("-", "+", 1).replace("- lr", "+ lr"))
    (eva / "sgd_step.py").write_text("def sgd_step(x, g")

    done = run(sys.executable, "grade.py", "submissions", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    rows = {row["student"]: row for row in csv.DictReader(done.stdout.splitlines())}
    assert rows["ada"]["sgd_step"] == "right"
    assert rows["ada"]["adam_step"] == "not_written_yet"
    assert rows["ada"]["momentum_step"] == "missing"
    assert rows["ada"]["points"] == "1"
    assert rows["ben"]["sgd_step"] == "ascent default_of_lr"
    assert rows["eva"]["sgd_step"] == "does_not_run"


@pytest.mark.parametrize(("text", "status"), [(RIGHT, 0), (RIGHT.replace("- lr", "+ lr"), 1)])
def test_the_workflow_fails_where_the_solution_is_wrong(tmp_path, text, status):
    (workflow,) = map(yaml.safe_load, blocks("yaml"))
    *_, last = workflow["jobs"]["check"]["steps"]
    command = last["run"].replace("adam_step.py", "work.py")
    (tmp_path / "work.py").write_text(text)

    assert run(*command.split(), cwd=tmp_path).returncode == status
