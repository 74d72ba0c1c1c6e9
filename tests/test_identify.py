"""An optimizer is identified from its steps: the rule, its numbers, and what else it does."""

import inspect
import json
import sys

import numpy as np
import pytest

pytest.importorskip("scipy")
import optax
import torch
from libraries import keras

import adam_edu.torch
from adam_edu import RULES, cli
from adam_edu.base import domains
from adam_edu.libraries import FORMS, Command, EpsilonHat, Unusable, identify, screening
from adam_edu.libraries.behavior import clipping, half, watch
from adam_edu.libraries.drive import driver
from adam_edu.libraries.frameworks import Torch
from adam_edu.libraries.functions import Function
from adam_edu.libraries.identify import FITS, called, nearest, plain, search, told
from adam_edu.libraries.probes import recorded
from adam_edu.rules import Adam, AdamW, Momentum

# Away from the defaults, within the domains.
ELSEWHERE = {
    **{"lr": 0.02, "beta1": 0.8, "beta2": 0.99, "beta": 0.8, "momentum": 0.7, "rho": 0.95},
    **{"eps": 1e-6, "weight_decay": 0.03, "momentum_decay": 0.01, "final_lr": 0.3},
    **{"gamma": 0.01, "dampening": 0.4},
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


# What is no rule of ours


def test_where_no_rule_fits_it_says_where_the_nearest_departs(monkeypatch):
    monkeypatch.setattr(screening, "BASES", (1,))
    monkeypatch.setattr(sys.modules[search.__module__], "ASKED", 4)

    def slower(x, g, m, t):
        return Momentum(lr=1e-3 if t < 40 else 5e-4).update(t, x, g, m)

    found = identify(slower)

    assert not found.fits
    assert found.words.startswith("no rule known here; the nearest is ")
    assert found.departs.startswith("they part at step ")


def test_what_looks_at_the_whole_parameter_is_told(monkeypatch):
    monkeypatch.setattr(screening, "BASES", (0,))

    def normalized(x, g):
        return x - 0.01 * g / max(np.linalg.norm(g), 1e-300)

    def ranked(x, g):
        return x - 0.01 * np.argsort(np.argsort(g)) * g

    assert identify(normalized).words == (
        "SGD, but x = x - lr * (g / norm(g)) in the place of x = x - lr * g"
    )
    found = identify(ranked)
    assert not found.fits
    assert any("depends on the other entries" in note for note in found.notes)


def test_what_cannot_be_used_is_refused_in_words():
    rng = np.random.default_rng(0)
    memory = []

    def remembers(x, g):
        memory.append(g)
        return x - 0.01 * np.mean(memory, axis=0)

    refusals = {
        "takes no notice of its gradients": lambda x, g: x + 0.1,
        "does not move at all": lambda x, g: x,
        "moves at random": lambda x, g: x - 0.1 * g * rng.random(len(g)),
        "keeps something from one optimizer to the next": lambda x, g: (
            remembers(x, g) if len(g) > 1 else x
        ),
        "closure": torch.optim.LBFGS,
        "does not support dense gradients": torch.optim.SparseAdam,
        r"no finite number after step 1": lambda x, g: x / 0.0 * g,
    }
    for words, optimizer in refusals.items():
        with np.errstate(all="ignore"), pytest.raises(Unusable, match=words):
            identify(optimizer)


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(Unusable, match="must make a Torch optimizer from a list of parameters"):
        identify(lambda params: 3)
    from sklearn.linear_model import SGDClassifier

    with pytest.raises(Unusable, match="trains a whole model"):
        driver(SGDClassifier())
    with pytest.raises(Unusable, match="no optimizer known here"):
        driver(3)
    with pytest.raises(Unusable, match=r"of shape \(100, 13\), and returned \(3,\)"):
        identify(Function(lambda start, gradients: np.zeros(3)))


# How it is told


def test_numbers_are_told_as_they_were_typed():
    assert plain("lr", 0.00099999347, 1e-12) == 0.001
    assert plain("beta2", 0.99900001, 1e-9) == 0.999
    assert plain("lr", 0.0012345, 1e-9) == 0.0012345
    assert plain("beta1", 0.9043, 0.002) == 0.9
    assert told("beta1", 0.9, np.inf) == "any (no step depends on it)"
    assert told("beta1", 0.9, 0.01) == "0.9 ± 0.01"
    assert told("eps", 1e-18, 1e-18) == "0"


def test_an_instance_is_taken_with_its_options():
    x = torch.zeros(2, requires_grad=True)
    found = identify(torch.optim.Adam([x], lr=0.02, betas=(0.8, 0.95)))

    assert [plain(name, *found.settings[name]) for name in ("lr", "beta1", "beta2")] == [
        0.02,
        0.8,
        0.95,
    ]


def test_the_text_says_all_of_it():
    text = str(identify(AdamW(lr=0.01)))

    assert text.splitlines()[0] == "AdamW: Adam, weight decay decoupled"
    assert "  lr = 0.01" in text.splitlines()
    assert "100 recorded steps deviate by" in text


PROGRAM = """
import json, sys
x = json.loads(sys.stdin.readline())["x"]
m = [0.0] * len(x)
for line in sys.stdin:
    g = json.loads(line)["g"]
    m = [0.9 * a + b for a, b in zip(m, g)]
    x = [a - 0.1 * b for a, b in zip(x, m)]
    print(json.dumps({"x": x}))
"""


def test_a_program_is_driven_by_lines_of_json(tmp_path):
    path = tmp_path / "momentum.py"
    path.write_text(PROGRAM)

    found = identify(Command(f"{sys.executable} {path}"))

    assert found.rule is Momentum
    assert plain("momentum", *found.settings["momentum"]) == 0.9


def test_a_program_that_answers_something_else_is_refused(tmp_path):
    path = tmp_path / "silent.py"
    path.write_text("import sys; sys.stdin.read(); sys.exit('no such optimizer')")

    with pytest.raises(Unusable, match=r"100 were sent, 0 came back\. no such optimizer"):
        identify(Command(f"{sys.executable} {path}"))


def test_the_command_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(
        "from adam_edu.rules import Lion\nlion = Lion(lr=0.01)\ndef slow(x, g):\n"
        "    return x - 0.01 * abs(g) ** 0.7 * g\n"
    )
    monkeypatch.chdir(tmp_path)

    assert cli.main(["identify", "mine:lion"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "Lion: Lion"
    assert cli.main(["identify", "torch.optim:NAdam", "--torch", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rule"], told["settings"]["momentum_decay"]["value"]) == ("NAdam", 0.004)
    assert cli.main(["identify", "mine:slow"]) == 1
    assert "no rule known here" in capsys.readouterr().out
    for words, message in {
        ("identify", "mine:nobody"): "mine has no 'nobody'",
        ("identify", "nowhere:x"): "there is no module 'nowhere' here",
        ("identify", "mine"): "name module and optimizer",
        ("identify",): "name one optimizer",
    }.items():
        assert cli.main(list(words)) == 1
        assert message in capsys.readouterr().err


def test_a_driver_of_ones_own_is_taken():
    assert driver(taken := Torch(torch.optim.Adam)) is taken
