"""Settings and state of one library's optimizer in another: held to the real libraries."""

import inspect
import warnings

import numpy as np
import pytest

pytest.importorskip("scipy")
import jax
import jax.numpy as jnp
import optax
import torch
from libraries import keras

import adam_edu.torch
from adam_edu.libraries import Unusable, port, port_state
from adam_edu.libraries.behavior import watch
from adam_edu.libraries.conventions import WAYS
from adam_edu.libraries.drive import driver
from adam_edu.libraries.options import without_options
from adam_edu.libraries.port import asked
from adam_edu.libraries.probes import recorded
from adam_edu.libraries.state import store
from adam_edu.torch.arguments import TORCH_CLASSES

# Where a way needs more than its switches, or shows itself only there.
MORE = {"momentum": 0.8, "dampening": 0.3}


def settings_of(way, **numbers):
    """Return settings that ask for a way."""
    given = {name: MORE[name] for name in MORE if name in way.names.values()}
    given = {name: value for name, value in given.items() if name not in way.chosen}
    rate = {way.names["lr"]: 1e-3} if way.defaults["lr"] is None else {}
    return {"optimizer": way.optimizer} | rate | given | dict(way.chosen) | numbers


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
    ({"optimizer": "Adma"}, "torch", "keras", KeyError, "or 'Adam'"),
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
    (
        {"optimizer": "RMSprop", "centered": True, "momentum": 0.9},
        *("torch", "keras", ValueError, "centered=True, momentum=0.9 together"),
    ),
]


@pytest.mark.parametrize(("settings", "from_", "to", "error", "text"), WRONG)
def test_wrong_settings_are_refused(settings, from_, to, error, text):
    with pytest.raises(error, match=text):
        port(settings, from_, to)


# State

SHAPES = (3, 2), (4,)


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
RATE = {"torch": "lr", "keras": "learning_rate", "optax": "learning_rate"}
SHARE = {"torch": "alpha", "keras": "rho", "optax": "decay"}


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
