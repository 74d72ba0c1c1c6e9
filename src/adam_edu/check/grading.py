"""Grades: what came of each exercise of each submission, as text, as a table and as JSON."""

import csv
import io
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from .. import __version__
from .exercises import EXERCISES
from .faults import described
from .kinds import Misfit
from .process import Process
from .report import Report, listed
from .sandbox import OutOfTime, text_of
from .submission import Submission

# Of the JSON: a new number where a program that reads it would have to change.
VERSION = 1
FORMULA = tuple("=+-@|%")


@dataclass(frozen=True)
class Grade:
    """A submission, and a report on each of its exercises."""

    submission: Submission
    reports: tuple[Report, ...]


def graded(submission: Submission, names: Collection[str] | None = None) -> Grade:
    """Run a submission in a process of its own, and judge what comes out of it here.

    A file named after an exercise must define it. One that cannot be run gets the same report for
    each exercise in it.

    Parameters
    ----------
    names : the exercises to check; by default all that are in it
    """
    wanted = [name for name in EXERCISES if names is None or name in names]
    return Grade(submission, tuple(_reports(submission, wanted)))


def all_right(grades: list[Grade], names: Collection[str] | None = None) -> bool:
    """Return whether all that was handed in is right, and of each student all that was asked for.

    Parameters
    ----------
    names : the exercises that are asked for; by default no more than was handed in
    """
    right = {(g.submission.student, r.exercise) for g in grades for r in g.reports if r.ok}
    asked = {(g.submission.student, r.exercise) for g in grades for r in g.reports}
    asked |= {(grade.submission.student, name) for grade in grades for name in names or ()}
    return bool(asked) and right == asked


def _reports(submission: Submission, wanted: list[str]) -> Iterator[Report]:
    meant = [name for name in submission.names if name in wanted]
    if submission.names and not meant:
        return
    names = meant or [submission.path.stem]
    if submission.problem:
        yield from (_problem(name, "does_not_run", submission.problem) for name in names)
        return
    with Process(submission.path, submission.parts, wanted) as process:
        try:
            defined = process.ready()
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            yield from (_problem(name, "does_not_run", _why(error)) for name in names)
            return
        missing = [name for name in meant if name not in defined]
        for name in missing:
            text = f"The file does not define {EXERCISES[name].signature}."
            yield _problem(name, "not_found", text)
        if not defined and not missing:
            text = (
                "No function in the file is called as an exercise is: see adam-edu exercise list."
            )
            yield _problem(names[0], "not_found", text)
        for name in defined:
            try:
                yield EXERCISES[name](process.ready()[name])
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as error:  # from where the file runs
                yield EXERCISES[name].refused(*described(error))


def _problem(name: str, mistake: str, text: str) -> Report:
    return Report(name, False, (mistake,), "could not be checked", (("Problem", text),))


def _why(error: BaseException) -> str:
    if isinstance(error, (Misfit, OutOfTime)):
        return f"Running the file came to no end. {described(error).text}"
    if isinstance(error, SyntaxError):
        return f"Line {error.lineno} of {_place(error.filename)} is not Python: {error.msg}."
    where, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_name == "<module>":
            where = f" in line {trace.tb_lineno} of {_place(code.co_filename)}"
        trace = trace.tb_next
    text = text_of(error)
    said = f"{type(error).__name__}{': ' if text else ''}{text}"
    return f"Running the file ended{where} with {said}"


def _place(file: str | None) -> str:
    return file if file and file.startswith("cell ") else "the file"


def as_json(grades: list[Grade]) -> str:
    """Return the grades as JSON, in ASCII."""
    reports = [report for grade in grades for report in grade.reports]
    whole = {
        "version": VERSION,
        "adam_edu": __version__,
        "submissions": [
            {
                "student": grade.submission.student,
                "file": str(grade.submission.path),
                "exercises": [report.to_dict() for report in grade.reports],
            }
            for grade in grades
        ],
        "right": sum(report.ok for report in reports),
        "of": len(reports),
    }
    return json.dumps(whole, indent=2, ensure_ascii=True)


def as_csv(grades: list[Grade], names: Collection[str] | None = None) -> str:
    """Return a table with a line for each student: a credit from 0 to 1 for each exercise, or
    nothing where it was not handed in; the points; and what was wrong.

    Of two files with the same exercise, the better one counts.

    Parameters
    ----------
    names : the exercises to show; by default those that anybody handed in
    """
    best: dict[str, dict[str, Report]] = {}
    for grade in grades:
        own = best.setdefault(grade.submission.student, {})
        for report in grade.reports:
            if report.exercise not in own or own[report.exercise].credit < report.credit:
                own[report.exercise] = report
    handed_in = {name for own in best.values() for name in own}
    columns = [n for n in EXERCISES if n in (handed_in if names is None else names)]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["student", *columns, "points", "wrong"])
    for student, own in best.items():
        credits = [own[name].credit if name in own else None for name in columns]
        points = sum(credit for credit in credits if credit is not None)
        wrong = [r for r in own.values() if not r.ok and (names is None or r.exercise in names)]
        remarks = "; ".join(f"{r.exercise}: {' '.join(r.mistakes)}" for r in wrong)
        shown = ["" if credit is None else f"{credit:.3g}" for credit in credits]
        table.writerow([harmless(student), *shown, f"{points:.3g}", harmless(remarks)])
    return text.getvalue()


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula.

    >>> harmless("ada"), harmless("=1+1")
    ('ada', "'=1+1")
    """
    return f"'{text}" if text.lstrip().startswith(FORMULA) or text != text.lstrip() else text


def as_text(grades: list[Grade]) -> str:
    """Return all reports, with whose they are where there are several files, and a summary."""
    blocks = []
    for grade in grades:
        if len(grades) > 1:
            blocks.append(f"== {grade.submission.path}")
        blocks += map(str, grade.reports)
    reports = [report for grade in grades for report in grade.reports]
    if len(reports) > 1:
        blocks.append(_summary(grades, reports))
    return "\n\n".join(blocks)


def _summary(grades: list[Grade], reports: list[Report]) -> str:
    files = "1 file" if len(grades) == 1 else f"{len(grades)} files"
    right = sum(report.ok for report in reports)
    partly = [report for report in reports if not report.ok and report.credit > 0]
    said = [f"{right} right"]
    if partly:
        said.append(f"{len(partly)} in part")
    said.append(f"{len(reports) - right - len(partly)} wrong")
    return f"{files}, {len(reports)} exercises: {listed(said)}."
