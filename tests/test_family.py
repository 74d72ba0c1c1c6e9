"""The family tree: every rule has a parent, and is its parent with the difference."""

from xml.etree import ElementTree

import pytest

from adam_edu import RULES, matrix_rules
from adam_edu.differences import difference
from adam_edu.family import (
    MATRIX_PARENTS,
    PARENTS,
    ROOT,
    Table,
    descent_of,
    every_change,
    generations,
    side_by_side,
    tree,
)
from adam_edu.lines import lines_of
from adam_edu.rules import Adam, AdamW, AMSGrad, RMSProp

SVG = "{http://www.w3.org/2000/svg}"


def test_every_rule_is_the_root_or_has_a_parent():
    assert {ROOT, *PARENTS} == set(RULES)
    assert ROOT not in PARENTS
    for name, origin in (PARENTS | MATRIX_PARENTS).items():
        assert origin.parent in RULES, name
    for name in MATRIX_PARENTS:
        assert callable(getattr(matrix_rules, name.lower()))


def test_no_circle_and_nobody_left_out():
    names = [name for name, _ in generations()]

    assert sorted(names) == sorted([*RULES, *MATRIX_PARENTS])


@pytest.mark.parametrize("name", PARENTS)
def test_a_rule_is_its_parent_with_the_difference(name):
    found = descent_of(name)
    parent, child = RULES[PARENTS[name].parent], RULES[name]

    assert found.applied(tuple(lines_of(parent))) == tuple(lines_of(child))
    assert found.changes
    gone, new = found.slots
    assert {*parent.slots} - {*gone} | {*new} == {*child.slots}
    gone, new = found.hyper
    assert {*lines_of(parent).hyper} - {*gone} | {*new} == {*lines_of(child).hyper}


def test_any_rule_is_made_of_any_other():
    for parent in RULES.values():
        for child in RULES.values():
            made = difference(parent, child).applied(tuple(lines_of(parent)))
            assert made == tuple(lines_of(child)), (parent, child)


def test_a_rule_is_no_change_of_itself():
    assert difference(Adam, Adam).changes == ()


def test_it_is_refused_on_another_rule():
    with pytest.raises(ValueError, match="no lines of Adam"):
        difference(Adam, AMSGrad).applied(tuple(lines_of(RMSProp)))
    with pytest.raises(ValueError, match="more lines than Adam has"):
        difference(Adam, AMSGrad).applied((*lines_of(Adam), *lines_of(Adam)))


def test_what_adamw_adds():
    found = difference(Adam, AdamW)

    assert [(row.kind, str(row.after)) for row in found.changes] == [
        ("added", "decay = lr * weight_decay * x"),
        ("changed", "change = -decay - lr * m_hat / (sqrt(v_hat) + eps)"),
    ]
    assert (found.slots, found.hyper) == (((), ()), ((), ("weight_decay",)))


def test_tables_are_tables():
    shown = side_by_side(Adam, AMSGrad)._repr_markdown_().splitlines()

    assert shown[0] == "|  | Adam | AMSGrad |"
    assert "| new |  | `w = maximum(w, v)` |" in shown
    assert len(every_change().rows) == len(PARENTS)
    assert all(line.count("|") == 3 for line in every_change()._repr_markdown_().splitlines())


def test_columns_of_numbers_stand_to_the_right():
    shown = Table(("rule", "GB"), (("SGD", "2.0"), ("Adam", "1,000")))

    assert shown._repr_markdown_().splitlines()[1] == "| --- | ---: |"


def test_the_picture_has_every_name():
    picture = ElementTree.fromstring(tree()._repr_svg_())
    texts = [text.text.partition(",")[0] for text in picture.iter(f"{SVG}text")]

    assert texts == [name for name, _ in generations()]
    assert len(list(picture.iter(f"{SVG}path"))) == len(texts) - 1
    assert len(tree()._repr_svg_()) < 8000
