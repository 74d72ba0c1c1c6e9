"""Drivers of what belongs to no library: rules, functions, and programs that speak JSON."""

import inspect
import json
import shlex
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..base import Rule
from .base import Array, Driver, Gradients, Unusable, joined


class Ours(Driver):
    """A rule of this package, or a function of the form of its exercises.

    A function takes ``x``, ``g``, its slots in their order and ``t`` if it wants it, and returns
    the new x and the new slots: ``adam_step(x, g, m, v, t)``.
    """

    sparse = True

    def __init__(self, rule: Any) -> None:
        self.name = type(rule).__name__ if isinstance(rule, Rule) else rule.__name__
        if isinstance(rule, Rule):
            self.update, self.begin, self.wants_t = rule.update, rule.init, True
            return
        required = [
            p.name for p in inspect.signature(rule).parameters.values() if p.default is p.empty
        ]
        self.wants_t = "t" in required
        count = len(required) - 2 - self.wants_t
        self.begin = lambda x: (np.zeros_like(x),) * count
        order = required.index("t") - 2 if self.wants_t else 0

        def update(t: int, x: Any, g: Any, *slots: Any) -> Any:
            if not self.wants_t:
                return rule(x, g, *slots)
            return rule(x, g, *slots[:order], t, *slots[order:])

        self.update = update

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Call it for each parameter; one whose gradient is None is left out."""
        xs = [np.array(x, dtype) for x in starts]
        slots: list[tuple[Any, ...]] = [tuple(self.begin(x)) for x in xs]
        path = []
        for t, row in enumerate(gradients, start=1):
            for k, g in enumerate(row):
                if g is None:
                    continue
                found = self.update(t, xs[k], g, *slots[k])
                x, *after = found if isinstance(found, tuple) else (found,)
                xs[k], slots[k] = np.asarray(x, np.float64), tuple(after)
            path.append([x.copy() for x in xs])
        return path


class Function(Driver):
    """A function from start and gradients, of shapes (n,) and (T, n), to the T points after each
    step, of shape (T, n). There is one parameter: what depends on several is not seen."""

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        self.function = function
        self.name = name or str(getattr(function, "__name__", "function"))

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Call it with all parameters as one."""
        rows = np.array([joined(row, starts) for row in gradients])
        found = np.asarray(self.function(np.concatenate(starts), rows), np.float64)
        wanted = rows.shape
        if found.shape != wanted:
            raise Unusable(
                f"{self.name} must return the points after each step, of shape {wanted}, and "
                f"returned {found.shape}"
            )
        ends = np.cumsum([len(x) for x in starts])[:-1]
        return [np.split(row, ends) for row in found]


def asking(minimize: Callable[..., Any], name: str) -> Function:
    """Drive a minimizer that asks for gradients itself.

    ``minimize(gradient, start, steps)`` returns the last point; ``gradient`` takes a point, and
    perhaps more, and the points that it is given are those after each step.
    """

    def points(start: Array, gradients: Array) -> list[Array]:
        seen: list[Array] = []

        def gradient(x: Any, *_: Any) -> Array:
            seen.append(np.array(x, np.float64).reshape(start.shape))
            return gradients[min(len(seen), len(gradients)) - 1].copy()

        end = minimize(gradient, start.copy(), len(gradients))
        return [*seen[1 : len(gradients)], np.asarray(end, np.float64)]

    return Function(points, name)


class Command(Driver):
    """A program that reads JSON lines and writes JSON lines.

    The first line that it reads is ``{"x": [...]}``, where the parameter starts; each other line is
    ``{"g": [...]}``, and it answers with ``{"x": [...]}``, the parameter after that step. One whose
    answers are numbers of float32, all of them, is taken to compute in it.
    """

    def __init__(self, command: str, seconds: float = 60.0) -> None:
        self.words, self.name, self.seconds = shlex.split(command), command, seconds
        if not self.words:
            raise Unusable("the command that is to be run is empty")

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Start it, send all, and read all; raises Unusable for what JSON has no word for."""
        sizes = [len(x) for x in starts]
        lines = [json.dumps({"x": np.concatenate(starts).tolist()})]
        for row in gradients:
            g = joined(row, starts)
            if not np.isfinite(g).all():
                raise Unusable(f"{self.name} reads JSON, which has no NaN and no infinity")
            lines.append(json.dumps({"g": g.tolist()}))
        try:
            done = subprocess.run(
                self.words,
                input="\n".join(lines) + "\n",
                capture_output=True,
                text=True,
                timeout=self.seconds,
            )
        except OSError as error:
            raise Unusable(f"{self.name} cannot be run: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise Unusable(f"{self.name} did not end within {self.seconds:g} s") from None
        answers = [line for line in done.stdout.splitlines() if line.strip()]
        try:
            found = [np.asarray(json.loads(line)["x"], np.float64) for line in answers]
        except (ValueError, KeyError, TypeError):
            found = []
        if len(found) != len(lines) - 1:
            last = (done.stderr.strip().splitlines() or [""])[-1]
            raise Unusable(
                f'{self.name} must answer each line of gradients with a line {{"x": [...]}}; '
                f"{len(lines) - 1} were sent, {len(found)} came back. {last}".strip()
            )
        with np.errstate(over="ignore"):
            if all(np.array_equal(x, x.astype(np.float32)) for x in found):
                self.dtypes = ("float32",)
        ends = np.cumsum(sizes)[:-1]
        return [np.split(x, ends) for x in found]
