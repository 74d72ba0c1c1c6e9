"""``adam-edu exercise check`` for a class: notebooks, folders, tables."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from handed_in import RIGHT, _in_a_folder_of_its_own, checked, write  # noqa: F401

from adam_edu.check import progress
from adam_edu.cli import main

# Notebooks


def notebook(path, *cells):
    made = nbformat.v4.new_notebook()
    for source, *tags in cells:
        cell = nbformat.v4.new_code_cell(source)
        cell.metadata.tags = tags
        made.cells.append(cell)
    nbformat.write(made, path)
    return path


def test_of_a_notebook_the_cells_with_an_exercise_count(capsys):
    status, whole = checked(
        notebook(
            "work.ipynb",
            ("%matplotlib inline\nimport numpy as np\nraise SystemExit  # a cell that is not run",),
            ("import a_module_that_nobody_has",),
            ("%%bash\nexit 1",),
            ("EPS = 1e-8\ndef size(g):\n    return np.abs(g) + EPS",),
            (f"!ls\n{RIGHT.replace('abs(g) + eps', 'size(g) - EPS + eps')}\ncheck.x(1)",),
            ("def first_step(g): return 'the solution of the book'", "solution"),
            ("def mine(x, g, lr=1e-3):\n    return x - lr * g\n\ncheck.sgd_step(mine)",),
        ),
        capsys=capsys,
    )

    (submission,) = whole["submissions"]
    assert {report["exercise"]: report["ok"] for report in submission["exercises"]} == {
        "first_step": True,
        "sgd_step": True,
    }, submission
    assert status == 0


def test_a_cell_that_is_not_python_is_named(capsys):
    _, whole = checked(notebook("a.ipynb", ("x = 1",), ("def first_step(g",)), capsys=capsys)

    (report,) = whole["submissions"][0]["exercises"]
    assert "Line 1 of cell 2 of a.ipynb is not Python" in " ".join(report["text"].split())


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cells": [3]}', "[" * 10**5])
def test_a_notebook_that_is_none_is_reported(text, capsys):
    status, whole = checked(write(text, "first_step.ipynb"), capsys=capsys)

    assert status == 1
    assert "no notebook" in whole["submissions"][0]["exercises"][0]["text"]


# A class


@pytest.fixture
def submissions():
    write(RIGHT, "class/ada/first_step.py")
    write("import first_step\nprint(first_step)", "class/ada/main.py")
    write(RIGHT.replace("-lr", "lr"), "class/=cmd|' C calc'!A0/first_step.py")
    write(RIGHT.replace("-lr", "lr"), "class/ben/try.py")
    write(RIGHT, "class/ben/deep/second_try.py")
    write("def sgd_step(x, g, lr=1e-3):\n    return x - lr * g", "class/Zoë.py")
    write("def first_step(g", "class/.git/first_step.py")
    notebook("class/eva.ipynb", (RIGHT.replace("-lr", "lr"),))
    return "class"


def test_a_folder_is_a_class(submissions, capsys):
    status, whole = checked(submissions, capsys=capsys)

    rights = {(s["student"], s["file"][-13:]): s["exercises"] for s in whole["submissions"]}
    assert status == 1
    assert len(rights) == 6
    assert (whole["right"], whole["of"]) == (3, 6)
    assert progress.done() == {}


def test_a_table_for_a_spreadsheet(submissions, capsys):
    import csv

    assert main(["exercise", "check", submissions, "--csv"]) == 1
    rows = {row["student"]: row for row in csv.DictReader(capsys.readouterr().out.splitlines())}

    assert set(rows) == {"ada", "'=cmd|' C calc'!A0", "ben", "Zoë", "eva"}
    assert list(rows["ada"]) == ["student", "sgd_step", "first_step", "points", "wrong"]
    assert rows["ada"] == dict(rows["ada"], first_step="1", sgd_step="", points="1", wrong="")
    assert rows["ben"]["first_step"] == "1"  # the better one of two counts
    assert rows["eva"]["wrong"].startswith("first_step: ")


def test_the_exercises_that_are_asked_for_have_columns(submissions, capsys):
    asked = ["--csv", "--exercises", "adam_step,sgd_step"]

    assert main(["exercise", "check", submissions, *asked]) == 1  # nobody has adam_step
    head, *rows = capsys.readouterr().out.splitlines()
    assert head == "student,sgd_step,adam_step,points,wrong"
    assert len(rows) == 5
    assert {"Zoë,1,,1,", "ada,,,0,"} < set(rows)
    assert main(["exercise", "check", "class/Zoë.py", "--exercises", "sgd_step"]) == 0


def test_a_table_in_a_file_is_known_for_utf_8(submissions):
    main(["exercise", "check", submissions, "--csv", "--output", "grades.csv"])

    assert Path("grades.csv").read_bytes().startswith(b"\xef\xbb\xbfstudent,")
    assert "Zoë" in Path("grades.csv").read_text(encoding="utf-8-sig")


def test_many_files_end_with_a_summary(submissions, capsys):
    main(["exercise", "check", "class/ada", "class/Zoë.py", "class/eva.ipynb"])

    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "3 files, 3 exercises: 2 right and 1 wrong."
    assert f"== {Path('class/ada/first_step.py')}" in out


def test_a_folder_without_an_exercise_is_not_right(capsys):
    Path("empty").mkdir()

    assert main(["exercise", "check", "empty"]) == 1
    assert "There is no exercise" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("command", [["list"], ["check", "first_step"], ["check", "é", "--csv"]])
def test_an_output_without_utf_8_gets_all_it_has_room_for(encoding, command):
    write(RIGHT)
    write(RIGHT, "é/✓/first_step.py")
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT / "src")}
    environment |= {"XDG_STATE_HOME": os.getcwd(), "PYTHONUTF8": "0"}

    done = subprocess.run(
        [sys.executable, "-m", "adam_edu.cli", "exercise", *command],
        env=environment,
        capture_output=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    if command[1:] == ["first_step"]:
        assert done.stdout.startswith(b"+ first_step: right")
