"""The Torch optimizers compute what the rules say, and what their namesakes in torch.optim do."""

from functools import partial

import pytest
import torch
from libraries import difference, recording, run_rule, run_torch, torch_default_dtype

import adam_edu.torch as ours
from adam_edu import RULES

XS, GS = recording(seed=3)

# What both have: our class with arguments, and Torch's with arguments.
TWINS = {
    "SGD": ("SGD", {"lr": 0.01}, "SGD", {"lr": 0.01}),
    "SGD with decay": ("SGD", {"weight_decay": 0.1}, "SGD", {"weight_decay": 0.1}),
    "SGD upwards": ("SGD", {"maximize": True}, "SGD", {"maximize": True}),
    "SGD with momentum": ("SGD", {"momentum": 0.9}, "SGD", {"momentum": 0.9}),
    "SGD nesterov": ("SGD", nesterov := {"momentum": 0.9, "nesterov": True}, "SGD", nesterov),
    "Momentum": ("Momentum", {}, "SGD", {"momentum": 0.9}),
    "Nesterov": ("Nesterov", {}, "SGD", nesterov),
    "AdaGrad": ("AdaGrad", {}, "Adagrad", {}),
    "AdaGrad with decay": ("AdaGrad", {"weight_decay": 0.1}, "Adagrad", {"weight_decay": 0.1}),
    "RMSProp": ("RMSProp", {"alpha": 0.9}, "RMSprop", {"alpha": 0.9}),
    "RMSProp centered": ("RMSProp", {"centered": True}, "RMSprop", {"centered": True}),
    "AdaDelta": ("AdaDelta", {"rho": 0.95}, "Adadelta", {"rho": 0.95}),
    "Adam": ("Adam", {"betas": (0.8, 0.99)}, "Adam", {"betas": (0.8, 0.99)}),
    "Adam upwards": ("Adam", {"maximize": True}, "Adam", {"maximize": True}),
    "Adam with decay": ("Adam", {"weight_decay": 0.1}, "Adam", {"weight_decay": 0.1}),
    "Adam amsgrad": ("Adam", {"amsgrad": True}, "Adam", {"amsgrad": True}),
    "AMSGrad": ("AMSGrad", {}, "Adam", {"amsgrad": True}),
    "AdamL2": ("AdamL2", {}, "Adam", {"weight_decay": 0.01}),
    "AdamW": ("AdamW", {"weight_decay": 0.1}, "AdamW", {"weight_decay": 0.1}),
    "AdaMax": ("AdaMax", {"eps": 1e-6}, "Adamax", {"eps": 1e-6}),
    "NAdam": ("NAdam", {}, "NAdam", {}),
}
IMPLEMENTATIONS = ("eager", "compiled")


@pytest.fixture(params=TWINS)
def twins(request):
    """Return both sides' classes, with arguments."""
    mine, my_arguments, theirs, their_arguments = TWINS[request.param]
    return (
        partial(getattr(ours, mine), **my_arguments),
        partial(getattr(torch.optim, theirs), **their_arguments),
    )


def test_every_rule_has_a_class():
    for name, rule in RULES.items():
        made = getattr(ours, name)
        assert issubclass(made, torch.optim.Optimizer)
        assert (made.__name__, made.rule) == (name, rule)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("name", RULES)
def test_class_computes_its_rule(name, implementation):
    rule = RULES[name]()
    make = partial(ours.optimizer, rule, implementation=implementation)
    of_rule = run_rule(rule, XS, GS)
    of_class = run_torch(make, XS, GS, {slot: slot for slot in rule.slots})
    assert difference(of_rule.x, of_class.x) < 1e-12
    for slot in rule.slots:
        assert difference(of_rule.slots[slot], of_class.slots[slot]) < 1e-12


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_class_agrees_with_its_namesake(twins, implementation):
    mine, theirs = twins
    with torch_default_dtype(torch.float64):  # in which Torch keeps NAdam's product
        expected = run_torch(theirs, XS, GS)
    actual = run_torch(partial(mine, implementation=implementation), XS, GS)
    assert difference(actual.x, expected.x) < 1e-12
