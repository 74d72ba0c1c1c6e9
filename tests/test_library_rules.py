"""The rules that libraries have and the course does not: held to the libraries that are here, and
to the lines of papers and programs in plain NumPy."""

import numpy as np
import pytest

pytest.importorskip("scipy")
import optax
import torch
from libraries import keras

from adam_edu.libraries import identify
from adam_edu.libraries.behavior import watch
from adam_edu.libraries.candidate import NO_DECAY, Candidate, Seen, decay_of
from adam_edu.libraries.drive import driver
from adam_edu.libraries.fit import fit
from adam_edu.libraries.probes import recorded, unseen
from adam_edu.libraries.rarer_forms import (
    AdaBeliefRectified,
    AdaBoundEpsilonHat,
    AdaGradWindow,
    AdanLate,
    ADOPTCorrected,
    AMSBeliefRectified,
    AMSBound,
    AMSBoundWidening,
    LaPropClamped,
    RMSPropStarted,
    ScheduleFreeRAdam,
)
from adam_edu.libraries.rules import (
    FTML,
    FTRL,
    MADGRAD,
    SMORMS3,
    DiffGrad,
    FTRLLate,
    FTRLProximal,
    MirrorMADGRAD,
    QHAdam,
    Rprop,
    RpropLate,
    StepsOfADVI,
)
from adam_edu.rules import Lion, ScheduleFreeAdamW


def moves(optimizer, given):
    return watch(driver(optimizer), *given).moves


def same(one, other, rtol=1e-6):
    for given in (recorded(), unseen()):
        a, b = moves(one, given), moves(other, given)
        assert (abs(a - b) <= rtol * abs(b).max(axis=0) + 1e-15).all(), abs(a - b).max(axis=0)


# Held to libraries


def test_rprop_is_that_of_torch():
    same(Rprop(lr=0.01), torch.optim.Rprop, 1e-12)


def test_the_late_rprop_is_that_of_optax():
    same(RpropLate(lr=1e-3), optax.rprop(1e-3), 1e-12)


def test_ftrl_is_that_of_keras():
    theirs = lambda: keras.optimizers.Ftrl(learning_rate=1e-3)  # noqa: E731
    for given in (recorded(), unseen()):
        seen = watch(driver(theirs()), *given)
        ours = moves(FTRL(lr=1e-3), given)
        assert (abs(ours - seen.moves) <= 1e-4 * seen.scale + 3 * seen.noise).all()


# Held to the lines of papers and programs, in NumPy


def by_adabound(lr=1e-3, b1=0.9, b2=0.999, eps=1e-8, final=0.1, gamma=1e-3, largest=False):
    """Follow the code of the authors of AdaBound."""

    def step(x, g, m, v, w, t):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        w = np.maximum(w, v) if largest else v
        rate = lr * np.sqrt(1 - b2**t) / (1 - b1**t) / (np.sqrt(w) + eps)
        low, high = final * (1 - 1 / (gamma * t + 1)), final * (1 + 1 / (gamma * t))
        return x - np.clip(rate, low, high) * m, m, v, w

    return step


def by_rmsprop(x, g, fallen, t):
    """Follow Autograd; ``fallen`` is 1 less the average, since a slot starts at 0."""
    average = 0.9 * (1 - fallen) + 0.1 * g**2
    return x - 0.1 * g / (np.sqrt(average) + 1e-8), 1 - average


def by_ftml(x, g, v, d, z, t, lr=0.0025, b1=0.6, b2=0.999, eps=1e-8):
    v = b2 * v + (1 - b2) * g * g
    now = (1 - b1**t) / lr * (np.sqrt(v / (1 - b2**t)) + eps)
    z = b1 * z + (1 - b1) * g - (now - b1 * d) * x
    return -z / now, v, now, z


def by_ftrl(x, g, n, z, t, alpha=0.1, beta=1.0, l1=0.01):
    """Follow algorithm 1 of McMahan et al., weight by weight."""
    z = z + g - (np.sqrt(n + g**2) - np.sqrt(n)) / alpha * x
    n = n + g**2
    weight = -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / alpha)
    return np.where(abs(z) <= l1, 0.0, weight), n, z


def by_river(x, g, n, z, t, alpha=0.05, beta=1.0, l2=1.0):
    x = np.where(z == 0, x, -z / ((beta + np.sqrt(n)) / alpha + l2))
    z = z + g - (np.sqrt(n + g**2) - np.sqrt(n)) / alpha * x
    return x, n + g**2, z


def by_smorms3(x, g, more, m, v, t):
    """Follow Chainer; ``more`` is the memory less 1."""
    memory = more + 1
    r = 1 / (memory + 1)
    m, v = (1 - r) * m + r * g, (1 - r) * v + r * g * g
    steady = m * m / (v + 1e-16)
    x = x - g * np.minimum(1e-3, steady) / (np.sqrt(v) + 1e-16)
    return x, memory * (1 - steady), m, v


def by_diffgrad(x, g, m, v, p, t):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    friction = 1 / (1 + np.exp(-abs(p - g)))
    rate = 1e-3 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return x - rate * m * friction / (np.sqrt(v) + 1e-8), m, v, g


def by_qhadam(x, g, m, v, t):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    along = 0.3 * g + 0.7 * m / (1 - 0.9**t)
    return x - 1e-3 * along / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def by_madgrad(x, g, s, v, moved, t):
    """``moved`` is the way from the start."""
    weight = (1e-2 + 1e-6) * np.sqrt(t)
    s, v = s + weight * g, v + weight * g * g
    z = (x - moved) - s / (np.cbrt(v) + 1e-6)
    return 0.9 * x + 0.1 * z, s, v, moved + 0.1 * (z - x)


def by_mirror(x, g, v, ahead, t):
    """``ahead`` is how far z is from x."""
    z = x + ahead
    v = v * np.sqrt((t - 1) / t) + g * g
    z = z - 1e-2 * np.cbrt(t) * g / np.where(v == 0, np.inf, np.cbrt(v))
    new = 0.9 * x + 0.1 * z
    return new, v, z - new


def by_advi(x, g, v, t):
    v = g * g if t == 1 else 0.9 * v + 0.1 * g * g
    return x - t**-0.5 * g / (1 + np.sqrt(v)), v


def by_window(x, g, t, squares=[]):  # noqa: B006
    """Sum the squares that are kept in a list, the last ten, as PyMC's name says."""
    squares[:] = [*(squares if t > 1 else []), g * g][-10:]
    return x - 1e-3 * g / np.sqrt(sum(squares) + 0.1)


def by_laprop(x, g, m, v, t):
    v = 0.999 * v + 0.001 * g * g
    m = 0.9 * m + 0.1 * g / np.maximum(np.sqrt(v / (1 - 0.999**t)), 1e-8)
    return x - 1e-3 * m / (1 - 0.9**t), m, v


def by_adopt(x, g, mean, square, t, lr=2.5e-3, b1=0.9, b2=0.99):
    """Follow HeavyBall, whose averages are corrected as they go."""
    if t == 1:
        return x, mean, g * g
    scaled = g / np.maximum(np.sqrt(square), 1e-8)
    kept = 1 - (1 - b1) / (1 - b1 ** (t - 1))
    mean = kept * mean + (1 - kept) * scaled
    kept = 1 - (1 - b2) / (1 - b2**t)
    return x - lr * mean, mean, kept * square + (1 - kept) * g * g


def by_adan(x, g, m, y, v, p, t):
    """Follow adan-pytorch, whose moments wait for the second step."""
    if t > 1:
        m = 0.98 * m + 0.02 * g
        y = 0.92 * y + 0.08 * (g - p)
        v = 0.99 * v + 0.01 * (g + 0.92 * (g - p)) ** 2
    along = m / (1 - 0.98**t) + 0.92 * y / (1 - 0.92**t)
    return x - 1e-3 * along / (np.sqrt(v / (1 - 0.99**t)) + 1e-8), m, y, v, g


def rectified(t, b2):
    """Return how many gradients v is worth, and what RAdam multiplies by."""
    most = 2 / (1 - b2) - 1
    now = most - 2 * t * b2**t / (1 - b2**t)
    share = (now - 4) * (now - 2) * most / ((most - 4) * (most - 2) * now)
    return now, np.sqrt(share) if share > 0 else 0.0


def by_rectified_belief(x, g, m, s, t):
    m = 0.9 * m + 0.1 * g
    s = 0.999 * s + 0.001 * (g - m) ** 2 + 1e-16
    worth, r = rectified(t, 0.999)
    if worth < 5:
        return x - 1e-3 * m / (1 - 0.9**t), m, s
    rate = 1e-3 * r * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return x - rate * m / (np.sqrt(s) + 1e-16), m, s


def by_nnabla(x, g, m, v, w, t, final=0.1, gamma=1e-3):
    """Follow NNabla's AMSBound, as its steps are."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    w = np.maximum(w, v)
    low, high = final * (1 - 1 / (gamma * t + 1)), final * (1 + 1 / gamma * t)
    return x - np.clip(1e-3 / (np.sqrt(w) + 1e-8), low, high) * m, m, v, w


def by_labml(x, g, m, s, w, t):
    """Follow the code of labml-nn with the arguments that arrive."""
    m = 0.9 * m + 0.1 * g
    s = 0.999 * s + 0.001 * (g - m) ** 2
    w = np.maximum(w, s)
    worth, r = rectified(t, 0.999)
    if worth < 5:
        return x, m, s, w
    root = np.sqrt(w + 1e-16) / np.sqrt(1 - 0.999**t) + 1e-16
    return x - 1e-3 * r / (1 - 0.9**t) * m / root, m, s, w


def by_schedule_free(x, g, apart, v, total, t):
    """Follow schedulefree: the average is x less a tenth of ``apart``, z less the average."""
    z, average = x + 0.9 * apart, x - 0.1 * apart
    v = 0.999 * v + 0.001 * g * g
    worth, r = rectified(t, 0.999)
    if worth <= 4:
        return x, apart, v, total
    z = z - 2.5e-3 * r * g / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    total = total + r**2
    share = r**2 / total
    average = (1 - share) * average + share * z
    return 0.9 * average + 0.1 * z, z - average, v, total


PEERS = {
    "AdaBoundEpsilonHat": (AdaBoundEpsilonHat(), by_adabound()),
    "AMSBound": (AMSBound(), by_adabound(largest=True)),
    "RMSPropStarted": (RMSPropStarted(), by_rmsprop),
    "FTML": (FTML(), by_ftml),
    "FTRLProximal": (FTRLProximal(), by_ftrl),
    "FTRLLate": (FTRLLate(base=1.05), by_river),
    "SMORMS3": (SMORMS3(), by_smorms3),
    "DiffGrad": (DiffGrad(), by_diffgrad),
    "QHAdam": (QHAdam(), by_qhadam),
    "MADGRAD": (MADGRAD(), by_madgrad),
    "MirrorMADGRAD": (MirrorMADGRAD(), by_mirror),
    "StepsOfADVI": (StepsOfADVI(), by_advi),
    "AdaGradWindow": (AdaGradWindow(), by_window),
    "LaPropClamped": (LaPropClamped(), by_laprop),
    "ADOPTCorrected": (ADOPTCorrected(), by_adopt),
    "AdanLate": (AdanLate(weight_decay=0.0), by_adan),
    "AMSBoundWidening": (AMSBoundWidening(), by_nnabla),
    "AMSBeliefRectified": (AMSBeliefRectified(), by_labml),
    "AdaBeliefRectified": (AdaBeliefRectified(), by_rectified_belief),
    "ScheduleFreeRAdam": (ScheduleFreeRAdam(weight_decay=0.0), by_schedule_free),
}


@pytest.mark.parametrize(("rule", "theirs"), PEERS.values(), ids=PEERS)
def test_a_rule_takes_the_steps_of_its_paper_or_program(rule, theirs):
    same(rule, theirs)


# What is no decay


def test_a_weight_that_is_only_rounded_does_not_decay():
    """An optimizer that keeps an average computes a weight anew in each step."""
    found = identify(optax.contrib.schedule_free_adamw(1e-3))

    assert (found.words, found.rule, found.decay) == (
        "ScheduleFreeAdamW",
        ScheduleFreeAdamW,
        "none",
    )
    assert found.settings["weight_decay"][0] == 0.0


@pytest.mark.parametrize("ulps", [0, 1, 3])
def test_rounding_is_no_decay_and_a_small_decay_is_one(ulps):
    start, gradients = recorded()
    points = np.tile(start, (len(gradients), 1))
    points[::2, -1] -= ulps * 2.0**-23  # 1 of these at 2, in float32
    assert decay_of(Seen(start, gradients, points, 6e-8)) == NO_DECAY

    slow = start * (1 - 1e-7) ** np.arange(1, 1 + len(gradients))[:, None]
    assert decay_of(Seen(start, gradients, np.float32(slow).astype(float), 6e-8)) != NO_DECAY


def test_the_decay_of_a_lion_in_float32_is_zero_where_it_has_none():
    """Its rounding was once taken for a decay of 3e-5."""

    def step(x, g, m, t):
        x, m = Lion(weight_decay=0.0).update(t, x, g, m)
        return np.float32(x).astype(float), np.float32(m).astype(float)

    seen = watch(driver(step), *recorded())
    seen = Seen(seen.start, seen.gradients, seen.points, 6e-8)
    candidate = Candidate(Lion)
    found = fit(candidate, seen, candidate.begin() | {"weight_decay": 0.0})

    assert (found.values["weight_decay"], found.spread["weight_decay"]) == (0.0, 0.0)
    assert found.deviation < 1e-4
