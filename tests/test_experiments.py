"""Training, tuning, checkpoints and records of the paper's experiments."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny_experiments import SPEC, small_task, tiny, without_times

from adam_edu.experiments import checkpoint, jobs, plan, record, reproduce
from adam_edu.experiments.budget import Budget, quick_version, reductions
from adam_edu.experiments.cost import measure_cost
from adam_edu.experiments.specs import ADAM, SFO, SPECS, half_decades
from adam_edu.experiments.stack import Stack
from adam_edu.experiments.tasks import (
    as_images,
    constant_loss,
    examples,
    groups_of,
    load_task,
    shares,
    zca_whitening,
)
from adam_edu.experiments.train import EagerRun, epoch_batches, evaluate, shuffled_batches
from adam_edu.experiments.trials import Curves, Trial
from adam_edu.problems import networks
from adam_edu.rules import RULES


@pytest.mark.parametrize("name", [name for name in SPECS if name != "mlp-mnist-sfo"])
def test_the_stack_computes_what_the_plain_loop_does(name):
    spec, task = SPECS[name], small_task(SPECS[name])
    dropout = spec.dropout[0]
    entrants = [entrant for entrant in spec.entrants if entrant.rule != "AdamUncorrected"]
    trials = [Trial(e, lr, dropout, 3, 2) for e in entrants[-3:] for lr in spec.grid[:2]]
    stack = Stack(spec, task, trials)
    stack.train_epoch()
    stack.train_epoch()
    for trial, curves in zip(trials, stack.curves, strict=True):
        run = EagerRun(spec, task, trial)
        run.train_epoch()
        run.train_epoch()
        assert curves.train == pytest.approx(run.curves[0].train, rel=5e-5)
        assert curves.test_loss == pytest.approx(run.curves[0].test_loss, rel=5e-5)
        assert curves.test_error == pytest.approx(run.curves[0].test_error, abs=0.02)
        assert np.shape(curves.test_groups) == ((2, spec.groups) if spec.groups else (0,))
        np.testing.assert_allclose(curves.test_groups, run.curves[0].test_groups, rtol=5e-5)


def test_a_stack_refuses_runs_that_do_not_belong_together():
    trial = Trial(ADAM, 1e-3, True, 0, 2)
    with pytest.raises(ValueError, match="share seed"):
        Stack(SPEC, small_task(SPEC), [trial, replace(trial, seed=1)])


def test_a_live_experiment_shows_each_run_after_each_epoch_and_stays_what_it_is():
    spec, seen = SPECS["mlp-mnist"], []
    changes = {"entrants": spec.entrants[-1:], "grid": (1e-2,), "tuning_epochs": 0}
    changes |= {"epochs": (3, 2), "dropout": (False,)}

    def watch(run):
        seen.append((run.trial.seed, run.epoch, run.curves[0].train[-1]))

    watched = reproduce.live(spec, examples=300, watch=watch, **changes)
    told = [
        (run["seed"], epoch, loss)
        for run in watched["runs"]
        for epoch, loss in enumerate(run["train"], 1)
    ]
    assert len(seen) == 5
    assert [(seed, epoch) for seed, epoch, _ in seen] == [(s, e) for s, e, _ in told]
    assert [loss for *_, loss in seen] == pytest.approx([loss for *_, loss in told], rel=1e-3)
    again = reproduce.live(spec, examples=300, **changes)
    assert [run["train"] for run in again["runs"]] == [run["train"] for run in watched["runs"]]


def test_a_live_experiment_trains_stacked_as_it_does_run_by_run(monkeypatch):
    spec = SPECS["logistic-mnist"]
    changes = {"entrants": spec.entrants[-2:], "grid": (1e-3, 1e-2), "tuning_epochs": 1}
    changes |= {"epochs": (2,), "dropout": (False,)}
    apart = reproduce.live(spec, examples=300, **changes)
    monkeypatch.setattr(jobs, "EagerRun", None)  # so that no run can go alone
    together = reproduce.live(spec, examples=300, stacked=True, **changes)
    assert [run["lr"] for run in together["runs"]] == [run["lr"] for run in apart["runs"]]
    for one, other in zip(together["runs"], apart["runs"], strict=True):
        assert one["train"] == pytest.approx(other["train"], rel=5e-5)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("kind", [EagerRun, Stack])
@pytest.mark.parametrize("name", ["logistic-imdb", "mlp-mnist", "vae-mnist", "transformer-imdb"])
def test_resuming_after_an_interruption_changes_no_bit(kind, name, tmp_path):
    spec, task = SPECS[name], small_task(SPECS[name])
    trial = Trial(spec.entrants[0], spec.grid[2], spec.dropout[0], seed=1, epochs=5)

    def make():
        return EagerRun(spec, task, trial) if kind is EagerRun else Stack(spec, task, [trial])

    whole = checkpoint.finish(make, tmp_path / "whole", 5).curves
    epochs = []

    def interrupt(count, restored):
        epochs.append(count)
        if len(epochs) == 3:
            raise Interrupted

    path = tmp_path / "cut"
    with pytest.raises(Interrupted):
        checkpoint.finish(make, path, 5, report=interrupt, seconds_between_saves=0)
    assert path.with_suffix(".pt").exists()
    resumed = checkpoint.finish(make, path, 5, seconds_between_saves=0).curves
    assert resumed == whole
    assert not path.with_suffix(".pt").exists()
    assert checkpoint.finish(pytest.fail, path, 5).curves == whole


KILLED = """
import sys
import time
from pathlib import Path
import torch
from adam_edu.experiments import checkpoint, reproduce
sys.path.insert(0, {tests!r})
from tiny_experiments import SPEC, small_task, tiny
checkpoint.SECONDS_BETWEEN_SAVES = 0
print("ready", flush=True)
torch.set_num_threads(1)

class Slow(reproduce.Reproduction):
    def report(self, *news):
        time.sleep(0.1)
        super().report(*news)

Slow(tiny(SPEC), small_task(SPEC), Path({directory!r})).run()
"""


def test_what_is_reported_as_the_end_is_on_disk(tmp_path):
    """Whoever presses Ctrl-C when the bar is full loses nothing."""
    spec = SPECS["logistic-imdb"]
    trial = Trial(spec.entrants[0], spec.grid[2], spec.dropout[0], seed=1, epochs=3)
    there = {}

    def note(epoch, restored):
        there[epoch] = (tmp_path / "run.json").exists()

    checkpoint.finish(
        lambda: EagerRun(spec, small_task(spec), trial), tmp_path / "run", 3, report=note
    )

    assert there == {1: False, 2: False, 3: True}


def test_a_killed_process_resumes_to_the_same_record(tmp_path):
    torch.set_num_threads(1)
    whole = reproduce.Reproduction(tiny(SPEC), small_task(SPEC), tmp_path / "whole").run()
    directory = tmp_path / "killed"
    tests = str(reproduce.Path(__file__).parent)
    script = KILLED.format(tests=tests, directory=str(directory))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 300
    while len(list(directory.rglob("*.json"))) < 4 and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = len(list(directory.rglob("*.json")))
    assert 4 <= done < len(list((tmp_path / "whole").rglob("*.json")))
    resumed = reproduce.Reproduction(tiny(SPEC), small_task(SPEC), directory).run()
    assert without_times(resumed) == without_times(whole)


@pytest.mark.parametrize("name", SPECS)
def test_every_spec_is_sound(name):
    spec = SPECS[name]
    assert spec.name == name
    assert all(b > a for a, b in pairwise(spec.grid))
    assert len(spec.epochs) >= 3
    assert plan.TUNING_SEED not in range(len(spec.epochs))
    assert spec.schedule(1) == 1.0
    for entrant in spec.entrants:
        rates = spec.rates(entrant)
        assert all(b > a for a, b in pairwise(rates))
        assert entrant is SFO or RULES[entrant.rule](lr=rates[0], **entrant.hyper)
    quick = quick_version(spec)
    best = {(e.label, d): 0.1 for e in quick.entrants for d in quick.dropout}
    trials = [*plan.tuning_trials(quick), *plan.final_trials(quick, best)]
    assert sum(t.epochs for t in trials) == plan.planned_epochs(quick)


def test_every_entrant_has_the_same_tuning_budget():
    counts = {}
    for trial in plan.tuning_trials(SPEC):
        key = (trial.entrant.label, trial.dropout)
        counts[key] = counts.get(key, 0) + trial.epochs
    assert set(counts.values()) == {SPEC.tuning_epochs * len(SPEC.grid)}


def test_the_best_rate_is_of_the_lowest_loss_and_never_a_diverged_run():
    losses = {0.1: 0.5, 0.01: 0.4, 1.0: float("nan")}
    outcomes = [
        plan.Outcome(Trial(ADAM, lr, True, 1000, 1), Curves(train=[loss]), 1.0)
        for lr, loss in losses.items()
    ]
    best = plan.best_rates(outcomes)
    assert best == {("Adam", True): 0.01}
    row = plan.tuning_table(replace(SPEC, grid=(0.01, 0.1, 1.0)), outcomes, best)[0]
    assert row["train"] == [0.5, 0.4, None]
    assert row["best_at_edge"]


def test_with_a_margin_no_rate_beside_a_diverged_one_is_chosen():
    def best(losses):
        outcomes = [
            plan.Outcome(Trial(ADAM, lr, True, 1000, 1), Curves(train=[loss]), 1.0)
            for lr, loss in losses.items()
        ]
        return plan.best_rates(outcomes, margin=True)["Adam", True]

    assert best({0.1: 0.6, 0.2: 0.5, 0.4: 0.4, 0.8: float("nan")}) == 0.2
    assert best({0.1: 0.6, 0.2: 0.5, 0.4: 0.4}) == 0.4
    assert best({0.1: 0.6, 0.2: float("nan")}) == 0.1  # there is no other


def test_a_record_is_strict_json_of_one_line_a_run(tmp_path):
    path = tmp_path / "a.json"
    content = {"name": "π", "runs": [{"train": [1.0, None]}, {"train": []}], "empty": []}
    record.write_record(content, path)
    assert json.loads(path.read_text(), parse_constant=pytest.fail) == content
    assert record.read_record(path) == content
    assert len([line for line in path.read_text().splitlines() if "train" in line]) == 2


def test_whitening_gives_unit_covariance():
    generator = torch.Generator().manual_seed(0)
    mix = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    x = 3 + torch.randn(5000, 6, generator=generator, dtype=torch.float64) @ mix
    mean, matrix = zca_whitening(x, epsilon=0.0)
    white = (x - mean) @ matrix
    torch.testing.assert_close(white.T @ white / len(x), torch.eye(6, dtype=torch.float64))
    torch.testing.assert_close(matrix, matrix.T)


def test_batches_are_a_permutation_without_the_remainder():
    batches = shuffled_batches(300, 128, torch.Generator().manual_seed(0))
    assert batches.shape == (2, 128)
    assert len(batches.unique()) == 256
    assert shuffled_batches(50, 128, torch.Generator()).shape == (1, 50)


def test_a_limit_spreads_over_the_set_and_thins_both_halves(monkeypatch):
    order = np.arange(100).repeat(64).reshape(100, 64).astype(np.float32)
    source = SimpleNamespace(
        train_x=order, train_y=np.arange(100), test_x=order[:50], test_y=np.arange(50)
    )
    monkeypatch.setattr("adam_edu.data.load", lambda name: source)
    task = load_task(SPEC, "cpu", limit=9)
    assert task.train_y.tolist() == [0, 11, 22, 33, 44, 55, 66, 77, 88]
    assert task.test_y.tolist() == [0, 11, 22, 33, 44]
    assert torch.equal(task.train_x[:, 0], task.train_y.float())


def test_grey_rows_become_images():
    assert as_images(torch.rand(2, 64)).shape == (2, 1, 8, 8)


def test_losses_by_group_are_those_of_the_words_in_it():
    spec, task = SPECS["transformer-imdb"], small_task(SPECS["transformer-imdb"])
    groups = groups_of(task.train_y, 3)
    logits = torch.randn(21, 20, generator=torch.Generator().manual_seed(0))

    def model(x):
        return logits[x.long()]

    loss, _, by_group = evaluate(model, task, groups)
    mean = networks.cross_entropy
    for group in range(3):
        inside = groups[task.test_y] == group
        x, y = task.test_x[inside], task.test_y[inside]
        assert by_group[group].item() == pytest.approx(mean(lambda x, _: model(x), x, y).item())
    share = torch.bincount(groups[task.test_y.flatten()]).double() / task.test_y.numel()
    assert loss.item() == pytest.approx((share @ by_group).item())
    assert loss.item() == pytest.approx(evaluate(model, task)[0].item())
    found = shares(task, spec.groups)
    assert sum(found["classes"]) == task.classes
    assert sum(found["share"]) == pytest.approx(1, abs=1e-3)


def test_an_epoch_of_so_many_steps_draws_anew():
    spec = replace(SPECS["transformer-imdb"], steps=3, batch=4)
    task, generator = small_task(spec), torch.Generator().manual_seed(0)
    first, second = (epoch_batches(spec, task, generator) for _ in range(2))
    assert first.shape == second.shape == (3, 4)
    assert set(first.flatten().tolist()) != set(second.flatten().tolist())


def test_an_entrant_with_a_grid_of_its_own_is_tuned_on_it(tmp_path):
    spec = replace(SPECS["transformer-imdb"], steps=2, tuning_epochs=1, epochs=(1,) * 3)
    found = reproduce.Reproduction(spec, small_task(spec), tmp_path).run()
    assert found["complete"]
    assert [row["lr"] for row in found["tuning"]] == [list(spec.rates(e)) for e in spec.entrants]
    assert {len(run["test_groups"][0]) for run in found["runs"]} == {spec.groups}
    rates = Budget(grid=(0.1, 0.01)).applied(spec)
    assert {trial.lr for trial in plan.tuning_trials(rates)} == {0.01, 0.1}
    assert reductions(spec, rates, None) == {"grid": [0.01, 0.1]}
    assert reductions(spec, spec, None) == {}


def test_half_decades():
    assert half_decades(-1, 0) == (0.1, 0.316, 1.0)


def test_more_seeds_run_as_long_as_the_last():
    assert Budget(seeds=1).applied(SPEC).epochs == (200,)
    assert Budget(seeds=4).applied(SPEC).epochs == (200, 50, 50, 50)


def test_sparse_rows_train_as_dense_ones_do():
    spec = replace(SPECS["logistic-imdb"], model=lambda *a: networks.LogisticRegression(64, 10))
    task = small_task(spec)
    bags = (task.train_x > 0.8).numpy().astype(np.uint8)
    dense = replace(task, train_x=torch.from_numpy(bags), test_x=torch.from_numpy(bags[:100]))
    sparse = replace(task, train_x=examples(bags, "cpu"), test_x=examples(bags[:100], "cpu"))
    curves = []
    for version in (dense, sparse):
        run = EagerRun(spec, version, Trial(ADAM, 0.1, False, 0, 2))
        run.train_epoch()
        run.train_epoch()
        curves.append(run.curves[0])
    assert curves[0].train == pytest.approx(curves[1].train, rel=1e-5)
    assert curves[0].test_loss == pytest.approx(curves[1].test_loss, rel=1e-5)


def test_a_reduced_budget_is_the_same_for_all_and_named_in_the_record():
    budget = Budget(
        seeds=2, grid=(0.1, 0.01), tuning_epochs=1, epochs=60, examples=500, dropout=True
    )
    planned = budget.applied(SPEC)
    assert planned.epochs == (60, 50)
    assert {trial.epochs for trial in plan.tuning_trials(planned)} == {1}
    assert {trial.lr for trial in plan.tuning_trials(planned)} == {0.01, 0.1}
    assert reductions(SPEC, planned, budget.examples) == {
        "seeds": 2,
        "grid": [0.01, 0.1],
        "tuning_epochs": 1,
        "epochs": [60, 50],
        "examples": 500,
        "dropout": [True],
    }
    assert reductions(SPEC, Budget().applied(SPEC), None) == {}
    with pytest.raises(ValueError, match="logistic-mnist has no version with dropout"):
        budget.applied(SPECS["logistic-mnist"])


@pytest.mark.parametrize("loss", [networks.cross_entropy, networks.negative_elbo])
def test_no_constant_prediction_has_a_lower_loss_than_the_constant_loss(loss):
    task = small_task(SPECS["mlp-mnist"])
    if loss is networks.cross_entropy:
        shares = torch.bincount(task.train_y) / len(task.train_y)
        best = shares.log()
    else:
        best = torch.logit(task.train_x.mean(0))

    def value(logits):
        def model(x, generator=None):
            predicted = logits.expand(len(x), -1)
            zero = torch.zeros(len(x), 5)
            return predicted if loss is networks.cross_entropy else (predicted, zero, zero)

        return loss(model, task.train_x, task.train_y).item()

    found = constant_loss(task, loss)
    assert value(best) == pytest.approx(found, rel=1e-5)
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        assert value(best + 0.1 * torch.randn(best.shape, generator=generator)) > found


def test_the_cost_of_every_entrant_is_measured_in_turns():
    task = small_task(SPEC)
    cost = measure_cost(task, steps=2, rounds=4)
    others = {entrant.label for entrant in SPEC.entrants} - {"Adam"}
    assert set(cost["over_adam"]) == others
    assert set(cost["steps_per_second"]) == {"adam_edu", "torch fused"} | others
    for low, middle, high in cost["over_adam"].values():
        assert 0 < low <= middle <= high
