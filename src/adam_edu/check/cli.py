"""The exercises in a terminal: ``adam-edu exercise list | start NAME | check FILE ...``."""

import argparse
import sys
import textwrap
from pathlib import Path
from typing import Any

from .. import check
from ..names import lookup
from . import progress
from .chapters import TITLES
from .course import MINUTES
from .grading import Grade, all_right, as_csv, as_json, as_text, graded
from .submission import submissions
from .task import Task

# For an output that has no such signs.
PLAIN = str.maketrans({"✓": "+", "○": "o", "✗": "-"})


def add_exercise(commands: Any) -> None:
    """Add ``adam-edu exercise`` to the subparsers of ``adam-edu``."""
    parser = commands.add_parser(
        "exercise",
        help="list the exercises, start one, check your files",
        description="The course's exercises, without notebooks.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="list the exercises, what is done and what is next")
    listing.set_defaults(run=run_list)

    start = actions.add_parser("start", help="write a file to fill in")
    start.add_argument("name", metavar="NAME", help="an exercise, such as adam_step")
    start.set_defaults(run=run_start)

    checking = actions.add_parser(
        "check",
        help="check files; the exit status is 0 if all in them is right, else 1",
        description="Check every function that is called as an exercise is, each file in a process "
        "of its own. The exit status is 0 if all are right, else 1.",
    )
    checking.add_argument(
        "paths",
        nargs="+",
        metavar="FILE",
        help="a file, a notebook, a folder with a folder for each student, or an exercise's name",
    )
    form = checking.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the reports as JSON")
    form.add_argument(
        "--csv", action="store_true", help="print a table: a line a student, a column an exercise"
    )
    checking.add_argument(
        "--exercises",
        type=_names,
        metavar="A,B,...",
        help="check these alone; the table has a column for each, handed in or not",
    )
    checking.add_argument(
        "--output", type=Path, metavar="FILE", help="write there what would be printed, in UTF-8"
    )
    checking.set_defaults(run=run_check)


def run_list(options: argparse.Namespace) -> int:
    """Print the exercises in the book's order: what is done, the minutes, the chapter."""
    done = progress.done()
    chapter = None
    for name, minutes in MINUTES.items():
        exercise = check.EXERCISES[name]
        if exercise.read != chapter:
            chapter = exercise.read
            say(TITLES[chapter])
        mark = "✓" if name in done else " "
        say(f"{mark} {minutes:2} min  {exercise.signature} -> {', '.join(exercise.returns)}")
    missing = [name for name in MINUTES if name not in done]
    said = f"\n{len(MINUTES) - len(missing)} of {len(MINUTES)} done."
    if missing:
        said += f" Next: adam-edu exercise start {missing[0]}"
    say(said)
    return 0


def run_start(options: argparse.Namespace) -> int:
    """Write the stub of an exercise into a file; a file that is there stays as it is.

    Raises
    ------
    OSError
        If the file is there, or cannot be written.
    """
    exercise = lookup(options.name, check.EXERCISES, "exercise")
    path = Path(f"{exercise.name}.py")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starting_file(exercise))
    except FileExistsError:
        raise FileExistsError(
            f"{path} is there, and stays as it is: adam-edu exercise check {path} checks it"
        ) from None
    except OSError as error:
        raise OSError(f"{path} cannot be written here: {error.strerror}") from None
    say(f"Fill in {path}, then: adam-edu exercise check {path}")
    return 0


def starting_file(exercise: Task) -> str:
    """Return what the student begins with: the statement, and the function without its body."""
    words = f"{exercise.statement} To read: {exercise.reading[1]}"
    return f'"""{textwrap.fill(words, 88)}\n"""\n\n\n{exercise.stub}'


def run_check(options: argparse.Namespace) -> int:
    """Print what came of each exercise of each file, and return whether any is not right.

    What is right is noted as done, unless a folder is checked, which is a class.
    """
    paths = [_path(text) for text in options.paths]
    grades = [graded(one, options.exercises) for one in submissions(paths)]
    if not any(path.is_dir() for path in paths):
        progress.note(r.exercise for grade in grades for r in grade.reports if r.ok)
    _put(_shown(options, grades), options)
    return int(not all_right(grades, options.exercises))


def _path(text: str) -> Path:
    """Return the file that a word stands for: the word itself, or a file named after an exercise.

    Raises
    ------
    FileNotFoundError
        If there is neither.
    """
    path = Path(text)
    if path.exists() or path.suffix in (".py", ".ipynb") or path.name != text:
        return path
    exercise = lookup(text, check.EXERCISES, "file or exercise")
    files = [Path(f"{exercise.name}{suffix}") for suffix in (".py", ".ipynb")]
    found = next((file for file in files if file.exists()), None)
    if found is None:
        raise FileNotFoundError(
            f"there is no {files[0]} here yet: adam-edu exercise start {exercise.name} writes it"
        )
    return found


def _names(text: str) -> list[str]:
    try:
        return [lookup(name.strip(), check.EXERCISES, "exercise").name for name in text.split(",")]
    except KeyError as error:
        raise argparse.ArgumentTypeError(error.args[0]) from None


def _shown(options: argparse.Namespace, grades: list[Grade]) -> str:
    if options.json:
        return as_json(grades)
    if options.csv:
        return as_csv(grades, options.exercises).rstrip("\n")
    return as_text(grades) or "There is no exercise in what was given: see adam-edu exercise list."


def _put(text: str, options: argparse.Namespace) -> None:
    if options.output is None:
        say(text)
        return
    # By its first three bytes a spreadsheet knows a table to be in UTF-8.
    encoding = "utf-8-sig" if options.csv else "utf-8"
    options.output.write_text(f"{text}\n", encoding=encoding, newline="")


def say(text: str) -> None:
    """Print a text, also where the output has no room for all of its signs."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    print(text)
