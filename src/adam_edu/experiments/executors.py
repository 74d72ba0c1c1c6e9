"""Where jobs run: in this process, on a GPU's streams, or in processes of one thread each."""

import multiprocessing
import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import torch

from .checkpoint import Progress
from .jobs import Job, Listener
from .tasks import Task, open_task
from .trials import Run

ATTEMPTS = 3  # of a job whose process ends in the middle, without a further epoch between them

Stop = Callable[[], bool]


class Executor(Protocol):
    """Runs jobs, each from its checkpoint on, in whatever order."""

    def run(self, jobs: Sequence[Job], listener: Listener, stop: Stop) -> dict[str, Progress]:
        """Return how far each job has come, by its name, once all are done or it is time to stop.

        Raises what a job raises.
        """


@dataclass(frozen=True)
class Here:
    """Runs jobs one after the other in this process; on a GPU several at once.

    ``watch`` is shown each run after each of its epochs.
    """

    task: Task
    streams: int = 4
    watch: Callable[[Run], None] | None = None

    def run(self, jobs: Sequence[Job], listener: Listener, stop: Stop) -> dict[str, Progress]:
        """Run them."""

        def one(job: Job) -> Progress:
            progress = job.run(
                self.task,
                stop=stop,
                report=lambda epoch, restored: listener.report(job, epoch, restored),
                note=listener.note,
                watch=self.watch,
            )
            listener.keep(job, progress)
            return progress

        if self.task.device.type != "cuda":
            return {job.name: one(job) for job in jobs}

        # A small model's step is too short to fill the device: a thread with a stream for each.
        def on_stream(job: Job) -> Progress:
            with torch.cuda.stream(torch.cuda.Stream()):
                return one(job)

        torch.cuda.synchronize()
        with ThreadPoolExecutor(self.streams) as pool:
            return dict(zip([job.name for job in jobs], pool.map(on_stream, jobs), strict=True))


@dataclass
class Worker:
    """A process, our end of the pipe to it, and what it is doing."""

    process: Any
    connection: Connection
    job: Job | None = None


class Processes:
    """Runs jobs in processes of one thread, which share the data as a file mapped into memory.

    On the models of these experiments a second thread brings a tenth, or nothing. A process that
    ends in the middle of a job, killed for its memory perhaps, is replaced, and the job goes on
    from its checkpoint.
    """

    def __init__(self, task: Path, count: int | None = None) -> None:
        self.task = task
        self.count = cores() if count is None else count
        self.workers: list[Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for worker in self.workers:
            worker.process.terminate()  # what matters is on disk, written in one piece
        for worker in self.workers:
            worker.process.join()
            worker.connection.close()
        self.workers.clear()

    def run(self, jobs: Sequence[Job], listener: Listener, stop: Stop) -> dict[str, Progress]:
        """Run them, the first ones first.

        Raises
        ------
        ChildProcessError
            If the processes that train one job keep ending.
        """
        todo, done = deque(jobs), dict[str, Progress]()
        losses: Counter[str] = Counter()
        while len(done) < len(jobs):
            self.distribute(todo, stop)
            busy = {worker.connection: worker for worker in self.workers if worker.job is not None}
            for connection in wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]
                job = worker.job
                assert job is not None
                try:
                    message = worker.connection.recv()
                except (EOFError, ConnectionResetError):
                    self.replace(worker)
                    losses[job.name] += 1
                    if losses[job.name] >= ATTEMPTS:
                        raise ChildProcessError(
                            f"the process that trains {described(job)} ended {ATTEMPTS} times "
                            "in a row: is there too little memory for so many? Give fewer --workers"
                        ) from None
                    listener.note(
                        f"the process that trains {described(job)} ended; another goes on "
                        "from its checkpoint"
                    )
                    todo.appendleft(job)
                    continue
                if isinstance(message, Progress):
                    done[job.name] = message
                    worker.job = None
                    listener.keep(job, message)
                elif isinstance(message, str):
                    listener.note(message)
                elif isinstance(message, BaseException):
                    raise message
                else:
                    epoch, restored = message
                    if not restored:
                        losses.pop(job.name, None)
                    listener.report(job, epoch, restored)
        return done

    def distribute(self, todo: deque[Job], stop: Stop) -> None:
        """Give jobs to idle processes, and start more while there is need and room."""
        while todo:
            idle = next((worker for worker in self.workers if worker.job is None), None)
            if idle is None:
                if len(self.workers) >= self.count:
                    return
                idle = self.start()
            idle.job = todo.popleft()
            # One that has ended is told by the end of its answers.
            with suppress(BrokenPipeError, ConnectionResetError):
                idle.connection.send((idle.job, stop))

    def warm_up(self) -> None:
        """Start all processes and wait until they can work: for who measures time."""
        for worker in [self.start() for _ in range(self.count)]:
            worker.connection.send(None)
        for worker in self.workers:
            worker.connection.recv()

    def start(self) -> Worker:
        """Start a process."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self.task), daemon=True)
        with _interrupts_blocked():
            process.start()
        theirs.close()
        self.workers.append(Worker(process, ours))
        return self.workers[-1]

    def replace(self, worker: Worker) -> None:
        """Forget a process that has ended."""
        worker.connection.close()
        worker.process.join()
        self.workers.remove(worker)


def work(connection: Connection, task_path: Path) -> None:
    """Do jobs as they come through a pipe, until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    task = open_task(task_path)
    while True:
        try:
            order = connection.recv()
        except EOFError:
            return
        if order is None:
            connection.send(None)
            continue
        job, stop = order
        try:
            message: Any = job.run(
                task,
                stop=stop,
                report=lambda epoch, restored: connection.send((epoch, restored)),
                note=connection.send,
            )
        except BrokenPipeError:  # whoever waited is gone
            return
        except Exception as error:
            message = error
        connection.send(message)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Keep Ctrl-C from a process that starts: the one that started it decides what it ends."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def described(job: Job) -> str:
    """Return a few words on a job."""
    first, *others = job.trials
    more = f" and {len(others)} more" if others else ""
    return f"{first.entrant.label} at {first.lr:g}{more}"


def cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
