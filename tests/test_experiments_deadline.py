"""Runs that a deadline stops: what is trained, what is kept, and what the record shows."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from tiny_experiments import SPEC, small_task, tiny, without_times

from adam_edu.experiments import checkpoint, jobs, reproduce
from adam_edu.experiments.plan import planned_epochs
from adam_edu.experiments.train import EagerRun


@pytest.fixture
def trained(monkeypatch):
    """Return the runs that have trained an epoch, one entry each; the clock shows how many."""
    found = []
    train_epoch = EagerRun.train_epoch

    def counting(run):
        train_epoch(run)
        found.append(run)

    monkeypatch.setattr(EagerRun, "train_epoch", counting)
    clock = SimpleNamespace(monotonic=lambda: len(found))
    for module in (checkpoint, jobs):
        monkeypatch.setattr(module, "time", clock)
    return found


def test_a_deadline_leaves_an_honest_partial_record(tmp_path, trained):
    spec, task = tiny(SPEC), small_task(SPEC)
    late = reproduce.Reproduction(spec, task, tmp_path, deadline=-1).run()
    assert not late["complete"]
    assert late["runs"] == trained == []
    assert not late["done"]["tuning"]
    assert reproduce.Reproduction(spec, task, tmp_path).run()["complete"]


def test_with_a_deadline_all_runs_come_equally_far(tmp_path, trained):
    """Time is up in the middle of the second turn: the record shows one epoch of every run."""
    spec = replace(tiny(SPEC), epochs=(4, 3))
    task = small_task(spec)
    torch.set_num_threads(1)
    whole = reproduce.Reproduction(spec, task, tmp_path / "whole").run()
    trained.clear()
    tuning = planned_epochs(replace(spec, epochs=()))
    finals = len(spec.entrants) * len(spec.dropout) * len(spec.epochs)
    deadline = tuning + finals + 4.5
    cut = reproduce.Reproduction(spec, task, tmp_path / "cut", deadline=deadline).run()
    assert not cut["complete"]
    assert cut["done"] == {"tuning": True, "epochs": 1, "of": 4}
    assert len(trained) == tuning + finals + 5
    assert [run["epochs"] for run in cut["runs"]] == [1] * finals
    for run, reference in zip(cut["runs"], whole["runs"], strict=True):
        assert run["train"] == reference["train"][:1]
    trained.clear()
    resumed = reproduce.Reproduction(spec, task, tmp_path / "cut", deadline=10**6).run()
    assert without_times(resumed) == without_times(whole)
    assert len(trained) == sum(spec.epochs) * finals // 2 - finals - 5


def test_one_version_may_have_come_further_than_the_other(tmp_path, trained):
    """Runs are compared within a version, so only there must they be equally long."""
    spec = replace(tiny(SPEC), epochs=(4,), dropout=(True, False))
    task = small_task(spec)
    for noisy, epochs in ((True, 2), (False, 1)):
        part = replace(spec, dropout=(noisy,))
        tuning = planned_epochs(replace(part, epochs=()))
        deadline = len(trained) + tuning + epochs * len(spec.entrants) - 0.5
        reproduce.Reproduction(part, task, tmp_path, deadline=deadline).run()
    ahead = replace(spec, dropout=(True,), entrants=spec.entrants[2:])
    deadline = len(trained) + len(ahead.entrants) - 0.5
    reproduce.Reproduction(ahead, task, tmp_path, deadline=deadline).run()
    both = reproduce.Reproduction(spec, task, tmp_path, deadline=-1).run()
    assert [run["epochs"] for run in both["runs"]] == [
        {True: 2, False: 1}[run["dropout"]] for run in both["runs"]
    ]
    assert len(both["runs"]) == 2 * len(spec.entrants)
    assert both["done"] == {"tuning": True, "epochs": 2, "of": 4}


def test_without_time_to_tune_nothing_is_compared(tmp_path, trained):
    spec, task = tiny(SPEC), small_task(SPEC)
    results = reproduce.Reproduction(spec, task, tmp_path, deadline=3.5).run()
    assert results["tuning"] == results["runs"] == []
    assert results["done"] == {"tuning": False, "epochs": 0, "of": 2}
