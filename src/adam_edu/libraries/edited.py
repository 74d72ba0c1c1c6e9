"""A rule with one thing in its lines written otherwise, as a candidate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import Rule
from ..edits import filled, part
from ..program import BEFORE, Program, program_of
from ..trees import Call, Line, Name, Node, Number, replaced, substituted
from ..wrongs import Wrong
from .candidate import COUPLED, DECOUPLED, Candidate
from .unrolled import Unrolled

Array = NDArray[np.float64]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Edited(Candidate):
    """A rule with an edit.

    Attributes
    ----------
    wrong : the edit; None for the rule itself
    """

    wrong: Wrong | None = field(default=None, kw_only=True)

    @property
    def words(self) -> str:
        """The rule and what is otherwise in it, line by line."""
        name = super().words
        if self.wrong is None:
            return name
        changes = "; ".join(f"{new} in the place of {old}" for old, new in self.changes)
        return f"{name}, but {changes}"

    @property
    def changes(self) -> list[tuple[str, str]]:
        """Each line that is otherwise: as it is in the rule, and as it is here."""
        program = program_for(self.rule)
        found = {line.name: line for line in edited(program, self.wrong)}
        return [
            (_shown(program, line), _shown(program, found[line.name]))
            for line in program.lines
            if found[line.name] != line
        ]

    @property
    def _lines(self) -> Sequence[Line]:
        return edited(program_for(self.rule), self.wrong)

    @cached_property
    def unrolled(self) -> Unrolled:
        """Its lines over all steps."""
        return Unrolled(decaying(edited(program_for(self.rule), self.wrong), self.decay))

    def moves(self, values: Values, start: Array, gradients: Array) -> Array:
        """Return the changes of its steps, as any candidate does."""
        count = max(np.size(value) for value in values.values())
        begin = begins(self.rule, np.zeros((1, count, len(start))), start)
        given = numbers(values) | inputs(gradients)
        x = self.unrolled.run(given, begin)["x"]
        x = np.broadcast_to(x, (len(gradients), 1, count, len(start)))
        found = np.diff(x, axis=0, prepend=begin["x"][None])[:, 0]
        return found if any(map(np.ndim, values.values())) else found[:, 0]


def numbers(values: Values) -> dict[str, Array]:
    """Return choices of hyper-parameters as :class:`Unrolled` takes them, of shape (1, k, 1)."""
    return {name: np.reshape(value, (1, -1, 1)) for name, value in values.items()}


def inputs(gradients: Array) -> dict[str, Array]:
    """Return histories of what every rule reads: of shapes (T, 1, 1, n) and (T, 1, 1, 1)."""
    steps = np.arange(1.0, len(gradients) + 1)
    return {"g": gradients[:, None, None], "t": steps[:, None, None, None]}


def begins(rule: type[Rule], zeros: Array, start: Array) -> dict[str, Array]:
    """Return what every slot is before the first step, and x."""
    return dict.fromkeys(rule.slots, zeros) | {"x": zeros + start}


def program_for(rule: type[Rule]) -> Program:
    """Return a rule's lines without one that has the name of what it reads, such as the gradient
    with its penalty: over all steps at once, each name is one history.

    >>> from adam_edu.rules import AdamL2
    >>> print(*program_for(AdamL2).lines[:2], sep="\\n")
    g_new = g + weight_decay * x_before
    m = beta1 * m_before + (1 - beta1) * g_new
    """
    return _program_for(rule)  # type: ignore[arg-type]


@cache
def _program_for(rule: type[Rule]) -> Program:
    program = program_of(rule)
    meanings: dict[str, Node] = {}
    lines = []
    for line in program.lines:
        expression = substituted(line.expression, meanings)
        if line.name in program.inputs:
            meanings[line.name] = Name(f"{line.name}_new")
        lines.append(Line(str(meanings.get(line.name, line.name)), expression))
    return replace(program, lines=tuple(lines)) if meanings else program


def edited(program: Program, wrong: Wrong | None) -> tuple[Line, ...]:
    """Return a program's lines with an edit in them."""
    lines = dict(program.line)
    for i in wrong.places if wrong is not None else ():
        assert wrong is not None
        place = program.places[i]
        old = lines[place.line]
        new = filled(wrong.at(i), part(old, place.path))
        lines[place.line] = replaced(old, place.path, new)
    return tuple(Line(name, node) for name, node in lines.items())


def decaying(lines: Sequence[Line], decay: str) -> tuple[Line, ...]:
    """Return lines with a decay of weights beside them, as a :class:`Candidate` has it."""
    strength, before = Name("weight_decay"), Name("x" + BEFORE)
    if decay == COUPLED:
        penalized = Call("+", (Name("g"), Call("*", (strength, before))))
        own = [
            Line(one.name, substituted(one.expression, {"g": Name("gradient")})) for one in lines
        ]
        return (Line("gradient", penalized), *own)
    if decay == DECOUPLED:
        left = Call("-", (Number(1), Call("*", (Name("lr"), strength))))
        shrunk = {before.id: Name("shrunk")}
        own = [Line(one.name, substituted(one.expression, shrunk)) for one in lines]
        return (Line("shrunk", Call("*", (left, before))), *own)
    return tuple(lines)


def _shown(program: Program, line: Line) -> str:
    """Return a line as it is written in a step, where a slot is its old value until it is new."""
    names = [one.name for one in program.lines]
    later = {name + BEFORE: Name(name) for name in names[names.index(line.name) :]}
    return f"{line.name} = {substituted(line.expression, later)}"
