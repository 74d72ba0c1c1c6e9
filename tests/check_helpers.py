"""Solutions for the checker, made of an exercise's own lines and mistakes."""

from adam_edu.check.exercise import Exercise
from adam_edu.check.mistake import Mistake


def from_lines(exercise: Exercise, *mistakes: Mistake):
    """Return a solution that computes an exercise's lines, with mistakes."""

    def compute(*arguments):
        values = exercise.values(dict(zip(exercise.parameters, arguments, strict=True)), *mistakes)
        results = exercise.results(values)
        return results if len(results) > 1 else results[0]

    names = ", ".join(exercise.parameters)
    return _defined(f"def {exercise.signature}:\n    return compute({names})", exercise, compute)


def as_function(exercise: Exercise):
    """Return an exercise's stub as a function."""
    return _defined(exercise.stub, exercise, None)


def _defined(source, exercise, compute):
    import numpy as np

    namespace = {"np": np, "compute": compute}
    exec(source, namespace)
    return namespace[exercise.name]
