"""The exercises in a terminal: ``adam-edu exercise list | start NAME | check FILE``."""

import argparse
import json
import runpy
import textwrap
import traceback
from pathlib import Path
from typing import Any

from .. import check
from ..names import lookup
from .report import Report
from .sandbox import call
from .task import Task

SECONDS_TO_LOAD = 20.0


def add_exercise(commands: Any) -> None:
    """Add ``adam-edu exercise`` to the subparsers of ``adam-edu``."""
    parser = commands.add_parser(
        "exercise",
        help="list the exercises, start one, check your file",
        description="The course's exercises, without notebooks.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="list the exercises by chapter")
    listing.set_defaults(run=run_list)

    start = actions.add_parser("start", help="write a file to fill in")
    start.add_argument("name", metavar="NAME", help="an exercise, such as adam_step")
    start.set_defaults(run=run_start)

    checking = actions.add_parser(
        "check",
        help="check a file; the exit status is 0 if all in it is right, else 1",
        description="Check every function of a file that is called as an exercise is. The exit "
        "status is 0 if all are right, else 1.",
    )
    checking.add_argument("file", type=Path, metavar="FILE", help="such as adam_step.py")
    checking.add_argument("--json", action="store_true", help="print the reports as a JSON list")
    checking.set_defaults(run=run_check)


def run_list(options: argparse.Namespace) -> int:
    """Print each exercise with its chapter."""
    for chapter in dict.fromkeys(exercise.read for exercise in check.EXERCISES.values()):
        print(chapter)
        for exercise in check.EXERCISES.values():
            if exercise.read == chapter:
                print(f"  {exercise.signature} -> {', '.join(exercise.returns)}")
    return 0


def run_start(options: argparse.Namespace) -> int:
    """Write the stub of an exercise into a file; a file that is there stays as it is."""
    exercise = lookup(options.name, check.EXERCISES, "exercise")
    path = Path(f"{exercise.name}.py")
    with path.open("x", encoding="utf-8") as file:
        file.write(starting_file(exercise))
    print(f"Fill in {path}, then: adam-edu exercise check {path}")
    return 0


def starting_file(exercise: Task) -> str:
    """Return what the student begins with: the statement, and the function without its body."""
    words = f"{exercise.statement} To read: {exercise.reading[1]}"
    return f'"""{textwrap.fill(words, 88)}\n"""\n\n\n{exercise.stub}'


def run_check(options: argparse.Namespace) -> int:
    """Print a report for each exercise of a file, and return whether any is not right."""
    reports = check_file(options.file)
    if options.json:
        print(json.dumps([report.to_dict() for report in reports], indent=2, ensure_ascii=False))
    else:
        print("\n\n".join(map(str, reports)))
    return int(not all(report.ok for report in reports))


def check_file(path: Path) -> list[Report]:
    """Return a report for each function of a file that is called as an exercise is.

    A file named after an exercise must define it. One that cannot be run gets one report.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    path.read_bytes()
    loaded = call(lambda: runpy.run_path(str(path), run_name=path.stem), SECONDS_TO_LOAD)
    if loaded.error is not None:
        return [_problem(path, "does_not_run", _why(loaded.error))]
    found = [exercise for name, exercise in check.EXERCISES.items() if name in loaded.value]
    if path.stem in check.EXERCISES and path.stem not in loaded.value:
        text = f"The file does not define {check.EXERCISES[path.stem].signature}."
        return [_problem(path, "not_found", text)]
    if not found:
        text = "No function in the file is called as an exercise is: see adam-edu exercise list."
        return [_problem(path, "not_found", text)]
    return [exercise(loaded.value[exercise.name]) for exercise in found]


def _problem(path: Path, mistake: str, text: str) -> Report:
    return Report(path.stem, False, (mistake,), "could not be checked", (("Problem", text),))


def _why(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"Line {error.lineno} of the file is not Python: {error.msg}."
    last = traceback.format_exception_only(error)[-1].strip()
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.name == "<module>"
    ]
    return f"Running the file ended{f' in line {lines[-1]}' if lines else ''} with {last}"
