"""Run one experiment in full: tune, train every seed, record."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import StringIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from ..problems.networks import build
from .budget import Budget, quick_version, reductions
from .checkpoint import Progress
from .description import anatomy, description, precision_name
from .executors import Executor, Here, Processes
from .finished import Finished
from .jobs import Deadline, Job
from .plan import (
    Outcome,
    best_rates,
    final_trials,
    identity,
    is_complete,
    key,
    planned_epochs,
    run_entry,
    tuning_table,
    tuning_trials,
    with_origin,
)
from .products import Precision, best_precision
from .record import circumstances
from .specs import Spec
from .stack import side_by_side
from .tasks import Task, content_name, load_task, save_task
from .trials import Curves, Run, Trial, fingerprint

ENGINE = 2  # raised where a change makes other bits of the same trial
QUICK_EXAMPLES = 1024


class Reproduction:
    """One experiment, with its checkpoints in one directory.

    On a GPU the runs of one rule that differ in learning rate are stacked; so are, anywhere, those
    of a model that computes several at once, and all if ``stacked``. With a ``deadline`` the runs
    to be reported take turns, an epoch or a few at a time, so that all have come equally far when
    time is up. What the file of ``finished`` trials has is not run, and what ends is added to it.
    """

    def __init__(
        self,
        spec: Spec,
        task: Task,
        checkpoints: Path,
        *,
        executor: Executor | None = None,
        progress: tqdm | None = None,
        deadline: float = float("inf"),
        precision: Precision = "float32",
        finished: Path | None = None,
        stacked: bool = False,
    ) -> None:
        self.spec, self.task = spec, task
        self.executor = Here(task) if executor is None else executor
        self.progress = tqdm(file=StringIO()) if progress is None else progress
        self.stop = Deadline(deadline)
        self.precision = precision
        self.on_gpu = task.device.type == "cuda"
        self.always_stacked = stacked
        self.turn = 5 if self.on_gpu else 1  # epochs; to build a stack takes seconds
        self.directory = checkpoints / spec.name
        self.models = {noisy: self.model(noisy) for noisy in spec.dropout}
        self.progress_of: dict[str, Progress] = {}
        self.reported: dict[str, int] = {}
        self.finished = Finished(
            finished,
            spec,
            lambda trial, precision: self.checkpoint_name([trial], precision),
            precision=precision,
            made=circumstances(str(task.device))
            | {"precision": precision_name(spec, task.device.type, precision)},
        )

    def run(self) -> dict[str, Any]:
        """Tune, train, and return what the record says of both."""
        self.progress.reset(planned_epochs(self.spec))
        self.progress.set_description(f"{self.spec.name}, tuning")
        tuning = self.outcomes(list(tuning_trials(self.spec)))
        tuned = all(len(o.curves.train) == o.trial.epochs for o in tuning)
        best = best_rates(tuning, margin=self.spec.margin) if tuned else {}
        self.progress.set_description(self.spec.name)
        finals = self.outcomes(list(final_trials(self.spec, best)), in_turns=True)
        runs = [outcome for outcome in finals if outcome.curves.train]
        return {
            "complete": tuned and is_complete(self.spec, finals),
            "done": {
                "tuning": tuned,
                "epochs": max((len(o.curves.train) for o in finals), default=0),
                "of": max(self.spec.epochs),
            },
            "tuning": tuning_table(self.spec, tuning, best),
            "runs": with_origin([run_entry(outcome) for outcome in runs], runs, self.finished.here),
        }

    def outcomes(self, trials: list[Trial], *, in_turns: bool = False) -> list[Outcome]:
        """Run trials and return what has been done by the deadline.

        ``in_turns``, with a deadline, makes them advance together, and cuts what is returned to the
        epochs that all of the same version, with dropout or without, have done. What the others did
        beyond stays in their checkpoints.
        """
        jobs = [self.job(group) for group in self.groups(trials)]
        # The runs without dropout of a seed come first: a record can be of one version alone.
        jobs.sort(key=lambda job: (job.trials[0].seed, job.trials[0].dropout))
        longest = max((trial.epochs for trial in trials), default=0)
        turns = [longest]
        if in_turns and self.stop != Deadline():
            turns = list(range(self.turn, longest + self.turn, self.turn))
        for until in turns:
            self.advance([replace(job, until=until) for job in jobs])
        outcomes = {}
        done: dict[bool, int] = {}
        for job in jobs:
            if self.epochs_of(job) < job.epochs:
                version = job.trials[0].dropout
                done[version] = min(done.get(version, longest), self.epochs_of(job))
        for job in jobs:
            progress = self.progress_of[job.name]
            for trial, curves in zip(
                job.trials, progress.curves or [Curves()] * len(job.trials), strict=True
            ):
                kept = curves.first(done.get(trial.dropout, longest)) if in_turns else curves
                share = len(kept.train) / max(1, progress.epoch) / len(job.trials)
                seconds = progress.seconds * share
                origin = self.finished.origin(trial)
                outcomes[key(trial)] = Outcome(trial, kept, seconds, progress.hardware, origin)
        return [outcomes[key(trial)] for trial in trials]

    def advance(self, jobs: list[Job]) -> None:
        """Have every job done that is not, if the deadline allows."""
        known = self.progress_of
        for job in jobs:
            if job.name not in known and (there := self.finished.progress(job.trials)):
                known[job.name] = there
                self.report(job, job.epochs, True)
        todo = [
            job
            for job in jobs
            if job.name not in known or (self.epochs_of(job) < job.target and not self.stop())
        ]
        known.update(self.executor.run(todo, self, self.stop))
        for job in todo:
            self.keep(job, known[job.name])

    def groups(self, trials: list[Trial]) -> list[list[Trial]]:
        """Divide trials into those that run together, the same on every machine of a kind."""
        if not self.stacked:
            return [[trial] for trial in trials]
        groups: dict[Any, list[Trial]] = {}
        for trial in trials:
            rule = trial.entrant.rule if self.on_gpu else None
            groups.setdefault((rule, trial.dropout, trial.seed, trial.epochs), []).append(trial)
        return [
            part
            for group in groups.values()
            for part in parts(sorted(group, key=lambda trial: trial.entrant.rule), self.widest)
        ]

    @property
    def stacked(self) -> bool:
        """Whether runs are stacked: on a GPU, if asked, or by a model that computes several."""
        if self.always_stacked:
            return True
        if self.on_gpu:
            return not self.spec.one_by_one
        return all(side_by_side(model) for model in self.models.values())

    @property
    def widest(self) -> int:
        """How many runs a stack holds at most; on a CPU there should be some for every core."""
        return 10**6 if self.on_gpu else 16

    def job(self, group: list[Trial]) -> Job:
        """Return what a worker is told of trials that run together."""
        return Job(
            self.spec,
            tuple(group),
            self.directory / self.checkpoint_name(group),
            group[0].epochs,
            self.precision,
            self.on_gpu or self.stacked,
        )

    def epochs_of(self, job: Job) -> int:
        """Return how many epochs of a job's trials are done."""
        return self.progress_of[job.name].epoch if job.name in self.progress_of else 0

    def report(self, job: Job, epoch: int, restored: bool) -> None:
        """Advance the progress bar; what a checkpoint held takes no time, so it is no pace."""
        new = (epoch - self.reported.get(job.name, 0)) * len(job.trials)
        self.reported[job.name] = epoch
        if restored:
            self.progress.initial += new
        self.progress.update(new)

    def keep(self, job: Job, progress: Progress) -> None:
        """Add trials that have ended to the file of those."""
        self.finished.add(job.trials, progress)

    def note(self, text: str) -> None:
        """Show a line above the progress bar."""
        self.progress.write(text, file=sys.stderr)

    def model(self, noisy: bool) -> nn.Module:
        """Return the experiment's model."""
        return build(lambda: self.spec.model(self.task.shape, self.task.classes, noisy), 0)

    def checkpoint_name(self, group: list[Trial], precision: Precision | None = None) -> str:
        """Return a name for these trials on this data, device and path, and for nothing else.

        A checkpoint made under another spec has another name, and is left alone. The name is that
        in this run's precision, unless another one is given.
        """
        spec, noisy = self.spec, group[0].dropout
        precision = precision or self.precision
        if noisy not in self.models:  # of a version that this plan leaves out
            self.models[noisy] = self.model(noisy)
        return fingerprint(
            ENGINE,
            [identity(trial) for trial in group],
            [spec.name, spec.data, spec.batch, spec.l2, spec.images],
            [spec.schedule.__name__, spec.loss.__name__, anatomy(self.models[noisy])],
            [len(self.task.train_y), self.task.device.type, self.stacked, precision],
            # Added later: where unused, a checkpoint from before stays valid.
            *([[spec.steps, len(self.task.test_y), spec.groups]] if spec.steps else []),
        )


def parts(group: list[Trial], widest: int) -> list[list[Trial]]:
    """Cut a group into as few parts of about one size as have ``widest`` trials at most."""
    count = -(-len(group) // widest)
    edges = [len(group) * i // count for i in range(count + 1)]
    return [group[low:high] for low, high in pairwise(edges)]


def reproduce(
    spec: Spec,
    *,
    device: str,
    checkpoints: Path,
    command: str,
    quick: bool = False,
    budget: Budget | None = None,
    deadline: float = float("inf"),
    precision: Precision | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    finished: Path | None = None,
) -> dict[str, Any]:
    """Run an experiment, from its checkpoints on if there are any, and return its record.

    On a CPU, in ``workers`` processes of one thread each, as many as there are cores if None; a
    quick run stays in this one; with the address of a Dask ``scheduler``, on its workers, which
    must see the folder of the ``checkpoints``. ``precision`` is that of products, the experiment's
    own if None. ``finished`` is a file of trials that have ended, here or on another machine; it is
    added to.

    In the record, ``finished`` says whether all that was planned is done, and ``complete`` whether
    that was the whole experiment; if not, ``reduced`` says in what the plan falls short of it.

    Raises
    ------
    ValueError
        If the device has no such precision, or the file of finished trials has a line that is
        damaged or of another experiment than this one as it is now.
    OSError
        If there is no room for checkpoints, processes or workers keep dying, or no scheduler
        answers; and what :func:`adam_edu.data.load` raises.
    """
    checkpoints = checkpoints.resolve()
    whole = quick_version(spec) if quick else spec
    budget = budget or Budget()
    planned = budget.applied(whole)
    on_gpu = device.startswith("cuda")
    if on_gpu:
        use_deterministic_kernels(tf32=planned.tf32)
    if on_gpu and precision == "bfloat16-products":
        raise ValueError("bfloat16-products is for CPUs; on a GPU products are in TF32 or float32")
    if precision is None:
        precision = best_precision(device) if planned.bfloat16 else "float32"
    limit = QUICK_EXAMPLES if quick else None
    task = load_task(planned, device, limit=budget.examples or limit)
    with ExitStack() as stack:
        if not on_gpu:
            stack.enter_context(one_thread())
        progress = stack.enter_context(tqdm(unit=" epochs", smoothing=0.05))
        executor: Executor = Here(task)
        if scheduler is not None:
            from .cluster import Cluster

            file = shared(task, checkpoints / planned.name)
            executor = stack.enter_context(Cluster(scheduler, file))
        elif not (on_gpu or quick or workers == 1):
            file = shared(task, checkpoints / planned.name)
            executor = stack.enter_context(Processes(file, workers))
        run = Reproduction(
            planned,
            task,
            checkpoints,
            executor=executor,
            progress=progress,
            deadline=deadline,
            precision=precision,
            finished=finished,
        )
        results = run.run()
        made = circumstances(device)
    reduced = reductions(whole, planned, budget.examples)
    done = results.pop("complete")
    how = {
        "command": command,
        "quick": quick,
        "precision": precision_name(planned, device, precision),
        "path": "stacked" if run.stacked else "plain loop",
        "reduced": reduced,
        "finished": done,
        "complete": done and not reduced,
    }
    return description(planned, task) | how | made | results


def shared(task: Task, folder: Path) -> Path:
    """Return a file with the task in it, for other processes; written unless it is there."""
    path = folder / f"{content_name(task)}.task"
    if not path.exists():
        save_task(task, path)
    return path


def live(
    spec: Spec,
    *,
    examples: int | None = None,
    stacked: bool = False,
    watch: Callable[[Run], None] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Run a small version of an experiment here and now, and return its tuning table and runs.

    On the data that needs no download, ``spec.quick_data``, with at most so many training
    examples. Small models train several times as fast ``stacked``: the runs of a seed side by side,
    the same up to rounding. ``changes`` are fields of :class:`~.specs.Spec`: fewer epochs,
    entrants, rates. What comes back can be read with :func:`adam_edu.recorded.curves`, as a record
    can. ``watch`` is shown each run after each of its epochs, such as an
    :class:`~.train.EagerRun`, whose optimizer it may read.
    """
    small = replace(spec, data=spec.quick_data, **changes)
    task = load_task(small, "cpu", limit=examples)
    with TemporaryDirectory() as directory, one_thread():
        here = Here(task, watch=watch)
        folder = Path(directory)
        results = Reproduction(small, task, folder, stacked=stacked, executor=here).run()
    return description(small, task) | results


@contextmanager
def one_thread() -> Iterator[None]:
    """Let this process compute with one thread meanwhile, as :class:`.executors.Processes` do.

    On steps so short, threads would spend most of their time waiting for one another.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def use_deterministic_kernels(*, tf32: bool) -> None:
    """Make runs on a GPU repeatable, with matrix products in TF32 or in full float32."""
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = tf32
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
