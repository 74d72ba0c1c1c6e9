"""A rule with one thing in its lines written otherwise is known, and said line by line."""

import numpy as np
import pytest

pytest.importorskip("scipy")
from adam_edu.base import domains
from adam_edu.libraries import identify
from adam_edu.libraries.candidate import Candidate, Seen
from adam_edu.libraries.edited import Edited, edited
from adam_edu.libraries.fit import fit
from adam_edu.libraries.probes import recorded
from adam_edu.libraries.screening import NOT_ASKED, explained
from adam_edu.program import program_of
from adam_edu.rules import (
    AdaDelta,
    AdaGrad,
    Adam,
    AdaMax,
    AdamUncorrected,
    Momentum,
    NAdam,
    Nesterov,
    RMSProp,
    ScheduleFreeAdamW,
)
from adam_edu.wrongs import singles

START, GRADIENTS = recorded()
OTHERS = 0.3 * np.random.default_rng(7).standard_normal((60, 13))


def edits_of(rule):
    groups = singles(program_of(rule))
    return [one for group in groups for one in group.wrongs if one.kind not in NOT_ASKED]


def moves(candidate, values, gradients):
    with np.errstate(all="ignore"):
        return candidate.moves(values, START, gradients)


def explain(candidate, values):
    """Return what is found of a candidate's steps, where its rule is the nearest."""
    points = START + np.cumsum(moves(candidate, values, GRADIENTS), axis=0)
    seen = Seen(START, GRADIENTS, points, 1.1e-16)
    plain = Candidate(candidate.rule)
    return explained(seen, [fit(plain, seen, plain.begin(), tries=15)], 1e-7)


@pytest.mark.parametrize("rule", [NAdam, AdaDelta, ScheduleFreeAdamW])
@pytest.mark.parametrize("decay", ["none", "coupled", "decoupled"])
def test_lines_over_all_steps_are_those_of_the_rule(rule, decay):
    if decay != "none" and "weight_decay" in domains(rule):
        pytest.skip("it has a decay of its own")
    one, other = Candidate(rule, decay), Edited(rule, decay)
    values = {key: np.array([[v], [0.9 * v]]) for key, v in one.begin().items()}

    both = [moves(each, values, GRADIENTS) for each in (one, other)]

    assert np.allclose(*both, rtol=1e-9, atol=1e-15)


WRITTEN = {
    "another power corrects": (Adam, "v_hat = v / (1 - beta1**t)"),
    "no square": (RMSProp, "v = rho * v_before + (1 - rho) * abs(g)"),
    "no root": (AdaGrad, "x = x_before - lr * g / (s + eps)"),
    "the mean of all squares": (AdaGrad, "s = s_before + mean(g**2)"),
}


@pytest.mark.parametrize(("rule", "line"), WRITTEN.values(), ids=WRITTEN)
def test_an_edit_is_said_by_its_line(rule, line):
    program = program_of(rule)
    wrong = next(one for one in edits_of(rule) if line in map(str, edited(program, one)))
    values = Candidate(rule).begin() | {"lr": 0.02}

    found = explain(Edited(rule, wrong=wrong), values)

    assert [new for _, new in found.candidate.changes] == [line.replace("_before", "")]
    assert found.values["lr"] == pytest.approx(0.02, rel=1e-3)


def drawn(rule, rng):
    """Return an edit that an optimizer could have: it moves, and within the numbers."""
    for wrong in rng.permutation(np.array(edits_of(rule), dtype=object)):
        candidate = Edited(rule, wrong=wrong)
        seen = moves(candidate, candidate.begin(), GRADIENTS)
        if seen.any() and abs(seen).max() < 1e3:
            return candidate
    raise AssertionError(f"no edit of {rule.__name__} moves")


def test_of_a_sample_of_edits_none_is_named_wrongly():
    rng = np.random.default_rng(17)
    named = 0
    rules = [Momentum, Nesterov, AdaGrad, RMSProp, AdaMax, AdamUncorrected]
    for candidate in (drawn(rule, rng) for rule in rules):
        values = candidate.begin()
        found = explain(candidate, values)
        if found is None:
            continue
        named += 1
        if found.candidate.changes == candidate.changes:
            continue  # its numbers may be known only from one turn of a sign to the next
        wanted = moves(candidate, values, OTHERS)
        got = moves(found.candidate, found.values, OTHERS)
        assert np.allclose(got, wanted, rtol=1e-3, atol=1e-4 * abs(wanted).max()), (
            candidate.words,
            found.candidate.words,
        )
    assert named >= len(rules) - 1


def test_what_no_edit_explains_is_not_named():
    def slower(t):
        return moves(Candidate(Adam), Candidate(Adam).begin(), GRADIENTS) * (1 - 0.5 * (t > 40))

    points = START + np.cumsum(slower(np.arange(1, 101)[:, None]), axis=0)
    seen = Seen(START, GRADIENTS, points, 1.1e-16)
    plain = Candidate(AdaGrad)

    assert explained(seen, [fit(plain, seen, plain.begin(), tries=15)], 1e-7) is None


def test_an_optimizer_with_an_edit_is_identified():
    def step(x, g, s):
        s = s + abs(g)
        return x - 0.02 * g / (np.sqrt(s) + 1e-6), s

    found = identify(step)

    assert found.fits
    assert found.rule is AdaGrad
    assert found.edits == ("s = s + abs(g)",)
    assert found.words == "AdaGrad, but s = s + abs(g) in the place of s = s + g**2"
