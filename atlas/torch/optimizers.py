"""The optimizers of PyTorch, with their defaults."""

from functools import partial

from torch import optim

OPTIMIZERS = {
    f"torch.optim.{kind.__name__}": kind
    for kind in (
        *(optim.Adam, optim.AdamW, optim.NAdam, optim.RAdam, optim.Adamax, optim.RMSprop),
        *(optim.Adagrad, optim.Adadelta, optim.Adafactor, optim.SGD, optim.ASGD, optim.Rprop),
    )
} | {
    "torch.optim.Adam(amsgrad=True)": partial(optim.Adam, amsgrad=True),
    "torch.optim.SGD(momentum=0.9)": partial(optim.SGD, momentum=0.9),
}
