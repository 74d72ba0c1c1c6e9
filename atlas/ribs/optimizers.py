"""pyribs: gradient ascent of its emitters."""

from ribs.emitters.opt import AdamOpt, GradientAscentOpt

from adam_edu.libraries.functions import Function
from adam_edu.libraries.measuring import Made


def driven(kind, **arguments):
    """Drive one."""

    def points(start, gradients):
        optimizer, reached = kind(start, **arguments), []
        for g in gradients:
            optimizer.step(g)
            reached.append(optimizer.theta.copy())
        return reached

    return Function(points, kind.__name__)


def ascent(**arguments):
    """Drive the one whose rate has no default."""
    return driven(GradientAscentOpt, **arguments)


OPTIMIZERS = {
    "ribs.emitters.opt.AdamOpt": driven(AdamOpt),
    "ribs.emitters.opt.GradientAscentOpt": Made(ascent, lr=1e-3),
}
