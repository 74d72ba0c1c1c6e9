"""PyTorch's own cases for its optimizers, with our classes in their place.

``torch/testing/_internal/common_optimizers.py`` comes with Torch. It says with which arguments each
class of ``torch.optim`` is to be tested, which it must refuse, and under which schedulers.
"""

import copy

import torch
from torch.testing._internal.common_optimizers import (
    _get_optim_inputs_including_global_cliquey_kwargs,
    optim_db,
)

import adam_edu.torch as ours

NAMESAKES = {
    "SGD": ours.SGD,
    "Adagrad": ours.AdaGrad,
    "RMSprop": ours.RMSProp,
    "Adadelta": ours.AdaDelta,
    "Adam": ours.Adam,
    "AdamW": ours.AdamW,
    "Adamax": ours.AdaMax,
    "NAdam": ours.NAdam,
    "RAdam": ours.RAdam,
}


def _ours(info):
    mine = copy.copy(info)
    mine.optim_cls = NAMESAKES[info.name]
    mine.theirs = info.optim_cls
    return mine


INFOS = [_ours(info) for info in optim_db if info.name in NAMESAKES]


def inputs(info):
    """Return the arguments of each case, with the options that say how it is computed."""
    return _get_optim_inputs_including_global_cliquey_kwargs("cpu", torch.float64, info)


def refused(info, kwargs):
    """Return the option of a case that ours refuses, or None."""
    names = ["dampening", "lr_decay", "differentiable"]
    if info.theirs.__name__ == "RMSprop":
        names.insert(0, "momentum")
    return next((name for name in names if kwargs.get(name)), None)


ALL = [(f"{info.name}: {case.desc}", info, case.kwargs) for info in INFOS for case in inputs(info)]
CASES = [case for case in ALL if not refused(*case[1:])]
REFUSED = [case for case in ALL if refused(*case[1:])]
ERRORS = [
    (f"{info.name}: {case.optimizer_error_input.desc}", info, case)
    for info in INFOS
    for case in info.optim_error_inputs_func("cpu", torch.float64)
]


def task(dtype=torch.float64, seed=0, transposed=False):
    """Return parameters of a small regression, and its loss."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(10, 5, generator=generator, dtype=torch.float64)
    if transposed:
        weight = weight.t().contiguous().t()
    bias, x = (torch.randn(n, generator=generator, dtype=torch.float64) for n in (10, 5))
    params = [torch.nn.Parameter(tensor.to(dtype)) for tensor in (weight, bias)]
    x = x.to(dtype)
    return params, lambda: (params[0].mv(x) + params[1]).pow(2).sum()


def closure_of(made, loss):
    """Return what a training loop hands to ``step``."""

    def closure():
        made.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure


def train(made, loss, steps=5):
    """Take steps; return the losses before each."""
    closure = closure_of(made, loss)
    return [made.step(closure).detach().item() for _ in range(steps)]


def fresh(kwargs):
    """Return a case's arguments, with tensors of its own."""
    return copy.deepcopy(kwargs)
