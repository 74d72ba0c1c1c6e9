"""What is handed in can neither hang nor fool the checker: a harmless instance of each attack."""

import os
import subprocess
import sys
import textwrap
import time

import pytest

from adam_edu.check import process, sandbox
from adam_edu.check.grading import graded
from adam_edu.check.submission import read

RIGHT = "def first_step(g, lr=1e-3, eps=1e-8):\n    return -lr * g / (abs(g) + eps)\n"
ZERO = "def first_step(g, lr=1e-3, eps=1e-8):\n    return 0 * g\n"
posix = pytest.mark.skipif(os.name != "posix", reason="this system has no such limits")


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 2.0)
    monkeypatch.setattr(sandbox, "PATIENCE", 5.0)
    monkeypatch.setattr(process, "SECONDS_TO_LOAD", 6.0)


@pytest.fixture
def hand_in(tmp_path):
    def hand_in(source, name="first_step"):
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(source))
        began = time.monotonic()
        (report,) = graded(read(path, "ada")).reports
        assert time.monotonic() - began < 60
        return report

    return hand_in


def inside(*lines):
    """Return a solution that does something before it returns the right answer."""
    body = "".join(f"    {line}\n" for line in lines)
    return RIGHT.replace(":\n", f":\n{body}", 1)


# Wrong numbers, and an attempt to have them taken for right ones
FOOLING = {
    "replaced isclose": "import numpy as np\nnp.isclose = lambda a, *b, **c: np.ones(np.shape(a))",
    "replaced all": "import builtins\nbuiltins.all = lambda things: True",
    "replaced judge": (
        "import numpy as np\nfrom adam_edu.check import calling\n"
        "calling.close = lambda *a: np.array([True])"
    ),
    "replaced exercise": (
        "from adam_edu.check.exercise import Exercise\n"
        "from adam_edu.check.report import Report\n"
        "Exercise.__call__ = lambda self, f: Report(self.name, True, (), 'right', ())"
    ),
    "replaced report": "from adam_edu.check.report import Report\nReport.ok = True",
    "a status of 0 at the end": "import atexit, os\natexit.register(os._exit, 0)",
    "equal to everything": (
        "class Same(float):\n    def __eq__(self, other): return True\n"
        "    def __sub__(self, other): return 0.0\n"
    ),
}


@pytest.mark.parametrize("before", FOOLING.values(), ids=FOOLING)
def test_wrong_numbers_stay_wrong(hand_in, before):
    report = hand_in(f"{before}\n{ZERO}")

    assert not report.ok
    assert report.results == {"change": False}


def test_nothing_right_stands_on_the_stack(hand_in):
    report = hand_in("""
        import sys
        def first_step(g, lr=1e-3, eps=1e-8):
            frame = sys._getframe()
            while frame is not None:
                for value in list(frame.f_locals.values()):
                    for name in ("expected", "results", "lines"):
                        if hasattr(value, name) or name in frame.f_locals:
                            raise LookupError(f"found {name}")
                frame = frame.f_back
            return 0 * g
        """)

    assert not report.ok
    assert "found" not in str(report)


# Right numbers, and something that would hang, break or flood the checker
BREAKING = {
    "exit": (inside("import os; os._exit(0)"), "ends_the_process", "with status 0"),
    "exit on loading": ("import os; os._exit(0)\n" + RIGHT, "does_not_run", "with status 0"),
    "exit by a thread": (
        inside(
            "import os, threading, time",
            "threading.Timer(0.1, os._exit, [0]).start()",
            "time.sleep(9)",
        ),
        "ends_the_process",
        "with status 0",
    ),
    "exit in a text": (
        "import os\nclass Bad(Exception):\n    def __str__(self): os._exit(0)\n"
        + inside("raise Bad"),
        "ends_the_process",
        "with status 0",
    ),
    "system exit": (inside("raise SystemExit(0)"), "raises", "SystemExit"),
    "text that raises": (
        "class Bad(Exception):\n    def __str__(self): raise self\n" + inside("raise Bad"),
        "raises",
        "its text cannot be shown",
    ),
    "error of its own": (
        "class Bad(ValueError): pass\n" + inside("raise Bad('no')"),
        "raises",
        """It raised Bad in its line "raise Bad('no')": no.""",
    ),
    "loop": (inside("while True: pass"), "takes_too_long", "still running"),
    "loop that catches": (
        inside("while True:", "    try:", "        while True: pass", "    except: pass"),
        "takes_too_long",
        "still running",
    ),
    "loop in C": (
        inside("import itertools; max(itertools.repeat(0))"),
        "takes_too_long",
        "still running",
    ),
    "loop without a timer": (
        inside("import signal; signal.setitimer(signal.ITIMER_REAL, 0)", "while True: pass"),
        "takes_too_long",
        "still running",
    ),
    "loop on loading": ("while True: pass\n" + RIGHT, "does_not_run", "still running"),
    "a list in itself": (
        inside("all = [1]; all += [all] * 9; return all"),
        "too_large",
        "list put into itself",
    ),
    "an endless list": (inside("return [g] * 10**5"), "too_large", "far more numbers"),
    "a large array": (inside("return abs(g).repeat(10**6)"), "too_large", "far more than asked"),
    "unpickled": (
        "class Bomb:\n    def __reduce__(self): return print, ('boom',)\n"
        + inside("return Bomb()"),
        "wrong_type",
        "a Bomb",
    ),
    "an array of its own": (
        "class Bad:\n    def __array__(self, *a, **k): raise KeyError('mine')\n"
        + inside("return Bad()"),
        "raises",
        "KeyError",
    ),
    "input": (inside("input()"), "raises", "EOFError"),
    "another process": (
        inside("import subprocess, sys; subprocess.run([sys.executable])"),
        "raises",
        "no other process",
    ),
    "the checker killed": (
        inside("import os; os.kill(os.getppid(), 9)"),
        "raises",
        "no other process",
    ),
    "memory": (inside("large = [0] * (400 * 2**20)"), "raises", "MemoryError"),
    "garbage for an answer": (
        inside(
            "import contextlib, os",
            "for n in range(3, 30):",
            "    with contextlib.suppress(OSError): os.write(n, b'x' * 99)",
        ),
        "ends_the_process",
        "",
    ),
    "no modules": (inside("import sys; sys.modules.clear()"), "raises", "KeyError"),
    "a crash": (inside("import ctypes; ctypes.string_at(0)"), "ends_the_process", "SIGSEGV"),
}
if os.name == "posix":
    BREAKING["fork"] = (inside("import os; os.fork()"), "raises", "no other process")
    BREAKING["signal"] = (
        inside("import signal; signal.raise_signal(signal.SIGKILL)"),
        "ends_the_process",
        "SIGKILL",
    )
    BREAKING["files"] = (
        inside("import os; files = [open(os.devnull) for i in range(9999)]"),
        "raises",
        "Too many open files",
    )
    BREAKING["a large file"] = (
        inside("with open('f', 'wb') as file: file.seek(2**32); file.write(b'x')"),
        "raises",
        "File too large",
    )


@pytest.mark.parametrize(("source", "mistake", "says"), BREAKING.values(), ids=BREAKING)
def test_what_breaks_gets_a_clear_verdict(hand_in, source, mistake, says):
    report = hand_in(source)

    assert not report.ok
    assert report.credit == 0
    assert report.mistakes == (mistake,), report
    assert says in " ".join(str(report).split())


@pytest.mark.parametrize(
    "line",
    [
        "print('x' * 10**7)",
        "import os; os.write(1, b'x' * 10**6); os.write(2, b'x' * 10**6)",
        "import sys; sys.stdout = sys.stderr = None",
        "import os; os.close(0); os.open(os.devnull, os.O_RDONLY)",
    ],
)
def test_a_right_answer_that_makes_noise_is_right(hand_in, line):
    report = hand_in(inside(line))

    assert report.ok, report
    assert len(str(report)) < 1000


@posix
def test_what_it_has_started_ends_with_it(hand_in, tmp_path):
    """A process that gets by the checker's refusal lives no longer than the check."""
    report = hand_in(
        "import ctypes, os, time\n"
        + RIGHT
        + "if ctypes.CDLL(None).fork() == 0:\n"
        + f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        + "    time.sleep(99)\n"
        + "time.sleep(0.5)\n"
    )

    assert report.ok, report
    number = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 5
    while _lives(number) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _lives(number)


def _lives(number):
    """Return whether a process runs; one that has ended may still wait to be noticed."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True)
    return done.stdout.strip()[:1] not in ("", "Z")


def test_all_calls_together_have_an_end(hand_in, monkeypatch):
    monkeypatch.setattr(process, "SECONDS_IN_ALL", 2.0)
    began = time.monotonic()
    report = hand_in("import time\n" + inside("time.sleep(1.5)"))

    assert report.mistakes == ("takes_too_long",)
    assert time.monotonic() - began < 60


def test_the_exercises_after_a_broken_one_are_judged(tmp_path):
    path = tmp_path / "work.py"
    path.write_text(
        inside("import os; os._exit(0)") + "\ndef sgd_step(x, g, lr=1e-3):\n    return x - lr * g\n"
    )

    reports = {report.exercise: report for report in graded(read(path, "ada")).reports}

    assert not reports["first_step"].ok
    assert reports["sgd_step"].ok


def test_the_exit_status_of_an_attack_is_1(tmp_path):
    (tmp_path / "first_step.py").write_text(inside("import os; os._exit(0)"))
    command = [sys.executable, "-m", "adam_edu.cli", "exercise", "check", "first_step.py"]
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path)}

    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=120)

    assert done.returncode == 1


# Right answers are not refused


@pytest.mark.parametrize(
    "source",
    [
        RIGHT.replace(
            "first_step(g, lr=1e-3, eps=1e-8)", "first_step(gradient, alpha=1e-3, e=1e-8)"
        ).replace("-lr * g / (abs(g) + eps)", "-alpha * gradient / (abs(gradient) + e)"),
        RIGHT.replace("return -lr", "return share() * -lr").replace(
            "def", "from helpers import share\ndef", 1
        ),
        "first_step = lambda g, lr=1e-3, eps=1e-8: -lr * g / (abs(g) + eps)",
        "# -*- coding: latin-1 -*-\n" + RIGHT,
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Settings:\n    lr: float = 1e-3\n" + RIGHT,
    ],
)
def test_a_right_answer_is_right(hand_in, tmp_path, source):
    (tmp_path / "helpers.py").write_text("def share():\n    return 1.0\n")
    (tmp_path / "json.py").write_text("raise ImportError('this is not the json module')")

    report = hand_in(source)

    assert report.ok, report


def test_its_arguments_are_watched(hand_in):
    source = RIGHT.replace("return", "change =") + "    g[0] = 99\n    return change\n"

    report = hand_in(source)

    assert report.mistakes == ("changes_its_input",)
    assert report.results == {"change": True}
    assert report.credit == 0.5


def test_chance_is_seen(hand_in):
    report = hand_in("import random\n" + inside("random.random()"))

    assert report.mistakes == ("changes_random_state",)


SPINNING = "import threading\n\ndef spin():\n    while True: pass\n\n"


@pytest.mark.parametrize(
    "source",
    [
        f"{SPINNING}threading.Thread(target=spin).start()\n{RIGHT}",
        SPINNING + inside("threading.Thread(target=spin).start()"),
        SPINNING + inside("threading.Thread(target=spin, daemon=True).start()"),
    ],
    ids=["in the file", "in each call", "as a daemon"],
)
def test_a_thread_that_never_ends_holds_up_no_verdict(source, tmp_path):
    path = tmp_path / "first_step.py"
    path.write_text(source)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "adam_edu", "exercise", "check", str(path)],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert "first_step: right" in done.stdout
    assert time.monotonic() - began < 90
