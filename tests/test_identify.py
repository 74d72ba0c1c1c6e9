"""An optimizer is identified from its steps: the rule, its numbers, and what else it does."""

import inspect

import numpy as np
import pytest

pytest.importorskip("scipy")
import optax
import torch
from libraries import keras

import adam_edu.torch
from adam_edu import RULES
from adam_edu.base import domains
from adam_edu.libraries import FORMS, EpsilonHat, identify
from adam_edu.libraries.behavior import clipping, half, watch
from adam_edu.libraries.drive import driver
from adam_edu.libraries.identify import called, plain
from adam_edu.libraries.probes import recorded
from adam_edu.libraries.searching import FITS, nearest, search
from adam_edu.recent_rules import AdEMAMix
from adam_edu.rules import Adam

# Away from the defaults, within the domains.
ELSEWHERE = {
    **{"lr": 0.02, "beta1": 0.8, "beta2": 0.99, "beta": 0.8, "momentum": 0.7, "rho": 0.95},
    **{"eps": 1e-6, "weight_decay": 0.03, "momentum_decay": 0.01, "final_lr": 0.3},
    **{"gamma": 0.01, "dampening": 0.4, "beta3": 0.95, "mix": 3.0, "nu": 0.6},
    **{"down": 0.6, "up": 1.3, "threshold": 0.02, "tau": 0.5},
}
EVERY = {rule.__name__: rule for rule in (*RULES.values(), *FORMS)}


def fitted(optimizer):
    """Return the rule that comes nearest to an optimizer's steps, and those steps."""
    seen = watch(driver(optimizer), *recorded())
    return nearest(search(seen)), seen


def words_of(optimizer):
    found, _ = fitted(optimizer)
    assert found.deviation < FITS
    return called(found, fits=True)


@pytest.mark.parametrize("given", ["defaults", "elsewhere"])
@pytest.mark.parametrize("rule", EVERY.values(), ids=EVERY)
def test_every_rule_and_form_is_known_by_its_steps(rule, given):
    values = {} if given == "defaults" else ELSEWHERE
    made = rule(**{name: values[name] for name in domains(rule) if name in values})

    found, _ = fitted(made)

    assert found.deviation < 1e-7
    for name, value in found.values.items():
        wanted = getattr(made, name)
        assert abs(value - wanted) <= max(3 * found.spread[name], 1e-4 * wanted), name
    decays = {"AdamL2": "coupled", "AdamW": "decoupled"}
    assert found.candidate.rule is (Adam if rule.__name__ in decays else rule)
    assert found.candidate.decay == decays.get(rule.__name__, "none")


TORCH = {
    "Adam": (torch.optim.Adam, "Adam"),
    "AdamW": (torch.optim.AdamW, "Adam, weight decay decoupled"),
    "Adam, L2": (
        lambda params: torch.optim.Adam(params, lr=0.02, weight_decay=0.1),
        "Adam, weight decay added to the gradient (L2)",
    ),
    "AMSGrad": (lambda params: torch.optim.Adam(params, amsgrad=True), "AMSGrad"),
    "NAdam": (torch.optim.NAdam, "NAdam"),
    "RAdam": (torch.optim.RAdam, "RAdam, epsilon added before the correction"),
    "Adamax": (torch.optim.Adamax, "AdaMax"),
    "RMSprop": (torch.optim.RMSprop, "RMSProp"),
    "RMSprop, momentum": (
        lambda params: torch.optim.RMSprop(params, momentum=0.7),
        "RMSProp with momentum",
    ),
    "RMSprop, centered": (
        lambda params: torch.optim.RMSprop(params, centered=True),
        "CenteredRMSProp",
    ),
    "Adagrad": (torch.optim.Adagrad, "AdaGrad"),
    "Adadelta": (torch.optim.Adadelta, "AdaDelta"),
    "SGD": (torch.optim.SGD, "SGD"),
    "SGD, dampening": (
        lambda params: torch.optim.SGD(params, 0.1, momentum=0.8, dampening=0.8),
        "momentum with dampening",
    ),
    "SGD, Nesterov, L2": (
        lambda params: torch.optim.SGD(params, 0.1, momentum=0.8, nesterov=True, weight_decay=1e-3),
        "Nesterov, weight decay added to the gradient (L2)",
    ),
}


@pytest.mark.parametrize(("optimizer", "wanted"), TORCH.values(), ids=TORCH)
def test_torch(optimizer, wanted):
    assert words_of(optimizer) == wanted


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.NAdam, torch.optim.RMSprop])
def test_the_numbers_of_a_torch_optimizer_are_those_of_its_signature(optimizer):
    found = identify(optimizer)
    given = inspect.signature(optimizer).parameters

    assert found.fits
    for ours, theirs in {"lr": "lr", "eps": "eps", "rho": "alpha"}.items():
        if ours in found.settings and theirs in given:
            assert plain(ours, *found.settings[ours]) == given[theirs].default


@pytest.mark.parametrize("eps", [1e-7, 1e-8])
def test_a_penalty_of_the_usual_strength_is_found_with_any_usual_epsilon(eps):
    def step(x, g, m, v, t):
        return EpsilonHat(eps=eps).update(t, x, g + 5e-4 * x, m, v)

    found, _ = fitted(step)

    decayed = f"{EpsilonHat.words}, weight decay added to the gradient (L2)"
    assert called(found, fits=True) == decayed
    assert found.values["weight_decay"] == pytest.approx(5e-4, rel=1e-4)


OPTAX = {
    "adam": (optax.adam(1e-3), "Adam"),
    "adamw": (optax.adamw(1e-3), "Adam, weight decay decoupled"),
    "nadam": (optax.nadam(1e-3), "NAdam without a schedule of its momentum"),
    "radam": (optax.radam(1e-3), "RAdam"),
    "lion": (optax.lion(1e-4), "Lion"),
    "rmsprop": (optax.rmsprop(1e-3), "RMSProp, epsilon inside the root"),
    "adagrad": (optax.adagrad(0.01), EVERY["AdaGradInsideRoot"].words),
    "amsgrad": (optax.amsgrad(1e-3), "AMSGrad, the maximum taken after the correction"),
    "sgd": (optax.sgd(0.1, 0.9, nesterov=True), "Nesterov"),
}


@pytest.mark.parametrize(("optimizer", "wanted"), OPTAX.values(), ids=OPTAX)
def test_optax(optimizer, wanted):
    assert words_of(optimizer) == wanted


KERAS = {
    "Adagrad": (lambda: keras.optimizers.Adagrad(), EVERY["AdaGradInsideRoot"].words),
    "Nadam": (lambda: keras.optimizers.Nadam(), "NAdam"),
    "Lion": (lambda: keras.optimizers.Lion(), "Lion"),
    "SGD": (lambda: keras.optimizers.SGD(0.01, 0.9), "Momentum"),
    "Adam": (lambda: keras.optimizers.Adam(), EpsilonHat.words),
    "AdamW": (lambda: keras.optimizers.AdamW(), f"{EpsilonHat.words}, weight decay decoupled"),
    "Adamax": (lambda: keras.optimizers.Adamax(), "AdaMax, epsilon added to the maximum"),
    "RMSprop": (lambda: keras.optimizers.RMSprop(), "RMSProp, epsilon inside the root"),
    "amsgrad": (
        lambda: keras.optimizers.Adam(amsgrad=True),
        "AMSGrad, maximum and epsilon before the correction",
    ),
}


@pytest.mark.parametrize(("make", "wanted"), KERAS.values(), ids=KERAS)
def test_keras(make, wanted):
    assert words_of(make()) == wanted


def test_scikit_learn():
    inner = pytest.importorskip("sklearn.neural_network._stochastic_optimizers")

    found = identify(inner.AdamOptimizer)

    assert found.words == EpsilonHat.words
    assert plain("eps", *found.settings["eps"]) == 1e-8


# What it does beside its rule


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"clipnorm": 1.0}, "gradient clipped to norm 1 of each parameter"),
        ({"global_clipnorm": 2.0}, "gradient clipped to norm 2 of all parameters together"),
        ({"clipvalue": 0.5}, "each entry clipped to 0.5"),
    ],
)
def test_clipping_is_seen(options, wanted):
    optimizer = keras.optimizers.Adam(**options)
    assert clipping(driver(optimizer), *fitted(optimizer)) == [wanted]


def test_what_clips_nothing_says_nothing_of_it():
    assert clipping(driver(Adam()), *fitted(Adam())) == []


class SharedCounter(torch.optim.Optimizer):
    """Adam whose counter goes on once for each parameter."""

    def __init__(self, params):
        super().__init__(params, {"lr": 1e-3})
        self.t = 0

    def step(self):
        for p in self.param_groups[0]["params"]:
            self.t += 1
            slots = self.state.setdefault(p, {"m": torch.zeros_like(p), "v": torch.zeros_like(p)})
            x, slots["m"], slots["v"] = Adam().update(
                self.t, p.detach(), p.grad, slots["m"], slots["v"]
            )
            p.data.copy_(x)


def test_a_counter_that_goes_on_once_for_each_parameter_is_seen():
    notes = identify(SharedCounter).notes

    assert any("goes on once for each parameter" in note for note in notes)
    assert any("0.744 times as far" in note for note in notes)
    assert "a parameter without a gradient raises TypeError" in notes


def test_a_late_parameter():
    own = [note for note in identify(torch.optim.Adam).notes if "1,000 steps" in note]
    shared = [note for note in identify(Adam()).notes if "1,000 steps" in note]

    assert own[0].endswith("moves as at the first")
    assert "2.52 times" in own[1]
    assert len(shared) == 1
    assert "2.52 times" in shared[0]


def test_nan_and_bfloat16():
    def skips(x, g, m, v, t):
        if not np.isfinite(g).all():
            return x, m, v
        return Adam().update(t, x, g, m, v)

    assert "a step whose gradient has a NaN is left out" in identify(skips).notes
    assert any("NaN, for ever" in note for note in identify(Adam()).notes)
    frozen = [note for note in identify(adam_edu.torch.Lion).notes if "NaN" in note]
    assert frozen == ["one NaN in a gradient stops that entry for ever"]
    assert half(driver(keras.optimizers.Adam())) == ["a bfloat16 parameter never moves"]
    assert half(driver(torch.optim.AdamW)) == []


def test_whether_decay_is_multiplied_by_the_rate():
    class Absolute(torch.optim.SGD):
        def step(self):
            for p in self.param_groups[0]["params"]:
                p.data.mul_(1 - 0.01)
            super().step()

    assert "the decay is multiplied by the rate" in identify(torch.optim.AdamW).notes
    notes = identify(lambda params: Absolute(params, lr=0.1)).notes
    assert "the decay is not multiplied by the rate: 0.01 of the weight in each step" in notes


def test_ascent_is_seen():
    found = identify(lambda params: torch.optim.Adam(params, maximize=True))

    assert found.words == "Adam"
    assert "it climbs: it moves along the gradient" in found.notes


def test_a_decay_of_zero_is_found_where_a_rule_has_one_of_its_own():
    found = identify(AdEMAMix(weight_decay=0.0))

    assert found.words == "AdEMAMix"
    assert plain("weight_decay", *found.settings["weight_decay"]) == 0.0
