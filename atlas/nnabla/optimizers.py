"""NNabla: a solver holds its parameters."""

import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0])

import nnabla
from nnabla import solvers
from speak import speak

NAMES = (
    *("Adam", "AdamW", "Adamax", "AMSGRAD", "AdaBelief", "AdaBound", "AMSBound", "RMSprop"),
    *("RMSpropGraves", "Adagrad", "Adadelta", "Lamb", "Lion", "Momentum", "Nesterov", "Sgd"),
)


def driven(kind):
    """Drive one in float32."""

    def begin(start):
        w = nnabla.Variable((len(start),), need_grad=True)
        w.d = start
        solver = kind()
        solver.set_parameters({"w": w})

        def step(g):
            w.g = g
            solver.update()
            return w.d

        return step

    return begin


speak(
    {
        "nnabla.solvers." + name: driven(getattr(solvers, name))
        for name in NAMES
        if hasattr(solvers, name)
    }
)
