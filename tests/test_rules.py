"""The rules themselves: one line for every kind of number, and the papers' identities."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, strategies as st
from libraries import recording, run_rule
from strategies import rules

import adam_edu as ae
from adam_edu import RULES, Optimizer
from adam_edu.problems import Bowl, Reddi, StochasticReddi
from adam_edu.recent_rules import ADOPT, AdaBelief, Adan, AdEMAMix, CautiousAdamW, Yogi
from adam_edu.rules import (
    AdaBound,
    Adam,
    AdamUncorrected,
    AdamW,
    AMSGrad,
    CenteredRMSProp,
    Lion,
    Momentum,
    RAdam,
    ScheduleFreeAdamW,
    ScheduleFreeSGD,
)

every_rule = pytest.mark.parametrize("name", RULES)


# One rule, four kinds of number


def columns(rule, steps, seed=3):
    """Return points and gradients of 5 columns, and the rule's walk over them as arrays."""
    rng = np.random.default_rng(seed)
    xs, gs = rng.standard_normal((2, steps, 5))
    return xs, gs, run_rule(rule, xs, gs)


def walk(rule, xs, gs, convert):
    """Walk a rule over numbers of another kind; return what it makes of them, and its slots."""
    slots = [convert(np.zeros_like(xs[0])) for _ in rule.slots]
    rows = []
    for t, (x, g) in enumerate(zip(xs, gs, strict=True), start=1):
        x, *slots = rule.update(t, convert(x), convert(g), *slots)
        rows.append([x, *slots])
    return rows


@every_rule
@given(data=st.data())
def test_a_rule_on_floats_is_the_rule_on_arrays(name, data):
    rule = data.draw(rules(RULES[name]))
    xs, gs, expected = columns(rule, steps=20)
    for column in range(5):
        rows = np.array(walk(rule, xs[:, column], gs[:, column], float))
        both = np.stack([expected.x, *expected.slots.values()], axis=1)[..., column]
        np.testing.assert_allclose(rows, both, rtol=1e-14, atol=0)
        assert all(
            type(value) is float for row in walk(rule, xs[:1, 0], gs[:1, 0], float) for value in row
        )


@every_rule
def test_a_rule_on_tensors_is_the_rule_on_arrays(name):
    rule = RULES[name]()
    xs, gs, expected = columns(rule, steps=20)
    rows = walk(rule, xs, gs, torch.from_numpy)
    both = np.stack([expected.x, *expected.slots.values()], axis=1)
    np.testing.assert_allclose(np.array([[v.numpy() for v in row] for row in rows]), both, 1e-13)


@every_rule
def test_a_rule_on_sympy_numbers_is_the_rule_on_arrays(name):
    rule = RULES[name]()
    xs, gs, expected = columns(rule, steps=4)
    rows = walk(rule, xs[:, 0], gs[:, 0], lambda x: sympy.Float(float(x), 20))
    both = np.stack([expected.x, *expected.slots.values()], axis=1)[..., 0]
    np.testing.assert_allclose(np.array(rows, dtype=float), both, 1e-11)


@every_rule
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_no_dtype_is_promoted(name, dtype):
    arguments = {field.name: np.float64(field.default) for field in fields(RULES[name])}
    if dtype is np.float16:
        arguments |= {key: np.float64(1e-3) for key in arguments if key == "eps"}
    rule = RULES[name](**arguments).scaled(np.float64(0.5))
    g = np.array([1.0, -2.0], dtype=dtype)
    results = rule.update(1, g, g, *rule.init(g))
    assert [result.dtype for result in results] == [dtype] * len(results)

    x = g.copy()
    optimizer = Optimizer(rule, x, ae.schedules.Exponential(np.float64(0.5)))
    optimizer.step(g.astype(float))
    assert x.dtype == dtype
    kept = np.float32 if dtype is np.float16 else dtype  # where epsilon would be 0
    assert all(slot.dtype == kept for slot in optimizer.slots[0].values())


@every_rule
def test_float32_follows_float64(name):
    rule = RULES[name]()
    xs, gs, expected = columns(rule, steps=20)
    rows = walk(rule, xs, gs, np.float32)
    for row, x in zip(rows, expected.x, strict=True):
        np.testing.assert_allclose(row[0], x, rtol=1e-3, atol=1e-5)


@every_rule
def test_step_leaves_its_arguments_alone(name):
    rule = RULES[name]()
    x, g = np.array([1.0, -2.0]), np.array([0.5, 0.0])
    slots = rule.init(x)
    rule.update(1, x, g, *slots)
    assert x.tolist() == [1.0, -2.0]
    assert g.tolist() == [0.5, 0.0]
    assert all(slot.tolist() == [0.0, 0.0] for slot in slots)


@every_rule
def test_a_zero_gradient_at_the_start_moves_nothing(name):
    rule = RULES[name]()
    x, *_ = rule.update(1, 0.0, 0.0, *rule.init(0.0))
    assert x == 0.0


@every_rule
def test_first_step_goes_against_the_gradient(name):
    rule = RULES[name]()
    for g in (2.0, -2.0):
        x, *_ = rule.update(1, 0.0, g, *rule.init(0.0))
        assert x == 0 if name == "ADOPT" else x * g < 0


# The paper's identities


def changes(rule, gradients):
    """Return the changes that a rule makes, divided by its learning rate."""
    gs = np.reshape(np.array(gradients, dtype=float), (len(gradients), -1))
    return run_rule(rule, 0 * gs, gs).x / rule.lr


@given(g=st.floats(1e-9, 1e3), sign=st.sampled_from([-1, 1]), data=st.data())
def test_first_step_of_adam(g, sign, data):
    rule = data.draw(rules(Adam))
    assert changes(rule, [sign * g]).item() == pytest.approx(-sign * g / (g + rule.eps), rel=1e-12)


@pytest.mark.parametrize(
    ("g", "corrected", "uncorrected"),
    [(3.0, 1.0, 3.162), (-1e-4, -0.9999, -3.152), (1e-9, 0.0909, 0.00997)],
)
def test_first_step_with_and_without_correction(g, corrected, uncorrected):
    assert -changes(Adam(), [g]).item() == pytest.approx(corrected, rel=1e-3)
    assert -changes(AdamUncorrected(), [g]).item() == pytest.approx(uncorrected, rel=1e-3)


@given(g=st.floats(1e-6, 1e6), beta1=st.floats(0, 0.99), beta2=st.floats(0, 0.9999))
def test_a_constant_gradient_gives_steps_of_exactly_alpha(g, beta1, beta2):
    rule = Adam(beta1=beta1, beta2=beta2, eps=0.0)
    np.testing.assert_allclose(changes(rule, [g] * 50), -1, rtol=1e-10)


def test_largest_step_comes_after_many_zeros():
    rule = Adam()
    x, m, v = 0.0, 0.0, 0.0
    for t in range(1, 100_001):
        x, m, v = rule.update(t, x, 0.0, m, v)
    assert x == 0.0
    x, m, v = rule.update(100_001, x, 1.0, m, v)
    assert -x / rule.lr == pytest.approx(3.1623, abs=1e-4)
    assert -x / rule.lr == pytest.approx((1 - rule.beta1) / math.sqrt(1 - rule.beta2), rel=1e-6)


@given(seed=st.integers(0, 10_000))
def test_no_step_is_larger_than_the_papers_bound(seed):
    # Section 2.1: (1 - beta1) / sqrt(1 - beta2) where 1 - beta1 is the larger.
    rng = np.random.default_rng(seed)
    gs = rng.standard_normal((300, 20)) * (rng.random((300, 20)) < 0.05)
    bound = (1 - 0.9) / math.sqrt(1 - 0.999)
    assert np.abs(changes(Adam(), gs)).max() <= bound * (1 + 1e-9)


def test_opposite_gradients_cancel():
    assert changes(Adam(), [1.0, -1.0])[1].item() == pytest.approx(0.0526, abs=1e-4)
    assert changes(Adam(), [-1.0, 1.0])[1].item() == pytest.approx(-0.0526, abs=1e-4)


SCALE_FREE = ["AdaGrad", "RMSProp", "CenteredRMSProp", "Adam", "AdamUncorrected", "AdaMax"]
SCALE_FREE += ["NAdam", "AMSGrad", "AdamW", "ScheduleFreeAdamW", "Yogi", "AdaBelief", "Adan"]
SCALE_FREE += ["AdEMAMix", "CautiousAdamW"]


@pytest.mark.parametrize("name", SCALE_FREE)
@given(data=st.data(), seed=st.integers(0, 1000))
def test_rescaling_the_gradients_changes_no_step(name, data, seed):
    # By one factor and by a positive diagonal matrix. Powers of two: not even rounding differs.
    rule = replace(data.draw(rules(RULES[name])), eps=0.0)
    gs = np.random.default_rng(seed).standard_normal((50, 4))
    scale = 2.0 ** np.array(data.draw(st.lists(st.integers(-20, 20), min_size=4, max_size=4)))
    scaled = run_rule(rule, 0 * gs, gs * scale).x
    np.testing.assert_array_equal(scaled, run_rule(rule, 0 * gs, gs).x)


@pytest.mark.parametrize("name", ["SGD", "Momentum", "Nesterov", "ScheduleFreeSGD"])
def test_rescaling_the_gradients_scales_the_others_steps(name):
    _, gs = recording(seed=4, steps=20)
    rule = RULES[name]()
    np.testing.assert_array_equal(
        run_rule(rule, 0 * gs, 4 * gs).x, 4 * run_rule(rule, 0 * gs, gs).x
    )


def test_corrections_are_those_of_the_notation_page():
    bias2 = {1: 0.001, 10: 0.00996, 100: 0.0952, 1000: 0.632, 3000: 0.950}
    bias1 = {1: 0.1, 10: 0.651, 22: 0.902, 44: 0.990}
    for t, value in bias2.items():
        assert Adam().scalars(t)[1] == pytest.approx(value, rel=2e-3)
    for t, value in bias1.items():
        assert Adam().scalars(t)[0] == pytest.approx(value, rel=2e-3)


@pytest.mark.parametrize(("beta", "window", "half_life"), [(0.9, 10, 6.58), (0.999, 1000, 692.8)])
def test_windows_and_half_lives(beta, window, half_life):
    # The weights of a moving average, seen by an impulse: their mean age, and where half is left.
    impulse = np.zeros((20 * window, 1))
    impulse[0] = 1.0
    weights = run_rule(Adam(beta1=beta), 0 * impulse, impulse).slots["m"][:, 0]
    ages = np.arange(1, len(weights) + 1)
    assert (weights * ages).sum() == pytest.approx(window, rel=1e-3)
    left = weights / weights[0]
    assert np.argmax(left <= 0.5) == math.ceil(half_life)


def test_correction_turns_a_sum_of_weights_into_an_average():
    # 1 - beta^t is the sum of the weights that t gradients have in the average.
    ones = np.ones((50, 1))
    slots = run_rule(Adam(), 0 * ones, ones).slots
    for t in (1, 7, 50):
        assert (slots["m"][t - 1].item(), slots["v"][t - 1].item()) == pytest.approx(
            Adam().scalars(t), rel=1e-12
        )


def test_float32_loses_the_correction():
    exact = Adam().scalars(1)[1]
    in_float32 = float(np.float32(1) - np.float32(0.999))
    assert abs(in_float32 / exact - 1) == pytest.approx(1.3e-5, rel=0.05)
    assert exact == pytest.approx(0.001, rel=1e-13)


def test_bfloat16_moment_never_decays():
    v = torch.ones((), dtype=torch.bfloat16)
    for t in range(1, 1001):
        _, _, v = Adam().step(v, 0 * v, 0 * v, v, *Adam().scalars(t))
    assert v.item() == 1.0
    _, _, once = Adam().step(0.0, 0.0, 0.0, 1.0, 1.0, 1.0)
    assert once**1000 == pytest.approx(0.368, abs=1e-3)


@pytest.mark.parametrize(("rule", "end"), [(Adam, 1.0), (AMSGrad, -0.9996)])
def test_reddis_example(rule, end):
    # Theorem 1 with C = 3: no momentum, beta2 = 1 / (1 + C²), a rate of alpha / sqrt(t).
    problem = Reddi(steep=3.0)
    trace = ae.descend(
        rule(lr=0.1, beta1=0.0, beta2=0.1),
        problem,
        steps=30_000,
        schedule=ae.schedules.InverseSqrt(),
    )
    assert trace.x[-1].item() == pytest.approx(end, abs=1e-3)


def test_reddis_stochastic_example():
    # Section 5: 1010 with probability 0.01, else -10. Best is -1; Adam ends near +1.
    problem, rng, x = StochasticReddi(), np.random.default_rng(0), np.zeros(1)
    rule, m, v = Adam(lr=0.1, beta1=0.9, beta2=0.99), 0.0, 0.0
    for t in range(1, 300_001):
        g = problem.sample(x, t, rng).item()
        change, m, v = rule.step(0.0, g, m, v, *rule.scalars(t))
        x[0] = min(max(x[0] + change / math.sqrt(t), -1.0), 1.0)
    assert x.item() == pytest.approx(1.0, abs=0.02)


def test_momentum_multiplies_a_steady_step_by_ten():
    assert changes(Momentum(momentum=0.9), [1.0] * 400)[-1].item() == pytest.approx(-10, rel=1e-9)


def test_centered_rmsprop_takes_long_steps_under_a_constant_gradient():
    steps = np.abs(changes(CenteredRMSProp(rho=0.9), [0.1] * 2000))
    assert steps[0].item() == pytest.approx(1 / math.sqrt(0.09), rel=1e-6)
    assert steps[-1].item() > 1e4


def test_adabound_becomes_sgd_with_momentum():
    rule = AdaBound(lr=1e-3, final_lr=0.1)
    low, high = rule.scalars(10**7)[2:]
    assert (low, high) == pytest.approx((0.1, 0.1), rel=1e-3)
    assert rule.scaled(0.5).scalars(10**7)[2:] == pytest.approx((0.05, 0.05), rel=1e-3)


@given(data=st.data(), seed=st.integers(0, 1000))
def test_every_step_of_lion_is_as_long_as_the_rate(data, seed):
    rule = replace(data.draw(rules(Lion)), weight_decay=0.0)
    gs = np.random.default_rng(seed).standard_normal((50, 4)) * [1e-6, 1e-3, 1.0, 1e3]
    assert set(np.abs(changes(rule, gs)).ravel()) == {1.0}


@pytest.mark.parametrize("rule", [ScheduleFreeSGD(0.1), ScheduleFreeAdamW(0.1, weight_decay=0.0)])
def test_schedule_free_averages_the_path_of_its_base(rule):
    # As the paper has it: z walks, x is the mean of z, the gradient is taken between the two.
    problem, beta = Bowl(condition=7.0), 0.9
    z = average = problem.start
    parameter, slots, v = problem.start, rule.init(problem.start), 0.0
    for t in range(1, 101):
        g = problem.gradient((1 - beta) * z + beta * average)
        v = 0.999 * v + 0.001 * g * g
        scale = np.sqrt(v / (1 - 0.999**t)) + 1e-8 if "v" in rule.slots else 1.0
        z = z - rule.lr * g / scale
        average = average + (z - average) / t

        parameter, *slots = rule.update(t, parameter, problem.gradient(parameter), *slots)
        np.testing.assert_allclose(rule.averaged(parameter, slots[0]), average, atol=1e-12)


def test_radam_begins_as_momentum_and_ends_as_adam():
    rule = RAdam()
    adaptive, rect = np.array([rule.scalars(t)[2:] for t in range(1, 30_001)]).T
    assert adaptive[:6].tolist() == [0, 0, 0, 0, 0, 1]
    assert rect[:5].tolist() == [0] * 5
    assert (np.diff(rect) >= 0).all()
    assert 0 < rect[5] < 0.05
    assert rect[-1] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("beta2", [0.0, 1 / 3, 0.6, 0.66])
def test_radam_with_a_short_memory_never_divides(beta2):
    assert all(RAdam(beta2=beta2).scalars(t)[2:] == (0, 0) for t in (1, 5, 100, 10_000))


def test_decoupled_decay_does_not_pass_through_the_moments():
    xs, gs, with_decay = columns(AdamW(weight_decay=0.5), steps=20)
    without = run_rule(Adam(), xs, gs)
    for slot in ("m", "v"):
        np.testing.assert_array_equal(with_decay.slots[slot], without.slots[slot])
    np.testing.assert_allclose(with_decay.x, without.x - 1e-3 * 0.5 * xs, rtol=1e-13)


# The rules after AdamW


def test_adopt_never_divides_a_gradient_by_its_own_square():
    # The second moment that divides is as it was before the gradient came: a huge one is clipped.
    x, m, v = ADOPT(lr=1.0).update(1, 0.0, 2.0, 0.0, 0.0)
    assert (x, m, v) == (0.0, 0.0, 4.0)
    x, m, v = ADOPT(lr=1.0, beta1=0.0).update(2, 0.0, 1.0, m, v)
    assert (x, v) == (-0.5, pytest.approx(0.9999 * 4 + 0.0001))
    far, *_ = ADOPT(lr=1.0, beta1=0.0).update(82, 0.0, 1e6, m, 4.0)
    assert far == pytest.approx(-3.0)  # the fourth root of 81


def test_adan_looks_at_no_difference_in_its_first_step():
    x, _, y, _, p = Adan(lr=0.1, weight_decay=0.0).update(1, 0.0, 5.0, *[0.0] * 4)
    assert (round(x, 6), y, p) == (-0.1, 0.0, 5.0)


def test_adabelief_takes_long_steps_under_a_constant_gradient():
    gs = [0.1] * 3000
    assert np.abs(changes(AdaBelief(eps=1e-16), gs))[-1].item() > 50
    assert np.abs(changes(Adam(), gs))[-1].item() == pytest.approx(1.0)


def test_yogi_forgets_large_gradients_more_slowly_than_adam():
    gs = np.array([1.0] * 100 + [1e-3] * 2000)[:, None]
    yogi, adam = (run_rule(rule, 0 * gs, gs).slots["v"][[99, -1], 0] for rule in (Yogi(), Adam()))
    assert adam[1] < 0.2 * adam[0]
    assert yogi[1] > 0.99 * yogi[0]


def test_the_slow_average_of_ademamix_remembers():
    gs = np.array([1.0] * 100 + [0.0] * 1000)[:, None]
    slots = run_rule(AdEMAMix(), 0 * gs, gs).slots
    assert abs(slots["m"][-1].item()) < 1e-40
    assert slots["m2"][-1].item() == pytest.approx((1 - 0.9999**100) * 0.9999**1000)


@given(seed=st.integers(0, 1000))
def test_a_cautious_step_never_goes_along_the_gradient(seed):
    gs = np.random.default_rng(seed).standard_normal((50, 4)) + 0.3
    rule = CautiousAdamW(weight_decay=0.0)
    moved = run_rule(rule, 0 * gs, gs).x
    plain = run_rule(AdamW(weight_decay=0.0), 0 * gs, gs).x
    assert (moved * gs <= 0).all()
    np.testing.assert_array_equal(moved, np.where(plain * gs < 0, plain, 0.0))
