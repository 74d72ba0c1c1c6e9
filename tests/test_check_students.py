"""Answers as students write them: each wrong one gets its diagnosis, no right one gets any."""

import dataclasses
import functools
import math
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from student_answers import HATS, RIGHT, WRONG

from adam_edu import check


def answer(name, body):
    """Return the function of an exercise with a body, on one line or on several."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    namespace = {"np": np, "math": math, "torch": torch}
    exec(f"def {check.EXERCISES[name].signature}:\n{lines}", namespace)
    return namespace[name]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_named(name):
    for body, mistakes in WRONG[name].items():
        report = check.EXERCISES[name](answer(name, body))

        assert report.mistakes == (mistakes if isinstance(mistakes, tuple) else (mistakes,)), (
            f"{body}\n{report}"
        )


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_in_another_style_is_right(name):
    for body in RIGHT[name]:
        report = check.EXERCISES[name](answer(name, body))

        assert report.ok, f"{body}\n{report}"


def right_answers():
    """Yield the exercise and the body of each answer on the list."""
    text = Path(__file__).with_name("right_answers.txt").read_text(encoding="utf-8")
    for block in text.split("## ")[1:]:
        name, _, body = block.partition("\n")
        yield name, body


@pytest.mark.parametrize(("name", "body"), [*right_answers()])
def test_a_right_answer_written_as_nobody_expects_is_right(name, body):
    report = check.EXERCISES[name](answer(name, body))

    assert report.ok, f"{body}\n{report}"


class Callable:
    """Adam as an object that is called."""

    def __call__(self, x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        return x - lr * m / (1 - beta1**t) / ((v / (1 - beta2**t)) ** 0.5 + eps), m, v


@dataclasses.dataclass
class Settings:
    """Adam as a dataclass with a method."""

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def step(self, *state):
        return Callable()(*state, self.lr, self.beta1, self.beta2, self.eps)


@pytest.mark.parametrize(
    "solution",
    [
        Callable(),
        Callable().__call__,
        functools.partial(Callable()),
        lambda x, g, m, v, t, **settings: Settings(**settings).step(x, g, m, v, t),
        lambda x, g, m, v, t, *settings: Settings(*settings).step(x, g, m, v, t),
        lambda *arguments: namedtuple("State", "x m v")(*Callable()(*arguments)),
        lambda *arguments: np.stack(Callable()(*arguments)),
    ],
    ids=["object", "method", "partial", "keywords", "dataclass", "named tuple", "one array"],
)
def test_adam_in_other_clothes_is_right(solution):
    report = check.adam_step(solution)

    assert report.ok, report


def test_what_came_back_in_place_of_several_values_is_named():
    report = check.adam_step(lambda *arguments: dict(zip("xmv", Callable()(*arguments))))  # noqa: B905

    assert "It returned one value, a dict; asked for: 3 values, (x, m, v)." in " ".join(
        str(report).split()
    )


def test_what_is_wrong_with_an_argument_is_said_of_it_by_its_name():
    report = check.adam_step(
        answer("adam_step", HATS + "return x - m_hat / (v_hat**0.5 + eps), m, v")
    )

    assert "So lr is 1 where 0.01 is right" in " ".join(str(report).split())


def test_a_caret_is_told_from_a_power():
    report = check.gradient_share(lambda beta, t: 1 - beta ^ t)

    assert report.mistakes == ("raises",)
    assert "A power is written ** in Python." in " ".join(str(report).split())


SCALED = """
n = sum(len(y) for _, y in parts)
optimizer.zero_grad()
for x, y in parts: scaler.scale(loss_of(model(x), y) / n).backward()
{}
schedule.step()
"""


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        (
            "training_step",
            SCALED.format("scaler.unscale_(optimizer); scaler.step(optimizer)"),
            "scaler.update() ends the step: without it",
        ),
        ("training_step", SCALED.format("scaler.step(optimizer)"), "Is update() missing"),
        (
            "training_step",
            SCALED.format("optimizer.step(); scaler.update()"),
            "scaler.step(optimizer) takes the step",
        ),
        (
            "loss_by_group",
            "of = np.array(groups); return [losses[of == k].mean() for k in range(max(of) + 1)]",
            "of another list's entries. losses and words have 8 entries and groups has 5 entries.",
        ),
        (
            "loss_by_group",
            "s = [0] * 9\nfor i, loss in enumerate(losses): s[groups[i]] += 1\nreturn s",
            "losses and words have 8 entries and groups has 5 entries.",
        ),
        ("minibatch_gradient", "return np.mean(gradients * batch)", "gradients has 5 entries and"),
        (
            "swa",
            "return np.mean(points[start - 1::every], axis=1)",
            "You take the mean of each row",
        ),
        ("swa", "return np.mean(points, axis=1)", "a number for each column of points"),
        ("minibatch_gradient", "return np.mean(gradients, axis=1)", "with axis=0"),
    ],
)
def test_an_error_or_a_wrong_shape_is_explained_by_what_was_given(name, body, says):
    report = check.EXERCISES[name](answer(name, body))

    assert not report.ok
    assert says in " ".join(str(report).split())
