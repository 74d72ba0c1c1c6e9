"""The fact cards say what the rules compute."""

import re

import numpy as np
import pytest

from adam_edu import RULES, libraries, symbolic
from adam_edu.base import domains
from adam_edu.cards import card, first_step, longest_step
from adam_edu.rules import SGD, AdaGrad, Adam, AdamW, AMSGrad, Lion, Momentum, RMSProp

WORDS = {"take": "a network is deep", "leave": "memory is short"}


def facts(rule):
    return dict(card(rule, **WORDS).rows)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_rule_has_a_card(rule):
    shown = facts(rule)
    assert shown["step"].startswith(r"$x \leftarrow x ")
    assert "text" not in shown["step"]
    assert shown["take it when"] == WORDS["take"]
    assert shown["not when"] == WORDS["leave"]
    assert shown["defaults"].count("=") == len(domains(rule))
    for name in rule.slots:
        assert f"${symbolic.symbol(name)}$" in shown["kept per weight"]


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.99), (0.5, 0.9), (0.8, 0.95)])
def test_adams_longest_step_is_the_proved_one(beta1, beta2):
    longest = np.sqrt(1 + (beta1 - beta2) ** 2 / ((1 - beta2) * (beta2 - beta1**2)))
    assert longest_step(Adam(beta1=beta1, beta2=beta2)) == pytest.approx(longest, rel=1e-4)


def test_the_proved_bound_has_the_closed_form_of_the_chapter():
    """Cauchy and Schwarz give ``derived``; *How long can a step be?* has the closed form."""
    sympy = pytest.importorskip("sympy")
    b1, b2 = sympy.symbols("b1 b2", positive=True)
    derived = (1 - b1) ** 2 / ((1 - b2) * (1 - b1**2 / b2))
    assert sympy.simplify(derived - 1 - (b1 - b2) ** 2 / ((1 - b2) * (b2 - b1**2))) == 0


@pytest.mark.parametrize(
    ("rule", "longest"),
    [
        (SGD(), np.inf),
        (Momentum(), np.inf),
        (RULES["AdaDelta"](), np.inf),
        (AdaGrad(), 1.0),
        (RMSProp(rho=0.99), 10.0),
        (Lion(lr=0.3), 1.0),
        (Adam(beta1=0.9, beta2=0.9), 1.0),
        (RULES["AdaMax"](beta1=0.9, beta2=0.99), 0.1 / (1 - 0.9 / 0.99)),  # as its chapter derives
    ],
)
def test_the_longest_step(rule, longest):
    assert longest_step(rule) == pytest.approx(longest, rel=1e-4)


def test_a_step_without_limit_grows_with_the_gradients_or_while_they_grow():
    endless = {name: facts(rule)["longest step"] for name, rule in RULES.items()}
    endless = {name: told for name, told in endless.items() if told.startswith("no limit")}
    while_they_grow = {name for name, told in endless.items() if "as long as" in told}

    assert {"SGD", "Momentum", "RAdam", "AdaBound"} <= set(endless) - while_they_grow
    assert while_they_grow == {"AdaDelta"}


def test_the_first_step_is_in_learning_rates():
    assert first_step(Adam(lr=0.3), -5.0) == pytest.approx(-1.0)
    assert first_step(Momentum(lr=0.3), 5.0) == pytest.approx(5.0)


def test_where_epsilon_stands():
    ours, others = facts(Adam)["epsilon"].split("; before it in ")
    assert ours.startswith("added to the root, after the correction, as in ")
    assert "PyTorch" in ours
    assert "Keras" in others
    assert facts(AMSGrad)["epsilon"] == "added to the root, after the correction"
    assert facts(RMSProp)["epsilon"] == "added to the root"
    assert "epsilon" not in facts(SGD)


@pytest.mark.parametrize(
    ("half", "words"),
    [(0, "Adam"), (1, "Adam, epsilon added before the correction (epsilon hat)")],
)
def test_adams_card_counts_the_libraries_of_the_atlas(half, words):
    """The chapter on the libraries counts them too, by what the atlas says in words."""
    first = {}
    for row in libraries.atlas():
        if row.kin == "Adam":
            first.setdefault(row.library, row.words.partition(", weight decay")[0])
    told = facts(Adam)["epsilon"].split(";")[half]
    assert re.findall(r"in (\d+) libraries", told) == [str(list(first.values()).count(words))]


def test_settings_change_the_steps_and_not_the_defaults():
    assert "7.27" in facts(Adam)["longest step"]
    assert "7.27" not in facts(Adam(beta2=0.99))["longest step"]
    assert facts(Adam(beta2=0.99))["defaults"] == facts(Adam)["defaults"]


def test_a_card_says_what_the_step_divides_by():
    assert facts(AMSGrad)["step"] != facts(Adam)["step"]
    assert r"\frac{w}{1 - \beta_2^{t}}" in facts(AMSGrad)["step"]
    assert r"\sqrt{\hat s}" in facts(RULES["AdaBelief"])["step"]


def test_it_is_a_table_in_a_notebook_and_lines_elsewhere():
    made = card(AdamW, **WORDS)
    head, rule, *rows = made._repr_markdown_().splitlines()
    assert (head, rule) == ("| AdamW | the facts |", "| --- | --- |")
    assert [row.count("|") for row in rows] == [3] * len(made.rows)
    assert repr(made).splitlines()[0] == "AdamW"
    assert r"\alpha \lambda x" in repr(made)
