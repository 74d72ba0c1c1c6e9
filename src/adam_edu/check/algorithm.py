"""An algorithm as assignments, so that one can be exchanged for a wrong one.

Those of a step exercise are the rule's own lines: no formula is written twice.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..base import Rule
from ..lines import lines_of
from ..trees import Call, Line, Name, compiled, inlined, replaced, subtrees

RETURNED = "returned "


@dataclass(frozen=True)
class Assignment:
    """What is assigned, what is read, and how the one is computed from the other."""

    names: tuple[str, ...]
    reads: tuple[str, ...]
    compute: Callable[..., Any]

    @classmethod
    def of(cls, names: tuple[str, ...], function: Callable[..., Any]) -> "Assignment":
        """Return what ``function`` computes from what its parameters are called."""
        return cls(names, tuple(inspect.signature(function).parameters), function)

    @classmethod
    def of_line(cls, line: Line) -> "Assignment":
        """Return what a rule's line computes."""
        return cls((line.name,), line.reads, compiled(line.expression))


Algorithm = tuple[Assignment, ...]


def run(
    algorithm: Algorithm, arguments: Mapping[str, Any], forced: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Run the assignments in order, and return the value of every name.

    What an argument was at first stays readable under its name with ``_before``. A name in
    ``forced`` has the value given there as soon as it is assigned.
    """
    values = dict(arguments)
    values |= {f"{name}_before": value for name, value in arguments.items()}
    for one in algorithm:
        result = one.compute(*[values[name] for name in one.reads])
        values.update(zip(one.names, result if len(one.names) > 1 else (result,), strict=True))
        if forced:
            values.update((name, forced[name]) for name in one.names if name in forced)
    return values


def exchanged(algorithm: Algorithm, wrong: Assignment) -> Algorithm:
    """Return the algorithm with a wrong assignment in the place of those of the same names.

    Where one of the names is an argument, the wrong one comes first. Where they say what is
    returned, it comes last.
    """
    assigned = {name for one in algorithm for name in one.names}
    kept = [one for one in algorithm if not set(one.names) & set(wrong.names)]
    if wrong.names[0].startswith(RETURNED):
        return (*kept, wrong)
    if set(wrong.names) - assigned:
        return (wrong, *kept)
    last = max(i for i, one in enumerate(algorithm) if set(one.names) & set(wrong.names))
    before = [one for one in algorithm[:last] if one in kept]
    return (*before, wrong, *kept[len(before) :])


def algorithm_of(rule: type[Rule]) -> Algorithm:
    """Return what a rule computes: the scalars that its step takes, the step's lines, the new x.

    What the change of x is divided by becomes an assignment of its own, ``denominator``, since so
    many mistakes are made there.

    Raises
    ------
    Unreadable
        If the rule is more than lines.

    Examples
    --------
    >>> from adam_edu.rules import Adam
    >>> [*[one.names[0] for one in algorithm_of(Adam)]]
    ['bias1', 'bias2', 'm', 'v', 'm_hat', 'v_hat', 'denominator', 'change', 'x']
    """
    lines = lines_of(rule)
    scalars = inlined(lines.scalars)
    own = [Line(name, scalars[name]) for name in lines.factors]
    for line in lines.whole_step:
        own += _divided(line) if line.name == "change" else [line]
    new_x = Line("x", Call("+", (Name("x"), Name("change"))))
    return tuple(map(Assignment.of_line, (*own, new_x)))


def _divided(line: Line) -> list[Line]:
    """Return a line, after one for its outermost denominator, if it has any."""
    quotients = [
        (path, node.args[1])
        for path, node in subtrees(line.expression)
        if isinstance(node, Call) and node.op == "/"
    ]
    if not quotients:
        return [line]
    path, denominator = min(quotients, key=lambda quotient: len(quotient[0]))
    divided = replaced(line.expression, (*path, 1), Name("denominator"))
    return [Line("denominator", denominator), Line(line.name, divided)]
