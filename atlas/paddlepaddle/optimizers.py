"""Paddle, on the CPU."""

from functools import partial

from paddle import optimizer

from adam_edu.libraries.frameworks import paddle
from adam_edu.libraries.measuring import Made

NAMES = (
    *("Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adadelta", "Lamb", "ASGD", "SGD"),
    *("Momentum", "Rprop"),
)


def driven(kind, **arguments):
    """Drive one with arguments of its own."""
    return paddle(lambda parameters: kind(parameters=parameters, **arguments))


OPTIMIZERS = {f"paddle.optimizer.{name}": getattr(optimizer, name) for name in NAMES} | {
    "paddle.optimizer.Adam(amsgrad=True)": Made(partial(driven, optimizer.Adam), amsgrad=True),
    "paddle.optimizer.Adagrad": Made(partial(driven, optimizer.Adagrad), learning_rate=1e-3),
    "paddle.optimizer.RMSProp": Made(partial(driven, optimizer.RMSProp), learning_rate=1e-3),
}
