"""What befalls long runs: no room, damaged files, changed plans, odd clocks, Ctrl-C."""

import errno
import io
import os
import random
import signal
import time
from dataclasses import replace

import pytest
import torch
from tiny_experiments import SPEC, modest, small_task, tiny, without_times

from adam_edu.experiments import checkpoint, reproduce
from adam_edu.experiments.specs import SPECS
from adam_edu.experiments.train import EagerRun
from adam_edu.experiments.trials import Trial

SMALL = modest(SPEC)


@pytest.fixture
def one_run():
    trial = Trial(SPEC.entrants[0], 1e-3, True, seed=1, epochs=5)
    return lambda: EagerRun(SMALL, small_task(SMALL), trial)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The results of a small experiment that nothing befell."""
    return run(tmp_path_factory.mktemp("whole"))


def run(directory, spec=SMALL):
    return reproduce.Reproduction(spec, small_task(spec), directory).run()


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "state.pt"
    path.write_text("old")

    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=f"^no room left in {tmp_path}: make some, and run it again$"):
        checkpoint.write_atomically(path, b"half")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the limit holds for a process")
def test_a_real_limit_ends_in_one_line_and_the_run_goes_on_when_there_is_room(tmp_path, one_run):
    """The system refuses what a file may not hold; the state before stays whole."""
    import resource

    whole = checkpoint.finish(one_run, tmp_path / "whole", 5).curves
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    checkpoint.finish(one_run, tmp_path / "run", 5, until=2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="no room left in"):
            checkpoint.finish(one_run, tmp_path / "run", 5, until=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    restored = []
    resumed = checkpoint.finish(
        one_run, tmp_path / "run", 5, report=lambda epoch, old: restored.append((epoch, old))
    )
    assert restored[0] == (2, True)
    assert resumed.curves == whole


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text"])
def test_a_damaged_state_is_set_aside_and_its_run_begins_anew(tmp_path, one_run, damage):
    whole = checkpoint.finish(one_run, tmp_path / "whole", 5).curves
    path = tmp_path / "run.pt"
    checkpoint.finish(one_run, tmp_path / "run", 5, until=2)
    content = path.read_bytes()
    spoiled = bytearray(content)
    spoiled[len(content) // 2] ^= 1
    path.write_bytes(
        {"cut": content[:-100], "flip": bytes(spoiled), "empty": b"", "text": b"a"}[damage]
    )
    notes = []
    resumed = checkpoint.finish(one_run, tmp_path / "run", 5, note=notes.append).curves
    assert resumed == whole
    aside = tmp_path / "run.pt.damaged"
    assert notes == [f"a checkpoint was damaged, and its run begins anew (it is kept as {aside})"]
    assert aside.exists()


@pytest.mark.parametrize("damage", ["cut", "digit"])
def test_damaged_curves_are_made_again(tmp_path, one_run, damage):
    path = tmp_path / "run.json"
    whole = checkpoint.finish(one_run, tmp_path / "run", 5).curves
    text = path.read_text()
    place = text.index(str(whole[0].train[3])) + 6
    changed = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
    path.write_text({"cut": text[:100], "digit": changed}[damage])
    notes = []
    again = checkpoint.finish(one_run, tmp_path / "run", 5, note=notes.append).curves
    assert again == whole
    assert len(notes) == 1


def test_only_the_damaged_run_is_made_again(tmp_path, whole, monkeypatch):
    run(tmp_path)
    files = sorted(tmp_path.rglob("*.json"))
    files[3].write_text("{")
    trained = []
    train_epoch = EagerRun.train_epoch
    monkeypatch.setattr(
        EagerRun, "train_epoch", lambda self: (trained.append(self.trial), train_epoch(self))
    )
    found = run(tmp_path)
    assert without_times(found) == without_times(whole)
    assert trained
    assert all(trial == trained[0] for trial in trained)


@pytest.mark.parametrize(
    "change",
    [
        {"l2": 1e-3},
        {"batch": 64},
        {"model": SPECS["logistic-mnist"].model},
        {"grid": (2e-3, 5e-3)},
        {"tuning_epochs": 3},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_experiment_takes_nothing_from_old_checkpoints(tmp_path, change):
    changed = replace(tiny(SMALL), **change)
    run(tmp_path / "both", tiny(SMALL))
    found = run(tmp_path / "both", changed)
    alone = run(tmp_path / "alone", changed)
    assert without_times(found) == without_times(alone)


def test_checkpoints_of_another_precision_are_not_mixed(tmp_path):
    tasks = small_task(SMALL)
    names = {
        reproduce.Reproduction(SMALL, tasks, tmp_path, precision=precision).checkpoint_name(
            [Trial(SPEC.entrants[0], 1e-3, True, 0, 2)]
        )
        for precision in ("float32", "bfloat16-products")
    }
    assert len(names) == 2


def test_a_clock_that_jumps_changes_nothing(tmp_path, whole, monkeypatch):
    """The date goes back and forth by years; neither deadline nor seconds hang on it."""
    jumps = random.Random(0)
    monkeypatch.setattr(time, "time", lambda: jumps.uniform(-1e9, 3e9))
    spec, task = SMALL, small_task(SMALL)
    deadline = time.monotonic() + 3600
    found = reproduce.Reproduction(spec, task, tmp_path, deadline=deadline).run()
    assert without_times(found) == without_times(whole)
    assert all(0 <= run["seconds"] < 600 for run in found["runs"])


# A file that is open, and not yet in the block that closes it, is left to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer of the system")
@pytest.mark.parametrize("times", [4, pytest.param(100, marks=pytest.mark.nightly)])
def test_ctrl_c_at_random_moments_loses_nothing(tmp_path, whole, monkeypatch, times):
    """The signal comes at any instruction, also between two of a write."""
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN_SAVES", 0.0)
    moments, interruptions, folders = random.Random(1), 0, 0
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        while interruptions < times:
            found, folders = None, folders + 1
            while found is None:
                try:
                    signal.setitimer(signal.ITIMER_REAL, moments.uniform(0.01, 1.0))
                    found = run(tmp_path / str(folders))
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except KeyboardInterrupt:
                    interruptions += 1
                    # It may have come between the two halves of no_grad(). A rerun is a process of
                    # its own, and begins with gradients.
                    torch.set_grad_enabled(True)
            assert without_times(found) == without_times(whole)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not list(tmp_path.rglob("*.damaged"))


def test_a_state_is_read_as_it_was_written(tmp_path):
    content = io.BytesIO()
    torch.save({"run": {"x": torch.arange(5.0)}}, content)
    checkpoint.write_atomically(tmp_path / "a.pt", content.getvalue())
    assert torch.equal(checkpoint.read_state(tmp_path / "a.pt")["run"]["x"], torch.arange(5.0))
