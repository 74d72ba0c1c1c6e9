"""The page of symptoms: each test of one line is true in a healthy run, and tells its fault."""

import copy
import math
import re

import pytest
import torch
from conftest import ROOT
from torch import nn

from adam_edu import check
from adam_edu.libraries import identify
from adam_edu.rules import Adam
from adam_edu.torch.loop import decay_groups, edited

PAGE = (ROOT / "book/symptoms.md").read_text(encoding="utf-8")
TESTS = re.findall(r"^- [^`]+?\. `([^`]+)`", PAGE.replace("\n  ", " "), re.MULTILINE)
# What has to be looked at within a step, before the line that begins so.
WITHIN = {
    "all(p.grad is None": "    for inputs",
    "all(p.grad is not None": "    clip_grad_norm_",
    "nn.utils.get_total_norm": "    scaler.step",
}
CLIP, ZERO = "    clip_grad_norm_(model.parameters(), max_norm)\n", "    optimizer.zero_grad()\n"
BACKWARD, SCHEDULE = ".backward()\n", "    schedule.step()\n"


def loss_of(outputs, labels):
    return nn.functional.cross_entropy(outputs, labels, reduction="sum")


def adam_step(x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    return Adam(lr, beta1, beta2, eps).update(t, x, g, m, v)


def run(*edits, spoil=None, steps=3):
    """Return what the tests name, after steps of the loop with edits and a fault."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 4))
    optimizer = torch.optim.AdamW(decay_groups(model, 0.01), lr=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (t + 1))
    scaler, order = torch.amp.GradScaler("cpu", enabled=False), torch.Generator().manual_seed(0)
    inputs, labels, max_norm = torch.randn(5, 8), torch.arange(5) % 4, 1.0
    if spoil is not None:
        spoil(model, inputs)
    seen, norms = {}, []

    def look(begin):
        seen[begin] = evaluated(begin, {"model": model, "max_norm": max_norm})

    def clip(parameters, max_norm):
        norms.append(nn.utils.clip_grad_norm_(parameters, max_norm))

    looks = [(line, f"    look({begin!r})\n{line}") for begin, line in WITHIN.items()]
    step = edited(*edits, *looks, clip_grad_norm_=clip, look=look)
    for _ in range(steps):
        before = model[3].weight.detach().clone()
        parts = [(inputs[:3], labels[:3]), (inputs[3:], labels[3:])]
        step(model, loss_of, parts, optimizer, schedule, scaler, max_norm)
    loss = loss_of(model.eval()(inputs), labels) / len(labels)
    (group, _), norm, total = optimizer.param_groups, norms[-1], loss.item()
    p, a, b = model[3].weight, model[0], copy.deepcopy(model[0])
    saved = {"order": order.get_state(), "dropout": torch.get_rng_state()}
    return locals() | {"first_loss": math.log(4), "classes": 4, "usual_rate": 0.01, "wanted": 0.01}


def names(found):
    """Return what a reader has at hand; two of what is compared are the same here."""
    same = ("test_inputs", "train_inputs", "first_batch", "other_first_batch", "whole", "in_parts")
    return {
        **dict.fromkeys(same, found["inputs"]),
        **dict.fromkeys(("test_loss", "train_loss"), found["loss"]),
        "identify": lambda kind: identify(Adam()),  # quicker than Torch's own
        "check": check,
        "adam_step": adam_step,
        **found,
    }


def evaluated(begin, found):
    (test,) = [test for test in TESTS if test.startswith(begin)]
    return bool(eval(test, {"torch": torch, "nn": nn, "math": math} | found))


def verdict(test, found):
    for begin in WITHIN:
        if test.startswith(begin):
            return found["seen"][begin]
    return evaluated(test, names(found))


@pytest.fixture(scope="module")
def healthy():
    return run()


def test_there_are_many_symptoms_with_many_causes():
    assert PAGE.count("\n## ") >= 8
    assert len(TESTS) >= 30


@pytest.mark.parametrize("test", TESTS)
def test_it_is_true_in_a_healthy_run(test, healthy):
    assert verdict(test, healthy)


def not_a_number(model, inputs):
    inputs[0, 0] = torch.nan


def raw(model, inputs):
    inputs *= 100


def another_layer(model, inputs):
    model[3] = nn.Linear(6, 4)


def training_again(model, inputs):
    model.eval = lambda: model


def one_layer_in_half(model, inputs):
    model[3].half()
    model[2] = nn.Sequential(model[2], Half())


def one_layer_without(model, inputs):
    model[0].forward = torch.no_grad()(model[0].forward)


class Half(nn.Module):
    def forward(self, x):
        return x.half()


@pytest.mark.parametrize(
    ("begin", "edits", "spoil"),
    [
        ("inputs.isfinite", (), not_a_number),
        ("loss.isfinite", (), not_a_number),
        ("norm.isfinite", (), not_a_number),
        ("all(s[", (), not_a_number),
        ("inputs.abs()", (), raw),
        ("nn.utils.get_total_norm", ((CLIP, ""), (ZERO, CLIP + ZERO)), raw),
        ("norm < max_norm", (), raw),
        ("{*model.parameters()}", (), another_layer),
        ("(p != before)", (), another_layer),
        ("all(p.dtype", (), one_layer_in_half),
        ("torch.tensor(group", (), one_layer_in_half),
        ("not model.training", (), training_again),
        ("all(p.grad is None", ((ZERO, ""),), None),
        ("all(p.grad is not None", (), one_layer_without),
        ("schedule.last_epoch", ((SCHEDULE, ""), (BACKWARD, BACKWARD + "    " + SCHEDULE)), None),
    ],
)
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
def test_it_is_false_with_its_fault(begin, edits, spoil):
    found = run(*edits, spoil=spoil)
    (test,) = [test for test in TESTS if test.startswith(begin)]

    assert not verdict(test, found)
