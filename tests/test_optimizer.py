"""The NumPy optimizer: what a step changes, and what is refused."""

import copy
import math
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import pytest
import strategies
from hypothesis import given, strategies as st
from libraries import recording

from adam_edu import RULES, Optimizer, array_blocks
from adam_edu.rules import SGD, Adam, AdamW, Momentum
from adam_edu.schedules import ReduceOnPlateau, Schedule, Warmup

every_rule = pytest.mark.parametrize("name", RULES)


def state_of(optimizer):
    """Return all that a step could change, as bytes."""
    arrays = [*optimizer.params.values()]
    arrays += [slot for slots in optimizer.slots.values() for slot in slots.values()]
    return [optimizer.t, [array.tobytes() for array in arrays]]


# A step


@given(data=st.data(), seed=st.integers(0, 1000))
@every_rule
def test_steps_are_the_rules_own(name, data, seed):
    rule = data.draw(strategies.rules(RULES[name]))
    _, gs = recording(seed, steps=20)
    x, slots = np.ones(gs.shape[1]), rule.init(np.ones(gs.shape[1]))
    param = x.copy()
    optimizer = Optimizer(rule, param)
    for t, g in enumerate(gs, start=1):
        x, *slots = rule.update(t, x, g, *slots)
        optimizer.step(g)
        assert optimizer.t == t
        np.testing.assert_array_equal(param, x)
    for slot, expected in zip(optimizer.slots[0].values(), slots, strict=True):
        np.testing.assert_array_equal(slot, expected)


@every_rule
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_blocks_are_whole_arrays_bit_for_bit(name, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    x, gs = rng.standard_normal(1000).astype(dtype), rng.standard_normal((5, 1000)).astype(dtype)
    results = []
    # 1000 is no multiple of the first block size.
    for block_bytes in (56, 10**9):
        monkeypatch.setattr(array_blocks, "BLOCK_BYTES", block_bytes)
        optimizer = Optimizer(RULES[name](lr=0.1), x.copy())
        for g in gs:
            optimizer.step(g)
        results.append(state_of(optimizer))
    assert results[0] == results[1]
    assert optimizer.params[0].tobytes() != x.tobytes()


@every_rule
def test_float16_is_computed_in_float32(name):
    """An epsilon of 1e-8 is 0 in float16, and a gradient of 0 would make a NaN."""
    x = np.linspace(-1, 1, 64).astype(np.float16)
    exact = x.astype(np.float32)
    low, high = (Optimizer(RULES[name](lr=0.1), array) for array in (x, exact))
    gs = np.random.default_rng(0).standard_normal((4, 64)).astype(np.float16)
    gs[:, :8] = 0
    for g in gs:
        exact[...] = x  # as after each step of the other, whose weights are rounded
        low.step(g)
        high.step(g)
        np.testing.assert_array_equal(x, exact.astype(np.float16))
    assert all(slot.dtype == np.float32 for slot in low.slots[0].values())
    for slot, same in low.slots[0].items():
        np.testing.assert_array_equal(same, high.slots[0][slot])
    again = Optimizer(RULES[name](lr=0.1), x.copy())
    again.load_state_dict(low.state_dict())
    for slot, same in low.slots[0].items():
        np.testing.assert_array_equal(again.slots[0][slot], same)


def test_a_large_array_takes_several_blocks():
    size = 3 * array_blocks.BLOCK_BYTES // 8 + 5
    x, g = np.zeros(size), np.linspace(-1, 1, size)
    Optimizer(SGD(lr=1.0), x).step(g)
    np.testing.assert_array_equal(x, -g)


LAYOUTS = {
    "contiguous": lambda: np.ones((4, 6)),
    "Fortran order": lambda: np.asfortranarray(np.ones((4, 6))),
    "transposed": lambda: np.ones((6, 4)).T,
    "every second": lambda: np.ones((8, 12))[::2, ::2],
    "reversed": lambda: np.ones((4, 6))[::-1, ::-1],
    "one column": lambda: np.ones((4, 6))[:, 2],
    "number": lambda: np.array(1.0),
    "empty": lambda: np.ones((0, 3)),
    "five axes": lambda: np.ones((1, 2, 1, 3, 2)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("gradient_layout", ["C", "F"])
def test_any_layout_and_shape_is_updated_where_it_lies(layout, gradient_layout):
    x = LAYOUTS[layout]()
    base = x if x.base is None else x.base
    untouched = base.sum() - x.sum()
    g = np.arange(1.0, x.size + 1).reshape(x.shape)
    expected, slots = x.copy(), [0 * x, 0 * x]
    optimizer = Optimizer(AdamW(lr=0.1), x)
    for t in (1, 2, 3):
        optimizer.step(np.array(g * t, order=gradient_layout))
        expected, *slots = AdamW(lr=0.1).update(t, expected, g * t, *slots)
    assert optimizer.params[0] is x
    np.testing.assert_array_equal(x, expected)
    assert base.sum() - x.sum() == pytest.approx(untouched)
    for slot, name in zip(slots, ("m", "v"), strict=True):
        assert optimizer.slots[0][name].shape == x.shape
        np.testing.assert_array_equal(optimizer.slots[0][name], slot)


def test_lists_and_dicts_share_one_step_count():
    w, b = np.ones((2, 3)), np.array(1.0)
    alone = Optimizer(Adam(), w.copy())
    listed = Optimizer(Adam(), [w.copy(), b.copy()])
    named = Optimizer(Adam(), {"w": w.copy(), "b": b.copy()})
    for _ in range(3):
        alone.step(2 * w)
        listed.step([2 * w, 3 * b])
        named.step({"b": 3 * b, "w": 2 * w})
    assert alone.t == listed.t == named.t == 3
    assert alone.params[0].tolist() == listed.params[0].tolist() == named.params["w"].tolist()
    assert listed.params[1] == named.params["b"]
    assert list(named.slots) == ["w", "b"]
    assert named.slots["w"]["m"].shape == (2, 3)


def test_a_gradient_may_be_of_integers_a_list_of_numbers_or_the_parameter_itself():
    x = np.array([1.0, 2.0])
    optimizer = Optimizer(SGD(lr=1.0), {"x": x})
    optimizer.step({"x": np.array([1, 0])})
    optimizer.step({"x": [0.0, 1.0]})
    assert x.tolist() == [0.0, 1.0]
    optimizer.step({"x": x})
    assert x.tolist() == [0.0, 0.0]


def test_gradients_are_left_alone():
    x, g = np.ones(3), np.array([1.0, -2.0, 0.0])
    optimizer = Optimizer(Momentum(), x)
    for _ in range(3):
        optimizer.step(g)
    assert g.tolist() == [1.0, -2.0, 0.0]


# What is refused


BAD_GRADIENTS = {
    "nan": ([1.0, math.nan], ValueError, r"parameter 'b' is not finite in float32 at index \(1,\)"),
    "inf": ([-math.inf, 1.0], ValueError, r"not finite in float32 at index \(0,\)"),
    "inf and -inf": ([math.inf, -math.inf], ValueError, "try a smaller learning rate"),
    "too large for float32": ([1e39, 0.0], ValueError, r"not finite in float32 at index \(0,\)"),
    "shape": ([1.0], ValueError, r"parameter 'b' has shape \(1,\), the parameter \(2,\)"),
    "axes": ([[1.0, 2.0]], ValueError, r"has shape \(1, 2\), the parameter \(2,\)"),
    "broadcastable": (1.0, ValueError, r"has shape \(\), the parameter \(2,\)"),
    "complex": ([1j, 0], TypeError, "'b' must be real, not of dtype complex128"),
    "bool": ([True, False], TypeError, "must be real, not of dtype bool"),
    "text": (["a", "b"], TypeError, "must be real, not of dtype"),
    "nothing": (None, TypeError, "must be real, not of dtype object"),
}


@pytest.mark.parametrize("case", BAD_GRADIENTS)
def test_a_bad_gradient_changes_nothing(case):
    bad, error, words = BAD_GRADIENTS[case]
    params = {"a": np.ones(2), "b": np.ones(2, dtype=np.float32)}
    optimizer = Optimizer(Adam(), params)
    optimizer.step({"a": np.ones(2), "b": np.ones(2)})
    before = state_of(optimizer)
    with pytest.raises(error, match=words):
        optimizer.step({"a": np.ones(2), "b": bad})
    assert state_of(optimizer) == before


@pytest.mark.parametrize(
    ("grads", "words"),
    [
        ({"a": np.ones(2)}, "no gradient for parameter 'b'"),
        ({"a": np.ones(2), "b": np.ones(2), "c": np.ones(2)}, "'c', which is no parameter; there"),
        ([np.ones(2), np.ones(2)], "no gradient for parameter 'a'"),
    ],
)
def test_a_missing_or_unknown_gradient_changes_nothing(grads, words):
    optimizer = Optimizer(Adam(), {"a": np.ones(2), "b": np.ones(2)})
    before = state_of(optimizer)
    with pytest.raises(KeyError, match=words):
        optimizer.step(grads)
    assert state_of(optimizer) == before


def test_a_gradient_whose_sum_alone_overflows_is_taken():
    x = np.zeros(2, dtype=np.float32)
    Optimizer(SGD(lr=1.0), x).step(np.array([3e38, 3e38]))
    assert x.tolist() == np.float32([-3e38, -3e38]).tolist()


@dataclass
class Negative(Schedule):
    def __call__(self, t):
        return -1.0


def test_a_schedule_below_zero_changes_nothing():
    optimizer = Optimizer(Adam(), np.ones(2), Negative())
    before = state_of(optimizer)
    with pytest.raises(ValueError, match="a rate below zero would climb"):
        optimizer.step(np.ones(2))
    assert state_of(optimizer) == before


READ_ONLY = np.ones(2)
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        (1.0, TypeError, "parameter 0 must be a NumPy array, since it is updated in place"),
        ([np.ones(2), [1.0]], TypeError, "parameter 1 must be a NumPy array"),
        ({"w": np.ones(2, dtype=int)}, TypeError, r"'w' has dtype int64.*use \.astype\(float\)"),
        (np.ones(2, dtype=complex), TypeError, "dtype complex128"),
        (READ_ONLY, ValueError, r"read-only; pass a copy: \.copy\(\)"),
        (np.array([[1.0, math.nan]]), ValueError, r"a NaN or an infinity at \(0, 1\)"),
    ],
)
def test_bad_parameters_are_refused(params, error, words):
    with pytest.raises(error, match=words):
        Optimizer(Adam(), params)


ONE = np.ones(8)
# Whether these two meet, NumPy can only tell after a long search.
STRIDES = np.lib.stride_tricks.as_strided
HARD = STRIDES(np.ones(10**6), (60, 60, 60), (8 * 1009, 8 * 2003, 8 * 3001))


@pytest.mark.parametrize(
    ("params", "keys"),
    [
        ([ONE, np.ones(8), ONE], "0 and 2"),
        ({"a": ONE, "b": ONE[::-1]}, "'a' and 'b'"),
        ({"a": ONE[:5], "b": ONE[4:]}, "'a' and 'b'"),
        ([ONE.reshape(2, 4), ONE[3:4]], "0 and 1"),
    ],
)
def test_parameters_that_share_memory_are_refused(params, keys):
    with pytest.raises(ValueError, match=f"parameters {keys} share memory.*pass it once"):
        Optimizer(Adam(), params)


def test_parameters_that_lie_side_by_side_are_taken():
    rows = np.ones((2, 6))
    optimizer = Optimizer(SGD(lr=1.0), [rows[0], rows[1, ::2], rows[1, 1::2], rows[0, :0]])
    optimizer.step([np.ones(6), np.full(3, 2.0), np.full(3, 3.0), np.ones(0)])
    np.testing.assert_array_equal(rows, [[0] * 6, [-1, -2] * 3])


def test_parameters_of_which_nobody_can_tell_are_refused_at_once():
    begin = perf_counter()
    with pytest.raises(ValueError, match="share memory"):
        Optimizer(Adam(), [HARD, HARD[1:, 1:]])
    assert perf_counter() - begin < 5


@pytest.mark.parametrize("rule", [Adam, "Adam", None])
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(TypeError, match=r"rule must be a Rule such as Adam\(\)"):
        Optimizer(rule, np.ones(2))


def test_what_is_no_schedule_is_refused():
    with pytest.raises(TypeError, match=r"schedule must be a Schedule such as Cosine\(\)"):
        Optimizer(Adam(), np.ones(2), lambda t: 1.0)


# State


@every_rule
def test_a_saved_state_goes_on_bit_for_bit(name):
    _, gs = recording(seed=5, steps=20)
    schedule = Warmup(3, then=ReduceOnPlateau(factor=0.5, patience=2))

    def run(optimizer, gradients):
        for g in gradients:
            optimizer.step({"w": g, "b": g[:2]})
            optimizer.schedule.observe(1.0)

    def make():
        return Optimizer(RULES[name](), {"w": np.ones(8), "b": np.ones(2)}, schedule)

    through, first, second = make(), make(), make()
    run(through, gs)
    run(first, gs[:9])
    saved = copy.deepcopy(first.state_dict())
    state = first.state_dict()
    run(first, gs[9:])
    # Going on did not change what was saved.
    assert str(state) == str(saved)
    # The parameters are the caller's to save.
    run(second, gs[:9])
    second = Optimizer(RULES[name](), second.params, schedule)
    second.load_state_dict(state)
    run(second, gs[9:])
    assert state_of(second) == state_of(first) == state_of(through)
    assert second.schedule == through.schedule


def good_state():
    return Optimizer(Adam(), {"w": np.ones(2)}).state_dict()


def without(name):
    state = good_state()
    del state[name]
    return state


def with_slots(**slots):
    return good_state() | {"slots": {"w": slots}}


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        (without("t"), KeyError, r"the state lacks t: is it a state_dict\(\)\?"),
        (good_state() | {"rule": "SGD"}, ValueError, "of SGD, but this optimizer's rule is Adam"),
        (good_state() | {"t": -1}, ValueError, "t must be a whole number, 0 or more, not -1"),
        (good_state() | {"t": 1.5}, ValueError, "t must be a whole number"),
        (good_state() | {"slots": {}}, KeyError, "no slot for parameter 'w'"),
        (good_state() | {"schedule": 0.1}, ValueError, "schedule must be a Schedule, not 0.1"),
        (
            with_slots(m=np.zeros(3), v=np.zeros(2)),
            ValueError,
            r"'m' of parameter 'w' has shape \(3,",
        ),
        (with_slots(m=np.zeros(2), v=["a", "b"]), ValueError, "could not convert"),
        (with_slots(m=np.zeros(2)), KeyError, "parameter 'w' has no slot 'v'"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(state, error, words):
    optimizer = Optimizer(Adam(), {"w": np.ones(2)})
    optimizer.step({"w": np.ones(2)})
    before = state_of(optimizer)
    with pytest.raises(error, match=words):
        optimizer.load_state_dict(state)
    assert state_of(optimizer) == before


# Speed


def test_blocks_are_faster_than_whole_arrays():
    # benchmarks/numpy_step.py measures more than 2; this only notices when they stop to help.
    rule, x = Adam(), np.ones(4_000_000, dtype=np.float32)
    g = np.full_like(x, 0.5)
    optimizer = Optimizer(rule, x.copy())
    slots = rule.init(x)

    def seconds(step, *arguments):
        begin = perf_counter()
        step(*arguments)
        return perf_counter() - begin

    pairs = [(seconds(optimizer.step, g), seconds(rule.update, 1, x, g, *slots)) for _ in range(9)]
    assert np.median([whole / blocked for blocked, whole in pairs]) > 1
