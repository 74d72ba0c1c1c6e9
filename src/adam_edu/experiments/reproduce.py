"""Run one experiment in full: tune, train every seed, record."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import torch
from tqdm import tqdm

from .budget import Budget, quick_version, reductions
from .checkpoint import Progress, finish
from .record import circumstances, rounded
from .specs import Entrant, Spec
from .stack import Stack
from .tasks import Task, constant_loss, load_task
from .train import EagerRun
from .trials import Curves, Trial, fingerprint

TUNING_SEED = 1000  # none of the seeds that are reported
QUICK_EXAMPLES = 1024


@dataclass(frozen=True)
class Outcome:
    """A trial with its curves, and the seconds that it took (its share, in a stack)."""

    trial: Trial
    curves: Curves
    seconds: float


class Reproduction:
    """One experiment on one device, with its checkpoints in one directory.

    On a GPU the runs of one rule that differ in learning rate are stacked; elsewhere the plain
    loop runs them one after the other. With a ``deadline`` the runs to be reported take turns, an
    epoch or a few at a time, so that all have come equally far when time is up.
    """

    def __init__(
        self,
        spec: Spec,
        task: Task,
        checkpoints: Path,
        *,
        progress: tqdm | None = None,
        deadline: float = float("inf"),
        workers: int = 4,
    ) -> None:
        self.spec, self.task = spec, task
        self.progress = tqdm(file=StringIO()) if progress is None else progress
        self.deadline = deadline
        self.stacked = task.device.type == "cuda"
        self.turn = 5 if self.stacked else 1  # epochs; to build a stack takes seconds
        self.directory = checkpoints / spec.name
        self.workers = workers
        self.lock = Lock()
        self.progress_of: dict[str, Progress] = {}
        self.reported: dict[str, int] = {}

    def run(self) -> dict[str, Any]:
        """Tune, train, and return what the record says of both."""
        self.progress.reset(planned_epochs(self.spec))
        self.progress.set_description(f"{self.spec.name}, tuning")
        tuning = self.outcomes(list(tuning_trials(self.spec)))
        tuned = all(len(o.curves.train) == o.trial.epochs for o in tuning)
        best = best_rates(tuning) if tuned else {}
        self.progress.set_description(self.spec.name)
        finals = self.outcomes(list(final_trials(self.spec, best)), in_turns=True)
        return {
            "complete": tuned and is_complete(self.spec, finals),
            "done": {
                "tuning": tuned,
                "epochs": max((len(o.curves.train) for o in finals), default=0),
                "of": max(self.spec.epochs),
            },
            "tuning": tuning_table(self.spec, tuning, best),
            "runs": [run_entry(outcome) for outcome in finals if outcome.curves.train],
        }

    def outcomes(self, trials: list[Trial], *, in_turns: bool = False) -> list[Outcome]:
        """Run trials and return what has been done by the deadline.

        ``in_turns``, with a deadline, makes them advance together, and cuts what is returned to the
        epochs that all of the same version, with dropout or without, have done. What the others did
        beyond stays in their checkpoints.
        """
        groups = self.groups(trials)
        longest = max((trial.epochs for trial in trials), default=0)
        turns = [longest]
        if in_turns and self.deadline < float("inf"):
            turns = list(range(self.turn, longest + self.turn, self.turn))
        for until in turns:
            self.advance(groups, until)
        outcomes = []
        done: dict[bool, int] = {}
        for group in groups:
            if not self.is_done(group):
                version = group[0].dropout
                done[version] = min(done.get(version, longest), self.epochs_of(group))
        for group in groups:
            progress = self.progress_of[self.checkpoint_name(group)]
            for trial, curves in zip(
                group, progress.curves or [Curves()] * len(group), strict=True
            ):
                kept = curves.first(done.get(trial.dropout, longest)) if in_turns else curves
                share = len(kept.train) / max(1, progress.epoch) / len(group)
                outcomes.append(Outcome(trial, kept, progress.seconds * share))
        return outcomes

    def advance(self, groups: list[list[Trial]], until: int) -> None:
        """Train every group up to an epoch, if the deadline allows.

        On a GPU several groups run at once, each in a thread with a stream of its own: a small
        model's step is too short to fill the device.
        """
        if not self.stacked:
            for group in groups:
                self.run_group(group, until)
            return
        torch.cuda.synchronize()
        with ThreadPoolExecutor(self.workers) as pool:
            list(pool.map(lambda group: self.run_on_stream(group, until), groups))

    def run_on_stream(self, group: list[Trial], until: int) -> None:
        """Run trials that belong together on a new CUDA stream."""
        with torch.cuda.stream(torch.cuda.Stream()):
            self.run_group(group, until)

    def groups(self, trials: list[Trial]) -> list[list[Trial]]:
        """Divide trials into those that run together."""
        if not self.stacked or self.spec.one_by_one:
            return [[trial] for trial in trials]
        groups: dict[Any, list[Trial]] = {}
        for trial in trials:
            key = (trial.entrant.rule, trial.dropout, trial.seed, trial.epochs)
            groups.setdefault(key, []).append(trial)
        return list(groups.values())

    def epochs_of(self, group: list[Trial]) -> int:
        """Return how many epochs of these trials are done."""
        name = self.checkpoint_name(group)
        return self.progress_of[name].epoch if name in self.progress_of else 0

    def is_done(self, group: list[Trial]) -> bool:
        """Say whether these trials have gone their full length."""
        return self.epochs_of(group) >= group[0].epochs

    def run_group(self, group: list[Trial], until: int) -> None:
        """Run trials that belong together up to an epoch, from their checkpoint if there is one."""
        name = self.checkpoint_name(group)
        if name in self.progress_of and self.epochs_of(group) >= min(until, group[0].epochs):
            return
        if name in self.progress_of and time.monotonic() > self.deadline:
            return
        self.progress_of[name] = finish(
            lambda: self.start(group),
            self.directory / name,
            group[0].epochs,
            until=until,
            deadline=self.deadline,
            report=lambda epoch, restored: self.report(name, epoch, len(group), restored),
        )

    def report(self, name: str, epoch: int, trials: int, restored: bool) -> None:
        """Advance the progress bar; what a checkpoint held takes no time, so it is no pace."""
        new = (epoch - self.reported.get(name, 0)) * trials
        self.reported[name] = epoch
        if restored:
            self.progress.initial += new
        self.progress.update(new)

    def start(self, group: list[Trial]) -> EagerRun | Stack:
        """Build a run at its first step; one at a time, since a CUDA graph is captured here."""
        with self.lock:
            if self.stacked:
                return Stack(self.spec, self.task, group)
            return EagerRun(self.spec, self.task, group[0])

    def checkpoint_name(self, group: list[Trial]) -> str:
        """Return a name for these trials on this data, device and path, and for nothing else."""
        return fingerprint(
            [identity(trial) for trial in group],
            [self.spec.name, self.spec.data, self.spec.batch, self.spec.l2, self.spec.images],
            [len(self.task.train_y), self.task.device.type, self.stacked],
        )


def identity(trial: Trial) -> dict[str, Any]:
    """Return all that makes a trial; what was added later counts only where it is used.

    So checkpoints from before stay valid.
    """
    parts = asdict(trial)
    if not trial.entrant.constant:
        del parts["entrant"]["constant"]
    return parts


def tuning_trials(spec: Spec) -> Iterator[Trial]:
    """Yield every entrant with every learning rate of the grid: the same budget for each."""
    if spec.tuning_epochs:
        for dropout in spec.dropout:
            for entrant in spec.entrants:
                for lr in spec.grid:
                    yield Trial(entrant, lr, dropout, TUNING_SEED, spec.tuning_epochs)


def final_trials(spec: Spec, best: dict[tuple[str, bool], float]) -> Iterator[Trial]:
    """Yield the runs to be reported, seed by seed: at the best learning rate, or at all of them."""
    for seed, epochs in enumerate(spec.epochs):
        for dropout in spec.dropout:
            for entrant in spec.entrants:
                rates = spec.grid if not spec.tuning_epochs else rate_of(best, entrant, dropout)
                for lr in rates:
                    yield Trial(entrant, lr, dropout, seed, epochs)


def rate_of(best: dict[tuple[str, bool], float], entrant: Entrant, dropout: bool) -> list[float]:
    """Return the tuned learning rate as a list; an empty one if tuning did not get that far."""
    return [best[key] for key in [(entrant.label, dropout)] if key in best]


def planned_epochs(spec: Spec) -> int:
    """Return the epochs of all runs together, for the progress bar."""
    tuning = sum(trial.epochs for trial in tuning_trials(spec))
    entrants = len(spec.entrants) * len(spec.dropout)
    rates = 1 if spec.tuning_epochs else len(spec.grid)
    return tuning + sum(spec.epochs) * entrants * rates


def best_rates(tuning: list[Outcome]) -> dict[tuple[str, bool], float]:
    """Return, for each entrant with and without dropout, the rate of the lowest final loss."""
    scores: dict[tuple[str, bool], dict[float, float]] = {}
    for outcome in tuning:
        loss = rounded(outcome.curves.train[-1]) if outcome.curves.train else None
        key = (outcome.trial.entrant.label, outcome.trial.dropout)
        scores.setdefault(key, {})[outcome.trial.lr] = float("inf") if loss is None else loss
    return {key: min(losses, key=losses.__getitem__) for key, losses in scores.items()}


def is_complete(spec: Spec, finals: list[Outcome]) -> bool:
    """Say whether every run to be reported has gone its full length."""
    rates = 1 if spec.tuning_epochs else len(spec.grid)
    expected = len(spec.epochs) * len(spec.dropout) * len(spec.entrants) * rates
    return len(finals) == expected and all(
        len(outcome.curves.train) == outcome.trial.epochs for outcome in finals
    )


def tuning_table(
    spec: Spec, tuning: list[Outcome], best: dict[tuple[str, bool], float]
) -> list[dict[str, Any]]:
    """Return, for each entrant, the final training loss at each learning rate of the grid."""
    rows = []
    for (label, dropout), lr in best.items():
        mine = [o for o in tuning if (o.trial.entrant.label, o.trial.dropout) == (label, dropout)]
        rows.append(
            {
                "optimizer": label,
                "dropout": dropout,
                "best_lr": lr,
                "best_at_edge": lr in (min(spec.grid), max(spec.grid)),
                "lr": [o.trial.lr for o in mine],
                "train": [rounded(o.curves.train[-1]) if o.curves.train else None for o in mine],
                "test_error": [
                    rounded(o.curves.test_error[-1]) if o.curves.test_error else None for o in mine
                ],
            }
        )
    return rows


def run_entry(outcome: Outcome) -> dict[str, Any]:
    """Return what the record says of one run."""
    trial = outcome.trial
    entry = {
        "optimizer": trial.entrant.label,
        "dropout": trial.dropout,
        "lr": trial.lr,
        "seed": trial.seed,
        "epochs": len(outcome.curves.train),
        "seconds": rounded(outcome.seconds, 3),
    }
    curves = {name: [rounded(v) for v in values] for name, values in asdict(outcome.curves).items()}
    return entry | {name: values for name, values in curves.items() if values}


def description(spec: Spec, task: Task) -> dict[str, Any]:
    """Return what the record says of the experiment itself."""
    return {
        "experiment": spec.name,
        "figure": spec.figure,
        "claim": spec.claim,
        "choices": spec.choices,
        "data": {"name": spec.data, "train": len(task.train_y), "test": len(task.test_y)},
        "setup": {
            "batch": spec.batch,
            "l2": spec.l2,
            "schedule": spec.schedule.__name__,
            "grid": list(spec.grid),
            "tuning_epochs": spec.tuning_epochs,
            "tuning_seed": TUNING_SEED if spec.tuning_epochs else None,
            "chosen_by": "lowest training loss in the last epoch of a tuning run",
            "seeds": list(range(len(spec.epochs))),
            "epochs": list(spec.epochs),
            "objective": spec.loss.__name__,
            "constant_loss": rounded(constant_loss(task, spec.loss)),
            "hyper": {entrant.label: entrant.hyper for entrant in spec.entrants},
        },
    }


def reproduce(
    spec: Spec,
    *,
    device: str,
    checkpoints: Path,
    command: str,
    quick: bool = False,
    budget: Budget | None = None,
    deadline: float = float("inf"),
) -> dict[str, Any]:
    """Run an experiment, from its checkpoints on if there are any, and return its record.

    ``finished`` says whether all that was planned is done, and ``complete`` whether that was the
    whole experiment; if not, ``reduced`` says in what the plan falls short of it. Raises what
    :func:`adam_edu.data.load` raises.
    """
    whole = quick_version(spec) if quick else spec
    budget = budget or Budget()
    planned = budget.applied(whole)
    on_gpu = device.startswith("cuda")
    if on_gpu:
        use_deterministic_kernels(tf32=planned.tf32)
    limit = QUICK_EXAMPLES if quick else None
    task = load_task(planned, device, limit=budget.examples or limit)
    threads = torch.get_num_threads()
    if quick:  # steps so short that threads would spend them waiting for one another
        torch.set_num_threads(1)
    try:
        with tqdm(unit=" epochs", smoothing=0.05) as progress:
            run = Reproduction(planned, task, checkpoints, progress=progress, deadline=deadline)
            results = run.run()
    finally:
        torch.set_num_threads(threads)
    reduced = reductions(whole, planned, budget.examples)
    finished = results.pop("complete")
    how = {
        "command": command,
        "quick": quick,
        "precision": "float32, products in TF32" if on_gpu and planned.tf32 else "float32",
        "path": "stacked" if on_gpu else "plain loop",
        "reduced": reduced,
        "finished": finished,
        "complete": finished and not reduced,
    }
    return description(planned, task) | how | circumstances(device) | results


def live(spec: Spec, *, examples: int | None = None, **changes: Any) -> dict[str, Any]:
    """Run a small version of an experiment here and now, and return its tuning table and runs.

    On the data that needs no download, ``spec.quick_data``, with at most so many training
    examples. ``changes`` are fields of :class:`~.specs.Spec`: fewer epochs, entrants, rates. What
    comes back can be read with :func:`adam_edu.recorded.curves`, as a record can.
    """
    small = replace(spec, data=spec.quick_data, **changes)
    task = load_task(small, "cpu", limit=examples)
    with TemporaryDirectory() as directory:
        results = Reproduction(small, task, Path(directory)).run()
    return description(small, task) | results


def use_deterministic_kernels(*, tf32: bool) -> None:
    """Make runs on a GPU repeatable, with matrix products in TF32 or in full float32."""
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = tf32
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
