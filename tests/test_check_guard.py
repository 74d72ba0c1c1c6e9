"""The checker in a notebook leaves it as it was: no alarm that rings on, no function replaced."""

import os
import signal
import sys
import time

import numpy as np
import pytest

from adam_edu import check
from adam_edu.check import sandbox
from adam_edu.check.guard import originals

posix = pytest.mark.skipif(os.name != "posix", reason="this system has no such limits")


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 2.0)


def forever(*arguments):
    values = []
    while True:
        values.append(values)


def test_the_alarm_does_not_ring_on():
    if not hasattr(signal, "setitimer"):
        pytest.skip("no timers here")
    before = signal.getsignal(signal.SIGALRM)

    def moving_average(signal, beta):
        averages = []
        for _value in signal:
            averages.append(averages)
        return averages

    report = check.moving_average(moving_average)

    assert not report.ok
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before
    time.sleep(0.3)


def test_the_alarm_raises_only_while_the_function_runs():
    if not hasattr(signal, "setitimer"):
        pytest.skip("no timers here")
    with sandbox.time_limit(0.05):
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            pass  # the checker's own work
    with sandbox.time_limit(0.05):
        outcome = sandbox.caught(forever)
    assert outcome.out_of_time


def test_where_there_are_no_timers_a_loop_ends_too(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")

    outcome = sandbox.call(forever, 0.2)

    assert outcome.out_of_time
    assert sys.gettrace() is None or "coverage" in sys.modules


@pytest.mark.parametrize("where", ["in the function", "before it"])
def test_functions_that_were_replaced_are_put_back(where):
    isclose = np.isclose

    def replace():
        np.isclose = lambda a, *others, **more: np.ones(np.shape(a), bool)

    def first_step(g, lr=1e-3, eps=1e-8):
        if where == "in the function":
            replace()
        return 0 * g

    if where == "before it":
        replace()
    report = check.first_step(first_step)

    assert np.isclose is isclose
    assert not report.ok
    assert report.results == {"change": False}


def test_a_right_answer_that_replaces_functions_is_told_so():
    def first_step(g, lr=1e-3, eps=1e-8):
        np.sqrt = None
        return -lr * g / (abs(g) + eps)

    report = check.first_step(first_step)

    assert report.mistakes == ("replaces_functions",)
    assert "numpy.sqrt" in str(report)
    assert originals().put_back() == ()


def test_who_looks_at_the_checkers_frames_is_told_so():
    def first_step(g, lr=1e-3, eps=1e-8):
        return sys._getframe(3).f_locals["expected"]

    assert check.first_step(first_step).mistakes == ("looks_at_the_checker",)


@posix
def test_memory_is_limited_and_the_limit_taken_back():
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_DATA)

    outcome = sandbox.call(lambda: [0] * (400 * 2**20))

    assert isinstance(outcome.error, MemoryError)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_flood_is_cut_off():
    outcome = sandbox.call(lambda: [print("x" * 1000) for _ in range(1000)])

    assert len(outcome.printed) == sandbox.CHARACTERS
