"""What a rule takes: its hyper-parameters, their ranges, and its name."""

import math
from dataclasses import fields

import numpy as np
import pytest
import sympy
import torch

import adam_edu as ae
from adam_edu import RULES
from adam_edu.base import domains
from adam_edu.rules import (
    SGD,
    AdaBound,
    Adam,
    AdamUncorrected,
    AdamW,
)

every_rule = pytest.mark.parametrize("name", RULES)


RANGES = [
    (Adam, "lr", "a finite number, 0 or more", [-1e-3, math.nan, math.inf]),
    (Adam, "beta1", "at least 0 and below 1", [-0.1, 1.0, 1.0000001, math.nan]),
    (Adam, "beta2", "at least 0 and below 1", [1, 2.0, -math.inf]),
    (Adam, "eps", "a finite number, 0 or more", [-1e-8, math.inf]),
    (AdamW, "weight_decay", "a finite number, 0 or more", [-1e-2, math.nan]),
    (AdaBound, "gamma", "a finite number above 0", [0.0, -1.0, math.inf]),
    (AdaBound, "final_lr", "a finite number, 0 or more", [-0.1]),
]


@pytest.mark.parametrize(("rule", "name", "words", "bad"), RANGES)
def test_a_hyper_parameter_out_of_range_is_refused(rule, name, words, bad):
    for value in bad:
        with pytest.raises(ValueError, match=name) as caught:
            rule(**{name: value})
        message = str(caught.value)
        why = domains(rule)[name].why
        assert message == f"{rule.__name__}({name}={float(value)!r}): {name} must be {words}; {why}"


@every_rule
@pytest.mark.parametrize("value", ["0.1", None, True, [0.1], 1j, np.ones(2)])
def test_a_hyper_parameter_that_is_no_number_is_refused(name, value):
    for field in fields(RULES[name]):
        with pytest.raises(TypeError, match=f"{field.name} must be a number, not "):
            RULES[name](**{field.name: value})


@every_rule
def test_every_hyper_parameter_has_a_domain_with_its_default_inside(name):
    table = domains(RULES[name])
    assert list(table) == [field.name for field in fields(RULES[name])]
    for field in fields(RULES[name]):
        assert field.default in table[field.name]
        assert math.inf not in table[field.name]
        assert math.nan not in table[field.name]


@pytest.mark.parametrize("number", [1, np.float32(0.5), np.float64(0.5), np.int64(1)])
def test_numbers_of_any_kind_become_floats(number):
    assert type(SGD(lr=number).lr) is float


def test_a_symbol_and_a_tensor_pass_as_they_are():
    symbol, tensor = sympy.Symbol("alpha"), torch.tensor(0.1)
    assert SGD(lr=symbol).lr is symbol
    assert SGD(lr=tensor).lr is tensor


def test_rules_are_frozen_and_compare_by_value():
    assert Adam() == Adam(lr=1e-3)
    assert Adam() != AdamUncorrected()
    with pytest.raises(AttributeError):
        Adam().lr = 1.0


@every_rule
def test_scaled_scales_the_rates_alone(name):
    rule = RULES[name]()
    half = rule.scaled(0.5)
    for field in fields(rule):
        share = 0.5 if field.name in ("lr", "final_lr") else 1.0
        assert getattr(half, field.name) == share * getattr(rule, field.name)


# Names


@every_rule
def test_a_rule_is_found_by_its_name_in_any_case(name):
    assert ae.rule(name.upper()) == ae.rule(name.lower()) == RULES[name]()
    assert ae.rule(name, lr=0.5).lr == 0.5


@pytest.mark.parametrize(
    ("wrong", "right"), [("adma", "Adam"), ("RMSprob", "RMSProp"), ("ams_grad", "AMSGrad")]
)
def test_an_unknown_rule_gets_the_nearest(wrong, right):
    with pytest.raises(KeyError, match=f"did you mean .*'{right}'") as caught:
        ae.rule(wrong)
    assert ", ".join(RULES) in str(caught.value)


def test_a_name_near_nothing_gets_the_list():
    with pytest.raises(KeyError, match=r"no rule is called .xyzzy.\. Known: SGD, Momentum"):
        ae.rule("xyzzy")


@every_rule
def test_docstring_has_formula_source_and_example(name):
    text = RULES[name].__doc__
    for part in (".. math::", "Source: ", "Examples\n", ">>> "):
        assert part in text
