"""Schedules are carried between libraries, and each formula is held to the library's own."""

import jax
import numpy as np
import optax
import pytest
import torch
from libraries import keras
from optax import contrib

from adam_edu.libraries import port_schedule
from adam_edu.libraries.plans import PLANS
from adam_edu.libraries.rates import _asked

# Keras warns of itself on a new NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")

SETTINGS = {
    "CosineAnnealingLR": {"lr": 0.3, "T_max": 7, "eta_min": 0.02},
    "ExponentialLR": {"lr": 0.3, "gamma": 0.8},
    "StepLR": {"lr": 0.3, "step_size": 3, "gamma": 0.5},
    "LinearLR": {"lr": 0.3, "start_factor": 0.25, "total_iters": 6},
    "CosineDecay": {"initial_learning_rate": 0.3, "decay_steps": 7, "alpha": 0.1},
    "ExponentialDecay": {"initial_learning_rate": 0.3, "decay_steps": 4, "decay_rate": 0.5},
    "PolynomialDecay": {"initial_learning_rate": 0.3, "decay_steps": 6},
    "cosine_decay_schedule": {"init_value": 0.3, "decay_steps": 7, "alpha": 0.1},
    "exponential_decay": {"init_value": 0.3, "transition_steps": 4, "decay_rate": 0.5},
    "linear_schedule": {"init_value": 0.0, "end_value": 0.3, "transition_steps": 6},
    "ReduceLROnPlateau": {"lr": 0.3, "factor": 0.5, "patience": 3},
    "reduce_on_plateau": {"lr": 0.3, "factor": 0.5, "patience": 3},
    "warmup_cosine_decay_schedule": {
        **{"init_value": 0.0, "peak_value": 0.3, "warmup_steps": 4},
        **{"decay_steps": 11, "end_value": 0.03},
    },
}
WARM = {"initial_learning_rate": 0.01, "decay_steps": 7, "warmup_target": 0.3, "warmup_steps": 4}
STEPS = 18


def of_torch(name, given):
    given = dict(given)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], given.pop("lr"))
    schedule = getattr(torch.optim.lr_scheduler, name)(optimizer, **given)
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step(*([1.0] if name == "ReduceLROnPlateau" else []))
    return rates


def of_keras(name, given):
    if name != "ReduceLROnPlateau":
        schedule = getattr(keras.optimizers.schedules, name)(**given)
        return [float(schedule(t)) for t in range(STEPS)]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(given["lr"]), "mse")
    rule = keras.callbacks.ReduceLROnPlateau("loss", given["factor"], given["patience"])
    rule.set_model(model)
    rule.on_train_begin()
    rates = []
    for epoch in range(STEPS):
        rates.append(float(model.optimizer.learning_rate))
        rule.on_epoch_end(epoch, {"loss": 1.0})
    return rates


def of_optax(name, given):
    given = dict(given)
    if name != "reduce_on_plateau":
        return [float(getattr(optax, name)(**given)(t)) for t in range(STEPS)]
    rate, p = given.pop("lr"), np.ones(1, np.float32)
    rule = contrib.reduce_on_plateau(**given)
    step = jax.jit(lambda p, state: rule.update(p, state, value=1.0))
    state, rates = rule.init(p), []
    for _ in range(STEPS):
        update, state = step(p, state)
        rates.append(rate * float(update[0]))
    return rates


LIBRARIES = {"torch": of_torch, "keras": of_keras, "optax": of_optax}


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.library}, {plan.kind}")
def test_each_formula_is_the_library_s(plan):
    warm = plan.kind == "cosine after a warm-up" and plan.library == "keras"
    given = (WARM if warm else SETTINGS[plan.schedule]) | dict(plan.chosen)
    found, values = _asked({"schedule": plan.schedule, **given}, plan.library)

    assert found is plan
    wanted = LIBRARIES[plan.library](plan.schedule, given)
    assert np.allclose(plan.rates(values, np.arange(STEPS)), wanted, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("to", LIBRARIES)
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.library}, {plan.kind}")
def test_what_is_carried_does_there_what_is_said(plan, to):
    if plan.kind == "cosine after a warm-up" and to == "torch":
        pytest.skip("Torch has none")
    warm = plan.kind == "cosine after a warm-up" and plan.library == "keras"
    given = (WARM if warm else SETTINGS[plan.schedule]) | dict(plan.chosen)
    ported = port_schedule({"schedule": plan.schedule, **given}, plan.library, to, STEPS)

    here = np.array(LIBRARIES[plan.library](plan.schedule, given))
    there = np.array(LIBRARIES[to](ported.schedule, ported.settings))
    apart = abs(here - there) / here.max()
    assert apart.max() == pytest.approx(ported.difference, abs=1e-6)
    off = np.flatnonzero(apart > 1e-6)
    assert (int(off[0]) + 1 if len(off) else None) == ported.parts


# (from, to, kind) -> the first step whose rates differ; of all others, none does. Optax's plateau
# rule acts one step sooner, and Torch's line has no start of 0.
PARTING = {
    ("torch", "keras", "cosine"): 9,  # after T_max of 7
    ("torch", "optax", "cosine"): 9,
    ("keras", "torch", "cosine"): 9,
    ("optax", "torch", "cosine"): 9,
    ("torch", "optax", "plateau"): 5,
    ("keras", "optax", "plateau"): 4,
    ("optax", "torch", "plateau"): 4,
    ("optax", "keras", "plateau"): 4,
    ("optax", "torch", "linear"): 1,
}


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.library}, {plan.kind}")
def test_the_rates_stay_the_same_but_where_they_cannot(plan):
    warm = plan.kind == "cosine after a warm-up"
    given = (WARM if warm and plan.library == "keras" else SETTINGS[plan.schedule]) | dict(
        plan.chosen
    )
    for to in LIBRARIES.keys() - ({"torch"} if warm else set()):
        ported = port_schedule({"schedule": plan.schedule, **given}, plan.library, to, STEPS)
        assert ported.parts == PARTING.get((plan.library, to, plan.kind)), to


def test_the_traps_are_said():
    text = str(port_schedule({"schedule": "StepLR", "lr": 0.1, "step_size": 30}, "torch", "keras"))
    assert text.splitlines()[0] == (
        "keras: ExponentialDecay(initial_learning_rate=0.1, decay_steps=30, decay_rate=0.1, "
        "staircase=True)"
    )
    assert "one an epoch" in text
    plateau = port_schedule({"schedule": "ReduceLROnPlateau", "lr": 0.1}, "torch", "keras")
    assert plateau.settings["patience"] == 11
    assert plateau.difference < 1e-12
    warm = {"init_value": 0.0, "end_value": 0.1, "transition_steps": 10}
    found = port_schedule({"schedule": "linear_schedule", **warm}, "optax", "torch")
    assert "a rate of 0" in found.notes[0]
    assert found.parts == 1
    assert found.settings["start_factor"] == pytest.approx(0.1)
    assert found.settings["total_iters"] == 9


def test_what_cannot_be_carried_is_refused():
    cases = {
        "lr is missing": ({"schedule": "StepLR", "step_size": 3}, "torch", "keras"),
        "must be a finite number": (
            {"schedule": "StepLR", "lr": "x", "step_size": 3},
            "torch",
            "keras",
        ),
        "not inf": ({"schedule": "StepLR", "lr": np.inf, "step_size": 3}, "torch", "keras"),
        "no single schedule": ({"schedule": "CosineDecay", **WARM}, "keras", "torch"),
        "the schedule's name": ({"lr": 1}, "torch", "keras"),
    }
    for words, arguments in cases.items():
        with pytest.raises(ValueError, match=words):
            port_schedule(*arguments)
    with pytest.raises(KeyError, match="StepLR"):
        port_schedule({"schedule": "StepLP", "lr": 1}, "torch", "keras")
