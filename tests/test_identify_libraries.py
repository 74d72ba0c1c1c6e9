"""Optimizers of libraries that are not needed otherwise.

Each is installed by its requirements in the folder atlas, or all by pip install -e .[libraries].
"""

import pytest

pytest.importorskip("scipy")
from adam_edu.forms import AdaMaxGathering, AdaMaxUncorrected, EpsilonHat, RMSPropInsideRoot
from adam_edu.libraries import identify
from adam_edu.libraries.identify import plain
from adam_edu.rules import SGD, Adam, AdamUncorrected, Lion

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs, on import


def test_river():
    optim = pytest.importorskip("river.optim")
    wanted = {
        optim.Adam(0.1): EpsilonHat,
        optim.RMSProp(0.01): RMSPropInsideRoot,
        optim.SGD(0.1): SGD,
    }
    for optimizer, rule in wanted.items():
        found = identify(optimizer)
        assert (found.rule, found.fits) == (rule, True), found


def test_mlx():
    optimizers = pytest.importorskip("mlx.optimizers")
    wanted = {
        optimizers.Adam(1e-3): AdamUncorrected,
        optimizers.Adam(1e-3, bias_correction=True): Adam,
        optimizers.Adamax(1e-3): AdaMaxUncorrected,
        optimizers.Lion(1e-3): Lion,
    }
    for optimizer, rule in wanted.items():
        found = identify(optimizer)
        assert (found.rule, found.fits) == (rule, True), found
        assert plain("lr", *found.settings["lr"]) == 0.001


def test_paddle():
    paddle = pytest.importorskip("paddle")
    inside = identify(lambda parameters: paddle.optimizer.RMSProp(0.01, parameters=parameters))
    assert inside.rule is RMSPropInsideRoot
    assert identify(paddle.optimizer.Adamax).rule is AdaMaxGathering
    found = identify(paddle.optimizer.AdamW)
    assert (found.words, plain("weight_decay", *found.settings["weight_decay"])) == (
        "Adam, weight decay decoupled",
        0.01,
    )
    assert any("counts its own steps" in note for note in found.notes)
