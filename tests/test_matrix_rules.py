"""LAMB, Adafactor, Muon and Shampoo against Torch, Optax and SciPy, on the same gradients."""

from functools import partial
from itertools import pairwise

import jax
import numpy as np
import optax
import optax.contrib
import pytest
import torch
from libraries import difference
from numpy.testing import assert_allclose
from scipy.linalg import fractional_matrix_power

from adam_edu.matrix_rules import (
    adafactor,
    lamb,
    muon,
    orthogonalized,
    rms,
    root_inverted,
    shampoo,
)

SHAPES = [(4, 7), (7, 4), (5, 5)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def recorded(shape, steps=200):
    """Return a start and gradients whose rows and columns have scales of their own."""
    rng = np.random.default_rng(5)
    scales = np.outer(10 ** rng.uniform(-4, 1, shape[0]), 10 ** rng.uniform(-2, 1, shape[1]))
    return rng.standard_normal(shape), scales * (rng.standard_normal((steps, *shape)) + 0.3)


def walk(function, x, gs, memory):
    path = []
    state = [0.0] * memory
    for t, g in enumerate(gs, start=1):
        x, *state = function(t, x, g, *state)
        path.append(x)
    return np.array(path).reshape(len(gs), -1)


def walk_optax(transformation, x, gs):
    path = []
    state = transformation.init(jax.numpy.asarray(x))
    update = jax.jit(transformation.update)
    for g in gs:
        change, state = update(jax.numpy.asarray(g), state, jax.numpy.asarray(x))
        x = x + np.asarray(change)
        path.append(x)
    return np.array(path).reshape(len(gs), -1)


def walk_torch(make, x, gs):
    path = []
    parameter = torch.tensor(x, requires_grad=True)
    optimizer = make([parameter])
    for g in gs:
        parameter.grad = torch.tensor(g)
        optimizer.step()
        path.append(parameter.detach().numpy().copy())
    return np.array(path).reshape(len(gs), -1)


@every_shape
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_lamb_is_that_of_optax(shape, decay):
    x, gs = recorded(shape)
    theirs = walk_optax(optax.lamb(0.01, weight_decay=decay), x, gs)
    assert difference(walk(partial(lamb, lr=0.01, weight_decay=decay), x, gs, 2), theirs) < 1e-10


def test_lamb_leaves_zero():
    x, _, _ = lamb(1, np.zeros(3), np.ones(3), 0.0, 0.0, lr=0.1)
    assert_allclose(x, -0.1, rtol=1e-5)


@every_shape
@pytest.mark.parametrize("lr", [0.01, 1.0])
def test_adafactor_is_that_of_torch(shape, lr):
    # The larger rate lets the method's own schedule, 1 / sqrt(t), come into its own.
    x, gs = recorded(shape)
    theirs = walk_torch(partial(torch.optim.Adafactor, lr=lr, weight_decay=0.0), x, gs)
    assert difference(walk(partial(adafactor, lr=lr), x, gs, 2), theirs) < 1e-9


@every_shape
def test_adafactor_is_that_of_optax_without_the_schedule(shape):
    # Optax has its decay rate in float32.
    x, gs = recorded(shape, steps=50)
    theirs = walk_optax(optax.adafactor(0.1, min_dim_size_to_factor=2), x, gs)
    assert difference(walk(partial(adafactor, lr=0.1), x, gs, 2), theirs) < 1e-6


@every_shape
def test_muons_products_are_those_of_optax(shape):
    _, gs = recorded(shape, steps=10)
    step = optax.contrib.scale_by_muon(nesterov=False, beta=0.0, eps=1e-7)
    update = jax.jit(lambda g: step.update(g, step.init(g))[0])
    for g in gs:
        theirs = update(jax.numpy.asarray(g))
        assert_allclose(orthogonalized(g), np.asarray(theirs), atol=1e-9)


@every_shape
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_muon_is_that_of_torch_up_to_bfloat16(shape, decay):
    # Torch rounds the products to three digits, so the gradients are given anew at each step and
    # the paths are compared within that.
    x, gs = recorded(shape, steps=20)
    theirs = walk_torch(partial(torch.optim.Muon, lr=0.02, weight_decay=decay), x, gs)
    ours = walk(partial(muon, lr=0.02, weight_decay=decay), x, gs, 1)
    assert_allclose(ours, theirs, atol=0.02 * 20 * 0.02)
    moved = np.abs(theirs[-1] - x.ravel()).max()
    assert np.abs(ours - theirs).max() < 0.05 * moved


def shampoo_as_one_matrix(x, gs, lr, eps):
    """Walk Shampoo as its paper proves it: one Kronecker product, to the power -1/4.

    Rows stay together in the vector, so L is the left factor.
    """
    rows, columns = x.shape
    left, right = eps * np.eye(rows), eps * np.eye(columns)
    path, vector = [], x.ravel()
    for g in gs:
        left, right = left + g @ g.T, right + g.T @ g
        vector = vector - lr * fractional_matrix_power(np.kron(left, right), -0.25) @ g.ravel()
        path.append(vector)
    return np.array(path)


@every_shape
def test_shampoo_is_one_kronecker_product(shape):
    x, gs = recorded(shape, steps=12)
    theirs = shampoo_as_one_matrix(x, gs, 0.1, 0.01)
    assert difference(walk(partial(shampoo, lr=0.1, eps=0.01), x, gs, 2), theirs) < 1e-6


def test_shampoo_of_one_entry_is_adagrad():
    gs = np.random.default_rng(0).standard_normal((50, 1, 1))
    ours = walk(partial(shampoo, lr=0.1, eps=0.0), np.ones((1, 1)), gs, 2)
    adagrad = torch.optim.Adagrad
    theirs = walk_torch(partial(adagrad, lr=0.1, eps=0.0), np.ones((1, 1)), gs)
    assert difference(ours, theirs) < 1e-12


@every_shape
def test_shampoo_levels_the_first_step(shape):
    # L and R have the squares of g's singular values: the first step is that of Muon, exactly.
    _, gs = recorded(shape, steps=1)
    x, _, _ = shampoo(1, 0 * gs[0], gs[0], 0.0, 0.0, lr=1.0, eps=1e-14)
    u, _, v = np.linalg.svd(gs[0], full_matrices=False)
    assert_allclose(np.diag(u.T @ -x @ v.T)[:2], 1.0, atol=1e-3)


def test_a_root_of_a_singular_matrix_is_a_number():
    ones = np.ones((3, 3))
    assert_allclose(root_inverted(ones, 4, 1e-6) @ np.ones(3), 3**-0.25, rtol=1e-6)


@every_shape
def test_orthogonalized_keeps_directions_and_levels_sizes(shape):
    rng = np.random.default_rng(0)
    g = rng.standard_normal(shape)
    u, _, v = np.linalg.svd(g, full_matrices=False)
    inner = u.T @ orthogonalized(g) @ v.T
    sizes = np.diag(inner)
    assert_allclose(inner, np.diag(sizes), atol=1e-12)
    assert ((sizes > 0.6) & (sizes < 1.3)).all()


@pytest.mark.parametrize(("function", "memory"), [(adafactor, 2), (muon, 1), (shampoo, 2)])
def test_a_vector_is_refused(function, memory):
    state = [0.0] * memory
    with pytest.raises(ValueError, match=r"matrix, but the parameter has shape \(3,\)"):
        function(1, np.ones(3), np.ones(3), *state)


def test_adafactor_never_steps_far():
    # No step is longer than lr times the parameter's size, whatever the gradients.
    x, gs = recorded((6, 9))
    path = walk(partial(adafactor, lr=0.05), x, gs, 2).reshape(-1, 6, 9)
    for before, after in pairwise(path):
        assert rms(after - before) <= 0.05 * rms(before) * (1 + 1e-9)


def test_nothing_is_changed_in_place():
    x, gs = recorded((4, 3), steps=2)
    for function, memory in ((lamb, 2), (adafactor, 2), (muon, 1), (shampoo, 2)):
        before = x.copy(), gs.copy()
        walk(function, x, gs, memory)
        assert_allclose(x, before[0], rtol=0)
        assert_allclose(gs, before[1], rtol=0)
