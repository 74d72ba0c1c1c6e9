"""What the tests of ports share: the real optimizers, walked along the same gradients."""

import numpy as np
import pytest

pytest.importorskip("scipy")
import jax.numpy as jnp
import optax
import torch
from libraries import keras


def real(settings, library):
    """Return the library's own optimizer, or a factory of it."""
    given = dict(settings)
    name = given.pop("optimizer")
    if library == "torch":
        return lambda params: getattr(torch.optim, name)(params, **given)
    if library == "keras":
        given = {k: float(v) if type(v) is int else v for k, v in given.items()}
        return getattr(keras.optimizers, name)(**given)
    return getattr(optax, name)(**given)


SHAPES = (3, 2), (4,)
RATE = {"torch": "lr", "keras": "learning_rate", "optax": "learning_rate"}
SHARE = {"torch": "alpha", "keras": "rho", "optax": "decay"}


def gradients(t):
    return [np.sin(9.0 * np.arange(1, 1 + np.prod(s)) + t).reshape(s).astype("f") for s in SHAPES]


class OfTorch:
    def __init__(self, settings):
        self.params = [torch.full(s, 0.5, requires_grad=True) for s in SHAPES]
        self.memory = real(settings, "torch")(self.params)

    def step(self, t):
        before = [p.detach().clone() for p in self.params]
        for p, g in zip(self.params, gradients(t), strict=True):
            p.grad = torch.tensor(g)
        self.memory.step()
        return [(p.detach() - b).numpy() for p, b in zip(self.params, before, strict=True)]


class OfKeras:
    def __init__(self, settings):
        self.params = [keras.Variable(np.full(s, 0.5, "f")) for s in SHAPES]
        self.memory = real(settings, "keras")
        self.memory.build(self.params)

    def step(self, t):
        before = [np.array(p.value) for p in self.params]
        self.memory.apply([keras.ops.convert_to_tensor(g) for g in gradients(t)])
        return [np.asarray(p.value) - b for p, b in zip(self.params, before, strict=True)]


class OfOptax:
    def __init__(self, settings):
        self.transformation = real(settings, "optax")
        self.params = [jnp.full(s, 0.5) for s in SHAPES]
        self.memory = self.transformation.init(self.params)

    def step(self, t):
        given = [jnp.asarray(g) for g in gradients(t)]
        changes, self.memory = self.transformation.update(given, self.memory, self.params)
        return [np.asarray(one) for one in changes]


MADE = {"torch": OfTorch, "keras": OfKeras, "optax": OfOptax}


def stepped(make, shapes=SHAPES, steps=3, dtype=torch.float32, **options):
    """Return parameters and an optimizer of Torch that has taken some steps."""
    params = [torch.full(s, 0.5, dtype=dtype, requires_grad=True) for s in shapes]
    optimizer = make(params, **options)
    step(optimizer, params, steps)
    return params, optimizer


def step(optimizer, params, steps=1):
    before = [p.detach().clone() for p in params]
    for t in range(steps):
        for p, g in zip(params, gradients(t), strict=True):
            p.grad = torch.tensor(g).to(p) if p.requires_grad else None
        optimizer.step()
    return [(p.detach() - b).float().numpy() for p, b in zip(params, before, strict=True)]
