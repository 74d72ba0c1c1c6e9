"""VIABEL: the direction of descent, whose state is made with the first gradient."""

from functools import partial

from viabel.optimization import Adagrad, Adam, RMSProp

from adam_edu.libraries.functions import Function
from adam_edu.libraries.measuring import Made


def driven(kind, learning_rate):
    """Drive one: it returns a direction, and the caller steps."""

    def points(start, gradients):
        optimizer, x, reached = kind(learning_rate), start.copy(), []
        optimizer.reset_state()
        for g in gradients:
            x = x - learning_rate * optimizer.descent_direction(g.copy())
            reached.append(x)
        return reached

    return Function(points, kind.__name__)


OPTIMIZERS = {
    f"viabel.optimization.{kind.__name__}": Made(partial(driven, kind), learning_rate=1e-3)
    for kind in (Adam, RMSProp, Adagrad)
}
