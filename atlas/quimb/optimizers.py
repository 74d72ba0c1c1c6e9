"""quimb: minimizers in the form of SciPy's, that ask for the gradient."""

from quimb.tensor import optimize

from adam_edu.libraries.functions import asking


def walk(kind):
    """Let it take a number of steps."""

    def minimize(gradient, start, steps):
        return kind()(lambda x: 0.0, start, jac=gradient, maxiter=steps).x

    return minimize


OPTIMIZERS = {
    f"quimb.tensor.optimize.{name}": asking(walk(getattr(optimize, name)), name)
    for name in ("ADAM", "NADAM", "RMSPROP", "SGD")
}
