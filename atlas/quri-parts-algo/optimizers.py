"""QURI Parts: optimizers that take a state and return the next."""

from quri_parts.algo import optimizer

from adam_edu.libraries.functions import Function


def driven(kind):
    """Drive one; it would stop where a cost no longer falls."""

    def points(start, gradients):
        made, reached = kind(ftol=None), []
        state = made.get_init_state(start)
        for g in gradients:
            state = made.step(state, lambda x: 0.0, lambda x, g=g: g)
            reached.append(state.params)
        return reached

    return Function(points, kind.__name__)


OPTIMIZERS = {
    f"quri_parts.algo.optimizer.{kind.__name__}": driven(kind)
    for kind in (optimizer.Adam, optimizer.AdaBelief)
}
