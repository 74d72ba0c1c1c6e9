"""Finished trials in a text file: one machine goes on where another one stopped."""

import errno
import json
import os
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tiny_experiments import SPEC, modest, small_task, tiny, without_times

from adam_edu.experiments import finished, reproduce
from adam_edu.experiments.executors import Here, Processes
from adam_edu.experiments.plan import TUNING_SEED, planned_epochs
from adam_edu.experiments.record import circumstances
from adam_edu.experiments.specs import SPECS
from adam_edu.experiments.train import EagerRun
from adam_edu.recorded import how

pytestmark = pytest.mark.usefixtures("one_thread")

# Among its rates is one that leads to what is no number.
SMALL = replace(modest(SPEC), grid=(1e-3, 1e-2, 1e30), entrants=SPEC.entrants[:3])
TRIALS = 3 * 3 * 2 + 3 * 2 * 2  # tuning runs, and those to be reported
STACKED = replace(tiny(SPECS["logistic-mnist"]), grid=(1e-3, 1e-2, 1e-1))


class Lost(Exception):
    """The machine is gone."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory, one_thread):
    """The results of a small experiment in one go, without a file."""
    return run(tmp_path_factory.mktemp("whole"), None)


@pytest.fixture(scope="module")
def text(tmp_path_factory, one_thread):
    """The file of the same experiment."""
    path = tmp_path_factory.mktemp("text") / "finished.jsonl"
    run(path.parent, path)
    return path.read_text()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "finished.jsonl"


@pytest.fixture
def trained(monkeypatch):
    """Count epochs of training."""
    found = []
    train_epoch = EagerRun.train_epoch
    monkeypatch.setattr(
        EagerRun, "train_epoch", lambda self: (found.append(self.trial), train_epoch(self))
    )
    return found


def run(directory, path, spec=SMALL, **options):
    return reproduction(directory, path, spec, **options).run()


def reproduction(directory, path, spec=SMALL, **options):
    return reproduce.Reproduction(spec, small_task(spec), directory, finished=path, **options)


def lines(path):
    def no_json(word):
        raise AssertionError(word)

    text = path.read_text()
    assert text.endswith("\n")
    return [json.loads(line, parse_constant=no_json) for line in text.splitlines()]


def changed(text, number, **changes):
    """Return the text with another line in place of one, as whole as the others."""
    parts = text.splitlines()
    line = json.loads(parts[number - 1]) | changes
    del line["check"]
    parts[number - 1] = json.dumps(finished.checked(line), separators=(",", ":"))
    return "\n".join(parts) + "\n"


def first_of(text, seed):
    """Return the number of the first line of a run with this seed."""
    seeds = [json.loads(line)["seed"] for line in text.splitlines()]
    return seeds.index(seed) + 1


# From machine to machine


@pytest.mark.parametrize("count", [1, 11, 25])
def test_a_second_machine_goes_on_to_the_record_of_one(count, tmp_path, path, whole, trained):
    """The first one, with its checkpoints, is lost after some trials; the file is left."""
    first = reproduction(tmp_path / "first", path)
    keep = first.keep

    def keep_and_lose(job, progress):
        keep(job, progress)
        if len(lines(path)) == count:
            raise Lost

    first.keep = keep_and_lose
    with pytest.raises(Lost):
        first.run()
    spared = sum(line["epochs"] for line in lines(path))
    trained.clear()
    second = reproduction(tmp_path / "second", path)
    found = second.run()

    assert without_times(found) == without_times(whole)
    assert len(trained) == planned_epochs(SMALL) - spared
    assert second.progress.n == second.progress.total
    assert len({line["trial"] for line in lines(path)}) == len(lines(path)) == TRIALS
    assert None in [loss for row in found["tuning"] for loss in row["train"]]


def test_a_third_machine_only_reads(tmp_path, path, text, whole, trained):
    path.write_text(text)
    found = run(tmp_path, path)

    assert without_times(found) == without_times(whole)
    assert sorted(r["seconds"] for r in found["runs"]) == sorted(
        line["seconds"] for line in lines(path) if line["seed"] != TUNING_SEED
    )
    assert trained == []
    assert path.read_text() == text


def test_the_file_counts_before_a_checkpoint(tmp_path, path, text, trained):
    """Machines of two kinds have other last digits: who has the file has the same record."""
    number = first_of(text, seed=0)
    run(tmp_path, None)
    trained.clear()
    path.write_text(changed(text, number, train=[4.0, 3.0, 2.0, 1.0]))
    found = run(tmp_path, path)

    assert [r["train"] for r in found["runs"]].count([4.0, 3.0, 2.0, 1.0]) == 1
    assert trained == []


def test_what_checkpoints_hold_goes_into_the_file(tmp_path, path, text, trained):
    run(tmp_path, None)
    trained.clear()
    run(tmp_path, path)

    assert trained == []
    assert {line["trial"] for line in lines(path)} == {
        json.loads(line)["trial"] for line in text.splitlines()
    }


def test_a_part_of_the_plan_is_read_from_the_file_of_the_whole(tmp_path, path, text, trained):
    path.write_text(text)
    part = replace(SMALL, dropout=(False,), epochs=SMALL.epochs[:1])
    found = run(tmp_path, path, part)

    assert found["complete"]
    assert [(r["seed"], r["dropout"]) for r in found["runs"]] == [(0, False)] * 3
    assert trained == []
    assert path.read_text() == text


def test_runs_side_by_side_are_lines_of_their_own(tmp_path, path):
    whole = run(tmp_path / "whole", path, STACKED)
    trials = len(STACKED.entrants) * (3 + 2)
    text = path.read_text()
    # Of the first stack one line is missing: all of it is run again, and that line added alone.
    path.write_text("".join(text.splitlines(keepends=True)[1:]))
    found = run(tmp_path / "second", path, STACKED)

    assert without_times(found) == without_times(whole)
    assert len(lines(path)) == trials
    assert {line["trial"] for line in lines(path)} == {
        json.loads(line)["trial"] for line in text.splitlines()
    }


def test_with_a_deadline_the_file_has_no_trial_in_progress(tmp_path, path, whole):
    assert run(tmp_path / "first", path, deadline=-1)["runs"] == []
    assert path.read_text() == ""
    found = run(tmp_path / "first", path, deadline=float(10**9))

    assert without_times(found) == without_times(whole)
    assert len(lines(path)) == TRIALS


def test_the_record_names_on_what_each_run_was_made(tmp_path, path, text, whole):
    number = next(n for n, line in enumerate(text.splitlines(), 1) if json.loads(line)["seed"] == 1)
    versions = {"torch": "1.0"}
    path.write_text(changed(text, number, hardware=["abacus"], versions=versions))
    moved = lines(path)[number - 1]
    found = run(tmp_path, path)["runs"]
    (there,) = [r for r in found if r["hardware"] == ["abacus"]]

    assert {there[k] == moved[k] for k in ("optimizer", "dropout", "seed", "train")} == {True}
    assert there["versions"] == versions
    assert {json.dumps(r["hardware"]) for r in found if r is not there} == {
        json.dumps([circumstances("cpu")["hardware"]])
    }
    assert not any("hardware" in r or "versions" in r for r in whole["runs"])
    assert not any("precision" in r for r in found)


def test_a_machine_that_only_reads_does_not_pass_for_the_one_that_computed(tmp_path, path, text):
    for number in range(1, TRIALS + 1):
        text = changed(text, number, hardware=["abacus"])
    path.write_text(text)
    found = run(tmp_path, path)
    record = {**circumstances("cpu"), **found, "command": "", "data": {"name": "", "train": 1}}

    assert [r["hardware"] for r in found["runs"]] == [["abacus"]] * 12
    assert how(record).splitlines()[1].endswith(": abacus.")


# Once, and whole


def test_a_trial_that_two_files_have_counts_once(tmp_path, path, text, whole, trained):
    """Two machines ran it, and their files were put together."""
    path.write_text(text + changed(text, 1, train=[0.5, 0.25]))  # the second has another digit
    found = run(tmp_path, path)

    assert without_times(found) == without_times(whole)
    assert trained == []
    assert len(lines(path)) == 2 * TRIALS


@pytest.mark.slow
def test_two_trials_at_once(tmp_path, path, whole):
    with Processes(reproduce.shared(small_task(SMALL), tmp_path), 2) as executor:
        found = run(tmp_path, path, executor=executor)

    assert without_times(found) == without_times(whole)
    assert len({line["trial"] for line in lines(path)}) == len(lines(path)) == TRIALS


def test_many_may_write_at_once(path):
    def write(writer):
        for k in range(50):
            finished.append(path, [finished.checked({"line": [writer, k], "long": "x" * 5000})])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    found = [tuple(line["line"]) for _, line in finished.whole_lines(path)]
    assert sorted(found) == [(writer, k) for writer in range(4) for k in range(50)]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer of the system")
# A file that is open, and not yet in the block that closes it, is left to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_leaves_whole_lines(path):
    """The signal comes at any instruction, also between two of a write."""
    line, moments, interruptions = finished.checked({"long": "x" * 20000}), random.Random(0), 0
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    path.touch()
    try:
        while interruptions < 40:
            try:
                signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-4, 1e-2))
                while True:
                    finished.append(path, [line])
            except KeyboardInterrupt:
                interruptions += 1
            assert all(found == line for _, found in finished.whole_lines(path))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert path.read_bytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the limit holds for a process")
def test_without_room_no_part_of_a_line_is_left(tmp_path, path):
    import resource

    line = finished.checked({"long": "x" * 700})
    finished.append(path, [line])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match=f"^no room left in {tmp_path}: make some, and run it"):
            finished.append(path, [line])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [found for _, found in finished.whole_lines(path)] == [line]


def test_a_disk_that_fills_up_is_said(path, monkeypatch):
    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no room left in"):
        finished.append(path, [finished.checked({})])


# What is refused


@pytest.mark.parametrize("damage", ["cut", "digit", "empty", "list", "end"])
def test_a_damaged_line_is_refused(damage, tmp_path, path, text):
    parts = text.splitlines(keepends=True)
    loss = str(json.loads(parts[1])["train"][0])
    number = len(parts) if damage == "end" else 2
    parts[number - 1] = {
        "cut": parts[1][:100] + "\n",
        "digit": parts[1].replace(loss, str(float(loss) + 1)),
        "empty": "\n",
        "list": "[]\n",
        "end": parts[-1].rstrip("\n"),
    }[damage]
    path.write_text("".join(parts))
    with pytest.raises(ValueError, match="damaged") as refused:
        reproduction(tmp_path, path)

    assert str(refused.value) == (
        f"{path}, line {number} is damaged: take that line out, and its run is made again"
    )
    assert path.read_text() == "".join(parts)


@pytest.mark.parametrize(
    "change",
    [
        {"l2": 1e-3},
        {"batch": 64},
        {"data": "digits"},
        {"model": SPECS["logistic-mnist"].model},
        {"entrants": (replace(SMALL.entrants[0], hyper={"beta1": 0.8}), *SMALL.entrants[1:])},
        {"entrants": SMALL.entrants[1:]},
    ],
    ids=["l2", "batch", "data", "model", "hyper", "entrants"],
)
def test_a_changed_experiment_refuses_the_old_file(change, tmp_path, path, text):
    path.write_text(text)
    with pytest.raises(ValueError, match="other settings or data") as refused:
        reproduction(tmp_path, path, replace(SMALL, **change))

    number, _, words = str(refused.value).removeprefix(f"{path}, line ").partition(" ")
    assert int(number) >= 1
    assert words == (
        "is a run of mlp-mnist with other settings or data, on another kind of device, or by an "
        "older engine: name another file"
    )


def test_an_older_engine_is_refused(tmp_path, path, text, monkeypatch):
    path.write_text(text)
    monkeypatch.setattr(reproduce, "ENGINE", reproduce.ENGINE + 1)
    with pytest.raises(ValueError, match=r"line 1 is a run of .* by an older engine"):
        reproduction(tmp_path, path)


def test_another_precision_is_refused_and_named(tmp_path, path, text):
    path.write_text(text)
    with pytest.raises(ValueError, match="precision") as refused:
        reproduction(tmp_path, path, precision="bfloat16-products")

    assert str(refused.value) == (
        f"{path}, line 1 is a run in another precision: give --precision float32, "
        "or name another file"
    )


def test_another_experiment_is_refused(tmp_path, path, text):
    path.write_text(text)
    with pytest.raises(ValueError, match="line 1 is a run of mlp-mnist, not of logistic-mnist"):
        reproduction(tmp_path, path, STACKED)


# The order


def test_tuning_comes_first_then_seed_by_seed_first_without_dropout(tmp_path):
    class Order(Here):
        def run(self, jobs, listener, stop):
            order.extend((job.trials[0].seed, job.trials[0].dropout) for job in jobs)
            return super().run(jobs, listener, stop)

    order = []
    found = run(tmp_path, None, executor=Order(small_task(SMALL)))
    seeds = [(seed, dropout) for seed in (TUNING_SEED, 0, 1) for dropout in (False, True)]

    assert list(dict.fromkeys(order)) == seeds
    assert order == sorted(order, key=seeds.index)
    assert [r["dropout"] for r in found["runs"]] == ([True] * 3 + [False] * 3) * 2
