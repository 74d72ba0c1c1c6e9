"""Time the engine of `adam-edu reproduce` at another revision against that of this tree, in turns.

Both train the same part of an experiment's plan on the same examples, in a process of their own
that finds the machine as it is: an old engine with the threads that Torch takes, ours in processes
of one thread. What counts is epochs of the whole plan in an hour: the seconds of a plan's part,
without the start and the loading, extrapolated by the number of epochs. The final losses of both
are printed beside the spread of the seeds. On a machine that others use, what is compared means
little; the load is printed. Run: ``python benchmarks/engine_speed.py REV mlp-mnist cnn-cifar10``
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
TARGETS = {
    "mlp-mnist": 3.0,
    "cnn-cifar10": 4.0,
    "vae-mnist": 2.5,
    "logistic-mnist": 2.0,
    "logistic-imdb": 2.0,
}
# Training examples of each; the test set is thinned likewise.
EXAMPLES = {
    "mlp-mnist": 5_120,
    "cnn-cifar10": 640,
    "vae-mnist": 12_000,
    "logistic-mnist": 60_000,
    "logistic-imdb": 25_000,
}
SEEDS = 2


def part(name: str) -> Any:
    """Return an experiment with its versions and, but for sixty of them, all its entrants.

    One epoch of tuning, and one for each of two seeds.
    """
    from adam_edu.experiments.specs import SPECS

    spec = SPECS[name]
    middle = len(spec.grid) // 2
    # Where runs share the work of a process, the whole grid counts.
    grid = spec.grid if name.startswith("logistic") else spec.grid[middle - 1 : middle + 2]
    entrants = spec.entrants[:2] if len(spec.entrants) > 5 else spec.entrants
    tuning = min(spec.tuning_epochs, 1)
    return replace(spec, grid=grid, entrants=entrants, tuning_epochs=tuning, epochs=(1,) * SEEDS)


def train(name: str, examples: int) -> dict[str, Any]:
    """Train a part of a plan with the engine that is imported; return seconds and curves."""
    from adam_edu.experiments import reproduce as engine
    from adam_edu.experiments.tasks import load_task

    spec = part(name)
    task = load_task(spec, "cpu", limit=examples)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        if hasattr(engine, "Processes"):
            import torch

            torch.set_num_threads(1)
            with engine.Processes(engine.shared(task, directory)) as executor:
                executor.warm_up()
                precision = engine.best_precision() if spec.bfloat16 else "float32"
                run = engine.Reproduction(
                    spec, task, directory, executor=executor, precision=precision
                )
                begin = perf_counter()
                results = run.run()
                seconds = perf_counter() - begin
        else:
            precision = "float32"
            run = engine.Reproduction(spec, task, directory)
            begin = perf_counter()
            results = run.run()
            seconds = perf_counter() - begin
    losses: dict[str, list[float]] = {}
    for entry in results["runs"]:
        key = f"{entry['optimizer']} {entry['lr']:g} {entry['dropout']}"
        losses.setdefault(key, []).append(entry["train"][-1])
    epochs = int(run.progress.n)
    return {"seconds": seconds, "epochs": epochs, "precision": precision, "losses": losses}


def measured(source: Path, name: str, examples: int) -> dict[str, Any]:
    """Return what :func:`train` does in a new process with the package of ``source``."""
    command = [sys.executable, __file__, "--side", name, "--examples", str(examples)]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(source)}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """Yield the sources of a revision, in a work tree of their own."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "old"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", tree, revision], check=True, capture_output=True)
        try:
            yield tree / "src"
        finally:
            subprocess.run([*git, "remove", "--force", tree], check=True)


def apart(old: dict[str, Any], new: dict[str, Any]) -> tuple[float, float]:
    """Return the median difference of the two engines' mean losses, and of two seeds' losses.

    Both relative, over the trials that both have, and that did not diverge.
    """
    between, within = [], []
    for key in old["losses"].keys() & new["losses"].keys():
        a, b = (np.array(side["losses"][key], dtype=float) for side in (old, new))
        if np.isfinite(a).all() and np.isfinite(b).all():
            between.append(abs(a.mean() - b.mean()) / a.mean())
            within.append(np.ptp(a) / a.mean())
    return float(np.median(between)), float(np.median(within))


def compare(name: str, old: Path, examples: int, turns: int) -> None:
    """Print a line for each turn, and one for all."""
    ratios = []
    for turn in range(turns):
        sides = {"old": old, "new": ROOT / "src"}
        found = {
            side: measured(sides[side], name, examples)
            for side in (sides if turn % 2 == 0 else reversed(sides))
        }
        rates = {side: 3600 * f["epochs"] / f["seconds"] for side, f in found.items()}
        ratios.append(rates["new"] / rates["old"])
        between, within = apart(found["old"], found["new"])
        print(
            f"{name:15} {rates['old']:8.0f} -> {rates['new']:8.0f} epochs of {examples:,} examples "
            f"an hour, ratio {ratios[-1]:5.2f} (target {TARGETS[name]}); losses differ by "
            f"{between:.2%}, seeds by {within:.2%}; {found['new']['precision']}, "
            f"load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
    low, middle, high = np.percentile(ratios, [0, 50, 100])
    print(f"{name:15} ratio {middle:.2f} ({low:.2f} to {high:.2f}), target {TARGETS[name]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", nargs="?", metavar="REV", help="of the engine to compare with")
    parser.add_argument("experiments", nargs="*", metavar="NAME", help=", ".join(TARGETS))
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--examples", type=int, help="training examples, at most")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        print(json.dumps(train(arguments.side, arguments.examples)))
        return
    if arguments.revision is None:
        print("engine_speed: give a revision to compare with, such as the first commit; see --help")
        return
    with checked_out(arguments.revision) as old:
        for name in arguments.experiments or TARGETS:
            examples = min(arguments.examples or 10**9, EXAMPLES[name])
            compare(name, old, examples, arguments.turns)


if __name__ == "__main__":
    main()
