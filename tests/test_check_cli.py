"""``adam-edu exercise list | start | check``: the student's path without a notebook."""

import json
from pathlib import Path

import pytest

from adam_edu import check
from adam_edu.cli import main

RIGHT = """
import numpy as np

def first_step(g, lr=1e-3, eps=1e-8):
    return -lr * g / (abs(g) + eps)
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(text, name="first_step.py"):
    Path(name).write_text(text)
    return name


def test_list_names_every_exercise_below_its_chapter(capsys):
    assert main(["exercise", "list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert {line.split("(")[0].strip() for line in lines if line[0] == " "} == set(check.EXERCISES)
    assert {line for line in lines if line[0] != " "} == {
        task.read for task in check.EXERCISES.values()
    }


@pytest.mark.parametrize("name", check.EXERCISES)
def test_start_writes_a_stub_that_does_not_pass(name, capsys):
    assert main(["exercise", "start", name]) == 0
    assert f"adam-edu exercise check {name}.py" in capsys.readouterr().out
    assert main(["exercise", "check", f"{name}.py"]) == 1


def test_start_does_not_write_over_a_file(capsys):
    write("my work")

    assert main(["exercise", "start", "first_step"]) == 1
    assert Path("first_step.py").read_text() == "my work"
    assert capsys.readouterr().err.startswith("adam-edu exercise: ")


def test_start_offers_the_nearest_name(capsys):
    assert main(["exercise", "start", "adma_step"]) == 1
    assert "'adam_step'" in capsys.readouterr().err


def test_check_says_right_and_returns_0(capsys):
    assert main(["exercise", "check", write(RIGHT)]) == 0
    assert capsys.readouterr().out.startswith("✓ first_step: right")


def test_check_says_what_is_wrong_and_returns_1(capsys):
    assert main(["exercise", "check", write(RIGHT.replace("-lr", "lr"))]) == 1
    assert "goes up the slope" in " ".join(capsys.readouterr().out.split())


def test_json_is_a_list_of_reports(capsys):
    both = RIGHT + "\ndef adam_step(x, g, m, v, t, lr=1e-3, beta1=.9, beta2=.999, eps=1e-8):\n  ..."

    assert main(["exercise", "check", write(both, "work.py"), "--json"]) == 1
    reports = {report["exercise"]: report for report in json.loads(capsys.readouterr().out)}
    assert {name: report["ok"] for name, report in reports.items()} == {
        "first_step": True,
        "adam_step": False,
    }
    assert reports["adam_step"]["mistakes"] == ["not_written_yet"]
    assert reports["first_step"]["text"].startswith("✓")


@pytest.mark.parametrize(
    ("text", "mistake", "says"),
    [
        ("def first_step(g", "does_not_run", "Line 1 of the file is not Python"),
        ("x = 1\ny = z", "does_not_run", "line 2 with NameError"),
        ("x = 1", "not_found", "does not define first_step(g"),
        ("raise SystemExit(0)", "does_not_run", "SystemExit"),
    ],
)
def test_a_file_that_cannot_be_checked_is_reported(text, mistake, says, capsys):
    assert main(["exercise", "check", write(text), "--json"]) == 1
    (report,) = json.loads(capsys.readouterr().out)
    assert report["mistakes"] == [mistake]
    assert says in " ".join(report["text"].split())


def test_a_file_with_no_exercise_in_it(capsys):
    assert main(["exercise", "check", write("x = 1", "notes.py")]) == 1
    assert "see adam-edu exercise list." in " ".join(capsys.readouterr().out.split())


def test_a_file_that_is_not_there(capsys):
    assert main(["exercise", "check", "gone.py"]) == 1
    assert "gone.py" in capsys.readouterr().err
