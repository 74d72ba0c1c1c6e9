"""Problems: the gradient is that of the value, the minimum is one, the view shows it."""

import numpy as np
import pytest
import sympy
from hypothesis import given, strategies as st

from adam_edu import Optimizer, descend
from adam_edu.problems import (
    SURFACES,
    Beale,
    Bowl,
    Function,
    LogisticRegression,
    NoisyQuadratic,
    Ravine,
    Reddi,
    Rosenbrock,
    Saddle,
    SparseRegression,
    StochasticReddi,
    TwoLayerNetwork,
    largest_curvature,
)
from adam_edu.rules import SGD

SURFACE_LIST = [cls() for cls in SURFACES.values()] + [Bowl(condition=1000.0)]
PROBLEMS = [
    *SURFACE_LIST,
    NoisyQuadratic(),
    NoisyQuadratic(curvatures=(0.5, 2.0, 30.0), noise=0.0),
    SparseRegression(features=6, rows=200),
    Reddi(),
    StochasticReddi(),
]

every_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: type(p).__name__)
every_surface = pytest.mark.parametrize("surface", SURFACE_LIST, ids=lambda p: type(p).__name__)


def finite_differences(problem, x, h=1e-5):
    """Return the gradient from values alone, by central differences."""
    steps = h * np.eye(len(x))
    return np.array([(problem.value(x + s) - problem.value(x - s)) / (2 * h) for s in steps])


@every_problem
@given(seed=st.integers(0, 10_000))
def test_gradient_is_that_of_the_value(problem, seed):
    x = np.random.default_rng(seed).uniform(-2, 2, problem.start.shape)
    expected = finite_differences(problem, x)
    assert problem.gradient(x) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", [LogisticRegression, TwoLayerNetwork])
def test_gradient_of_a_classifier_is_that_of_its_value_for_one_point_and_for_several(kind, classes):
    rng = np.random.default_rng(classes)
    model = kind(rng.standard_normal((12, 4)), np.arange(12) % classes, batch=5, l2=0.01)
    x = model.start + rng.standard_normal((3, model.start.size))
    expected = [finite_differences(model, one) for one in x]
    assert [*map(model.gradient, x)] == pytest.approx(np.array(expected), rel=1e-5, abs=1e-7)

    def rngs():
        return [np.random.default_rng(seed) for seed in range(3)]

    apart = [model.sample(one, 1, rng) for one, rng in zip(x, rngs(), strict=True)]
    np.testing.assert_allclose(model.sample_each(x, 1, rngs()), apart, rtol=1e-9)


@every_surface
def test_slope_is_sympys_derivative(surface):
    a, b = sympy.symbols("a b")
    height = surface.height(a, b)
    for slope, variable in zip(surface.slope(a, b), (a, b), strict=True):
        rest = sympy.lambdify((a, b), sympy.expand(slope - sympy.diff(height, variable)))
        assert rest(1.3, -0.7) == pytest.approx(0, abs=1e-9)
        assert rest(-0.4, 2.1) == pytest.approx(0, abs=1e-9)


@every_problem
def test_minimum_is_lower_than_around_it(problem):
    rng = np.random.default_rng(0)
    lowest = problem.value(problem.minimum)
    for radius in (1e-3, 1e-1, 1.0):
        around = problem.minimum + radius * rng.standard_normal((200, len(problem.start)))
        allowed = np.array([problem.project(x) for x in around])
        assert (problem.value(allowed) >= lowest).all()


@pytest.mark.parametrize("problem", PROBLEMS[:-2], ids=lambda p: type(p).__name__)
def test_gradient_vanishes_at_the_minimum(problem):
    assert problem.gradient(problem.minimum) == pytest.approx(0, abs=1e-12)


@every_problem
def test_start_and_minimum_are_in_view_and_allowed(problem):
    for point in (problem.start, problem.minimum):
        assert point.shape == problem.start.shape
        assert problem.project(point).tolist() == point.tolist()
        if problem.view is not None:
            assert len(problem.view) == len(point)
            for coordinate, (low, high) in zip(point, problem.view, strict=True):
                assert low <= coordinate <= high


@every_problem
def test_start_is_not_yet_the_minimum(problem):
    assert problem.value(problem.start) > problem.value(problem.minimum)


@every_problem
def test_value_takes_many_points_at_once(problem):
    points = np.random.default_rng(1).standard_normal((3, 4, len(problem.start)))
    values = problem.value(points)
    assert values.shape == (3, 4)
    assert values[2, 1] == pytest.approx(problem.value(points[2, 1]))
    gradients = problem.gradient(points)
    assert gradients.shape == points.shape
    assert gradients[2, 1] == pytest.approx(problem.gradient(points[2, 1]))


@pytest.mark.parametrize(
    "problem", [NoisyQuadratic(), SparseRegression(features=6, rows=200), StochasticReddi()]
)
def test_samples_average_to_the_gradient(problem):
    rng = np.random.default_rng(0)
    x = problem.start + 0.5
    samples = np.array([problem.sample(x, t, rng) for t in range(1, 20_001)])
    error = samples.std(axis=0) / np.sqrt(len(samples))
    assert (error > 0).all()
    assert (np.abs(samples.mean(axis=0) - problem.gradient(x)) < 4 * error).all()


def test_noise_has_its_standard_deviation():
    problem, rng = NoisyQuadratic(noise=3.0), np.random.default_rng(0)
    samples = np.array([problem.sample(problem.start, 1, rng) for _ in range(20_000)])
    assert samples.std(axis=0) == pytest.approx([3.0, 3.0], rel=0.03)


def test_sparse_gradients_are_exactly_zero_most_of_the_time():
    problem, rng = SparseRegression(), np.random.default_rng(0)
    samples = np.array([problem.sample(problem.start, 1, rng) for _ in range(4000)])
    occurs = (samples != 0).mean(axis=0)
    assert occurs == pytest.approx(1 / np.arange(1, 21), abs=0.03)


def test_sparse_data_comes_from_the_seed():
    a, b, other = (SparseRegression(features=5, rows=50, seed=seed) for seed in (1, 1, 2))
    assert (a.rows == b.rows).all()
    assert (a.targets == b.targets).all()
    assert (a.targets != other.targets).any()


@pytest.mark.parametrize("steep", [2.5, 3.0, 100.0])
def test_reddis_mean_slope_is_the_mean_of_its_slopes(steep):
    problem, rng = Reddi(steep=steep), np.random.default_rng(0)
    slopes = [problem.sample(problem.start, t, rng).item() for t in range(1, 301)]
    assert np.mean(slopes) == pytest.approx(problem.mean_slope)
    assert problem.mean_slope > 0


def test_online_problems_keep_to_their_interval():
    for problem in (Reddi(), StochasticReddi()):
        outside = np.array([-7.0, -0.5, 3.0])
        assert problem.project(outside).tolist() == [-1.0, -0.5, 1.0]


def test_ravine_is_the_bowl_turned_by_30_degrees():
    turn = np.pi / 6
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = np.random.default_rng(0).standard_normal((50, 2))
    expected = Bowl(condition=50.0).value(points @ rotation.T)
    assert Ravine().value(points) == pytest.approx(expected, rel=1e-12)


def test_saddle_is_flat_where_it_is_no_minimum():
    origin = np.zeros(2)
    assert Saddle().gradient(origin).tolist() == [0.0, 0.0]
    assert (
        Saddle().value(origin)
        > Saddle().value(np.array([0.0, -1.0]))
        == Saddle().value(Saddle.minimum)
    )


def test_known_values():
    assert Rosenbrock().value(np.array([-1.2, 1.0])) == pytest.approx(24.2)
    assert Beale().value(np.zeros(2)) == pytest.approx(14.203125)


@pytest.mark.parametrize("condition", [1.0, 10.0, 1000.0])
def test_largest_curvature_of_the_bowl_is_its_condition(condition):
    bowl = Bowl(condition=condition)
    assert largest_curvature(bowl, bowl.start) == pytest.approx(condition, rel=1e-6)


@every_problem
def test_nobody_moves_the_start_of_all_others(problem):
    before = problem.start.copy()
    trace = descend(SGD(lr=1e-3), problem, steps=3)
    trace.x[0] = 99.0
    assert problem.start.tolist() == before.tolist()
    if isinstance(problem, tuple(SURFACES.values())):
        with pytest.raises(ValueError, match=r"read-only; pass a copy: \.copy\(\)"):
            Optimizer(SGD(), problem.start)


def test_a_problem_of_your_own():
    parabola = Function(lambda x: float(x[0] ** 2), lambda x: 2 * x, start=[3.0])
    trace = descend(SGD(lr=0.25), parabola, steps=2)
    assert trace.x[:, 0].tolist() == [3.0, 1.5, 0.75]
    assert trace.loss.tolist() == [9.0, 2.25, 0.5625]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Bowl(condition=0.5), "a finite number, 1 or more"),
        (lambda: Bowl(condition=np.nan), "a finite number, 1 or more"),
        (lambda: NoisyQuadratic(curvatures=()), "one or more finite numbers above 0"),
        (lambda: NoisyQuadratic(curvatures=(1.0, np.inf)), "one or more finite numbers above 0"),
        (lambda: NoisyQuadratic(noise=-1.0), "noise is a standard deviation"),
        (lambda: SparseRegression(features=0), "at least one feature"),
        (lambda: SparseRegression(features=10, rows=5), "as many rows as features"),
        (lambda: Reddi(steep=2.0), "must be above 2"),
        (lambda: StochasticReddi(probability=1.5), "probability must be from 0 to 1"),
        (lambda: StochasticReddi(steep=100.0), "the average slope is -8.9; it must be above 0"),
    ],
)
def test_bad_arguments_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
