"""A rule's lines as data: what each is called, its expression as a tree, and what it reads.

Whoever prints a rule, edits it or runs it line by line takes its lines from here. They are read
from the source of its methods::

    m = self.beta1 * m + (1 - self.beta1) * g

is a line named ``m``, whose expression is the tree of ``beta1 * m + (1 - beta1) * g``
(:mod:`adam_edu.trees`). Schedules and surfaces are read in the same way, by :func:`read`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property

from .base import Rule
from .reading import Unreadable, in_sequence, read
from .trees import Call, Line, Name, Node


@dataclass(frozen=True)
class Lines:
    """What a rule computes in one step, line by line.

    In any line, a name means what was assigned to it last: ``m`` the slot, until a line has made
    the new ``m``.

    Attributes
    ----------
    rule : whose lines they are
    hyper : the names of its hyper-parameters
    scalars : once a step, from ``t`` and the hyper-parameters; among them, each of ``factors``
    factors : the names of those that ``step`` takes, in its order; ``"penalty"`` may be among them
    step : for each element, from ``x``, ``g``, the slots, ``factors`` and hyper-parameters
    results : the change of x, then the new slots, all computed from what the last line left
    """

    rule: type[Rule]
    hyper: tuple[str, ...]
    scalars: tuple[Line, ...]
    factors: tuple[str, ...]
    step: tuple[Line, ...]
    results: tuple[Node, ...]

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of what has the parameter's shape: x, g and the slots."""
        return ("x", "g", *self.rule.slots)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the numbers that a step takes: hyper-parameters, then ``factors``."""
        return (*self.hyper, *self.factors)

    @cached_property
    def whole_step(self) -> tuple[Line, ...]:
        """The lines of ``step``, with ``change`` and the slots that it returns at the end.

        A slot that is returned under its own name has no further line.

        Raises
        ------
        Unreadable
            If what is returned cannot be written line by line.
        """
        names = ("change", *self.rule.slots)
        last = in_sequence(names, self.results, f"{self.rule.__name__}.step returns")
        return classified([*self.step, *last], self.arrays)

    def __iter__(self) -> Iterator[Line]:
        """Yield every line, in order."""
        yield from (*self.scalars, *self.whole_step)

    def variant(
        self, *, maximize: bool = False, penalized: bool = False, decoupled: bool = False
    ) -> "Lines":
        """Return the lines of the rule as ``torch.optim`` varies its own.

        Where there is a penalty, ``penalty`` is one more number of the step.

        Parameters
        ----------
        maximize : the gradient is negated first
        penalized : then ``penalty * x`` is added to it, for ``weight_decay``
        decoupled : ``penalty * x`` is subtracted from the change, for ``decoupled_weight_decay``
        """
        g, (change, *slots) = Name("g"), self.results
        decay = Call("*", (Name("penalty"), Name("x")))
        first = [Line("g", Call("neg", (g,)))] if maximize else []
        if penalized:
            first.append(Line("g", Call("+", (g, decay))))
        if decoupled:
            change = Call("-", (change, decay))
        return replace(
            self,
            factors=(*self.factors, *(["penalty"] if penalized or decoupled else [])),
            step=classified([*first, *self.step], self.arrays),
            results=(change, *slots),
        )


def classified(lines: Iterable[Line], arrays: Iterable[str]) -> tuple[Line, ...]:
    """Return lines that say rightly whether they are scalar, where ``arrays`` has the names of what
    is not."""
    elementwise = set(arrays)
    found = []
    for line in lines:
        scalar = elementwise.isdisjoint(line.reads)
        (elementwise.discard if scalar else elementwise.add)(line.name)
        found.append(replace(line, scalar=scalar))
    return tuple(found)


def lines_of(rule: type[Rule]) -> Lines:
    """Return the lines of a rule.

    Raises
    ------
    Unreadable
        If its methods hold anything else than lines of operators and of :mod:`adam_edu.ops`.

    Examples
    --------
    >>> from adam_edu.rules import Adam
    >>> print(*lines_of(Adam), sep="\\n")
    bias1 = 1 - beta1**t
    bias2 = 1 - beta2**t
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / bias1
    v_hat = v / bias2
    change = -lr * m_hat / (sqrt(v_hat) + eps)
    """
    return _lines_of(rule)  # type: ignore[arg-type]


@cache
def _lines_of(rule: type[Rule]) -> Lines:
    before, step = read(rule, "scalars"), read(rule, "step")
    arrays = ("x", "g", *rule.slots)
    factors = step.parameters[len(arrays) :]
    if step.parameters[: len(arrays)] != arrays:
        raise Unreadable(f"{rule.__name__}.step must take {', '.join(arrays)} first")
    if any(line.name == "x" for line in step.lines):
        raise Unreadable(f"{rule.__name__}.step returns the change of x: call the line otherwise")
    for method, body, names in (
        ("scalars", before, factors),
        ("step", step, ("change", *rule.slots)),
    ):
        if body.single or len(body.results) != len(names):
            raise Unreadable(f"{rule.__name__}.{method} must return ({', '.join(names)},)")
    return Lines(
        rule=rule,
        hyper=tuple(field.name for field in fields(rule)),
        scalars=(
            *before.lines,
            *in_sequence(factors, before.results, f"{rule.__name__}.scalars returns"),
        ),
        factors=factors,
        step=classified(step.lines, arrays),
        results=step.results,
    )
