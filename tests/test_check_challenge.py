"""Exercises judged by what a solution does: each flaw is found, and the right ones pass."""

import numpy as np
import pytest

from adam_edu import check
from adam_edu.check.capstone import Yogi
from adam_edu.check.challenge import Challenge

CHALLENGES = {name: task for name, task in check.EXERCISES.items() if isinstance(task, Challenge)}


POWERS = [1e-3, 1e-1, 1e1, 1e3]


def yogi(x, g, m, v, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-3):
    return Yogi(lr, beta1, beta2, eps).update(1, x, g, m, v)


def by_powers_of_ten(run):
    tried = {lr: run(lr) for lr in POWERS}
    best = min(tried, key=tried.get)
    tried |= {lr: run(lr) for lr in (best / 3, best / 2, best * 2, best * 3)}
    return min(tried, key=tried.get)


def worst_of_three(run):
    return max((0.1, 10.0, 1000.0), key=run)


def beyond_the_budget(run):
    return min(np.geomspace(1e-3, 1e3, 11), key=run)


def catches_the_refusal(run):
    for lr in np.geomspace(1e-3, 1e3, 11):
        try:
            run(lr)
        except Exception:
            return 10.0


def after_one_run(lr):
    def tune(run):
        run(1.0)
        return lr

    return tune


def returning(*values):
    return lambda: values


RIGHT = {
    "make_adam_fail": [returning([3, -1, -1], 0.1), returning(np.array([5.0, -1, -1, -1]), 0.0)],
    "tune_in_ten_runs": [by_powers_of_ten],
    "beat_adam": [returning(yogi, 0.007, 1e-3), returning(yogi, 0.006, 1e-2)],
}
WRONG = {
    "make_adam_fail": {
        "slopes_are_no_list": returning(3, 0.1),
        "beta2_outside": returning([3, -1, -1], 1.0),
        "all_slopes_zero": returning([0, 0], 0.1),
        "one_sign_only": returning([3, 1], 0.1),
        "mean_not_positive": returning([2, -1, -1], 0.1),
        "sgd_fails_too": returning([1, -0.999], 0.0),
        "adam_succeeds": returning([3, -1, -1], 0.999),
        "adam_is_undecided": returning([2.5, -1, -1], 0.6),
    },
    "tune_in_ten_runs": {
        "lr_is_no_number": after_one_run("0.1"),
        "lr_not_positive": after_one_run(-1.0),
        "ran_on": catches_the_refusal,
        "never_ran": lambda run: 10.0,
        "returned_another": worst_of_three,
        "returned_a_loss": lambda run: min(run(lr) for lr in POWERS),
        "returned_its_place": lambda run: np.argmin([run(lr) for lr in POWERS]),
        "rate_diverges": after_one_run(1e300),
        "rate_far_too_small": after_one_run(1e-3),
        "rate_far_too_large": after_one_run(1e3),
        "not_refined": after_one_run(25.0),
    },
    "beat_adam": {
        "step_is_no_function": returning("yogi", 0.01, 1e-3),
        "lr_is_not_positive": returning(yogi, 0, 1e-3),
        "eps_is_not_positive": returning(yogi, 0.01, None),
        "step_is_not_yogi": returning(lambda x, g, m, v, lr, beta1, beta2, eps: (x, m, v), 0.01, 1),
        "yogi_diverges": returning(yogi, 1e300, 1e-3),
        "yogi_too_slow": returning(yogi, 1e-3, 1e-3),
        "yogi_too_fast": returning(yogi, 1.0, 1e-3),
        "adam_is_better": returning(yogi, 0.014, 1e-3),
        "not_a_fifth_better": returning(yogi, 0.01, 1e-2),
    },
}


def test_every_challenge_is_tested_here():
    assert set(CHALLENGES) == set(RIGHT) == set(WRONG)


@pytest.mark.parametrize("name", CHALLENGES)
def test_right_solutions_pass_and_say_what_they_reached(name):
    for solution in RIGHT[name]:
        report = CHALLENGES[name](solution)
        assert report.ok, report
        assert "Result:" in str(report)


@pytest.mark.parametrize("name", CHALLENGES)
def test_each_flaw_is_found(name):
    flaws = {flaw.name: flaw for flaw in CHALLENGES[name].flaws}
    assert len(flaws) >= 6
    assert list(flaws) == list(WRONG[name])
    for flaw, solution in WRONG[name].items():
        report = CHALLENGES[name](solution)
        assert report.mistakes == (flaw,), f"{flaw}: {report}"
        assert flaws[flaw].words in " ".join(str(report).split())


def test_the_eleventh_run_is_refused():
    assert check.tune_in_ten_runs(beyond_the_budget).mistakes == ("ran_too_often",)


@pytest.mark.parametrize(
    ("solution", "mistake"),
    [
        (returning([3, -1, -1]), "wrong_count"),
        (lambda: [].append(3), "returns_nothing"),
        (lambda: 1 / 0, "raises"),
        (lambda x: x, "wrong_arguments"),
        (3, "not_a_function"),
        (lambda: (list(np.random.permutation([3, -1, -1])), 0.1), "changes_random_state"),  # noqa: NPY002
    ],
)
def test_what_breaks_is_reported(solution, mistake):
    assert check.make_adam_fail(solution).mistakes == (mistake,)


def test_a_stub_is_not_written_yet():
    def make_adam_fail(): ...

    assert check.make_adam_fail(make_adam_fail).mistakes == ("not_written_yet",)
