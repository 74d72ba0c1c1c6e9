"""A rule with one thing in its lines written otherwise is known, and said line by line."""

import sys

import numpy as np
import pytest

pytest.importorskip("scipy")
from adam_edu.base import domains
from adam_edu.forms import RMSPropInsideRoot, YogiCorrected
from adam_edu.libraries import identify, screening
from adam_edu.libraries.behavior import watch
from adam_edu.libraries.candidate import Candidate, Seen, decay_of
from adam_edu.libraries.edited import Edited, edited, program_for
from adam_edu.libraries.fit import Fitted, fit, quick
from adam_edu.libraries.functions import Function
from adam_edu.libraries.identify import ascends, departs, elsewhere, holding, turned
from adam_edu.libraries.probes import recorded
from adam_edu.libraries.rarer_forms import AdaGradWindow, RMSPropStarted
from adam_edu.libraries.rules import FTRLProximal
from adam_edu.libraries.screening import View, decayed, editable, explained, lots, screened
from adam_edu.libraries.searching import search, stretched, undecayed
from adam_edu.libraries.trials import NOT_ASKED
from adam_edu.libraries.unrolled import shifted
from adam_edu.recent_rules import ADOPT, AdEMAMix
from adam_edu.rules import (
    SGD,
    AdaBound,
    AdaDelta,
    AdaGrad,
    Adam,
    AdaMax,
    AdamUncorrected,
    AdamW,
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
    groups = singles(program_for(rule))
    return [one for group in groups for one in group.wrongs if one.kind not in NOT_ASKED]


def moves(candidate, values, gradients):
    with np.errstate(all="ignore"):
        return candidate.moves(values, START, gradients)


def explain(candidate, values):
    """Return what is found of a candidate's steps, where its rule is the nearest; or None."""
    points = START + np.cumsum(moves(candidate, values, GRADIENTS), axis=0)
    seen = Seen(START, GRADIENTS, points, 1.1e-16)
    plain = Candidate(candidate.rule)
    tried = [fit(plain, seen, plain.begin(), tries=15)]
    found, _ = explained(seen, tried, [View(seen)], 1e-7)
    return found[0] if found else None


def test_what_a_slot_was_before_each_step_though_it_is_set_to_a_number():
    first = np.full((1, 2, 3), 7.0)
    history = np.arange(24.0).reshape(4, 1, 2, 3)
    number = np.array([[[0.9], [0.8]]])  # for two choices, of shape (1, k, 1)

    before, constant = shifted(history, first, 4), shifted(number, first, 4)

    assert np.array_equal(before, np.concatenate([first[None], history[:-1]]))
    assert np.array_equal(constant[0], first)
    assert np.array_equal(constant[1:], np.broadcast_to(number, (3, 1, 2, 3)))


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
    program = program_for(rule)
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

    tried = [fit(plain, seen, plain.begin(), tries=15)]
    assert explained(seen, tried, [View(seen)], 1e-7)[0] == []


def test_an_optimizer_with_an_edit_is_identified():
    def step(x, g, s):
        s = s + abs(g)
        return x - 0.02 * g / (np.sqrt(s) + 1e-6), s

    found = identify(step)

    assert found.fits
    assert found.rule is AdaGrad
    assert found.edits == ("s = s + abs(g)",)
    assert found.words == "AdaGrad, but s = s + abs(g) in the place of s = s + g**2"


def only(monkeypatch, *simple):
    """Let it look at the edits of these rules alone, and fit few rules before."""
    monkeypatch.setattr(screening, "SIMPLE", simple)
    monkeypatch.setattr(screening, "LOTS", (0,))
    for name in ("ASKED", "MOST"):
        monkeypatch.setattr(sys.modules[search.__module__], name, 1)


def said(found, line):
    """Return whether a line is what was found, or is told to compute the same."""
    return any(f"but {line} in the place of" in text for text in (found.words, *found.others))


def test_what_has_the_same_steps_for_the_other_gradients_takes_notice_of_them(monkeypatch):
    only(monkeypatch, SGD)

    found = identify(lambda x, g: x - 0.02 * g**2)

    assert found.fits
    assert said(found, "x = x - lr * g**2")


@pytest.mark.parametrize("sign", [1, -1])
def test_an_edit_may_step_along_the_gradient_at_first(monkeypatch, sign):
    only(monkeypatch, SGD)

    found = identify(lambda x, g: x - sign * 0.02 * g**2)

    assert found.fits
    assert said(found, "x = x - lr * g**2")
    assert ("it climbs: it moves along the gradient" in found.notes) is (sign < 0)


def test_a_rule_climbs_whose_first_step_moves_nothing():
    start, gradients = recorded()
    points = start + np.cumsum(
        -Candidate(ADOPT).moves(Candidate(ADOPT).begin(), -start, gradients), axis=0
    )

    assert ascends(Seen(start, gradients, points, 1.1e-16))
    assert not ascends(turned(Seen(start, gradients, points, 1.1e-16)))


def test_an_edit_may_move_a_weight_that_has_no_gradient(monkeypatch):
    only(monkeypatch, Momentum)

    def step(x, g, m):
        m = 0.9 * m + (g - 1)
        return x - 0.02 * m, m

    found = identify(step)

    assert said(found, "m = momentum * m + (g - 1)")
    assert found.decay == "none"
    assert "weight_decay" not in found.settings


def test_a_moment_that_does_not_start_at_zero_is_no_decay():
    rule = Candidate(YogiCorrected, "coupled")
    plain = Candidate(YogiCorrected)
    points = START + np.cumsum(moves(plain, plain.begin(), GRADIENTS), axis=0)
    seen = Seen(START, GRADIENTS, points, 1.1e-16)
    values = plain.begin() | {"weight_decay": 1e-18}
    assert decay_of(seen) != "none"

    found = undecayed(Fitted(rule, values, dict.fromkeys(values, np.inf), 1e-12), seen)

    assert found.candidate == plain
    assert "weight_decay" not in found.values


@pytest.mark.parametrize(
    ("rule", "decay"),
    [(Adam, "none"), (Adam, "decoupled"), (SGD, "decoupled"), (AdamW, "none"), (AdaBound, "none")],
)
def test_a_nearness_before_a_fit_is_that_of_its_numbers(rule, decay):
    """Of a rule whose moves are proportional to its rate they are not computed again."""
    candidate = Candidate(rule, decay)
    own = moves(candidate, candidate.begin() | {"lr": 0.5}, GRADIENTS)
    seen = Seen(START, GRADIENTS, START + np.cumsum(own, axis=0), 1.1e-16)

    near, values = quick(candidate, seen)

    found = moves(candidate, values, GRADIENTS)
    size = abs(found) + abs(seen.moves)
    apart = (abs(found - seen.moves) / np.where(size > 0, size, 1.0)).mean()
    assert near == pytest.approx(apart, rel=1e-6, abs=1e-12)


UNEDITABLE = {
    "no program can be read of its lines": Candidate(AdaGradWindow),
    "its slots do not start at zero": Candidate(RMSPropStarted),
    "with its decay, lines are computed from each other": Candidate(FTRLProximal, "decoupled"),
}


@pytest.mark.parametrize("plain", UNEDITABLE.values(), ids=UNEDITABLE)
def test_a_form_that_cannot_be_edited_is_left_out(plain):
    points = START + np.cumsum(moves(plain, plain.begin(), GRADIENTS), axis=0)
    seen = Seen(START, GRADIENTS, points, 1.1e-16)
    tried = [Fitted(plain, plain.begin(), {}, 0.0)]

    edited_ones = {pair[0].rule for lot in lots(seen, tried) for pair in lot}

    assert not editable(plain)
    assert edited_ones
    assert plain.rule not in edited_ones


def test_a_form_whose_slots_start_at_zero_is_edited():
    assert editable(Candidate(RMSPropInsideRoot))


def test_an_edit_of_the_decay_is_known():
    line = "decay = lr * weight_decay * sqrt(x_before)"
    program = program_for(AdamW)
    wrong = next(one for one in edits_of(AdamW) if line in map(str, edited(program, one)))
    candidate = Edited(AdamW, wrong=wrong)
    points = START + np.cumsum(moves(candidate, candidate.begin(), GRADIENTS), axis=0)
    seen = Seen(START, GRADIENTS, points, 1.1e-16)
    plain = Candidate(Adam, decay_of(seen))

    [pair] = [one for one in decayed(Adam, plain.decay, plain.begin()) if one[0].rule is AdamW]
    found = screened(pair[0], seen, [pair[1]])[0].candidate

    assert [new for _, new in found.changes] == [line.replace("_before", "")]


def test_what_computes_the_same_is_told(monkeypatch):
    only(monkeypatch, RMSProp)

    def step(x, g, v):
        v = 0.99 * v + 0.01 * abs(g)
        return x - 0.01 * g / (np.sqrt(v) + 1e-8), v

    found = identify(step)

    assert found.edits == ("v = rho * v + (1 - rho) * abs(g)",)
    assert said(found, "v = rho * v + (1 - rho) * sqrt(g**2)")


def test_no_edit_is_named_that_takes_other_steps_along_other_gradients(monkeypatch):
    only(monkeypatch, AdaGrad)

    largest = abs(GRADIENTS).max()  # of those that the edit is fitted to

    def step(x, g, s):
        s = s + np.where(abs(g) <= largest, abs(g), g**2)
        return x - 0.02 * g / (np.sqrt(s) + 1e-6), s

    assert not identify(step).fits


def test_a_bound_that_recorded_steps_do_not_reach_is_asked_for():
    program = program_for(AdaBound)
    new = "final_lr * (1 + beta1 / (gamma * t)))"  # as if gamma were larger, above alone
    wrong = next(
        one for one in edits_of(AdaBound) if new in "".join(map(str, edited(program, one)))
    )
    candidate = Edited(AdaBound, wrong=wrong)
    driven = Function(
        lambda start, gradients: (
            start + np.cumsum(candidate.moves(candidate.begin(), start, gradients), axis=0)
        )
    )
    plain = Candidate(AdaBound)
    seen = watch(driven, START, GRADIENTS)

    found = fit(plain, seen, plain.begin())

    assert found.deviation < 1e-7
    assert plain.bounded
    assert not holding(driven, False)(found)
    assert departs(found, elsewhere(driven, False)).startswith("they part at step ")


def test_a_rule_that_is_stretched_to_a_linear_one_is_doubted():
    values = Candidate(AdEMAMix).begin() | {"lr": 2e4, "eps": 2e7, "mix": 9.0, "weight_decay": 0.0}
    points = START + np.cumsum(moves(Candidate(AdEMAMix), values, GRADIENTS), axis=0)
    seen = Seen(START, GRADIENTS, points, 1.1e-16)

    assert stretched(fit(Candidate(AdEMAMix), seen, values))
    assert not stretched(fit(Candidate(AdEMAMix), seen, values | {"eps": 1e-8}, tries=1))
