"""A tree is found, exchanged, compared, printed and computed by what it says."""

import pytest
import strategies  # noqa: F401  (the profile under which Hypothesis runs here)
import sympy
from hypothesis import given, strategies as st

from adam_edu.lines import lines_of
from adam_edu.reading import parse
from adam_edu.rules import Adam
from adam_edu.trees import (
    Call,
    Name,
    Number,
    compiled,
    evaluate,
    reads,
    replaced,
    subtrees,
)


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
