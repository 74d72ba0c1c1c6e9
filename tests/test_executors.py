"""The same trials in one process, in several, and on a cluster: the same bits."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from cluster_models import slow_or_hungry
from tiny_experiments import SPEC, modest, small_task, tiny, without_times

from adam_edu.experiments import executors, reproduce
from adam_edu.experiments.executors import Processes
from adam_edu.experiments.jobs import Deadline, Job
from adam_edu.experiments.plan import tuning_trials
from adam_edu.experiments.specs import SPECS
from adam_edu.experiments.tasks import open_task
from adam_edu.experiments.trials import Trial

pytestmark = pytest.mark.usefixtures("one_thread")

TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def whole(tmp_path_factory, one_thread):
    """The results of a tiny experiment, made in this process."""
    return reproduce.Reproduction(
        tiny(SPEC), small_task(SPEC), tmp_path_factory.mktemp("whole")
    ).run()


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self):
        self.epochs, self.notes = [], []

    def report(self, job, epoch, restored):
        self.epochs.append((job.name, epoch, restored))

    def keep(self, job, progress):
        pass

    def note(self, text):
        self.notes.append(text)


def job(path, **changes):
    trial = Trial(SPEC.entrants[0], 1e-3, False, 0, 2)
    return Job(SPEC, (replace(trial, **changes),), path, 2, "float32", False)


@pytest.mark.parametrize("name", ["logistic-mnist", "logistic-imdb", "cnn-cifar10"])
def test_a_task_is_the_same_in_a_file(name, tmp_path):
    task = small_task(SPECS[name])
    if name == "logistic-imdb":
        task = replace(task, train_x=bags(task.train_x), test_x=bags(task.test_x))
    found = open_task(reproduce.shared(task, tmp_path))
    batch = torch.arange(5)
    for mine, theirs in zip(task.batch(batch), found.batch(batch), strict=True):
        different = mine != theirs
        assert not (different.any() if isinstance(mine, torch.Tensor) else different.nnz)
    assert found.shape == task.shape
    assert reproduce.shared(task, tmp_path) in tmp_path.iterdir()
    assert len(list(tmp_path.iterdir())) == 1


def bags(x):
    from adam_edu.experiments.tasks import examples

    return examples((x > 0.8).numpy().astype("uint8"), "cpu")


def test_processes_give_the_record_of_one_process(tmp_path, whole):
    task = small_task(SPEC)
    with Processes(reproduce.shared(task, tmp_path), 2) as executor:
        found = reproduce.Reproduction(tiny(SPEC), task, tmp_path, executor=executor).run()
    assert without_times(found) == without_times(whole)


@pytest.mark.parametrize("before_it_is_asked", [False, True])
def test_a_killed_process_is_replaced_and_its_job_goes_on(
    tmp_path, monkeypatch, before_it_is_asked
):
    heard = Heard()
    with Processes(reproduce.shared(small_task(SPEC), tmp_path), 1) as executor:
        started = executor.start

        def start_and_kill():
            worker = started()
            if not heard.notes:
                os.kill(worker.process.pid, signal.SIGKILL)
                if before_it_is_asked:
                    worker.process.join()
            return worker

        monkeypatch.setattr(executor, "start", start_and_kill)
        done = executor.run([job(tmp_path / "a")], heard, Deadline())
    assert [progress.epoch for progress in done.values()] == [2]
    (note,) = heard.notes
    assert (
        note == "the process that trains Adam at 0.001 ended; another goes on from its checkpoint"
    )


def test_a_job_that_kills_every_process_ends_in_one_clear_line(tmp_path):
    trial = Trial(SPEC.entrants[0], 1e-3, False, 0, 2)
    deadly = Job(replace(SPEC, model=exits), (trial,), tmp_path / "a", 2, "float32", False)
    heard = Heard()
    with (
        Processes(reproduce.shared(small_task(SPEC), tmp_path), 1) as executor,
        pytest.raises(ChildProcessError, match=r"ended 3 times in a row: .* fewer --workers"),
    ):
        executor.run([deadly], heard, Deadline())
    assert len(heard.notes) == executors.ATTEMPTS - 1


def exits(shape, classes, noisy):
    os._exit(1)


def test_an_error_in_a_process_is_raised_here(tmp_path):
    trial = Trial(replace(SPEC.entrants[0], hyper={"beta1": 2.0}), 1e-3, False, 0, 2)
    wrong = Job(SPEC, (trial,), tmp_path / "a", 2, "float32", False)
    with (
        Processes(reproduce.shared(small_task(SPEC), tmp_path), 1) as executor,
        pytest.raises(ValueError, match="beta1"),
    ):
        executor.run([wrong], Heard(), Deadline())


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_ends_all_processes_and_the_next_run_has_the_same_record(tmp_path):
    script = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "from test_executors import interrupted\n"
        "if __name__ == '__main__': interrupted(*sys.argv[1:])"
    )
    (tmp_path / "run.py").write_text(script)

    def start(pause):
        return subprocess.Popen(
            [sys.executable, str(tmp_path / "run.py"), str(tmp_path), str(pause)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    process = start(pause=0.2)
    until(lambda: list(tmp_path.rglob("*.json")) or process.poll() is not None, 120)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, err = process.communicate(timeout=60)
    assert err.decode().strip().endswith("KeyboardInterrupt")
    assert err.count(b"Traceback") == 1, err.decode()
    until(lambda: not in_session(process.pid), 30)
    process = start(pause=0)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    whole = reproduce.Reproduction(modest(SPEC), small_task(SPEC), tmp_path / "whole").run()
    assert out.decode().strip() == reproduce.fingerprint(without_times(whole))


class Slow(reproduce.Reproduction):
    """One that stops at each epoch, so that there is time to interrupt it."""

    pause = 0.0

    def report(self, *news):
        time.sleep(self.pause)
        super().report(*news)


def interrupted(directory, pause):
    """Run a tiny experiment in two processes, and print what tells its record from others."""
    Slow.pause = float(pause)
    task, path = small_task(SPEC), Path(directory)
    with Processes(reproduce.shared(task, path), 2) as executor:
        found = Slow(modest(SPEC), task, path, executor=executor).run()
    print(reproduce.fingerprint(without_times(found)))


def in_session(leader):
    """Return the processes that still run in a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(path)
    return found


def until(condition, seconds):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


# A cluster of real processes: a scheduler, and workers that one of them kills.


@contextmanager
def cluster(*workers, port=None):
    """Start a Dask scheduler and workers, each with its options and environment."""
    port = port or free_port()
    address = f"tcp://127.0.0.1:{port}"
    with ExitStack() as stack:
        scheduler = stack.enter_context(
            dask("scheduler", f"--port={port}", "--host=127.0.0.1", "--no-dashboard")
        )
        processes = [
            stack.enter_context(
                dask("worker", address, "--nthreads=1", "--no-dashboard", *options, **environment)
            )
            for options, environment in workers
        ]
        yield address, scheduler, processes


@contextmanager
def dask(kind, *options, **environment):
    paths = [str(TESTS), *sys.path]
    process = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


PLAIN = ("--no-nanny", "--memory-limit=0")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # those of Dask itself
def test_a_cluster_that_loses_workers_gives_the_record_of_one_process(tmp_path):
    """One of three workers is killed, one is slow, one runs out of memory again and again."""
    from adam_edu.experiments.cluster import Cluster

    spec = replace(modest(SPEC), model=slow_or_hungry, entrants=SPEC.entrants[:2])
    task = small_task(SPEC)
    whole = reproduce.Reproduction(spec, task, tmp_path / "whole").run()
    workers = [
        (PLAIN, {}),
        (PLAIN, {"ADAM_EDU_TEST": "slow"}),
        (("--nanny", "--memory-limit=1GiB"), {"ADAM_EDU_TEST": "hungry"}),
    ]
    with cluster(*workers) as (address, _, (first, *_)):
        file = reproduce.shared(task, tmp_path / "shared")
        with Cluster(address, file) as executor:
            executor.client.wait_for_workers(3, timeout=120)
            run = reproduce.Reproduction(spec, task, tmp_path / "shared", executor=executor)
            report = run.report

            def report_and_kill(job, epoch, restored):
                report(job, epoch, restored)
                if len(run.reported) == 5:
                    first.kill()

            run.report = report_and_kill
            found = run.run()
    assert first.returncode == -signal.SIGKILL
    assert without_times(found) == without_times(whole)
    assert run.progress.n == run.progress.total


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_outlives_its_scheduler(tmp_path):
    """The scheduler is killed in the middle of 60 trials, and comes back with new workers."""
    from adam_edu.experiments.cluster import Cluster

    grid = tuple(1e-4 * 1.1**k for k in range(6))
    spec = replace(SPEC, grid=grid, tuning_epochs=1, epochs=())
    task = small_task(SPEC)
    trials = list(tuning_trials(spec))
    assert len(trials) == 60
    alone = reproduce.Reproduction(spec, task, tmp_path / "whole").outcomes(trials)
    port = free_port()
    with ExitStack() as stack:
        address, scheduler, workers = stack.enter_context(
            cluster((PLAIN, {}), (PLAIN, {}), port=port)
        )
        file = reproduce.shared(task, tmp_path / "shared")
        executor = stack.enter_context(Cluster(address, file, patience=120))
        run = reproduce.Reproduction(spec, task, tmp_path / "shared", executor=executor)
        notes, report = [], run.report
        run.note = notes.append

        def report_and_restart(job, epoch, restored):
            report(job, epoch, restored)
            if len(run.reported) == 15 and scheduler.poll() is None:
                scheduler.kill()
                for worker in workers:
                    worker.kill()

        def wait_and_connect():
            stack.enter_context(cluster((PLAIN, {}), (PLAIN, {}), port=port))
            connect()

        run.report = report_and_restart
        connect, executor.connect = executor.connect, wait_and_connect
        found = run.outcomes(trials)
    assert scheduler.returncode == -signal.SIGKILL
    assert [note for note in notes if "is lost; waiting for it" in note]
    assert [o.curves for o in found] == [o.curves for o in alone]
    assert len(found) == 60


@pytest.mark.filterwarnings("default")
def test_without_a_scheduler_one_line_says_so(tmp_path):
    from adam_edu.experiments.cluster import Cluster

    address = f"tcp://127.0.0.1:{free_port()}"
    with (
        pytest.raises(ConnectionError, match=f"no Dask scheduler answers at {address}"),
        Cluster(address, tmp_path / "a", patience=0),
    ):
        pass


cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@cuda
@pytest.mark.parametrize("name", ["logistic-mnist", "mlp-mnist", "cnn-cifar10"])
def test_cuda_gives_the_curves_of_the_cpu(name, tmp_path):
    """Without dropout, whose noise differs from device to device."""
    spec = replace(tiny(SPECS[name]), dropout=(False,), grid=SPECS[name].grid[:2])
    task = small_task(spec)
    there = reproduce.Reproduction(spec, task.to("cuda"), tmp_path).run()
    here = reproduce.Reproduction(spec, task, tmp_path).run()
    first = [[run["train"][0] for run in results["runs"]] for results in (here, there)]
    assert first[0] == pytest.approx(first[1], rel=1e-3)
