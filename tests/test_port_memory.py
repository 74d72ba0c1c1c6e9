"""What an optimizer may remember, and how: frozen, wrapped, in parts, of low precision."""

import inspect

import numpy as np
import pytest

pytest.importorskip("scipy")
import jax
import jax.numpy as jnp
import optax
import torch
from libraries import keras
from ported import MADE, RATE, SHAPES, SHARE, OfKeras, gradients, step, stepped

import adam_edu.torch
from adam_edu.libraries import Unusable, port_state
from adam_edu.libraries.state import store
from adam_edu.torch.arguments import TORCH_CLASSES


def test_a_frozen_parameter_has_zeros_elsewhere():
    params = [torch.full(s, 0.5, requires_grad=not i) for i, s in enumerate(SHAPES)]
    there = torch.optim.Adam(params)
    step(there, params, 3)
    leaves = [jnp.ones(s) for s in SHAPES]

    found = port_state(there, optax.adam(0.1).init(leaves))[0]
    part = {"moved": optax.adam(0.1), "frozen": optax.set_to_zero()}
    parted = optax.multi_transform(part, ["moved", "frozen"]).init(leaves)
    masked = optax.masked(optax.adam(0.1), [True, False]).init(leaves)

    assert int(found.count) == 3
    np.testing.assert_array_equal(found.mu[0], there.state[params[0]]["exp_avg"])
    assert not found.mu[1].any()
    for target in (parted, masked):
        back = torch.optim.Adam([torch.ones(s, requires_grad=True) for s in SHAPES])
        moved = port_state(there, target)
        assert jax.tree.structure(moved) == jax.tree.structure(target)
        port_state(moved, back)
        first = back.state[back.param_groups[0]["params"][0]]
        np.testing.assert_array_equal(first["exp_avg"], there.state[params[0]]["exp_avg"])
    _, whole = stepped(torch.optim.Adam)
    with pytest.raises(Unusable, match="parameter 1 has a memory in the one, and is frozen"):
        port_state(whole, masked)


def test_parts_with_settings_of_their_own_are_one_memory():
    params, there = stepped(torch.optim.Adam)
    target = optax.multi_transform(
        {"fast": optax.adam(0.1), "slow": optax.adam(0.01)}, ["slow", "fast"]
    ).init([jnp.ones(s) for s in SHAPES])

    found = store(port_state(there, target)).read()

    assert found.count == 3
    for p, array in zip(params, found.slots["v"], strict=True):
        np.testing.assert_array_equal(array, there.state[p]["exp_avg_sq"])


WRAPPED = {
    "chain": optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.1)),
    "schedule": optax.adam(optax.constant_schedule(0.1)),
    "inject_hyperparams": optax.inject_hyperparams(optax.adam)(learning_rate=0.1),
    "apply_if_finite": optax.apply_if_finite(optax.adam(0.1), 3),
    "MultiSteps": optax.MultiSteps(optax.adam(0.1), 4),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_a_wrapped_state_of_optax_is_filled(name):
    params, there = stepped(torch.optim.Adam)
    target = WRAPPED[name].init([jnp.ones(s) for s in SHAPES])

    moved = port_state(there, target)
    found = store(moved).read()

    assert jax.tree.structure(moved) == jax.tree.structure(target)
    assert found.count == 3
    np.testing.assert_array_equal(found.slots["m"][1], there.state[params[1]]["exp_avg"])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("make", [torch.optim.Adam, torch.optim.NAdam])
def test_other_precisions_are_moved(make, dtype):
    params, there = stepped(make, dtype=dtype)
    if make is torch.optim.Adam:
        state = optax.adam(0.1, mu_dtype="bfloat16").init([jnp.ones(s) for s in SHAPES])
    else:
        state = keras.optimizers.Nadam()
        state.build([keras.Variable(np.ones(s, "f")) for s in SHAPES])
    copies = [p.detach().clone().requires_grad_() for p in params]
    back = make(copies)

    port_state(port_state(there, state), back)

    for name, value in there.state[params[0]].items():
        found = back.state[copies[0]][name]
        assert found.dtype == value.dtype
        np.testing.assert_allclose(found.float(), value.float(), rtol=1e-2, atol=1e-7)
        if value.ndim == 0:
            assert float(found) == pytest.approx(float(value), rel=1e-6)


OURS = ["Adam", "AdamW", "AdamL2", "AMSGrad", "NAdam", "RAdam", "AdaMax", "RMSProp"]
OURS += ["CenteredRMSProp", "AdaGrad", "AdaDelta", "Momentum", "Nesterov"]


@pytest.mark.parametrize("name", OURS)
def test_the_packages_own_optimizers_are_torchs(name):
    """There and back, each goes on as the other would have done."""
    torchs, told = TORCH_CLASSES[name]
    if torchs == "SGD":
        told = {"momentum": 0.9} | told
    given = {"momentum": 0.9} if torchs == "SGD" else {}
    namesake = getattr(torch.optim, torchs)
    told = {k: v for k, v in told.items() if k in inspect.signature(namesake).parameters}
    if torchs == "AdamW":
        told.pop("decoupled_weight_decay", None)
    make = getattr(adam_edu.torch, name)
    for first, second, one, other in (
        (make, namesake, given, told),
        (namesake, make, told, given),
    ):
        params, there = stepped(first, lr=0.01, weight_decay=0.0, **one)
        copies = [p.detach().clone().requires_grad_() for p in params]
        here = port_state(there, second(copies, lr=0.01, weight_decay=0.0, **other))
        for mine, theirs in zip(step(here, copies, 2), step(there, params, 2), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)


def test_lion_of_the_package_goes_to_keras():
    params, there = stepped(adam_edu.torch.Lion)
    here = keras.optimizers.Lion()
    here.build([keras.Variable(np.ones(s, "f")) for s in SHAPES])

    port_state(there, here)

    np.testing.assert_array_equal(here._momentums[1].value, there.state[params[1]]["exp_avg"])


def test_a_buffer_that_has_not_begun_is_not_dampened():
    options = {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}
    params, there = stepped(torch.optim.SGD, steps=0, **options)
    copies, here = stepped(torch.optim.SGD, steps=0, **options)

    port_state(there, here)

    for mine, theirs in zip(step(here, copies), step(there, params), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_momentum_has_the_unit_of_the_schedule_at_the_new_count():
    def rms(library, rate):
        given = {"optimizer": "RMSprop", RATE[library]: rate, SHARE[library]: 0.9, "momentum": 0.9}
        return MADE[library](given)

    there = rms("torch", 0.1 * 0.5**3)
    for t in range(3):
        there.step(t)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    here = OfKeras.__new__(OfKeras)
    here.params = [keras.Variable(np.full(s, 0.5, "f")) for s in SHAPES]
    here.memory = keras.optimizers.RMSprop(schedule, rho=0.9, momentum=0.9)
    here.memory.build(here.params)

    port_state(there.memory, here.memory)

    for mine, theirs in zip(here.step(3), there.step(3), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=3e-4, atol=1e-7)


def test_a_rate_in_a_tensor_stays_the_same_tensor():
    rate = torch.tensor(0.1)
    _, there = stepped(torch.optim.Adam)
    _, here = stepped(torch.optim.Adam, steps=0, lr=rate)

    port_state(there, here)

    assert here.param_groups[0]["lr"] is rate


def test_calls_that_gather_gradients_are_no_steps():
    there = keras.optimizers.Adam(gradient_accumulation_steps=2)
    variables = [keras.Variable(np.full(s, 0.5, "f")) for s in SHAPES]
    there.build(variables)
    target = optax.adam(1e-3).init([jnp.ones(s) for s in SHAPES])
    for t in range(4):
        there.apply([keras.ops.convert_to_tensor(g) for g in gradients(t)])

    state = port_state(there, target)
    port_state(state, there)

    assert int(state[0].count) == 2
    assert int(there.iterations) == 2
    there.apply([keras.ops.convert_to_tensor(g) for g in gradients(4)])
    with pytest.raises(Unusable, match="gathering gradients"):
        port_state(there, target)


def groups(make, *options, **more):
    params = [torch.ones(s, requires_grad=True) for s in SHAPES]
    each = [{"params": [p]} | one for p, one in zip(params, options, strict=True)]
    return make(each, **more)


def built(optimizer):
    optimizer.build([keras.Variable(np.ones(s, "f")) for s in SHAPES])
    return optimizer


def test_groups_that_remember_alike_are_moved():
    there = groups(torch.optim.Adam, {"lr": 0.1}, {"weight_decay": 0.1})
    step(there, [p for group in there.param_groups for p in group["params"]], 2)

    assert int(port_state(there, built(keras.optimizers.Adam())).iterations) == 2


def test_plain_sgd_has_nothing_to_move():
    _, there = stepped(torch.optim.SGD, lr=0.1)
    schedule = optax.sgd(optax.constant_schedule(0.1))
    state = schedule.init([jnp.ones(s) for s in SHAPES])
    grads = [jnp.ones(s) for s in SHAPES]
    _, state = schedule.update(grads, state)

    assert store(port_state(there, state)).read().count == 1


def _state(transformation):
    return transformation.init([jnp.ones(s) for s in SHAPES])


REFUSED = [
    (lambda: groups(torch.optim.Adam, {"amsgrad": True}, {}), "groups differ"),
    (lambda: groups(torch.optim.SGD, {}, {"momentum": 0.9}, lr=0.1), "groups differ"),
    (lambda: built(keras.optimizers.Adam(use_ema=True)), "averages of the weights"),
    (lambda: built(keras.optimizers.SGD(0.0, momentum=0.9)), "learning rate of 0"),
    (lambda: built(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())), "inner_optim"),
    (lambda: _state(optax.chain(optax.adam(0.1), optax.ema(0.9))), "has EmaState"),
    (lambda: _state(optax.chain(optax.trace(0.9), optax.adam(0.1))), "a momentum beside m, v"),
    (lambda: _state(optax.rmsprop(0.1, momentum=0.9)), "a momentum beside v"),
    (lambda: _state(optax.amsgrad(0.1)), "corrected w, m, v"),
    (lambda: optax.adam(0.1), "its init"),
    (lambda: torch.optim.Adam([torch.ones(2, dtype=torch.complex64)]), "complex"),
    (lambda: torch.optim.SparseAdam([torch.ones(2)]), "none of Torch's"),
]


@pytest.mark.parametrize(("make", "text"), REFUSED, ids=[text for _, text in REFUSED])
def test_what_would_be_lost_is_refused(make, text):
    for source, target in ((make(), _adam()), (_adam(), make())):
        with pytest.raises(Unusable, match=text):
            port_state(source, target)


def test_what_remembers_alike_and_is_another_rule_is_refused():
    _, there = stepped(torch.optim.RAdam)
    for here in (built(keras.optimizers.AdamW()), _adam()):
        with pytest.raises(Unusable, match="the one is RAdam, the other Adam"):
            port_state(there, here)
    port_state(_adam(), built(keras.optimizers.AdamW()))


def _adam():
    return torch.optim.Adam([torch.ones(s, requires_grad=True) for s in SHAPES])
