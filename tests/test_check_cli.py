"""``adam-edu exercise list | start | check``: the student's path without a notebook."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, notebooks

from adam_edu import check
from adam_edu.check import progress
from adam_edu.check.chapters import TITLES
from adam_edu.check.course import MINUTES
from adam_edu.cli import main

RIGHT = """
import numpy as np

def first_step(g, lr=1e-3, eps=1e-8):
    return -lr * g / (abs(g) + eps)
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_STATE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "state"))


def write(text, name="first_step.py"):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


# list


def test_list_names_every_exercise_below_its_chapter_with_its_minutes(capsys):
    assert main(["exercise", "list"]) == 0

    *lines, _, last = capsys.readouterr().out.splitlines()
    entries = [re.fullmatch(r"  +(\d+) min  (\w+)\(.*", line) for line in lines]
    assert {found[2]: int(found[1]) for found in entries if found} == MINUTES
    assert [line for line in lines if line[0] != " "] == [
        TITLES[read] for read in dict.fromkeys(check.EXERCISES[name].read for name in MINUTES)
    ]
    assert last == f"0 of {len(MINUTES)} done. Next: adam-edu exercise start sgd_step"


def test_the_order_and_the_minutes_are_the_books():
    words = {"Two": 2, "Five": 5, "Ten": 10, "Fifteen": 15, "Twenty": 20, "Half an hour": 30}
    effort = re.compile(rf"\*({'|'.join(words)})\b")
    book, text = {}, ""
    for path in notebooks():
        for cell in nbformat.read(path, as_version=4).cells:
            if "{exercise-start}" in cell.source:
                text = cell.source[cell.source.rindex("{exercise-start}") :]
            asked = re.findall(r"^check\.(\w+)\(", cell.source, re.MULTILINE)
            if "stub" in cell.metadata.get("tags", []) and asked:
                book.setdefault(asked[0], words[effort.search(text)[1]])

    assert {name: MINUTES[name] for name in book} == book
    assert [name for name in MINUTES if name in book] == list(book)
    assert set(MINUTES) == set(check.EXERCISES)
    chapters = [check.EXERCISES[name].read for name in MINUTES]
    assert chapters == sorted(chapters, key=list(dict.fromkeys(chapters)).index)


def test_what_is_right_is_noted_as_done(capsys):
    main(["exercise", "check", write(RIGHT)])
    main(["exercise", "check", write("def sgd_step(x, g, lr=1e-3):\n    return x", "sgd_step.py")])
    main(["exercise", "list"])

    out = capsys.readouterr().out
    assert "✓  5 min  first_step(" in out
    assert f"1 of {len(MINUTES)} done. Next: adam-edu exercise start sgd_step" in out


@pytest.mark.parametrize("text", ["", "[]", '{"done": 3}', "{"])
def test_a_broken_file_of_what_is_done_does_no_harm(text, capsys):
    write(text, progress.path())

    assert main(["exercise", "list"]) == 0
    assert main(["exercise", "check", write(RIGHT)]) == 0
    assert list(progress.done()) == ["first_step"]


def test_where_nothing_can_be_noted_the_check_goes_on(tmp_path, monkeypatch):
    write("a file where the folder would be", "state")

    assert main(["exercise", "check", write(RIGHT)]) == 0
    assert progress.done() == {}


@pytest.mark.parametrize(
    ("system", "folder"),
    [("linux", "state"), ("darwin", "Application Support"), ("win32", "Local")],
)
def test_the_file_is_in_the_folder_of_the_system(system, folder, monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)

    assert progress.path().parts[-3:] == (folder, "adam-edu", "exercises.json")


# start


@pytest.mark.parametrize("name", check.EXERCISES)
def test_start_writes_a_stub_that_does_not_pass(name, capsys):
    assert main(["exercise", "start", name]) == 0
    assert f"adam-edu exercise check {name}.py" in capsys.readouterr().out
    assert main(["exercise", "check", name]) == 1


def test_start_does_not_write_over_a_file(capsys):
    write("my work")

    assert main(["exercise", "start", "first_step"]) == 1
    assert Path("first_step.py").read_text() == "my work"
    assert capsys.readouterr().err == (
        "adam-edu exercise: first_step.py is there, and stays as it is: "
        "adam-edu exercise check first_step.py checks it\n"
    )


def test_start_where_nothing_can_be_written_says_so(monkeypatch, capsys):
    def refuse(path, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)

    assert main(["exercise", "start", "first_step"]) == 1
    assert capsys.readouterr().err.endswith("cannot be written here: Permission denied\n")


def test_start_offers_the_nearest_name(capsys):
    assert main(["exercise", "start", "adma_step"]) == 1
    assert "'adam_step'" in capsys.readouterr().err


# check


def test_check_says_right_and_returns_0(capsys):
    assert main(["exercise", "check", write(RIGHT)]) == 0
    assert capsys.readouterr().out.startswith("✓ first_step: right")


def test_check_says_what_is_wrong_and_returns_1(capsys):
    assert main(["exercise", "check", write(RIGHT.replace("-lr", "lr"))]) == 1
    assert "The minus of lr is missing." in " ".join(capsys.readouterr().out.split())


def test_a_file_is_checked_by_the_name_of_the_exercise(capsys):
    write(RIGHT)

    assert main(["exercise", "check", "first_step"]) == 0


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("gone.py", "there is no file gone.py"),
        ("folder/adam_step", "there is no file"),
        ("adam_step", "adam-edu exercise start adam_step writes it"),
        ("adma_step", "'adam_step'"),
    ],
)
def test_what_is_not_there_is_said_without_a_number(word, says, capsys):
    assert main(["exercise", "check", word]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert "Errno" not in error


def checked(*arguments, capsys):
    """Return the exit status of a check and the JSON that it prints, which is in ASCII."""
    status = main(["exercise", "check", *map(str, arguments), "--json"])
    out = capsys.readouterr().out
    assert out.isascii()
    return status, json.loads(out)


def test_json_has_a_version_and_says_which_results_are_right(capsys):
    adam = """
def adam_step(x, g, m, v, t, lr=1e-3, beta1=.9, beta2=.999, eps=1e-8):
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    return x + lr * m / (1 - beta1**t) / ((v / (1 - beta2**t)) ** 0.5 + eps), m, v
"""
    status, whole = checked(write(RIGHT + adam, "work.py"), capsys=capsys)

    assert status == 1
    assert whole["version"] == 1
    assert (whole["right"], whole["of"]) == (1, 2)
    (submission,) = whole["submissions"]
    assert (submission["student"], submission["file"]) == ("work", "work.py")
    first, step = submission["exercises"]
    assert (first["ok"], first["credit"], first["results"]) == (True, 1, {"change": True})
    assert first["text"].startswith("✓")
    assert step["results"] == {"x": False, "m": True, "v": True}
    assert step["credit"] == pytest.approx(2 / 3, abs=1e-3)
    assert step["mistakes"] == ["ascent"]


@pytest.mark.parametrize(
    ("text", "mistake", "says"),
    [
        ("def first_step(g", "does_not_run", "Line 1 of the file is not Python"),
        ("x = 1\ny = z", "does_not_run", "line 2 of the file with NameError"),
        ("x = 1", "not_found", "does not define first_step(g"),
        ("raise SystemExit(0)", "does_not_run", "SystemExit"),
        ("first_step = 3", "not_a_function", "was given 3"),
        ("#" * 2**22, "does_not_run", "more than any solution needs"),
        ("x = " + "(" * 500, "does_not_run", "not Python"),
        ("x = " + "-" * 10**6 + "1", "does_not_run", ""),
    ],
    ids=lambda text: text[:20],
)
def test_a_file_that_cannot_be_checked_is_reported(text, mistake, says, capsys):
    status, whole = checked(write(text), capsys=capsys)

    (report,) = whole["submissions"][0]["exercises"]
    assert status == 1
    assert report["mistakes"] == [mistake]
    assert report["credit"] == 0
    assert says in " ".join(report["text"].split())


def test_a_file_in_another_encoding_is_reported(capsys):
    Path("first_step.py").write_bytes(b"# caf\xe9\n" + RIGHT.encode())

    status, whole = checked("first_step.py", capsys=capsys)

    assert status == 1
    assert "no text in UTF-8" in " ".join(whole["submissions"][0]["exercises"][0]["text"].split())


def test_a_file_with_no_exercise_in_it(capsys):
    assert main(["exercise", "check", write("x = 1", "notes.py")]) == 1
    assert "see adam-edu exercise list." in " ".join(capsys.readouterr().out.split())


def test_an_error_shows_the_line_of_the_file(capsys):
    write(RIGHT.replace("return", "h = g['a']\n    return"))

    main(["exercise", "check", "first_step"])
    assert """in its line "h = g['a']":""" in " ".join(capsys.readouterr().out.split())


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
