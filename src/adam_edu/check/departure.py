"""Where a student's own program first departs from every quantity of the algorithm."""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import combinations

import numpy as np

from ..program import Array, Program, evaluated
from ..trees import Call, Node, Number
from .calling import Observation
from .observed import stacked
from .reference import Reference
from .report import apart
from .tracing import Step

CHAINS = {"*": ("*", "/"), "+": ("+", "-")}


def departure(
    exercise: Reference, program: Program, seen: Sequence[Observation], steps: Sequence[Step]
) -> str:
    """Return where a program first has a value that is no quantity of the algorithm, or ""."""
    given, found = stacked(exercise, program, seen)
    with np.errstate(all="ignore"):
        known = _Known(program, given, found)
        familiar = [known(step.values) for step in steps]
        excused = set()
        for number, step in enumerate(steps):
            if familiar[number]:
                excused |= set(_within(steps, step))
    for number, step in enumerate(steps):
        if familiar[number] or number in excused or not step.values:
            continue
        if all(familiar[i] or i in excused for i in step.inner):
            return f"{_said(step, seen)}."
    return ""


def _within(steps: Sequence[Step], step: Step) -> Iterator[int]:
    for number in step.inner:
        yield number
        yield from _within(steps, steps[number])


def _said(step: Step, seen: Sequence[Observation]) -> str:
    numbers = [float(np.ravel(value)[0]) for value in step.values]
    # Early, and not the zero that many things are at first.
    first = min(range(len(seen)), key=lambda i: (not numbers[i], seen[i].arguments.get("t", 0)))
    value = numbers[first]
    t = seen[first].arguments.get("t")
    when = f" after step {t}" if isinstance(t, int) else ""
    number = apart(value, value + max(abs(value), 1e-9))[0]
    what = f"{step.part} in it" if step.part else "it"
    return (
        f"line {step.line}, {step.text}: {what} has {number}{when}, which is no quantity of the "
        "algorithm"
    )


class _Known:
    """Says whether values are a quantity of the algorithm: of its lines or a part of one."""

    def __init__(
        self, program: Program, given: Mapping[str, Array], found: Mapping[str, Array]
    ) -> None:
        own = {name: found[name] for name in program.results[1:]}
        right = program.run(given)
        states = [right]
        mine = dict(given)
        for line in program.lines:  # and those that follow from the student's own state
            mine[line.name] = own.get(line.name, evaluated(line.expression, mine))
        states.append(mine)
        self.values: list[Array] = []
        for state in states:
            for line in program.lines:
                for node in _parts(line.expression):
                    value = evaluated(node, state)
                    self.values += [value] if node is line.expression else [value, -value]
            self.values += [np.asarray(state[line.name]) for line in program.lines]
        self.values += list(given.values())

    def __call__(self, values: Sequence[Array]) -> bool:
        if not values:
            return True  # what was not recorded raises no suspicion
        size = max(np.size(value) for value in values)
        try:
            mine = np.array([np.broadcast_to(np.ravel(value), size) for value in values])
        except ValueError:
            return False
        for value in self.values:
            try:
                if np.allclose(mine, value, rtol=1e-6, atol=1e-12, equal_nan=True):
                    return True
            except ValueError:
                continue
        return not np.ptp(mine)  # a constant


def _parts(node: Node) -> Iterator[Node]:
    """Yield every tree within a tree, and what part of a sum or of a product could be."""
    if not isinstance(node, Call):
        return
    for group, operators in CHAINS.items():
        if node.op in operators:
            members = [*_members(node, operators, False)]
            for count in range(2, len(members)):
                for some in combinations(members, count) if len(members) <= 6 else ():
                    yield _joined(some, group)
    yield node
    if node.op == "**":
        yield Call("*", (node.args[0], node.args[0]))
    for arg in node.args if node.op != "product" else ():
        yield from _parts(arg)


def _members(node: Node, operators: tuple[str, ...], less: bool) -> Iterator[tuple[Node, bool]]:
    if isinstance(node, Call) and node.op in operators:
        first, second = node.args
        yield from _members(first, operators, less)
        yield from _members(second, operators, less != (node.op == operators[1]))
    else:
        yield node, less


def _joined(members: Sequence[tuple[Node, bool]], group: str) -> Node:
    operators = CHAINS[group]
    start = [node for node, less in members if not less]
    rest = [node for node, less in members if less]
    whole = reduce(lambda a, b: Call(group, (a, b)), start) if start else None
    for node in rest:
        if whole is None:
            whole = Call("neg", (node,)) if group == "+" else Call("**", (node, _MINUS_ONE))
        else:
            whole = Call(operators[1], (whole, node))
    assert whole is not None
    return whole


_MINUS_ONE = Number(-1)
