"""Scripts written for torch.optim run as they are, or hear in one line what to write."""

import inspect
import re
import subprocess
import sys

import pytest
import torch
from torch import nn

import adam_edu.torch as ours
from adam_edu import RULES
from adam_edu.torch.arguments import TORCH_ARGUMENTS, TORCH_CLASSES

SAME_NAME = ["SGD", "AdaGrad", "RMSProp", "AdaDelta", "Adam", "AdamW", "AdaMax", "NAdam", "RAdam"]


def one():
    return nn.Parameter(torch.ones(2))


@pytest.mark.parametrize("name", SAME_NAME)
def test_arguments_by_position_and_name_are_torchs(name):
    theirs = inspect.signature(getattr(torch.optim, TORCH_CLASSES[name][0])).parameters
    before, _, after = TORCH_ARGUMENTS[TORCH_CLASSES[name][0]].partition("|")
    by_position = [n for n, p in theirs.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert ["params", *before.split()] == by_position
    assert set(after.split()) == {n for n, p in theirs.items() if p.kind is p.KEYWORD_ONLY}
    values = [p.default for n, p in theirs.items() if n in by_position[1:]]
    made = getattr(ours, name)([one()], *values)
    for option, value in zip(by_position[1:], values, strict=True):
        assert made.param_groups[0][option] == value


@pytest.mark.parametrize("name", SAME_NAME)
def test_options_that_ask_for_nothing_are_taken(name):
    theirs = inspect.signature(getattr(torch.optim, TORCH_CLASSES[name][0])).parameters
    options = {"foreach": False, "fused": None, "differentiable": False, "amsgrad": False}
    options |= {"dampening": 0, "lr_decay": 0, "momentum": 0, "decoupled_weight_decay": False}
    for option, value in options.items():
        if option in theirs:
            getattr(ours, name)([one()], **{option: value})
    for option in ("foreach", "fused"):
        if option in theirs:
            getattr(ours, name)([one()], **{option: True})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fused": True, "implementation": "eager"}, 'ask for implementation="compiled"'),
        ({"foreach": True, "implementation": "eager"}, 'ask for implementation="compiled"'),
        ({"differentiable": True}, "call the step"),
        ({"momentum": 0.9}, "has no argument 'momentum'; it has params, "),
        ({"implementation": "fast"}, "implementation must be one of auto, eager, compiled"),
    ],
)
def test_other_options_are_answered_in_one_line(options, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)) as caught:
        ours.Adam([one()], **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "option", "value", "words"),
    [
        ("AdamW", "decoupled_weight_decay", False, "write Adam"),
        ("AMSGrad", "amsgrad", False, "write Adam"),
        ("Nesterov", "nesterov", False, "write Momentum"),
        ("CenteredRMSProp", "centered", False, "write RMSProp"),
        ("AdamL2", "decoupled_weight_decay", True, "write AdamW"),
        (
            "RMSProp",
            "momentum",
            0.9,
            "only the class SGD takes a momentum, or Momentum and Nesterov",
        ),
    ],
)
def test_an_option_that_another_class_follows(name, option, value, words):
    with pytest.raises(ValueError, match=f"{name} cannot follow {option}={value}: {words}$"):
        getattr(ours, name)([one()], **{option: value})


@pytest.mark.parametrize("name", RULES)
def test_text_and_tensors_of_two_numbers_are_refused(name):
    made = getattr(ours, name)
    options = [o for o in made([one()]).defaults if o not in ("foreach", "fused")]
    for option in options:
        for value in ("1e-3", "yes"):
            with pytest.raises(TypeError, match=f"{option}='{value}'"):
                made([one()], **{option: value})
            with pytest.raises(TypeError, match=f"{option}='{value}'"):
                made([{"params": [one()], option: value}])
        if option != "betas":
            with pytest.raises((TypeError, ValueError), match=option):
                made([one()], **{option: torch.tensor([0.1, 0.2])})
    with pytest.raises(TypeError, match=r"write 0\.001, a number \(YAML reads 1e-3 as text"):
        made([one()], lr="1e-3")


def test_the_signature_of_a_subclass_is_its_own():
    class Plain(ours.Adam):
        pass

    class Own(ours.Adam):
        def __init__(self, params, warmth, *, lr=0.5):
            super().__init__(params, lr=lr * warmth)

    assert inspect.signature(Plain) == inspect.signature(ours.Adam)
    assert str(inspect.signature(Own)) == "(params, warmth, *, lr=0.5)"
    assert Own([one()], 0.5).param_groups[0]["lr"] == 0.25
    assert list(inspect.signature(ours.Adam).parameters)[:3] == ["params", "lr", "betas"]
    assert inspect.signature(ours.Adam).parameters["lr"].default == 1e-3


IMPORT = """
import sys, torch
before = set(sys.modules)
import adam_edu.torch
new = {name for name in set(sys.modules) - before if not name.startswith("adam_edu")}
print(*sorted(name for name in new if name.split(".")[0] in ("torch", "triton", "sympy", "numpy")))
"""


def test_the_import_brings_little_more_than_torch():
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True
    )
    brought = done.stdout.split()
    assert not [name for name in brought if name.startswith(("torch._dynamo", "torch._inductor"))]
    assert len(brought) < 40, brought


FROZEN = [torch.uint8, torch.int8, torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn]


@pytest.mark.parametrize("dtype", FROZEN)
def test_frozen_parameters_of_any_dtype_are_left_alone(dtype):
    frozen = nn.Parameter(torch.ones(3).to(dtype), requires_grad=False)
    p = one()
    made = ours.AdamW([frozen, p])
    for _ in range(2):
        p.grad = torch.ones(2)
        made.step()
    assert frozen not in made.state
    assert torch.equal(frozen.data.to(torch.complex64), torch.ones(3, dtype=torch.complex64))
    other = ours.AdamW([frozen, p])
    other.load_state_dict(made.state_dict())
    assert other.state[p]["step"] == 2


@pytest.mark.parametrize("dtype", [torch.complex64, torch.float8_e5m2])
def test_an_unfrozen_parameter_that_cannot_be_optimized(dtype):
    frozen, p = nn.Parameter(torch.ones(3).to(dtype), requires_grad=False), one()
    made = ours.Adam([p, frozen])
    frozen.requires_grad_()
    p.grad, frozen.grad = torch.ones(2), torch.ones(3).to(dtype)
    with pytest.raises(
        TypeError, match=r"parameter 1 of group 0 has dtype .*requires_grad_\(False"
    ):
        made.step()
    assert torch.equal(p, torch.ones(2))
    with pytest.raises(TypeError, match="parameter 0 of the group has dtype"):
        ours.Adam([frozen])
    with pytest.raises(TypeError, match="parameter 0 of the group has dtype"):
        made.add_param_group({"params": nn.Parameter(torch.ones(3).to(dtype))})
    assert len(made.param_groups) == 1
