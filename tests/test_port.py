"""Settings of one library's optimizer in another's words: held to the real libraries."""

import inspect
import warnings

import numpy as np
import pytest

pytest.importorskip("scipy")
import optax
import torch
from libraries import keras
from ported import real

from adam_edu.libraries import port
from adam_edu.libraries.behavior import watch
from adam_edu.libraries.conventions import WAYS
from adam_edu.libraries.drive import driver
from adam_edu.libraries.options import without_options
from adam_edu.libraries.port import asked
from adam_edu.libraries.probes import recorded

# Where a way needs more than its switches, or shows itself only there.
MORE = {"momentum": 0.8, "dampening": 0.3}


def settings_of(way, **numbers):
    """Return settings that ask for a way."""
    given = {name: MORE[name] for name in MORE if name in way.names.values()}
    given = {name: value for name, value in given.items() if name not in way.chosen}
    rate = {way.names["lr"]: 1e-3} if way.defaults["lr"] is None else {}
    return {"optimizer": way.optimizer} | rate | given | dict(way.chosen) | numbers


def moves(settings, library):
    return watch(driver(real(settings, library)), *recorded(40))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.library}-{way.rule.__name__}")
def test_a_way_is_what_its_library_does(way):
    """With its defaults, and decay where it has any."""
    decays = {"weight_decay": 0.05} if "weight_decay" in way.names else {}
    settings = settings_of(way, **decays)
    found = asked(settings, way.library)
    seen = moves(settings, way.library)

    ours = found.moves(seen.start, seen.gradients)

    assert found.way is way
    apart = abs(ours - seen.moves) - 4 * seen.noise
    # What is left of v - m**2 where both are equal is rounding, in float32.
    columns = slice(None) if "Centered" not in way.rule.__name__ else [0, 7, 8]
    assert (apart / seen.scale)[:, columns].max() < (1e-6 if way.library == "torch" else 2e-3)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.library}-{way.rule.__name__}")
def test_the_defaults_are_the_librarys(way):
    """What is not said is as if its default had been said."""
    rate = {way.names["lr"]: 1e-3} if way.defaults["lr"] is None else {}
    own = {
        name: value
        for name, value in way.defaults.items()
        if "[" not in way.names[name] and value is not None
    }
    said = {way.names[name]: value for name, value in own.items()}
    chosen = {"optimizer": way.optimizer} | dict(way.chosen)
    if "momentum" in way.names:
        chosen |= {"momentum": 0.5}
        said.pop("momentum", None)
    without, with_all = (moves(chosen | rate | more, way.library) for more in ({}, said))
    np.testing.assert_array_equal(without.points, with_all.points)


PORTS = [
    ({"optimizer": "Adam"}, "keras", "torch"),
    ({"optimizer": "AdamW", "lr": 3e-4, "betas": (0.9, 0.95)}, "torch", "keras"),
    ({"optimizer": "AdamW", "lr": 3e-4}, "torch", "optax"),
    ({"optimizer": "SGD", "lr": 0.1, "momentum": 0.9, "nesterov": True}, "torch", "keras"),
    ({"optimizer": "RMSprop", "rho": 0.95}, "keras", "torch"),
    ({"optimizer": "rmsprop", "learning_rate": 1e-3, "eps_in_sqrt": False}, "optax", "torch"),
    ({"optimizer": "Adagrad"}, "keras", "torch"),
    ({"optimizer": "RMSprop", "centered": True, "momentum": 0.9}, "torch", "keras"),
    ({"optimizer": "NAdam", "momentum_decay": 1.0}, "torch", "keras"),
    ({"optimizer": "lion", "learning_rate": 1e-4}, "optax", "keras"),
    ({"optimizer": "nadamw", "learning_rate": 1e-3, "weight_decay": 0.1}, "optax", "torch"),
    ({"optimizer": "Nadam", "weight_decay": 0.1}, "keras", "torch"),
    ({"optimizer": "Adadelta", "weight_decay": 0.1}, "torch", "optax"),
    ({"optimizer": "adam", "learning_rate": 1e-3, "nesterov": True}, "optax", "torch"),
]


@pytest.mark.parametrize(("settings", "from_", "to"), PORTS)
def test_the_real_libraries_differ_as_was_computed(settings, from_, to):
    found = port(settings, from_, to)
    there, here = moves(settings, from_), moves({"optimizer": found.optimizer} | found.settings, to)

    rounding = (there.noise + here.noise) / there.scale + 3e-5
    apart = abs(here.moves - there.moves) / there.scale - rounding
    size = max(found.differences)
    # The first of a thousand steps that the differences are about.
    assert apart[:, 0].max() <= 1.5 * found.differences[size] + 1e-12


def test_what_is_the_same_is_carried_as_it_is():
    found = port({"optimizer": "AdamW", "lr": 3e-4, "betas": (0.9, 0.95)}, "torch", "optax")

    wanted = {"learning_rate": 3e-4, "b1": 0.9, "b2": 0.95, "eps": 1e-8, "weight_decay": 0.01}
    assert (found.optimizer, found.settings) == ("adamw", wanted)
    assert found.difference < 1e-12
    assert found.notes == ()


def test_a_constant_epsilon_is_the_nearest():
    found = port({"optimizer": "Adam", "epsilon": 1e-3}, "keras", "torch")
    eps = found.settings["eps"]
    start, gradients = recorded(1000)
    wanted = asked({"optimizer": "Adam", "epsilon": 1e-3}, "keras").moves(start, gradients)

    def apart(value):
        there = asked({"optimizer": "Adam", "eps": value}, "torch").moves(start, gradients)
        return (abs(there - wanted) / abs(wanted).max(axis=0).clip(1e-300)).mean()

    assert 1e-3 < eps < 5e-3
    assert apart(eps) < min(apart(0.9 * eps), apart(1.1 * eps), apart(1e-3))
    assert any("sqrt(1 - beta2**t)" in note for note in found.notes)


LOST = [
    ({"optimizer": "Adam", "weight_decay": 0.1}, "torch", "keras", "add 0.05 times the sum"),
    ({"optimizer": "Adam", "weight_decay": 0.1}, "torch", "optax", "add_decayed_weights(0.1)"),
    ({"optimizer": "SGD", "momentum": 0.5, "dampening": 0.3}, "torch", "keras", "dampening = 0.3"),
    ({"optimizer": "NAdam"}, "torch", "optax", "momentum_decay = 0.004 has no counterpart"),
    ({"optimizer": "RMSprop", "weight_decay": 0.1}, "keras", "torch", "multiply the weights by"),
    ({"optimizer": "SGD", "momentum": 0.9}, "torch", "keras", "gathers steps"),
]


@pytest.mark.parametrize(("settings", "from_", "to", "note"), LOST)
def test_what_cannot_be_carried_is_said(settings, from_, to, note):
    found = port(settings, from_, to)

    assert any(note in one for one in found.notes), found.notes
    assert note in str(found)


def test_plain_decay_is_one_in_sgd():
    found = port({"optimizer": "SGD", "lr": 0.1, "weight_decay": 0.1}, "torch", "keras")

    assert found.settings == {"learning_rate": 0.1, "weight_decay": 0.1}
    assert found.difference < 1e-12


def test_a_schedule_of_momentum_can_be_switched_off():
    found = port({"optimizer": "nadam", "learning_rate": 1e-3}, "optax", "torch")

    assert found.optimizer == "NAdam"
    assert found.difference < 1e-12
    assert any("momentum_decay" in note for note in found.notes)


def test_amsgrads_maxima_are_told_apart():
    found = port({"optimizer": "Adam", "amsgrad": True}, "keras", "optax")

    assert any("the maximum taken after the correction" in note for note in found.notes)
    assert not any("they would agree" in note for note in found.notes)


# As numbers and choices are written, and arguments that ask for nothing.
ALIKE = [
    ({"betas": [0.9, 0.95]}, {"betas": (0.9, 0.95)}),
    ({"betas": np.array([0.9, 0.95])}, {"betas": (0.9, 0.95)}),
    ({"lr": torch.tensor(0.5), "eps": np.float64(1e-8)}, {"lr": 0.5, "eps": 1e-8}),
    ({"optimizer": "ADAM", "amsgrad": 1, "weight_decay": None}, {"amsgrad": True}),
    ({"optimizer": torch.optim.AdamW, "LR": 0.5}, {"optimizer": "AdamW", "lr": 0.5}),
    ({"maximize": np.False_, "params": [torch.ones(1)]}, {}),
    ({"maximize": False, "fused": None, "decoupled_weight_decay": False}, {}),
    (
        {"weight_decay": 0.1, "decoupled_weight_decay": True},
        {"optimizer": "AdamW", "weight_decay": 0.1},
    ),
]


@pytest.mark.parametrize(("settings", "plain"), ALIKE)
def test_one_thing_is_said_in_two_ways(settings, plain):
    said, wanted = (asked({"optimizer": "Adam"} | given, "torch") for given in (settings, plain))

    assert (said.values, said.way.rule, said.remarks) == (wanted.values, wanted.way.rule, ())
    assert said.way.decay == wanted.way.decay


SAID = [
    ({"optimizer": "Adam", "foreach": True, "capturable": True}, "torch", "capturable is left out"),
    ({"optimizer": "Adam", "name": "adam"}, "keras", "name is left out"),
    ({"optimizer": "adam", "learning_rate": 0.1, "mu_dtype": "bfloat16"}, "optax", "how exactly"),
]


@pytest.mark.parametrize(("settings", "library", "remark"), SAID)
def test_what_computes_nothing_is_left_out_and_said(settings, library, remark):
    found = asked(settings, library)

    assert any(remark in one for one in found.remarks)
    assert any(remark in one for one in port(settings, library, library).notes)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.library}-{way.rule.__name__}")
def test_every_argument_of_a_library_is_known(way):
    module = {"torch": torch.optim, "keras": keras.optimizers, "optax": optax}[way.library]
    arguments = inspect.signature(getattr(module, way.optimizer)).parameters
    own = {name.partition("[")[0] for name in (*way.names.values(), *way.chosen)}
    neutral = {
        name: one.default
        for name, one in arguments.items()
        if name not in own and name not in ("params", "kwargs")
    }
    kept, remarks = without_options(neutral, way.library, way.optimizer)

    others = {
        name.partition("[")[0]
        for w in WAYS
        if (w.library, w.optimizer) == (way.library, way.optimizer)
        for name in (*w.names.values(), *w.chosen)
    }
    assert {*kept} <= others
    assert remarks == ()


@pytest.mark.parametrize("name", sorted({w.optimizer for w in WAYS if w.library != "optax"}))
def test_settings_are_taken_as_the_library_gives_them(name):
    """Torch's ``defaults`` and Keras's ``get_config()``, whole."""
    if hasattr(torch.optim, name):
        made = getattr(torch.optim, name)([torch.ones(1, requires_grad=True)])
        group = {"optimizer": name} | made.param_groups[0]
        assert asked(group, "torch").values == asked({"optimizer": name}, "torch").values
    if hasattr(keras.optimizers, name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            config = {"optimizer": name} | getattr(keras.optimizers, name)().get_config()
        found = asked(config, "keras").values
        for key, value in asked({"optimizer": name}, "keras").values.items():
            assert found[key] == pytest.approx(value)  # the rate is kept in float32


WRONG = [
    ({"lr": 1e-3}, "torch", "keras", ValueError, "optimizer's name"),
    ({"optimizer": "Adma"}, "torch", "keras", KeyError, "'Adam' or 'Adamax'"),
    ({"optimizer": "Adam"}, "torch", "kears", KeyError, "did you mean 'keras'"),
    ({"optimizer": "Adam", "epsilon": 1e-3}, "torch", "keras", KeyError, "no argument of Adam"),
    ({"optimizer": "Adam", "lr": -1.0}, "torch", "keras", ValueError, "lr"),
    ({"optimizer": "Adam", "betas": (0.9, 1.5)}, "torch", "keras", ValueError, "beta2"),
    ({"optimizer": "Adam", "weight_decay": -1.0}, "torch", "keras", ValueError, "weight_decay"),
    ({"optimizer": "adam"}, "optax", "torch", ValueError, "no default for learning_rate"),
    ({"optimizer": "RAdam"}, "torch", "keras", ValueError, "keras has no RAdam"),
    ("Adam", "torch", "keras", ValueError, "optimizer's name"),
    ({"optimizer": 1}, "torch", "keras", ValueError, "not an object of int"),
    ({"optimizer": "Adam", "betas": (0.9,)}, "torch", "keras", ValueError, "two numbers"),
    ({"optimizer": "Adam", "betas": 0.9}, "torch", "keras", ValueError, "two numbers"),
    ({"optimizer": "Adam", "lr": "1e-3"}, "torch", "keras", ValueError, "number, not '1e-3'"),
    ({"optimizer": "Adam", "lr": None}, "torch", "keras", ValueError, "number, not None"),
    ({"optimizer": "Adam", "lr": lambda t: 0.1}, "torch", "keras", ValueError, "schedule apart"),
    ({"optimizer": "Adam", "amsgrad": "no"}, "torch", "keras", ValueError, "True or False"),
    ({"optimizer": "Adam", "maximize": True}, "torch", "keras", ValueError, "negate the loss"),
    ({"optimizer": "Adam", "clipnorm": 1.0}, "keras", "torch", ValueError, "clip the gradients"),
    ({"optimizer": "Adam", "use_ema": True}, "keras", "torch", ValueError, "average the weights"),
    ({"optimizer": "adam", "eps_root": 1e-8}, "optax", "torch", ValueError, "eps_root=1e-08"),
    ({"optimizer": "adamw", "mask": {"b": 0}}, "optax", "torch", ValueError, "of their own"),
    ({"optimizer": "SGD", "nesterov": True}, "torch", "keras", ValueError, "nesterov=True"),
    (
        {"optimizer": "SGD", "nesterov": True, "momentum": 0.9, "dampening": 0.1},
        *("torch", "keras", ValueError, "dampening=0.1 together"),
    ),
]


@pytest.mark.parametrize(("settings", "from_", "to", "error", "text"), WRONG)
def test_wrong_settings_are_refused(settings, from_, to, error, text):
    with pytest.raises(error, match=text):
        port(settings, from_, to)
