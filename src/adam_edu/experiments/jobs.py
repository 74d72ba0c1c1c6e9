"""What a worker is told to do: some trials, how far, and where their checkpoint is."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

from .checkpoint import Progress, finish
from .products import Precision, products
from .record import hardware
from .specs import SFO, Spec
from .stack import Stack
from .sums import SumRun
from .tasks import Task
from .train import EagerRun
from .trials import Run, Trial

BUILDING = Lock()


@dataclass(frozen=True)
class Deadline:
    """Says whether it is time to stop: in any process of this machine, whatever its clock shows.

    ``at`` is a time of ``time.monotonic()``, which no change of the date moves.
    """

    at: float = float("inf")

    def __call__(self) -> bool:
        """Say so."""
        return time.monotonic() > self.at


@dataclass(frozen=True)
class Job:
    """Trials that run together, up to an epoch.

    Attributes
    ----------
    path : of their checkpoint, without a suffix
    until : the epoch; no further than the trials go
    stacked : side by side, even if there is only one
    """

    spec: Spec
    trials: tuple[Trial, ...]
    path: Path
    until: int
    precision: Precision
    stacked: bool

    @property
    def name(self) -> str:
        """The name of the checkpoint, which stands for these trials and no others."""
        return self.path.name

    @property
    def epochs(self) -> int:
        """How long the trials are."""
        return self.trials[0].epochs

    @property
    def target(self) -> int:
        """The epoch after which this job is done."""
        return min(self.until, self.epochs)

    def run(
        self,
        task: Task,
        *,
        stop: Callable[[], bool],
        report: Callable[[int, bool], None],
        note: Callable[[str], None],
        watch: Callable[[Run], None] | None = None,
    ) -> Progress:
        """Train on a task, from the checkpoint if there is one, until the end or until ``stop``.

        ``watch`` is shown the run after each epoch.
        """
        runs: list[Run] = []

        def make() -> Run:
            runs.append(self.start(task))
            return runs[-1]

        def reached(epoch: int, restored: bool) -> None:
            report(epoch, restored)
            if watch is not None and runs:  # none is made of what has ended before
                watch(runs[-1])

        with products(self.precision):
            return finish(
                make,
                self.path,
                self.epochs,
                until=self.until,
                stop=stop,
                report=reached,
                note=note,
                hardware=hardware(str(task.device)),
            )

    def start(self, task: Task) -> Run:
        """Build the run at its first step; one at a time, since a CUDA graph is captured here."""
        with BUILDING:
            if self.trials[0].entrant.rule == SFO.rule:
                return SumRun(self.spec, task, self.trials[0])
            if self.stacked:
                return Stack(self.spec, task, self.trials)
            return EagerRun(self.spec, task, self.trials[0])


class Listener(Protocol):
    """Whoever is told how jobs advance."""

    def report(self, job: Job, epoch: int, restored: bool) -> None:
        """Take note that a job has reached an epoch, in training or from its checkpoint."""

    def keep(self, job: Job, progress: Progress) -> None:
        """Take note of what a job has come to, once its worker lets go of it."""

    def note(self, text: str) -> None:
        """Show one line to whoever waits."""
