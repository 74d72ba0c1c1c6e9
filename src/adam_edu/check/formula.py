"""How to make an exercise of one formula."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..program import FUNCTIONS, Array, Program, drawn, evaluated
from ..reading import ARITHMETIC
from ..trees import Call, Line, Name, Node, Number
from .algorithm import Assignment
from .exercise import Exercise
from .kinds import ARRAYS, FLOATS, LISTS, NUMBERS, TENSORS
from .mistake import Mistake
from .reference import Material

Probes = tuple[Mapping[str, Any], ...]
Possible = Callable[..., Mapping[str, Any]]
# How one step's inputs and its result are found in every step of a run: of the arguments and the
# results of a call.
Each = Callable[[Mapping[str, Any], tuple[Array, ...]], Mapping[str, Array]]


@dataclass(frozen=True)
class Step:
    """One step of a run, as a program."""

    program: Program
    each: Each


# Shares: what each leaves of 1 is as likely a value.
DECAYS = ("beta", "beta1", "beta2", "momentum", "p")


def formula(
    signature: str,
    right: Callable[..., Any] | str | tuple[str, ...],
    *,
    returns: str,
    statement: str,
    probes: Sequence[Mapping[str, Any]],
    mistakes: tuple[Mistake, ...],
    read: str,
    one_by_one: bool = False,
    step: Step | None = None,
    possible: Possible = dict,
    also: str | tuple[str, ...] = (),
) -> Exercise:
    """Return the exercise to write a formula.

    Parameters
    ----------
    signature : as it stands after ``def``
    right : the formula as it would be written, or lines ``NAME = ...`` of which it is the last; a
        function with the parameters of the signature, if it is more than lines
    returns : the name of what it returns
    statement : what to do
    probes : the arguments of each call
    mistakes : the known ones, each a ``wrong(returns)`` function of the same parameters
    read : the chapter
    one_by_one : whether arrays are taken coordinate by coordinate, so that a solution for single
        floats is as good as one for arrays
    step : if the formula is a run's last value, how each comes of the one before
    possible : makes of arguments that are drawn, by name, such as occur
    also : the formula written otherwise, as it may have been meant where something is wrong
    """
    arrays = any(isinstance(value, np.ndarray) for value in probes[0].values())
    kinds = (ARRAYS, FLOATS, LISTS, TENSORS) if one_by_one else (ARRAYS, LISTS, TENSORS)
    return Exercise(
        signature=signature,
        returns=(returns,),
        statement=statement,
        made=lambda: _material(signature, right, also, returns, tuple(probes), step, possible),
        mistakes=mistakes,
        read=read,
        kinds=kinds if arrays else (NUMBERS,),
        places={returns: "your formula"},
    )


def _material(
    signature: str,
    right: Any,
    also: Any,
    returns: str,
    probes: tuple[Mapping[str, Any], ...],
    step: Step | None,
    possible: Possible,
) -> Material:
    if callable(right):
        own = (Assignment.of((returns,), right),)
        if step is None:
            return Material(own, probes)
        return Material(
            own, probes, program=step.program, rich=drawn(step.program), unrolled=step.each
        )
    program = _program(signature, right, returns)
    lines = tuple(map(_assignment, program.lines))
    others = (_program(signature, also, returns),) if also else ()
    rich = _rich(probes, possible)
    return Material(lines, probes, _further(probes, possible), program, rich, others)


def _program(signature: str, right: Any, returns: str) -> Program:
    """Return a formula as a program."""
    (function,) = ast.parse(f"def {signature}: ...").body
    assert isinstance(function, ast.FunctionDef)
    inputs = tuple(argument.arg for argument in function.args.args)
    values = [ast.literal_eval(node) for node in function.args.defaults]
    usual = tuple(zip(inputs[len(inputs) - len(values) :], map(float, values), strict=True))
    texts = (f"{returns} = {right}",) if isinstance(right, str) else right
    lines = []
    for text in texts:
        (statement,) = ast.parse(text).body
        assert isinstance(statement, ast.Assign)
        lines.append(Line(ast.unparse(statement.targets[0]), _tree(statement.value)))
    names = (*inputs, *(line.name for line in lines))
    decays = tuple(name for name in names if name in DECAYS)
    return Program(tuple(lines), (returns,), inputs, decays, usual)


def _tree(node: ast.expr) -> Node:
    match node:
        case ast.Name("pi"):
            return Call("pi")
        case ast.Name(name):
            return Name(name)
        case ast.Constant(int() | float() as number):
            return Number(number)
        case ast.UnaryOp(op, x):
            return Call(ARITHMETIC[type(op)], (_tree(x),))
        case ast.BinOp(a, op, b):
            return Call(ARITHMETIC[type(op)], (_tree(a), _tree(b)))
        case ast.Call(ast.Name(name), args) if name in FUNCTIONS:
            return Call(name, tuple(map(_tree, args)))
    raise ValueError(f"{ast.unparse(node)} cannot stand in a formula")


def _assignment(line: Line) -> Assignment:
    """Return a line that is computed of one call's arguments."""

    def compute(*values: Any) -> Any:
        given = {n: np.asarray(v, dtype=float) for n, v in zip(line.reads, values, strict=True)}
        with np.errstate(all="ignore"):
            result = np.asarray(evaluated(line.expression, given))
        return result.reshape(()) if result.size == 1 else result

    return Assignment((line.name,), line.reads, compute)


def _further(probes: Probes, possible: Possible) -> tuple[dict[str, Any], ...]:
    """Return more calls, with arguments from between those of the probes."""
    return tuple(_drawn(probes, possible, 10, 1))


def _rich(probes: Probes, possible: Possible) -> dict[str, Array]:
    calls = [*_drawn(probes, possible, 40, 2)]
    return {n: np.array([np.atleast_1d(call[n]) for call in calls], float) for n in probes[0]}


def _drawn(probes: Probes, possible: Possible, count: int, seed: int) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    drawn = {name: _drawing([probe[name] for probe in probes]) for name in probes[0]}
    for _ in range(count):
        yield {**possible(**{name: draw(rng) for name, draw in drawn.items()})}


def _drawing(values: Sequence[Any]) -> Callable[[np.random.Generator], Any]:
    """Return what draws a value between the least and the largest of these."""
    longest = max(values, key=np.size)
    low, high = float(min(map(np.min, values))), float(max(map(np.max, values)))
    if isinstance(longest, np.ndarray) and longest.dtype.kind == "i":
        return lambda rng: rng.integers(round(low), round(high), longest.shape, endpoint=True)
    if isinstance(longest, np.ndarray):
        return lambda rng: rng.uniform(low, high, longest.shape)
    if all(isinstance(value, int) for value in values):
        return lambda rng: round(_even(low, high, rng))
    return lambda rng: _even(low, high, rng)


def _even(low: float, high: float, rng: np.random.Generator) -> float:
    """Return a number between two, on a logarithmic scale if they are far apart."""
    if low > 0 and high > 5 * low:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(rng.uniform(low, high))
