"""ODL: a minimizer that asks for the gradient; it runs in a thread that waits for each."""

import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0])

import queue
import threading

import numpy as np
import odl
from odl.solvers.smooth.gradient import adam
from speak import speak


class Asked(odl.Operator):
    """The gradient, which comes from outside."""

    def __init__(self, space, ask):
        super().__init__(space, space, linear=False)
        self.ask = ask

    def _call(self, x, out):
        out[:] = self.ask(x.asarray().copy())


class Loss(odl.solvers.Functional):
    """A functional of which only the gradient is known."""

    def __init__(self, space, ask):
        super().__init__(space, linear=False)
        self.asked = Asked(space, ask)

    def _call(self, x):
        return 0.0

    @property
    def gradient(self):
        """Return it."""
        return self.asked


def begin(start):
    """Start the minimizer; each gradient lets it go on to its next point."""
    points, gradients = queue.Queue(), queue.Queue()

    def ask(x):
        points.put(x)
        return gradients.get()

    space = odl.rn(len(start))
    loss, x = Loss(space, ask), space.element(np.array(start))
    threading.Thread(
        target=adam, args=(loss, x), kwargs={"tol": 0, "maxiter": 10**9}, daemon=True
    ).start()
    points.get()

    def step(g):
        gradients.put(np.array(g))
        return points.get()

    return step


speak({"odl.solvers.adam": begin})
