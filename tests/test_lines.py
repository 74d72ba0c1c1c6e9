"""A rule's lines compute what the rule does, on every backend; more than lines is refused."""

import ast
import ctypes
import re
import shutil
import subprocess
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pytest
import strategies  # noqa: F401  (the profile under which Hypothesis runs here)
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from adam_edu import RULES, ops, symbolic
from adam_edu.base import Decay, Epsilon, Rate, Rule
from adam_edu.check.steps import step_exercise
from adam_edu.lab.catalog import SCHEDULES
from adam_edu.lab.javascript import rule_javascript, schedule_javascript, surface_javascript
from adam_edu.lines import lines_of
from adam_edu.native.source import source
from adam_edu.ops import clip, maximum, product, sign, sqrt
from adam_edu.problems import SURFACES
from adam_edu.problems.surfaces import Surface
from adam_edu.reading import SCHEDULE, Unreadable, parse, read
from adam_edu.rules import Adam, Momentum, NAdam
from adam_edu.schedules import Cosine, Schedule, Step, Warmup
from adam_edu.trees import (
    Call,
    Line,
    Name,
    Number,
    compiled,
    evaluate,
    reads,
    replaced,
    run,
    subtrees,
)

each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def hyper_of(rule):
    return {field.name: getattr(rule, field.name) for field in fields(rule)}


# Every rule, on every backend


def numbers(rng):
    return float(rng.standard_normal())


def arrays(rng):
    return rng.standard_normal(7)


def tensors(rng):
    return torch.tensor(rng.standard_normal(7))


@each_rule
@pytest.mark.parametrize("make", [numbers, arrays, tensors])
def test_the_lines_compute_the_rules_bits(rule, make):
    rng = np.random.default_rng(5)
    instance, lines = rule(), lines_of(rule)
    for t in (1, 2, 6, 5, 100):
        x, g, *slots = (make(rng) for _ in lines.arrays)
        slots = [abs(slot) for slot in slots]
        given_values = dict(zip(lines.arrays, (x, g, *slots), strict=True))
        values = run(lines, {"t": t, **hyper_of(instance), **given_values})

        scalars = instance.scalars(t)
        assert [values[name] for name in lines.factors] == list(scalars)
        expected = instance.step(x, g, *slots, *scalars)
        found = [values[name] for name in ("change", *rule.slots)]
        for one, other in zip(found, expected, strict=True):
            assert np.array_equal(np.asarray(one), np.asarray(other))


@each_rule
def test_the_lines_compute_the_rules_symbols(rule):
    lines = lines_of(rule)
    names = (*lines.hyper, "t", *lines.arrays)
    symbols = {name: sympy.Symbol(name) for name in names}
    instance = rule(**{name: symbols[name] for name in lines.hyper})
    values = run(lines, symbols)

    scalars = instance.scalars(symbols["t"])
    expected = instance.step(*(symbols[name] for name in lines.arrays), *scalars)
    index = {s: sympy.Symbol("i") for e in expected for s in e.atoms(sympy.Symbol) if s.name == "i"}
    found = [values[name] for name in ("change", *rule.slots)]
    # A product keeps an index of its own.
    assert [e.xreplace(index) for e in map(sympy.sympify, found)] == [
        e.xreplace(index) for e in expected
    ]


@each_rule
def test_a_line_knows_whether_it_is_one_number_a_step(rule):
    rng = np.random.default_rng(1)
    lines = lines_of(rule)
    values = {"t": 3, **hyper_of(rule())} | {name: rng.random(4) for name in lines.arrays}
    for line in lines:
        values[line.name] = evaluate(line.expression, values)
        assert line.scalar == (np.ndim(values[line.name]) == 0), line


@each_rule
def test_lines_are_python_again(rule):
    for line in lines_of(rule):
        # A product is written with a lambda, which a rule's line cannot have.
        if "product" not in str(line):
            assert parse(str(line.expression)) == line.expression
        ast.parse(str(line))


def test_the_product_of_nadam():
    (line,) = [line for line in lines_of(NAdam).scalars if line.name == "mu_product"]

    assert line.reads == ("beta1", "momentum_decay", "t")
    values = {"beta1": 0.9, "momentum_decay": 4e-3, "t": 7}
    expected = 1.0
    for i in range(1, 8):
        expected *= NAdam.mu(i, 0.9, 4e-3)
    assert evaluate(line.expression, values) == expected
    assert compiled(line.expression)(0.9, 4e-3, 7) == expected


def test_the_product_is_remembered_as_the_rules_own_is():
    (line,) = [line for line in lines_of(NAdam).scalars if line.name == "mu_product"]
    before = len(ops._products)
    for t in range(1, 50):
        evaluate(line.expression, {"beta1": 0.875, "momentum_decay": 5e-3, "t": t})

    assert len(ops._products) <= before + 1


@each_rule
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("decay", [{}, {"penalized": True}, {"decoupled": True}])
def test_lines_vary_as_torch_varies_its_own(rule, maximize, decay):
    rng = np.random.default_rng(3)
    instance = rule()
    lines = lines_of(rule).variant(maximize=maximize, **decay)
    x, g, *slots = (rng.random(5) for _ in lines.arrays)
    values = dict(zip(lines.arrays, (x, g, *slots), strict=True)) | {"t": 4, "penalty": 0.1}
    found = run(lines, values | hyper_of(instance))

    g = -g if maximize else g
    g = g + 0.1 * x if "penalized" in decay else g
    change, *after = instance.step(x, g, *slots, *instance.scalars(4))
    change = change - 0.1 * x if "decoupled" in decay else change
    for name, value in zip(("change", *rule.slots), (change, *after), strict=True):
        assert np.array_equal(found[name], value)
    assert ("penalty" in lines.numbers) == bool(decay)


# Schedules and surfaces


@pytest.mark.parametrize(
    ("schedule", "times"),
    [(Cosine(steps=7, floor=0.1), range(1, 12)), (Step(every=3, factor=0.5), range(1, 12))],
)
def test_schedules_are_read_too(schedule, times):
    (tree,) = read(type(schedule), "__call__", SCHEDULE).inlined
    for t in times:
        assert evaluate(tree, {"t": t, **hyper_of(schedule)}) == schedule(t)


def test_what_a_warm_up_goes_on_with_is_a_function():
    (tree,) = read(Warmup, "__call__", SCHEDULE).inlined

    assert str(tree) == "t / steps if t <= steps else then(t - steps)"


@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
def test_surfaces_are_read_too(surface):
    point = {"a": 0.7, "b": -1.3, **hyper_of(surface())}
    found = [evaluate(tree, point) for tree in read(surface, "slope").inlined]

    assert found == list(surface().slope(0.7, -1.3))


# Trees


def test_a_tree_is_found_by_its_path_and_exchanged():
    tree = lines_of(Adam).step[0].expression
    (path,) = [path for path, node in subtrees(tree) if node == parse("1 - beta1")]

    assert str(replaced(tree, path, parse("1 - beta2"))) == "beta1 * m + (1 - beta2) * g"
    assert str(tree) == "beta1 * m + (1 - beta1) * g"
    assert dict(subtrees(tree))[path] == parse("1 - beta1")


def test_trees_are_equal_and_hashable_by_what_they_say():
    assert len({parse("m * g"), parse("m*g"), parse("g * m")}) == 2


NAMES = ["m", "v", "beta1", "t"]
LEAVES = st.sampled_from(NAMES).map(Name) | st.sampled_from([1, 2, 0.5, 1e-8, 12]).map(Number)
TREES = st.recursive(
    LEAVES,
    lambda trees: st.one_of(
        st.builds(lambda op, a, b: Call(op, (a, b)), st.sampled_from("+-*/"), trees, trees),
        st.builds(lambda a, b: Call("**", (a, b)), trees, trees),
        st.builds(lambda op, a: Call(op, (a,)), st.sampled_from(["neg", "abs", "sqrt"]), trees),
        st.builds(lambda a, b, c: Call("clip", (a, b, c)), trees, trees, trees),
    ),
    max_leaves=12,
)


@given(TREES)
def test_a_tree_is_printed_with_the_brackets_that_it_needs(tree):
    assert parse(str(tree)) == tree


@given(TREES)
def test_a_compiled_tree_computes_what_it_does(tree):
    values = {name: sympy.Symbol(name, positive=True) for name in reads(tree)}
    try:
        expected = evaluate(tree, values)
    except (ZeroDivisionError, OverflowError, TypeError, ValueError) as error:
        with pytest.raises(type(error)):
            compiled(tree)(*values.values())
        return
    assert compiled(tree)(*values.values()) == expected


@given(TREES, st.data())
def test_a_path_leads_where_it_says(tree, data):
    path, node = data.draw(st.sampled_from(list(subtrees(tree))))
    new = replaced(tree, path, Name("elsewhere"))

    assert dict(subtrees(new))[path] == Name("elsewhere")
    assert replaced(new, path, node) == tree


def test_a_negative_number_is_bracketed_under_a_power():
    assert str(Call("**", (Number(-1), Number(2)))) == "(-1)**2"


# What cannot be read


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
    "exercise": lambda rule: step_exercise("own", rule, "", (), "adamw"),
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


# The forms in which a rule may be written


@dataclass(frozen=True)
class Written(Rule):
    """All that a rule may hold, in one step."""

    lr: Rate = 0.1
    low: Rate = 0.01
    slots = ("m", "v")

    @staticmethod
    def term(i, rate):
        return 1 - rate / (i + 1)

    def scaled_by(self, x, factor):
        return factor * x * self.lr

    def scalars(self, t):
        "Text alone is passed over."
        first, second = product(self.term, t, self.low), 2 * t
        return first, second

    def step(this, x, g, m, v, first, second):
        rate = first * this.low
        m, v = m + g, maximum(v, low=g * -g)
        m = clip(m, high=1.0, low=-1.0) * ops.sign(v) ** 2
        return this.scaled_by(factor=-rate, x=m) / second, m, v


def test_all_forms_of_a_line_are_read():
    rng = np.random.default_rng(2)
    rule, lines = Written(), lines_of(Written)
    x, g, m, v = (rng.standard_normal(6) for _ in range(4))
    values = run(lines, {"x": x, "g": g, "m": m, "v": v, "t": 5, "lr": 0.1, "low": 0.01})

    expected = rule.step(x, g, m, v, *rule.scalars(5))
    for name, one in zip(("change", "m", "v"), expected, strict=True):
        assert np.array_equal(values[name], one)
    assert [line.name for line in lines.step if line.scalar] == ["rate"]
    assert [line.name for line in lines.step if not line.scalar] == ["m", "v", "m"]


# The C++ loop


def test_the_loop_has_a_line_for_each_of_the_rules():
    code = source(lines_of(Adam), ["float32"] * 4)

    assert "const real m_new = beta1_r * m + one_minus_beta1_r * g;" in code
    assert "const real m_hat = m_new * per_bias1;" in code
    assert "const real change = -lr_r * m_hat / (std::sqrt(v_hat) + eps_r);" not in code
    assert "const real change = minus_lr_r * m_hat / (std::sqrt(v_hat) + eps_r);" in code


@dataclass(frozen=True)
class Keywords(Rule):
    """Names that are taken in C++, and every operation."""

    real: Rate = 0.1
    new: Decay = 0.5
    slots = ("i", "double", "half")

    def scalars(self, t):
        return (1 / t,)

    def step(self, x, g, i, double, half, numbers):
        sqrt_r = 2 * self.real
        i = self.new * i + (1 - self.new) * -(0 - -g)
        double = maximum(double, abs(g) ** 1.5) - (half - g)
        half = clip(i, low=-1.0, high=sqrt_r) / 3
        change = -self.real * sign(i) * numbers * sqrt(abs(double)) / (sqrt_r * numbers)
        return change, i, double, half


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")
def test_the_loop_computes_the_step_whatever_the_names(tmp_path):
    lines = lines_of(Keywords)
    code = source(lines, ["float64"] * len(lines.arrays))
    (tmp_path / "step.cpp").write_text(code)
    command = ["c++", "-std=c++17", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-o"]
    subprocess.run([*command, tmp_path / "step.so", tmp_path / "step.cpp"], check=True)

    rng = np.random.default_rng(0)
    given_values = [rng.standard_normal(9) for _ in lines.arrays]
    rule = Keywords()
    numbers_of_step = [rule.real, rule.new, *rule.scalars(3)]
    found = [value.copy() for value in given_values]
    ctypes.CDLL(tmp_path / "step.so").step(
        ctypes.c_int64(1),
        (ctypes.c_int64 * 1)(9),
        (ctypes.c_int64 * len(found))(*[value.ctypes.data for value in found]),
        (ctypes.c_double * len(numbers_of_step))(*numbers_of_step),
        ctypes.c_int(1),
    )

    x, g, *slots = given_values
    change, *after = rule.step(x, g, *slots, *rule.scalars(3))
    expected = [x + change, g, *after]
    # A division by a number is a multiplication by its reciprocal.
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_lines_say_what_they_are():
    assert str(lines_of(Momentum).step[0]) == "m = momentum * m + g"
    assert Line("m", parse("momentum * m + g")).reads == ("momentum", "m", "g")
