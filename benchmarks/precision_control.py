"""Train the same runs with products in float32 and in bfloat16; set the difference beside seeds.

A control of ``adam-edu reproduce --precision``: the same trials, seeds and noise both ways. For
each optimizer and epoch it compares how far rounding moves the mean over the seeds with how far the
seeds are apart. A claim that hangs on less than rounding moves needs float32. Run:
``python benchmarks/precision_control.py --output DIR``; checkpoints let it go on where it was.
"""

import argparse
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

EXPERIMENTS = ("mlp-mnist", "cnn-cifar10", "vae-mnist")


def moved(exact: np.ndarray, short: np.ndarray) -> dict[str, list[float]]:
    """Return, epoch by epoch, how far rounding moves the mean, and how far the seeds are apart.

    ``exact`` and ``short`` are (epochs, seeds); both numbers are shares of the mean.
    """
    mean = exact.mean(1)
    by_rounding = np.abs(short.mean(1) - mean) / mean
    by_seed = np.ptp(exact, axis=1) / mean
    return {
        "rounding": [float(f"{v:.3g}") for v in by_rounding],
        "seeds": [float(f"{v:.3g}") for v in by_seed],
    }


def control(spec: Any, examples: int, folder: Path, command: str) -> dict[str, Any]:
    """Run an experiment without tuning both ways, and return what the record says."""
    from adam_edu.experiments.executors import Processes
    from adam_edu.experiments.products import PRECISIONS, named
    from adam_edu.experiments.record import circumstances
    from adam_edu.experiments.reproduce import Reproduction, one_thread, shared
    from adam_edu.experiments.tasks import load_task
    from adam_edu.recorded import curves

    task = load_task(spec, "cpu", limit=examples)
    found = {}
    with ExitStack() as stack:
        stack.enter_context(one_thread())
        executor = stack.enter_context(Processes(shared(task, folder / spec.name)))
        for precision in PRECISIONS:
            run = Reproduction(spec, task, folder, executor=executor, precision=precision)
            found[precision] = run.run()
        made = circumstances("cpu")
    exact, short = (curves(found[precision]) for precision in PRECISIONS)
    rows = [{"optimizer": name} | moved(exact[name], short[name]) for name in exact]
    return {
        "experiment": f"{spec.name}-precision",
        "command": command,
        "data": {"name": spec.data, "train": len(task.train_y)},
        "rates": list(spec.grid),
        "dropout": spec.dropout[0],
        "seeds": len(spec.epochs),
        "epochs": spec.epochs[0],
        "precisions": [named(precision) for precision in PRECISIONS],
    } | made | {"optimizers": rows}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", default="mlp-mnist", choices=EXPERIMENTS)
    parser.add_argument("--examples", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--entrants", type=int, help="the first so many")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where the record goes")
    arguments = parser.parse_args()
    if arguments.output is None:
        print("precision_control: give --output; see --help")
        return
    from adam_edu.experiments.record import typed, write_record
    from adam_edu.experiments.specs import SPECS

    spec = SPECS[arguments.experiment]
    spec = replace(
        spec,
        entrants=spec.entrants[: arguments.entrants],
        dropout=spec.dropout[-1:],  # without noise of its own, where there is a choice
        grid=(arguments.rate,),
        tuning_epochs=0,
        epochs=(arguments.epochs,) * 3,
    )
    command = typed("precision_control.py", arguments, parser)
    folder = arguments.output / "checkpoints"
    record = control(spec, arguments.examples, folder, command)
    write_record(record, arguments.output / f"{record['experiment']}.json")
    for row in record["optimizers"]:
        print(
            f"{row['optimizer']:30} rounding moves the mean by {max(row['rounding']):.2%} at most, "
            f"seeds differ by {np.median(row['seeds']):.2%}"
        )


if __name__ == "__main__":
    main()
