"""A rule's lines compute what the rule does, on every backend; more than lines is refused."""

import ast
import ctypes
import shutil
import subprocess
from dataclasses import dataclass, fields

import numpy as np
import pytest
import strategies  # noqa: F401  (the profile under which Hypothesis runs here)
import sympy
import torch

from adam_edu import RULES, ops
from adam_edu.base import Decay, Rate, Rule
from adam_edu.lines import lines_of
from adam_edu.native.source import source
from adam_edu.ops import clip, maximum, product, sign, sqrt
from adam_edu.problems import SURFACES
from adam_edu.reading import SCHEDULE, parse, read
from adam_edu.rules import Adam, Momentum, NAdam
from adam_edu.schedules import Cosine, Step, Warmup
from adam_edu.trees import (
    Line,
    compiled,
    evaluate,
    run,
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
