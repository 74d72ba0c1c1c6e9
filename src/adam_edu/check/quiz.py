"""A quiz at the end of a chapter: choose an answer, and read why it is right or wrong.

Each answer is a ``details`` element that opens to its explanation. That needs no script, no server
and no kernel, is reached and opened by keyboard, and comes out the same each time.
"""

import re
import zlib
from dataclasses import dataclass
from html import escape

# The book's theme defines the colours for light and dark; elsewhere those around it are taken over.
BOX = (
    "color:var(--pst-color-text-base,inherit);background:var(--pst-color-background,transparent);"
    "padding:0.25em 0"
)
QUESTION = (
    "border:1px solid var(--pst-color-border,#808080);border-radius:0.25em;margin:0 0 1em;"
    "padding:0.5em 1em;min-width:0"
)
# Floating, a legend stands inside the border and not on it, where a long one would cover it.
LEGEND = "float:left;width:100%;margin:0 0 0.25em;padding:0;font-size:1em;font-weight:bold"
CHOICE = "clear:both;margin:0.25em 0;padding:0.25em 0"
RIGHT = "border-left:0.25em solid var(--pst-color-success,#1a7f37)"
WRONG = "border-left:0.25em solid var(--pst-color-warning,#bf5700)"
WHY = "margin:0.25em 0 0.25em 1.25em;padding:0 0.75em"


@dataclass(frozen=True)
class Choice:
    """An answer to choose, whether it is the right one, and why."""

    answer: str
    correct: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question and its choices, of which one is right.

    Raises
    ------
    ValueError
        If there are fewer than two choices, not exactly one right one, the same answer twice, or a
        choice without an explanation.
    """

    text: str
    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        problem = None
        correct = sum(choice.correct for choice in self.choices)
        if len(self.choices) < 2:
            problem = "a question needs two choices or more"
        elif correct != 1:
            problem = f"exactly one choice must be right(...), not {correct}"
        elif len({choice.answer for choice in self.choices}) < len(self.choices):
            problem = "two choices have the same answer"
        elif not all(choice.why for choice in self.choices):
            problem = "every choice needs an explanation of why it is right or wrong"
        if problem:
            raise ValueError(f"{self.text!r}: {problem}")


@dataclass(frozen=True)
class Quiz:
    """Questions, shown in a notebook as boxes to open and in a terminal as text."""

    questions: tuple[Question, ...]

    def __str__(self) -> str:
        """Return questions and choices, without the answers."""
        lines = []
        for number, question in enumerate(self.questions, 1):
            lines.append(f"{number}. {question.text}")
            lines += [f"   {letter}) {choice.answer}" for letter, choice in _lettered(question)]
        return "\n".join(lines)

    __repr__ = __str__

    def answers(self) -> str:
        """Return, for each choice of each question, whether it is right and why."""
        lines = []
        for number, question in enumerate(self.questions, 1):
            lines += [
                f"{number}{letter}) {_verdict(choice)} {choice.why}"
                for letter, choice in _lettered(question)
            ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        questions = "".join(
            _question_html(number, question) for number, question in enumerate(self.questions, 1)
        )
        return f'<div class="adam-edu-quiz" style="{BOX}">{questions}</div>'


def quiz(*questions: Question) -> Quiz:
    """Return a quiz of questions made by :func:`ask`.

    In the texts, what stands between backticks is set as code, ``$...$`` as a formula (write
    ``r"..."``), ``*...*`` with stress.

    Examples
    --------
    >>> quiz(
    ...     ask(
    ...         "How long is Adam's first step?",
    ...         right("The learning rate.", "The gradient's size cancels."),
    ...         wrong("The gradient.", "Adam divides by its size."),
    ...     )
    ... )
    1. How long is Adam's first step?
       a) The learning rate.
       b) The gradient.
    """
    return Quiz(questions)


def ask(text: str, *choices: Choice) -> Question:
    """Return a question with its choices, each :func:`right` or :func:`wrong`."""
    return Question(text, choices)


def right(answer: str, why: str) -> Choice:
    """Return the right answer to a question, and why it is right."""
    return Choice(answer, True, why)


def wrong(answer: str, why: str) -> Choice:
    """Return a wrong answer to a question, and what is wrong with it."""
    return Choice(answer, False, why)


def _lettered(question: Question) -> list[tuple[str, Choice]]:
    return list(zip("abcdefghij", question.choices, strict=False))


def _verdict(choice: Choice) -> str:
    return "Right." if choice.correct else "Not this one."


def _question_html(number: int, question: Question) -> str:
    # One name for all choices of a question: opening one closes the others. From the text, so that
    # it is the same at every run.
    group = f"quiz-{zlib.crc32(question.text.encode()):08x}"
    choices = "".join(
        f'<details name="{group}" style="{CHOICE}">'
        f'<summary style="cursor:pointer">{_html(choice.answer)}</summary>'
        f'<p style="{WHY};{RIGHT if choice.correct else WRONG}">'
        f"<strong>{'✓' if choice.correct else '✗'} {_verdict(choice)}</strong> "
        f"{_html(choice.why)}</p></details>"
        for choice in question.choices
    )
    return (
        f'<fieldset style="{QUESTION}"><legend style="{LEGEND}">{number}. {_html(question.text)}'
        f"</legend>{choices}</fieldset>"
    )


def _html(text: str) -> str:
    """Return text as HTML: code between backticks, formulas between dollars, *stress*."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    text = re.sub(r"(?<!\w)\*([^*$]+)\*(?!\w)", r"<em>\1</em>", text)
    return re.sub(r"\$([^$]+)\$", r'<span class="mathjax_process">\\(\1\\)</span>', text)
