"""What is more than lines is refused, in the same words from whichever side it is asked."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import strategies  # noqa: F401  (the profile under which Hypothesis runs here)

from adam_edu import symbolic
from adam_edu.base import Decay, Epsilon, Rate, Rule
from adam_edu.check.steps import step_exercise
from adam_edu.lab.catalog import SCHEDULES
from adam_edu.lab.javascript import rule_javascript, schedule_javascript, surface_javascript
from adam_edu.lines import lines_of
from adam_edu.native.source import source
from adam_edu.ops import product, sqrt
from adam_edu.problems.surfaces import Surface
from adam_edu.reading import SCHEDULE, Unreadable, read
from adam_edu.schedules import Schedule

HALF = 0.5


def helper(x):
    return x


@dataclass(frozen=True)
class Base(Rule):
    lr: Rate = 0.1
    beta: Decay = 0.5
    eps: Epsilon = 1e-8
    slots = ("m",)


class Branch(Base):
    def step(self, x, g, m):
        if self.beta > 0:
            m = self.beta * m + g
        return -self.lr * m, m


class Loop(Base):
    def step(self, x, g, m):
        for _ in range(2):
            m = self.beta * m + g
        return -self.lr * m, m


class Choice(Base):
    def step(self, x, g, m):
        return (-self.lr * g if self.beta else g), m


class InPlace(Base):
    def step(self, x, g, m):
        m += g
        return -self.lr * m, m


class CallOutside(Base):
    def step(self, x, g, m):
        return -self.lr * np.sqrt(m), m


class CallHelper(Base):
    def step(self, x, g, m):
        return -self.lr * helper(m), m


class CallMethodOfArray(Base):
    def step(self, x, g, m):
        return -self.lr * m.sum(), m


class NoField(Base):
    def step(self, x, g, m):
        return -self.lr * m * self.slots, m


class GlobalNumber(Base):
    def step(self, x, g, m):
        return -self.lr * HALF * g, m


class AsAField(Base):
    def step(self, x, g, m):
        lr = self.lr * 2
        return -lr * g, m


class Remainder(Base):
    def step(self, x, g, m):
        return -self.lr * g % 2, m


class NoTuple(Base):
    slots = ()

    def step(self, x, g):
        return -self.lr * g


class TooFew(Base):
    def step(self, x, g, m):
        return (-self.lr * g,)


class OtherNames(Base):
    def step(self, x, gradient, m):
        return -self.lr * gradient, m


class NewX(Base):
    def step(self, x, g, m):
        x = x - self.lr * g
        return -self.lr * x, m


class Wrongly(Base):
    def step(self, x, g, m):
        return -self.lr * sqrt(m, g), m


class CallsItself(Base):
    def power(self, x):
        return x * self.power(x)

    def step(self, x, g, m):
        return -self.lr * self.power(m), m


class TwoLines(Base):
    def twice(self, x):
        y = x + x
        return y

    def step(self, x, g, m):
        return -self.lr * self.twice(m), m


class OtherTerm(Base):
    def scalars(self, t):
        return (product(helper, t),)

    def step(self, x, g, m, factor):
        return -self.lr * factor * m, m


UNREADABLE = {
    Branch: ("Branch.step", "if self.beta > 0:", "no assignment"),
    Loop: ("Loop.step", "for _ in range(2):", "no assignment"),
    Choice: ("Choice.step", "return (-self.lr * g if self.beta else g), m", "cannot stand"),
    InPlace: ("InPlace.step", "m += g", "no assignment"),
    CallOutside: ("CallOutside.step", "np.sqrt(m)", "cannot stand"),
    CallHelper: ("CallHelper.step", "helper(m)", "cannot stand"),
    CallMethodOfArray: ("CallMethodOfArray.step", "m.sum()", "cannot stand"),
    NoField: ("NoField.step", "self.slots", "slots is no field of NoField"),
    GlobalNumber: ("GlobalNumber.step", "HALF", "HALF is no argument and no line above"),
    AsAField: ("AsAField.step", "lr = self.lr * 2", "lr is a field; call the line otherwise"),
    Remainder: ("Remainder.step", "g % 2", "cannot stand"),
    Wrongly: ("Wrongly.step", "sqrt(m, g)", "sqrt takes x"),
    CallsItself: ("CallsItself.power", "self.power(x)", "power would call itself"),
    TwoLines: ("TwoLines.twice", "y = x + x", "one return"),
    OtherTerm: ("OtherTerm.scalars", "product(helper, t)", "product takes self.TERM"),
}

SIDES = {
    "lines": lines_of,
    "formula": symbolic.latex,
    "javascript": rule_javascript,
    "C++": lambda rule: source(lines_of(rule), ["float32"] * 3),
    "exercise": lambda rule: step_exercise("own", rule, "", (), "adamw").material,
}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("rule", UNREADABLE, ids=lambda rule: rule.__name__)
def test_what_is_more_than_lines_is_refused_alike_from_every_side(rule, side):
    where, line, why = UNREADABLE[rule]
    with pytest.raises(Unreadable) as caught:
        SIDES[side](rule)

    message = str(caught.value)
    number = int(re.search(r", line (\d+),", message)[1])
    text = Path(__file__).read_text(encoding="utf-8").splitlines()[number - 1].strip()
    assert message.startswith(f"{where}, line {number}, {text!r}: ")
    assert line in text
    assert why in message
    assert "Allowed are lines NAME = EXPRESSION" in message
    assert "sqrt, sign, maximum, clip, product" in message


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (NoTuple, r"NoTuple.step must return \(change,\)"),
        (TooFew, r"TooFew.step must return \(change, m,\)"),
        (NewX, "NewX.step returns the change of x: call the line otherwise"),
        (OtherNames, "OtherNames.step must take x, g, m first"),
        (Rule, "raise NotImplementedError"),
    ],
)
def test_what_is_no_rules_step_is_refused(rule, says):
    with pytest.raises(Unreadable, match=says):
        lines_of(rule)


def test_without_its_source_a_rule_has_no_lines():
    namespace = {"Base": Base}
    exec("class Written(Base):\n    def step(self, x, g, m):\n        return g, m", namespace)

    with pytest.raises(Unreadable, match=r"Written.step has no source"):
        lines_of(namespace["Written"])


def test_results_that_need_each_others_old_values_have_no_order():
    @dataclass(frozen=True)
    class Crossed(Rule):
        slots = ("m", "v")

        def step(self, x, g, m, v):
            return g, v, m

    lines = lines_of(Crossed)
    with pytest.raises(Unreadable, match="v = m beside a new m: write one of them on a line"):
        list(lines)
    # The native loop, which stores everything at the end, needs none.
    assert "store(m_[i], v);" in source(lines, ["float32"] * 4)


@dataclass
class Plateau(Schedule):
    factor: float = 0.5

    def __call__(self, t):
        return max(self.factor, 0.1)


class Rough(Surface):
    def height(self, a, b):
        return np.sin(a)

    def slope(self, a, b):
        return np.cos(a), 0 * b


def test_a_schedule_is_refused_in_its_own_words():
    with pytest.raises(Unreadable, match=r"Plateau.__call__, line .*max.*Allowed.*math.cos"):
        schedule_javascript(Plateau)


def test_a_surface_is_refused_alike():
    with pytest.raises(Unreadable, match=r"Rough.height, line .*np.sin\(a\).*Allowed"):
        surface_javascript(dataclass(frozen=True)(Rough))


def test_every_schedule_of_the_figures_is_read():
    for schedule in SCHEDULES.values():
        assert read(schedule, "__call__", SCHEDULE).results
