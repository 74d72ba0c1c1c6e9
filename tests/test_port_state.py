"""State of one library's optimizer in another: the next step is that of the first."""

import warnings

import numpy as np
import pytest

pytest.importorskip("scipy")
import torch
from libraries import keras
from ported import MADE, RATE, SHARE

from adam_edu.libraries import Unusable, port_state
from adam_edu.libraries.state import store

ONE = {
    "Adam": {"torch": ("Adam", {}), "keras": ("Adam", {}), "optax": ("adam", {})},
    "AMSGrad": {"torch": ("Adam", {"amsgrad": True}), "keras": ("Adam", {"amsgrad": True})},
    "NAdam": {"torch": ("NAdam", {}), "keras": ("Nadam", {})},
    "AdaMax": {"torch": ("Adamax", {}), "keras": ("Adamax", {}), "optax": ("adamax", {})},
    "momentum": {
        n: (k, {"momentum": 0.9}) for n, k in zip(MADE, ("SGD", "SGD", "sgd"), strict=True)
    },
    "RMSProp": {"torch": ("RMSprop", {}), "keras": ("RMSprop", {}), "optax": ("rmsprop", {})},
    "RMSProp, momentum": {n: ("RMSprop", {"momentum": 0.9}) for n in ("torch", "keras")},
    "centered": {
        **{name: ("RMSprop", {"centered": True}) for name in ("torch", "keras")},
        "optax": ("rmsprop", {"centered": True}),
    },
    "AdaGrad": {"torch": ("Adagrad", {}), "keras": ("Adagrad", {}), "optax": ("adagrad", {})},
    "AdaDelta": {"torch": ("Adadelta", {}), "keras": ("Adadelta", {}), "optax": ("adadelta", {})},
    "Lion": {"keras": ("Lion", {}), "optax": ("lion", {})},
}
PAIRS = [
    (kind, from_, to) for kind, own in ONE.items() for from_ in own for to in own if from_ != to
]


def made(kind, library):
    """Return an optimizer with the same rate, and the same share, whatever the library's own."""
    name, options = ONE[kind][library]
    given = {"optimizer": name, RATE[library]: 0.01} | options
    if name.lower() == "rmsprop":
        given[SHARE[library]] = 0.9
    if kind == "AdaDelta":
        given |= {"rho": 0.9, ("epsilon" if library == "keras" else "eps"): 1e-6}
    if kind == "NAdam" and library == "torch":
        given["momentum_decay"] = 1.0  # Keras's
    if kind == "Lion" and library == "optax":
        given["weight_decay"] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return MADE[library](given)


@pytest.mark.parametrize(("kind", "from_", "to"), PAIRS)
def test_the_next_step_is_that_of_the_other_library(kind, from_, to):
    there, here = made(kind, from_), made(kind, to)
    for t in range(20):
        there.step(t)
    here.memory = port_state(there.memory, here.memory)

    for t in range(20, 23):
        for mine, theirs in zip(here.step(t), there.step(t), strict=True):
            # Epsilons differ: they are a matter of the settings.
            np.testing.assert_allclose(mine, theirs, rtol=3e-4, atol=1e-7)


@pytest.mark.parametrize(("kind", "from_", "to"), PAIRS)
def test_there_and_back_it_is_the_same_state(kind, from_, to):
    there, here, back = made(kind, from_), made(kind, to), made(kind, from_)
    for t in range(5):
        there.step(t)

    back.memory = port_state(port_state(there.memory, here.memory), back.memory)

    wanted, between, found = (store(one.memory).read() for one in (there, here, back))
    if wanted.count is not None and between.count is not None:
        assert found.count == wanted.count == 5
    for name, arrays in wanted.slots.items():
        for mine, theirs in zip(found.slots[name], arrays, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-6)


def test_a_layout_is_arranged():
    p, q = torch.ones(2, 3, requires_grad=True), keras.Variable(np.ones((3, 2)))
    there, here = torch.optim.Adam([p]), keras.optimizers.Adam()
    here.build([q])
    p.grad = torch.arange(6.0).reshape(2, 3)
    there.step()

    port_state(there, here, lambda i, array: array.T)

    moment = np.asarray(here._momentums[0].value)
    np.testing.assert_array_equal(moment, there.state[p]["exp_avg"].numpy().T)


def test_what_does_not_fit_is_refused_and_nothing_changed():
    there, here = made("Adam", "torch"), made("Adam", "keras")
    there.step(0)
    other = keras.optimizers.Adam()
    other.build([keras.Variable(np.ones((2, 3))), keras.Variable(np.ones(4))])
    with pytest.raises(Unusable, match=r"parameter 0 is of shape \(3, 2\) .* give arrange"):
        port_state(there.memory, other)
    assert int(other.iterations) == 0
    with pytest.raises(Unusable, match="the one remembers m, v, the other buffer"):
        port_state(there.memory, made("momentum", "optax").memory)
    with pytest.raises(Unusable, match="before build"):
        port_state(there.memory, keras.optimizers.Adam())
    with pytest.raises(Unusable, match="neither an optimizer"):
        port_state(there.memory, {})
    with pytest.raises(Unusable, match="schedule of momentum"):
        port_state(made("NAdam", "torch").memory, made("Adam", "optax").memory)
    there.params[0].grad = None
    there.memory.step()
    with pytest.raises(Unusable, match="from 1 to 2 steps"):
        port_state(there.memory, here.memory)
