"""Averages of a path: against Torch's and Optax's, and against the theory on a quadratic."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sympy
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from adam_edu import descend, moving_average
from adam_edu.averaging import Exponential, FromFirst, Uniform, on_quadratic
from adam_edu.problems import NoisyQuadratic
from adam_edu.rules import SGD, ScheduleFreeAdamW, ScheduleFreeSGD

POINTS = np.random.default_rng(0).standard_normal((40, 3))
EVERY = [Uniform(), Uniform(start=4), Exponential(0.9), Exponential(0.0), FromFirst(0.9)]


@pytest.mark.parametrize(
    ("average", "theirs"),
    [(Uniform(), None), (FromFirst(0.9), get_ema_multi_avg_fn(0.9))],
    ids=["uniform", "from first"],
)
def test_agrees_with_torch_at_every_step(average, theirs):
    model = torch.nn.Linear(3, 1, bias=False, dtype=torch.float64)
    averaged = AveragedModel(model, multi_avg_fn=theirs)
    for point, ours in zip(POINTS, average.along(POINTS), strict=True):
        model.weight.data[0] = torch.tensor(point)
        averaged.update_parameters(model)
        np.testing.assert_allclose(averaged.module.weight.detach()[0], ours, rtol=1e-12)


def test_agrees_with_optax_at_every_step():
    ema = optax.ema(0.9, debias=True)
    state = ema.init(jnp.zeros(3))
    for point, ours in zip(POINTS, Exponential(0.9).along(POINTS), strict=True):
        theirs, state = ema.update(jnp.asarray(point), state)
        np.testing.assert_allclose(theirs, ours, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.999])
def test_the_exponential_one_is_the_corrected_moving_average(beta):
    expected = moving_average(POINTS, beta, corrected=True)

    np.testing.assert_allclose(Exponential(beta).along(POINTS), expected, rtol=1e-10)


@pytest.mark.parametrize("t", [1, 2, 7, 100])
def test_with_an_endless_memory_the_exponential_one_is_the_mean(t):
    assert Exponential(1 - 1e-9).share(t) == pytest.approx(Uniform().share(t), rel=1e-6)


@pytest.mark.parametrize("average", EVERY, ids=str)
def test_weights_are_what_each_point_has_in_the_average(average):
    expected = average.along(np.eye(6))[-1]

    np.testing.assert_allclose(average.weights(6), expected, atol=1e-15)
    assert average.weights(6).sum() == pytest.approx(1)
    assert len(average.weights(0)) == 0


@pytest.mark.parametrize("average", EVERY, ids=str)
def test_one_line_takes_numbers_arrays_and_tensors(average):
    for make in (float, np.array, torch.tensor):
        found = average.update(3, make(1.0), make(2.0))
        assert float(found) == pytest.approx(1 + average.share(3))


def test_what_was_averaged_is_left_as_it_was():
    points, average = POINTS.copy(), np.zeros(3)
    Uniform().along(points)
    Uniform().update(2, average, points[0])

    np.testing.assert_array_equal(points, POINTS)
    np.testing.assert_array_equal(average, np.zeros(3))


@pytest.mark.parametrize("kind", [Exponential, FromFirst])
@pytest.mark.parametrize("beta", [1.0, -0.1, float("nan")])
def test_a_wrong_beta_is_refused(kind, beta):
    with pytest.raises(ValueError, match="beta must be at least 0 and below 1"):
        kind(beta)


@pytest.mark.parametrize("start", [0, 1.5, True])
def test_a_wrong_start_is_refused(start):
    with pytest.raises(ValueError, match="start must be a whole number"):
        Uniform(start)


def test_a_mean_that_starts_late_is_that_of_the_later_points():
    np.testing.assert_allclose(Uniform(start=31).along(POINTS)[-1], POINTS[30:].mean(axis=0))


def test_one_number_is_no_path():
    with pytest.raises(ValueError, match="points must be a sequence"):
        Uniform().along(1.0)


# On a noisy quadratic


def exactly(weights, rates, curvature):
    """Return the factor on the start and the variance, by SymPy, from the path itself."""
    start, *noises = sympy.symbols(f"x0 xi1:{len(weights) + 1}")
    x, average = start, 0
    for weight, rate, noise in zip(weights, rates, noises, strict=True):
        x = x - rate * (curvature * x + noise)
        average = sympy.expand(average + weight * x)
    return average.coeff(start), sum(average.coeff(noise) ** 2 for noise in noises)


def test_the_distribution_on_a_quadratic_is_exact():
    weights = [sympy.Rational(k, 10) for k in (1, 0, 4, 5)]
    rates = [sympy.Rational(1, k) for k in (2, 3, 5, 9)]
    expected = [float(value) for value in exactly(weights, rates, sympy.Rational(7, 5))]

    found = on_quadratic([float(w) for w in weights], [float(r) for r in rates], 1.4)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_many_rates_and_curvatures_at_once():
    weights, factors = Exponential(0.9).weights(20), np.linspace(1, 0.1, 20)
    rates, curvatures = np.array([0.1, 0.4, 0.7]), np.array([1.0, 2.0])
    kept, variance = on_quadratic(weights, np.multiply.outer(factors, rates[:, None]), curvatures)

    one = on_quadratic(weights, 0.4 * factors, 2.0)
    np.testing.assert_allclose((kept[1, 1], variance[1, 1]), one)
    assert kept.shape == variance.shape == (3, 2)


def test_the_closed_form_of_the_mean_is_right():
    """As it stands in the chapter: the start over n, and n terms of (1 - r**k)**2."""
    rate, curvature = sympy.symbols("alpha lambda", positive=True)
    n, r = 5, 1 - rate * curvature
    kept, variance = exactly([sympy.Rational(1, n)] * n, [rate] * n, curvature)

    expected = sum((1 - r**k) ** 2 for k in range(1, n + 1)) / (curvature * n) ** 2
    assert sympy.expand(variance - expected) == 0
    assert sympy.simplify(kept - r * (1 - r**n) / (n * rate * curvature)) == 0


def test_the_variance_is_the_measured_one():
    runs, steps, rate = 4000, 60, 0.3
    problem = NoisyQuadratic(curvatures=(0.5,) * runs, noise=2.0)
    path = descend(SGD(rate), problem, steps=steps).x[1:]
    for average in EVERY:
        ends = average.along(path)[-1]
        kept, variance = on_quadratic(average.weights(steps), rate, 0.5)
        assert ends.mean() == pytest.approx(2 * kept, abs=4 * np.sqrt(4 * variance / runs))
        assert ends.var() == pytest.approx(4 * variance, rel=0.1)


# The schedule-free rules are averages


def test_schedule_free_sgd_without_beta_is_sgd_and_its_mean():
    steps, lr = 50, 0.2
    plain = descend(SGD(lr), NoisyQuadratic(), steps=steps)
    free = descend(ScheduleFreeSGD(lr, beta=0.0), NoisyQuadratic(), steps=steps)

    np.testing.assert_allclose(free.x, plain.x, atol=1e-12)
    means = ScheduleFreeSGD(lr, beta=0.0).averaged(free.x, free.slots["z"])
    np.testing.assert_allclose(means[1:], Uniform().along(plain.x[1:]), atol=1e-12)


@pytest.mark.parametrize("rule", [ScheduleFreeSGD(0.2), ScheduleFreeAdamW(0.2)])
def test_the_answer_of_a_schedule_free_rule_is_the_mean_of_its_walk(rule):
    trace = descend(rule, NoisyQuadratic(), steps=50)
    answer = rule.averaged(trace.x, trace.slots["z"])
    walk = answer + trace.slots["z"]

    np.testing.assert_allclose(answer[1:], Uniform().along(walk[1:]), atol=1e-9)
    if isinstance(rule, ScheduleFreeSGD):
        np.testing.assert_allclose(np.diff(walk, axis=0), -rule.lr * trace.g[1:], atol=1e-9)
