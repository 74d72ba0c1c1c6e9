"""Paddle, on the CPU."""

from functools import partial

from paddle import optimizer

NAMES = (
    *("Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adadelta", "Lamb", "ASGD", "SGD"),
    *("Momentum", "Rprop"),
)
OPTIMIZERS = {f"paddle.optimizer.{name}": getattr(optimizer, name) for name in NAMES} | {
    "paddle.optimizer.Adam(amsgrad=True)": partial(optimizer.Adam, amsgrad=True),
    "paddle.optimizer.Adagrad": partial(optimizer.Adagrad, learning_rate=1e-3),
    "paddle.optimizer.RMSProp": partial(optimizer.RMSProp, learning_rate=1e-3),
}
