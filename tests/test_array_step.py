"""NumPy's steps by the native loop and by blocks of operations: the same up to rounding."""

import re
import warnings

import numpy as np
import pytest

from adam_edu import RULES, Optimizer, array_calls, array_step
from adam_edu.native import NotCompiled, library, loop
from adam_edu.schedules import Cosine

every_rule = pytest.mark.parametrize("name", RULES)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# The loop multiplies by a reciprocal where NumPy divides, and the compiler may round a product and
# a sum once instead of twice. Each moves the last place; so many are allowed in all of a step.
ULPS = 8


def special(dtype, size, seed):
    """Return numbers of all sizes, among them zeros of both signs and subnormal ones."""
    rng = np.random.default_rng(seed)
    about = np.finfo(dtype)
    values = rng.standard_normal(size) * 10.0 ** rng.integers(-6, 3, size)
    values[:6] = 0.0, -0.0, about.smallest_subnormal, -about.tiny / 3, 1e-8, -1e3
    return rng.permutation(values).astype(dtype)


def agree(one, other, scale):
    """Compare element by element: within ULPS of ``scale``, NaN with NaN, infinity with itself."""
    about = np.finfo(one.dtype)
    with np.errstate(all="ignore"):
        allowed = ULPS * (about.eps * scale.astype(float) + about.smallest_subnormal)
        near = np.abs(one.astype(float) - other.astype(float)) <= allowed
    same = (one == other) | (np.isnan(one) & np.isnan(other)) | near
    assert same.all(), (one[~same], other[~same])


def step_by(engine, rule, x, g, slots, t=3):
    x, slots = x.copy(), [slot.copy() for slot in slots]
    columns = [[x], [g], *([slot] for slot in slots)]
    with np.errstate(all="ignore"):
        assert array_step.step(rule, columns, rule.scalars(t), engine)
    return x, slots


@every_dtype
@every_rule
def test_one_step_from_numbers_of_all_kinds(name, dtype):
    rule, size = RULES[name](), 400
    x, g = special(dtype, size, 0), special(dtype, size, 1)
    slots = [np.abs(special(dtype, size, 2 + i)) for i in range(len(rule.slots))]
    about = np.finfo(dtype)
    for array, value in zip((x, *slots), (np.nan, np.inf, about.max, np.nan), strict=False):
        array[::50] = value
    results = [step_by(engine, rule, x, g, slots) for engine in ("native", "numpy")]
    kept = np.full(size, True)
    if name == "CenteredRMSProp":  # divides by what is left of v - m * m: not where that is little
        m, v = (slot.astype(float) for slot in results[1][1])
        with np.errstate(all="ignore"):
            kept = ~(np.abs(v - m * m) < 0.3 * (v + m * m))
    with np.errstate(all="ignore"):
        change = np.abs(results[1][0] - x)
        # What a difference is left of cannot be more exact than what it was taken of.
        parts = np.abs(x) + change + (np.abs(slots[0]) if "z" in rule.slots else 0)
    agree(results[0][0][kept], results[1][0][kept], np.nan_to_num(parts, posinf=0.0)[kept])
    for mine, plain, before in zip(results[0][1], results[1][1], slots, strict=True):
        with np.errstate(all="ignore"):
            scale = np.abs(plain) + np.abs(before) + np.abs(g) + np.abs(g * g)
        agree(mine, plain, np.nan_to_num(scale, posinf=0.0))


LAYOUTS = {
    "contiguous": lambda a: a.copy(),
    "by columns": np.asfortranarray,
    "turned": lambda a: np.ascontiguousarray(a.transpose(2, 0, 1)).transpose(1, 2, 0),
    "with gaps": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "backwards": lambda a: a[::-1].copy()[::-1],
    "read-only": lambda a: a.copy(),
}


@every_dtype
@pytest.mark.parametrize("of_g", LAYOUTS)
@pytest.mark.parametrize("of_x", LAYOUTS)
def test_arrays_lie_as_they_like(of_x, of_g, dtype):
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal((4, 5, 6)).astype(dtype) for _ in range(2))
    results = []
    for engine in ("native", "numpy"):
        mine, gradient = LAYOUTS[of_x](x), LAYOUTS[of_g](g)
        gradient.flags.writeable = of_g != "read-only"
        optimizer = Optimizer(RULES["AMSGrad"](), mine, engine=engine)
        for _ in range(3):
            optimizer.step(gradient)
        results.append(mine)
        assert np.array_equal(gradient, g)
    tolerance = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(*results, rtol=tolerance, atol=tolerance)
    assert not np.array_equal(results[0], x)


def test_many_arrays_of_many_kinds_are_one_step():
    rng = np.random.default_rng(0)
    kinds = [np.float32, np.float64, np.float16, np.longdouble, ">f4"]
    xs = {f"{i} {kind}": rng.standard_normal((3, i)).astype(kind)
          for i in (0, 1, 700) for kind in kinds}  # fmt: skip
    gs = {key: rng.standard_normal(x.shape) for key, x in xs.items()}
    results = []
    for engine in ("native", "numpy"):
        mine = {key: x.copy() for key, x in xs.items()}
        optimizer = Optimizer(RULES["Adam"](), mine, Cosine(10), engine=engine)
        for _ in range(3):
            optimizer.step(gs)
        results.append(mine)
    for key, x in results[0].items():
        np.testing.assert_allclose(x, results[1][key], rtol=1e-6)
        assert x.size == 0 or not np.array_equal(x, xs[key])


@pytest.mark.parametrize("kinds", [[np.float32] * 3, [np.float32, np.float64, np.float16]])
@pytest.mark.parametrize("engine", ["native", "numpy", "auto"])
def test_nothing_changes_if_any_gradient_is_not_finite(engine, kinds):
    xs = [np.ones(50_000, kind) for kind in kinds]
    for bad in range(3):
        gs = [np.ones_like(x) for x in xs]
        gs[bad][17] = np.inf
        optimizer = Optimizer(RULES["Adam"](), xs, engine=engine)
        with pytest.raises(ValueError, match=rf"parameter {bad} is not finite .* index \(17,\)"):
            optimizer.step(gs)
        assert optimizer.t == 0
        assert all((x == 1).all() for x in xs)
        assert not any(slot.any() for own in optimizer.slots.values() for slot in own.values())


@pytest.mark.parametrize("engine", ["native", "numpy"])
def test_a_gradient_that_is_the_parameter_itself(engine):
    x = np.linspace(-1, 1, 40_000)
    start = x.copy()
    Optimizer(RULES["SGD"](lr=0.5), x, engine=engine).step(x)
    np.testing.assert_array_equal(x, 0.5 * start)


def test_a_slot_of_another_shape_is_refused():
    x = np.ones(50_000)
    optimizer = Optimizer(RULES["Adam"](), x)
    optimizer.slots[0]["v"] = np.ones(10)
    with pytest.raises(ValueError, match=r"slot 'v' of parameter 0 has shape \(10,\)"):
        optimizer.step(x.copy())
    assert (x == 1).all()


def test_small_arrays_compile_nothing(monkeypatch):
    monkeypatch.setattr(array_calls, "_compiled", pytest.fail)
    optimizer = Optimizer(RULES["Adam"](), [np.ones(1000) for _ in range(10)])
    optimizer.step([np.ones(1000) for _ in range(10)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "fast"}, "engine must be one of auto, native, numpy, not 'fast'"),
        ({"threads": 0}, "threads must be a whole number above 0, not 0"),
        ({"threads": 1.5}, "threads must be a whole number above 0, not 1.5"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Optimizer(RULES["Adam"](), np.ones(3), **options)


@pytest.fixture
def no_compiler(monkeypatch):
    caches = (loop, library._compiler, array_calls._compiled, array_calls._warn)
    for cached in caches:
        cached.cache_clear()
    monkeypatch.setenv("CXX", "/no/such/compiler")
    yield
    for cached in caches:
        cached.cache_clear()


def test_without_a_compiler_one_warning_and_numpys_step(no_compiler):
    x, g = np.zeros(50_000), np.ones(50_000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in ("Adam", "SGD"):
            optimizer = Optimizer(RULES[name](lr=0.25), x)
            optimizer.step(g)
            optimizer.step(g)
    (warning,) = caught
    assert re.search(r'no C\+\+ compiler .* engine="numpy"', str(warning.message))
    np.testing.assert_allclose(x, -1.0, atol=1e-6)


def test_without_a_compiler_native_is_an_error(no_compiler):
    x = np.zeros(3)
    optimizer = Optimizer(RULES["Adam"](), x, engine="native")
    with pytest.raises(NotCompiled, match=r"no C\+\+ compiler"):
        optimizer.step(np.ones(3))
    assert (optimizer.t, x.any()) == (0, False)
