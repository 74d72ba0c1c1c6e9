"""Qiskit Algorithms: minimizers that ask for the gradient. They would stop at a short step."""

from functools import partial

from qiskit_algorithms.optimizers import ADAM, GradientDescent

from adam_edu.libraries.functions import asking


def walk(kind, gradient, start, steps):
    """Let it take a number of steps, however short."""
    return kind(maxiter=steps, tol=0.0).minimize(lambda x: 0.0, start, jac=gradient).x


OPTIMIZERS = {
    f"qiskit_algorithms.optimizers.{name}": asking(partial(walk, kind), name)
    for name, kind in {
        "ADAM": ADAM,
        "ADAM(amsgrad=True)": partial(ADAM, amsgrad=True),
        "GradientDescent": GradientDescent,
    }.items()
}
