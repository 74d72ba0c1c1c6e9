"""What identify says, of known optimizers and of others, and what it refuses."""

import json
import sys

import numpy as np
import pytest

pytest.importorskip("scipy")
import torch

from adam_edu import cli
from adam_edu.libraries import Command, Unusable, identify, screening
from adam_edu.libraries.drive import driver
from adam_edu.libraries.frameworks import Torch
from adam_edu.libraries.functions import Function
from adam_edu.libraries.identify import plain, told
from adam_edu.libraries.searching import search
from adam_edu.rules import SGD, AdamW, Momentum

# What is no rule of ours


def screen_few(monkeypatch, simple, others):
    """Let it look at the edits of so few rules."""
    monkeypatch.setattr(screening, "SIMPLE", simple)
    monkeypatch.setattr(screening, "LOTS", (others,))


def ask_few(monkeypatch, count):
    """Let it fit so few rules; it takes long over what is none."""
    for name in ("ASKED", "MOST"):
        monkeypatch.setattr(sys.modules[search.__module__], name, count)


def test_where_no_rule_fits_it_says_where_the_nearest_departs(monkeypatch):
    screen_few(monkeypatch, (), 1)
    ask_few(monkeypatch, 4)

    def slower(x, g, m, t):
        return Momentum(lr=1e-3 if t < 40 else 5e-4).update(t, x, g, m)

    found = identify(slower)

    assert not found.fits
    assert found.words.startswith("no rule known here; the nearest is ")
    assert found.departs.startswith("they part at step ")


def test_numbers_that_leave_their_range_are_no_warning(monkeypatch):
    screen_few(monkeypatch, (SGD,), 0)
    ask_few(monkeypatch, 1)

    def forgets_where_it_is(x, g):
        return 0.5 * g

    found = identify(forgets_where_it_is)
    assert found.fits
    assert len(found.edits) == 1


def test_what_looks_at_the_whole_parameter_is_told(monkeypatch):
    screen_few(monkeypatch, (SGD,), 0)

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

    def forgets_its_slot(x, g, m):
        return x - 0.1 * g

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
        r"makes of a parameter of shape \(13,\) one of shape \(1,\)": lambda x, g: x[:1] - g[:1],
        r"of shape \(13,\) one of shape \(\)": lambda x, g: None,
        "raises KeyError: 'beta'": lambda x, g: {}["beta"],
        "missing 1 required positional argument: 'm'": forgets_its_slot,
        "cannot be run: No such file": Command("no-such-program adam.js"),
    }
    for words, optimizer in refusals.items():
        with np.errstate(all="ignore"), pytest.raises(Unusable, match=words):
            identify(optimizer)


def test_what_fails_only_where_it_is_asked_more_is_identified():
    def of_thirteen(x, g, m):
        if x.shape != (13,):
            raise ValueError("thirteen weights,\nno other number")
        m = 0.9 * m + g
        return x - 0.1 * m, m

    found = identify(of_thirteen)

    assert found.words == "Momentum"
    asked = "it raises ValueError: thirteen weights, no other number"
    assert f"asked about large gradients, {asked}" in found.notes
    assert f"asked about two parameters, {asked}" in found.notes


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(Unusable, match="the command that is to be run is empty"):
        Command(" ")
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
    assert plain("weight_decay", 2e-9, 1e-9) == 0.0
    assert plain("weight_decay", 1e-4, 1e-9) == 1e-4
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
