"""Jobs on a Dask cluster: many machines that share a folder."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import torch

try:
    from distributed import Client, Event, KilledWorker, as_completed, get_worker
except ModuleNotFoundError as missing:
    wanted = "a cluster needs distributed: pip install 'adam-edu[cluster]'"
    raise ModuleNotFoundError(wanted, name=missing.name) from missing

from .checkpoint import Progress
from .executors import ATTEMPTS, Stop, described
from .jobs import Job, Listener
from .tasks import Task, open_task

PATIENCE = 300.0  # seconds to wait for a scheduler that does not answer


class Cluster:
    """Runs jobs on the workers of a Dask scheduler, which see the same folder as this process.

    A job whose worker is lost goes on from its checkpoint on another. If the scheduler is lost,
    the jobs wait for it to come back. A job that runs twice, since a worker was thought lost and
    was not, computes the same and counts once.

    Attributes
    ----------
    scheduler : its address, such as ``tcp://10.0.0.1:8786``
    task : the file of the examples, in the folder that all share
    patience : how long to wait for a scheduler, in seconds
    """

    def __init__(self, scheduler: str, task: Path, *, patience: float = PATIENCE) -> None:
        self.scheduler, self.task, self.patience = scheduler, task.resolve(), patience
        self.topic = f"adam-edu-{uuid4().hex}"
        self.jobs: dict[str, Job] = {}
        self.losses: Counter[str] = Counter()

    def __enter__(self) -> Self:
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # one clear line is ours
        self.connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.disconnect()

    def disconnect(self) -> None:
        """Let go of the scheduler, which may be there or not."""
        with suppress(TimeoutError, OSError):
            self.client.close(timeout=2)

    def connect(self) -> None:
        """Connect to the scheduler, and wait for it if need be.

        Raises
        ------
        ConnectionError
            If it does not answer in time.
        """
        give_up = time.monotonic() + self.patience
        while True:
            try:
                self.client = Client(self.scheduler, timeout=2, set_as_default=False)
            except (OSError, TimeoutError) as error:
                if time.monotonic() > give_up:
                    raise ConnectionError(
                        f"no Dask scheduler answers at {self.scheduler}: "
                        "start one with: dask scheduler"
                    ) from error
                time.sleep(0.5)
            else:
                return

    def run(self, jobs: Sequence[Job], listener: Listener, stop: Stop) -> dict[str, Progress]:
        """Run them, the first ones first.

        Raises
        ------
        ConnectionError
            If the scheduler is lost and does not come back.
        ChildProcessError
            If the workers that train one job keep dying.
        """
        self.jobs = {job.name: job for job in jobs}
        done: dict[str, Progress] = {}
        while len(done) < len(self.jobs):
            todo = [job for job in jobs if job.name not in done]
            try:
                self.round(todo, done, listener, stop)
            except (CancelledError, OSError, TimeoutError) as error:
                if isinstance(error, ChildProcessError | FileNotFoundError):
                    raise
                listener.note(f"the scheduler at {self.scheduler} is lost; waiting for it")
                self.disconnect()
                self.connect()
        return done

    def round(
        self, jobs: list[Job], done: dict[str, Progress], listener: Listener, stop: Stop
    ) -> None:
        """Submit jobs and wait for them; what is done goes into ``done`` at once."""
        client = self.client
        halt = Event(f"{self.topic}-{uuid4().hex}", client=client)

        def heard(event: Any) -> None:
            name, *message = event[1]
            if name not in done:
                self.hear(self.jobs[name], message, listener)

        client.subscribe_topic(self.topic, heard)

        def submit(job: Job) -> Any:
            return client.submit(
                work,
                job,
                self.task,
                self.topic,
                halt.name,
                key=f"{job.name}-{uuid4().hex}",
                priority=-self.rank(job),
            )

        futures = {submit(job): job for job in jobs}
        waiting, halted = as_completed(futures, loop=client.loop), False
        while waiting.count():
            if stop() and not halted:
                halt.set()
                halted = True
            if not waiting.has_ready():
                if client.status not in ("running", "newly-created"):
                    raise CancelledError
                time.sleep(0.05)
                continue
            future = next(waiting)
            job = futures.pop(future)
            if future.status in ("cancelled", "lost"):
                raise CancelledError
            error = future.exception()
            if error is None:
                done[job.name] = future.result()
                with suppress(OSError):  # else it would pass for a lost scheduler; raised later
                    listener.keep(job, done[job.name])
            elif isinstance(error, KilledWorker):
                self.losses[job.name] += 1
                if self.losses[job.name] >= ATTEMPTS:
                    raise ChildProcessError(
                        f"the workers that train {described(job)} keep dying: "
                        "have they too little memory?"
                    ) from error
                again = submit(job)
                futures[again] = job
                waiting.add(again)
            else:
                raise error

    def rank(self, job: Job) -> int:
        """Return a job's place in the order."""
        return list(self.jobs).index(job.name)

    def hear(self, job: Job, message: Any, listener: Listener) -> None:
        """Pass on what a worker says of a job."""
        if isinstance(message[0], str):
            listener.note(message[0])
        else:
            epoch, restored = message
            if not restored:
                self.losses.pop(job.name, None)
            listener.report(job, epoch, restored)


def work(job: Job, task: Path, topic: str, halt: str) -> Progress:
    """Do a job on a worker, and say how it advances.

    Raises
    ------
    FileNotFoundError
        If the worker does not see the shared folder.
    """
    worker = get_worker()
    torch.set_num_threads(1)
    if not task.exists():
        raise FileNotFoundError(
            f"the worker at {worker.address} does not see {task}: --checkpoints must name a "
            "folder that all machines share"
        )
    return job.run(
        opened(task),
        stop=_Asked(Event(halt).is_set),
        report=lambda epoch, restored: worker.log_event(topic, (job.name, epoch, restored)),
        note=lambda text: worker.log_event(topic, (job.name, text)),
    )


class _Asked:
    """Asks the scheduler whether to stop, once a second at most."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self.ask, self.next, self.answer = ask, 0.0, False

    def __call__(self) -> bool:
        if time.monotonic() >= self.next and not self.answer:
            self.answer, self.next = self.ask(), time.monotonic() + 1
        return self.answer


@lru_cache(maxsize=1)
def opened(task: Path) -> Task:
    """Return the examples, read once for all jobs of a worker."""
    return open_task(task)
