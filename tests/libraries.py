"""Other people's optimizers, fed from outside: the same points and gradients as a rule gets.

Each function below walks through recorded points ``xs`` and gradients ``gs``, both of shape
(steps, n). Before each step the parameter is put where ``xs`` says (open loop: what a library does
at one step has no bearing on where the next one starts, its slots aside). All return a
:class:`Path`.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

# Keras picks its backend once, on import. On JAX it computes in float64; on NumPy it does not.
os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
import optax
import torch

jax.config.update("jax_enable_x64", True)


@dataclass
class Path:
    """What an optimizer made of the recording: the point after each step, and the slots."""

    x: np.ndarray
    slots: dict[str, np.ndarray] = field(default_factory=dict)


def recording(seed: int, steps: int = 1000, n: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Return points and gradients of shape (steps, n).

    Gradients have a scale of their own in each column, from 1e-6 to 1e2. Half of the points are 0,
    so that ``xs + change`` shows the change to the last bit; the others show weight decay.
    """
    rng = np.random.default_rng(seed)
    scales = np.geomspace(1e-6, 1e2, n // 2).repeat(2)
    gs = scales * (rng.standard_normal((steps, n)) + 0.3)
    xs = rng.standard_normal((steps, n)) * (np.arange(n) % 2)
    return xs, gs


def run_rule(rule: Any, xs: np.ndarray, gs: np.ndarray) -> Path:
    """Walk a rule of ours."""
    slots = [np.zeros(xs.shape[1]) for _ in rule.slots]
    rows = []
    for t, (x, g) in enumerate(zip(xs, gs, strict=True), start=1):
        x, *slots = rule.update(t, x, g, *slots)
        rows.append([x, *slots])
    x, *slots = np.array(rows).transpose(1, 0, 2)
    return Path(x, dict(zip(rule.slots, slots, strict=True)))


def run_torch(
    make: Callable[[list[torch.Tensor]], torch.optim.Optimizer],
    xs: np.ndarray,
    gs: np.ndarray,
    slots: dict[str, str] | None = None,
    before_step: Callable[[int, dict[str, Any]], None] = lambda t, group: None,
) -> Path:
    """Walk a Torch optimizer; ``slots`` names our slot for each entry of its state."""
    slots = slots or {}
    x = torch.zeros(xs.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = make([x])
    group = optimizer.param_groups[0]
    after = np.empty_like(xs)
    states = {name: np.empty_like(xs) for name in slots}
    for i, (x_t, g_t) in enumerate(zip(torch.from_numpy(xs), torch.from_numpy(gs), strict=True)):
        x.data.copy_(x_t)
        x.grad = g_t.clone()
        before_step(i + 1, group)
        optimizer.step()
        after[i] = x.data.numpy()
        for name, key in slots.items():
            states[name][i] = optimizer.state[x][key].numpy()
    return Path(after, states)


@contextmanager
def torch_default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Let Torch's own scalars (the step number, NAdam's product) have this dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@partial(jax.jit, static_argnums=0)
def _scan_optax(make: Any, arguments: dict[str, float], xs: Any, gs: Any) -> Any:
    transformation = make(**arguments)

    def step(state: Any, x_and_g: Any) -> Any:
        x, g = x_and_g
        updates, state = transformation.update(g, state, x)
        return state, x + updates

    return jax.lax.scan(step, transformation.init(xs[0] * 0), (xs, gs))[1]


def run_optax(
    make: Callable[..., optax.GradientTransformation],
    xs: np.ndarray,
    gs: np.ndarray,
    **arguments: float,
) -> Path:
    """Walk the Optax transformation ``make(**arguments)``; a module's function compiles once."""
    return Path(np.asarray(_scan_optax(make, arguments, xs, gs)))


@partial(jax.jit, static_argnums=0)
def _scan_averaging(make: Any, arguments: dict[str, float], xs: Any, gs: Any) -> Any:
    transformation = make(**arguments)

    def step(carry: Any, x_and_g: Any) -> Any:
        state, x_before = carry
        x, g = x_and_g
        state = state._replace(z=state.z + x - x_before)
        updates, state = transformation.update(g, state, x)
        return (state, x + updates), x + updates

    return jax.lax.scan(step, (transformation.init(xs[0]), xs[0]), (xs, gs))[1]


def run_optax_schedule_free(
    make: Callable[..., optax.GradientTransformation],
    xs: np.ndarray,
    gs: np.ndarray,
    **arguments: float,
) -> Path:
    """Walk one of Optax's schedule-free transformations.

    It keeps a second sequence of points, which is moved along when the parameter is put elsewhere.
    """
    return Path(np.asarray(_scan_averaging(make, arguments, xs, gs)))


def run_keras(
    make: Callable[[], keras.optimizers.Optimizer],
    xs: np.ndarray,
    gs: np.ndarray,
    before_step: Callable[[int, Any], None] = lambda t, optimizer: None,
) -> Path:
    """Walk a Keras optimizer, in float64."""
    floatx = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        optimizer = make()
        x = keras.Variable(np.zeros(xs.shape[1]), dtype="float64")
        after = np.empty_like(xs)
        for i, (x_t, g_t) in enumerate(zip(xs, gs, strict=True)):
            x.assign(x_t)
            before_step(i + 1, optimizer)
            optimizer.apply([jax.numpy.asarray(g_t)], [x])
            after[i] = np.asarray(x.value)
    finally:
        keras.config.set_floatx(floatx)
    return Path(after)


def run_sklearn(optimizer: Any, xs: np.ndarray, gs: np.ndarray) -> Path:
    """Walk one of scikit-learn's optimizers, made for the parameter ``np.zeros(n)``."""
    changes = [optimizer._get_updates([g])[0] for g in gs]
    return Path(xs + np.array(changes))


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference, each column relative to the largest of its values.

    A NaN on one side is an infinite difference.
    """
    size = np.maximum(np.abs(theirs).max(axis=0), np.finfo(float).tiny)
    apart = np.abs(ours - theirs).max(axis=0) / size
    return float(np.nan_to_num(apart, nan=np.inf).max())
