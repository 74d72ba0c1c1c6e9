"""The functions a rule may call, on each kind of number."""

import math

import numpy as np
import pytest
import sympy
import torch

from adam_edu.ops import clip, maximum, product, sign, sqrt

VALUES = [-2.0, 0.0, 0.25, 4.0]
CONVERT = {
    "array": np.array,
    "float32": lambda values: np.array(values, dtype=np.float32),
    "tensor": lambda values: torch.tensor(values, dtype=torch.float64),
}


def one_by_one(function, values):
    return [function(value) for value in values]


@pytest.mark.parametrize("convert", CONVERT.values(), ids=CONVERT)
def test_arrays_and_tensors_agree_with_floats(convert):
    assert sqrt(convert(VALUES[1:])).tolist() == one_by_one(sqrt, VALUES[1:])
    assert abs(convert(VALUES)).tolist() == one_by_one(abs, VALUES)
    assert maximum(convert(VALUES), 0.0).tolist() == one_by_one(lambda x: maximum(x, 0.0), VALUES)
    assert sign(convert(VALUES)).tolist() == one_by_one(sign, VALUES) == [-1.0, 0.0, 1.0, 1.0]
    clipped = clip(convert(VALUES), -1.0, 0.5).tolist()
    assert clipped == one_by_one(lambda x: clip(x, -1.0, 0.5), VALUES) == [-1.0, 0.0, 0.25, 0.5]


@pytest.mark.parametrize("convert", CONVERT.values(), ids=CONVERT)
def test_maximum_takes_two_arrays(convert):
    assert maximum(convert([1.0, 5.0]), convert([3.0, 2.0])).tolist() == [3.0, 5.0]


@pytest.mark.parametrize("convert", CONVERT.values(), ids=CONVERT)
def test_not_a_number_stays_one(convert):
    x = convert([math.nan, 1.0])
    assert np.isnan(np.asarray(maximum(x, 0.0))).tolist() == [True, False]
    assert np.isnan(np.asarray(clip(x, 0.0, 0.5))).tolist() == [True, False]
    if convert is not CONVERT["tensor"]:  # Torch's own sign of it is 0
        assert np.isnan(np.asarray(sign(x))).tolist() == [True, False]
    assert math.isnan(sign(math.nan))
    assert [sign(np.float64(x)) for x in (-2.0, 0.0, 3.0)] == [-1.0, 0.0, 1.0]
    assert math.isnan(maximum(math.nan, 0.0))
    assert math.isnan(clip(math.nan, 0.0, 1.0))


def test_kind_and_dtype_are_kept():
    x32 = np.ones(2, dtype=np.float32)
    for function in (sqrt, sign, lambda x: maximum(x, 0.0), lambda x: clip(x, 0.0, 0.5)):
        assert type(function(1.0)) is float
        assert function(x32).dtype == np.float32
        assert function(torch.ones(2)).dtype == torch.float32
        assert isinstance(function(sympy.Symbol("x", positive=True)), sympy.Expr)


def test_symbols():
    x = sympy.Symbol("x", real=True)
    assert sqrt(x) == sympy.sqrt(x)
    assert sign(x).subs(x, -3) == -1
    assert maximum(x, 0.0).subs(x, -1) == 0.0
    assert clip(x, 0.0, 0.5).subs(x, 2) == 0.5


def test_product_in_any_order_of_questions():
    def term(i, c):
        return c + i

    direct = {n: math.prod(2.5 + i for i in range(1, n + 1)) for n in range(12)}
    for n in (1, 2, 3, 11, 4, 4, 0, 10):
        assert product(term, n, 2.5) == pytest.approx(direct[n], rel=1e-15)
    assert product(term, 3, 1.0) == 2 * 3 * 4


def test_product_asked_in_turn_computes_each_term_once():
    asked = []

    def term(i):
        asked.append(i)
        return i

    assert [product(term, n) for n in range(1, 50)] == [math.factorial(n) for n in range(1, 50)]
    assert asked == list(range(1, 50))


def test_product_of_a_symbol():
    n = sympy.Symbol("n", integer=True, positive=True)
    assert product(lambda i: i, n).subs(n, 5).doit() == 120
