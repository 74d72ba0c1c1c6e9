"""``adam-edu exercise list | start | check``: the student's path without a notebook."""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import notebooks
from handed_in import RIGHT, _in_a_folder_of_its_own, checked, write  # noqa: F401

from adam_edu import check
from adam_edu.check import progress
from adam_edu.check.chapters import TITLES
from adam_edu.check.course import MINUTES
from adam_edu.cli import main

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
