"""The time that a solution has is a processor's: a right one is right on a busy machine, too."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from adam_edu import check
from adam_edu.check import process, sandbox
from adam_edu.check.grading import graded
from adam_edu.check.submission import read

FIRST_STEP = """
import os, signal, time
ONCE = [True]

def first_step(g, lr=1e-3, eps=1e-8):
    {}
    return -lr * g / (abs(g) + eps)
"""
NAP = "if ONCE and ONCE.pop(): time.sleep(0.9)"
linux = pytest.mark.skipif(sys.platform != "linux", reason="this system has no such tools")


def here(line, path):
    scope = {}
    exec(FIRST_STEP.format(line), scope)
    return check.first_step(scope["first_step"])


def in_a_thread(line, path):
    reports = []
    thread = threading.Thread(target=lambda: reports.append(here(line, path)))
    thread.start()
    thread.join()
    return reports[0]


def in_another_process(line, path):
    file = path / "first_step.py"
    file.write_text(FIRST_STEP.format(line))
    (report,) = graded(read(file, "ada")).reports
    return report


PLACES = [here, in_a_thread, in_another_process]


@pytest.fixture
def limits(monkeypatch):
    def limits(seconds, patience):
        monkeypatch.setattr(sandbox, "SECONDS", seconds)
        monkeypatch.setattr(sandbox, "PATIENCE", patience)

    return limits


@pytest.mark.parametrize("judged", PLACES)
def test_who_waits_has_longer_than_who_computes(judged, limits, tmp_path):
    limits(0.3, 50)
    waits, loops = judged(NAP, tmp_path), judged("while True: g = g + 1", tmp_path)

    assert waits.ok, waits
    assert loops.mistakes == ("takes_too_long",)
    assert "After 0.3 seconds it was still running" in " ".join(str(loops).split())


@pytest.mark.parametrize("judged", [here, in_another_process])
def test_who_waits_for_ever_is_stopped(judged, limits, tmp_path):
    limits(0.3, 5)
    began = time.monotonic()
    report = judged("time.sleep(300)", tmp_path)

    assert report.mistakes == ("takes_too_long",)
    assert "After 1.5 seconds it was still running" in " ".join(str(report).split())
    assert time.monotonic() - began < 100


@linux
def test_a_process_that_gets_no_processor_loses_no_time(limits, tmp_path):
    """Its own signal stops it, and another one, later, lets it go on."""
    limits(0.3, 200)
    number = tmp_path / "number"
    stop = f"""if ONCE and ONCE.pop():
        open({str(number)!r}, "w").write(str(os.getpid()))
        signal.raise_signal(signal.SIGSTOP)"""
    done = threading.Event()

    def go_on():
        while not done.wait(1.2):
            if number.exists():
                os.kill(int(number.read_text()), signal.SIGCONT)
                number.unlink()

    waker = threading.Thread(target=go_on)
    waker.start()
    try:
        report = in_another_process(stop, tmp_path)
    finally:
        done.set()
        waker.join()

    assert report.ok, report
    assert not number.exists()


# Five processes want the one processor that the checker has too, and are ahead of it.
BUSY = "import os; os.sched_setaffinity(0, {%d})\nwhile True: pass"
STARVED = """
import os, pathlib, sys, time
os.sched_setaffinity(0, {%d})
os.nice(2)
sys.path.insert(0, %r)
import test_check_time as tests
from adam_edu.check import sandbox
sandbox.SECONDS, sandbox.PATIENCE = 0.4, 200
work = "if ONCE and ONCE.pop():\\n        end = time.process_time() + 0.15\\n"
work += "        while time.process_time() < end: pass"
for judged in tests.here, tests.in_another_process:
    began = time.monotonic()
    report = judged(work, pathlib.Path(sys.argv[1]))
    print(judged.__name__, report.ok, time.monotonic() - began, report)
"""


@linux
def test_a_right_answer_is_right_on_a_machine_that_is_busy(tmp_path):
    processor = min(os.sched_getaffinity(0))
    others = [subprocess.Popen([sys.executable, "-c", BUSY % processor]) for _ in range(5)]
    try:
        code = STARVED % (processor, os.path.dirname(__file__))
        command = [sys.executable, "-c", code, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    finally:
        for other in others:
            other.kill()
            other.wait()

    lines = [line.split() for line in done.stdout.splitlines() if line.startswith(("here", "in_"))]
    assert [(place, ok) for place, ok, *_ in lines] == [
        ("here", "True"),
        ("in_another_process", "True"),
    ], done.stdout + done.stderr
    assert all(float(took) > 0.4 for _, _, took, *_ in lines)  # it was starved


def busy():
    code = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ntime.sleep(99)"
    popen = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    popen.stdout.readline()
    return popen


@pytest.mark.parametrize("platform", ["its own", "another with ps"])
def test_a_process_is_asked_for_its_processor_time(platform, monkeypatch):
    if platform != "its own":
        if os.name != "posix":
            pytest.skip("no ps here")
        monkeypatch.setattr(sys, "platform", "another")
    popen = busy()
    try:
        time.sleep(0.5)
        seconds = process.processor_seconds(popen)
    finally:
        popen.kill()
        popen.communicate()

    # Some of these programs count whole seconds.
    assert (0 if platform == "another with ps" else 0.4) <= seconds < 5


def test_where_no_system_tells_the_clock_counts(monkeypatch, limits, tmp_path):
    limits(0.3, 50)
    monkeypatch.setattr(sys, "platform", "another")
    monkeypatch.setenv("PATH", "")  # without ps

    report = in_another_process("time.sleep(30)", tmp_path)

    assert "After 0.3 seconds it was still running" in " ".join(str(report).split())


def test_what_a_process_says_of_its_time_gives_it_no_more_than_a_wait(limits, tmp_path):
    limits(0.3, 5)
    lie = "from adam_edu.check import worker; worker.process_time = lambda: 1e9"

    report = in_another_process(f"{lie}\n    while True: pass", tmp_path)

    assert report.mistakes == ("takes_too_long",)


def test_a_process_is_closed_whole_though_the_time_is_up(limits, monkeypatch, tmp_path):
    """The limit raises again and again, and not while the process is being ended."""
    limits(0.3, 2)
    used, closed = process.Process._used, []

    def slow(self):
        if sys._getframe(1).f_code is process.Process.close.__code__:
            time.sleep(1)
            closed.append(True)
        return used(self)

    monkeypatch.setattr(process.Process, "_used", slow)
    report = in_another_process("time.sleep(30)", tmp_path)

    assert report.mistakes == ("takes_too_long",)
    assert closed
