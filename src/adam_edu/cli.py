"""The command line: ``adam-edu data | reproduce | bench | exercise | identify``."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import __version__
from .arguments import folder, minutes, rates, whole
from .check.cli import add_exercise
from .libraries.cli import add_identify
from .recorded import RESULTS

EXPERIMENTS = (
    "logistic-mnist",
    "logistic-imdb",
    "mlp-mnist",
    "mlp-mnist-rates",
    "mlp-mnist-sfo",
    "cnn-cifar10",
    "vae-mnist",
    "transformer-imdb",
)
DATA_SETS = ("mnist", "fashion_mnist", "imdb", "cifar10", "digits")

EXTRAS = {"matplotlib": "torch,data,lab"}
INTERRUPTED = 130  # what a shell returns for a command that Ctrl-C ended


def main(words: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, or 1 after one line that says what is wrong.

    ``adam-edu exercise check`` returns 1 as well where a solution is not right yet. After Ctrl-C it
    is 130.
    """
    parser = argparse.ArgumentParser(
        prog="adam-edu", description="Adam and its relatives, from the ground up."
    )
    parser.add_argument("--version", action="version", version=f"adam-edu {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    options = parser.parse_args(words)
    try:
        return options.run(options) or 0
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("adam_edu"):
            raise
        print(
            f"adam-edu {options.command} needs {error.name}, which is not installed: "
            f"pip install 'adam-edu[{EXTRAS.get(error.name or '', 'torch,data')}]'",
            file=sys.stderr,
        )
        return 1
    except (OSError, ValueError, KeyError) as error:
        print(f"adam-edu {options.command}: {_message(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        kept = getattr(options, "kept", "")
        print(f"\nadam-edu {options.command}: stopped.{kept}", file=sys.stderr)
        return INTERRUPTED


def _message(error: Exception) -> str:
    return str(error.args[0]) if isinstance(error, KeyError) else str(error)


def add_data(commands: argparse._SubParsersAction) -> None:
    """Add ``adam-edu data``."""
    parser = commands.add_parser(
        "data",
        help="download the data sets and verify them",
        description="Download data sets, verify them, and say what they hold.",
    )
    parser.add_argument(
        "names", nargs="*", default=DATA_SETS, metavar="NAME", help=f"{', '.join(DATA_SETS)}"
    )
    parser.set_defaults(run=run_data)


def run_data(options: argparse.Namespace) -> None:
    """Load each data set and print its shapes."""
    from . import data

    for name in options.names:
        loaded = data.load(name)
        print(f"{name}: {len(loaded.train_x)} training and {len(loaded.test_x)} test examples")


def add_reproduce(commands: argparse._SubParsersAction) -> None:
    """Add ``adam-edu reproduce``."""
    parser = commands.add_parser(
        "reproduce",
        help="run an experiment of the Adam paper again and record it",
        description="Run an experiment of Kingma and Ba (2015), section 6, or of the course, and "
        "record its curves. "
        "Interrupted, it goes on where it was; the result is the same.",
    )
    parser.add_argument("name", choices=[*EXPERIMENTS, "all"], help="which experiment")
    parser.add_argument(
        "--quick", action="store_true", help="small embedded data and few steps, in seconds"
    )
    parser.add_argument("--device", default="cpu", help="cpu (the default) or cuda")
    parser.add_argument("--seeds", type=whole, metavar="N", help="seeds 0 to N - 1")
    parser.add_argument(
        "--minutes",
        type=minutes,
        default=float("inf"),
        help="stop and record what is done by then, with the same epochs for every optimizer",
    )
    parser.add_argument(
        "--workers",
        type=whole,
        metavar="N",
        help="processes of one thread (default: as many as there are cores)",
    )
    parser.add_argument(
        "--executor",
        choices=["processes", "dask"],
        default="processes",
        help="processes of this machine (the default), or the workers of a Dask cluster",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of the Dask cluster, such as tcp://10.0.0.1:8786"
    )
    parser.add_argument(
        "--precision",
        choices=["float32", "bfloat16-products"],
        help="of matrix products (default: what is fastest here and leaves the claims as they are)",
    )
    cuts = parser.add_argument_group(
        "a smaller budget, equal for every optimizer, that the record states"
    )
    cuts.add_argument("--rates", type=rates, metavar="A,B,...", help="learning rates to try")
    cuts.add_argument("--tuning-epochs", type=whole, metavar="N", help="length of a tuning run")
    cuts.add_argument("--epochs", type=whole, metavar="N", help="length of a run, at most")
    cuts.add_argument("--examples", type=whole, metavar="N", help="training examples, at most")
    cuts.add_argument("--dropout", choices=["with", "without"], help="one version only")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="where the record goes (default: the package)"
    )
    parser.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="where states are kept meanwhile"
    )
    parser.add_argument(
        "--finished",
        type=Path,
        metavar="FILE",
        help="a text file of runs that have ended, here or on another machine: "
        "what it has is not run again, and each run that ends is added",
    )
    parser.add_argument(
        "--plot",
        action="store_true",
        help="draw the curves at the end, here and into a picture beside the record",
    )
    parser.set_defaults(
        run=run_reproduce,
        kept=" What is done is kept: the same command goes on where it was.",
    )


def run_reproduce(options: argparse.Namespace) -> None:
    """Run one experiment, or all, write a record of each, and say what became of the claims."""
    if options.plot:
        _check_plot()
    _check_finished(options)
    output, checkpoints = _output(options), _checkpoints(options)
    _say(f"{options.name}: loading Torch, which takes some seconds ...")
    from .experiments.budget import Budget
    from .experiments.record import write_record
    from .experiments.reproduce import reproduce
    from .experiments.specs import SPECS

    _check_device(options.device)
    _check_executor(options)
    deadline = time.monotonic() + 60 * options.minutes
    budget = Budget(
        seeds=options.seeds,
        grid=options.rates,
        tuning_epochs=options.tuning_epochs,
        epochs=options.epochs,
        examples=options.examples,
        dropout=None if options.dropout is None else options.dropout == "with",
    )
    for name in EXPERIMENTS if options.name == "all" else [options.name]:
        _say(f"{name}: loading the data, then training ...")
        record = reproduce(
            SPECS[name],
            device=options.device,
            checkpoints=checkpoints,
            command=_command(options, name),
            quick=options.quick,
            budget=budget,
            deadline=deadline,
            precision=options.precision,
            workers=options.workers,
            scheduler=options.scheduler,
            finished=options.finished,
        )
        path = output / f"{name}.json"
        write_record(record, path)
        print(f"{path}{'' if record['finished'] else ' (not finished: run it again to go on)'}")
        _tell(record, path, plot=options.plot)


def _tell(record: dict[str, Any], path: Path, *, plot: bool) -> None:
    """Print the verdicts of a record, and on demand its curves."""
    from .experiments.summary import as_text, verdicts, write_picture

    if plot:
        color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print(as_text(record, color=color))
        write_picture(record, path.with_suffix(".png"))
        print(path.with_suffix(".png"))
    print(verdicts(record))


def add_bench(commands: argparse._SubParsersAction) -> None:
    """Add ``adam-edu bench``."""
    parser = commands.add_parser(
        "bench",
        help="time training with this Adam and with Torch's fused one",
        description="Train the multilayer network with this package's Adam and with Torch's fused "
        "one, in turns, and record the steps a second of both.",
    )
    parser.add_argument("--quick", action="store_true", help="small embedded data, few steps")
    parser.add_argument("--device", default="cpu", help="cpu (the default) or cuda")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where the record goes")
    parser.set_defaults(run=run_bench)


def run_bench(options: argparse.Namespace) -> None:
    """Measure, print and record."""
    from .experiments.budget import quick_version
    from .experiments.cost import measure_cost
    from .experiments.record import write_record
    from .experiments.specs import MLP_MNIST
    from .experiments.tasks import load_task

    _check_device(options.device)
    output = _output(options)
    spec = quick_version(MLP_MNIST) if options.quick else MLP_MNIST
    task = load_task(spec, options.device)
    cost = measure_cost(task, **({"steps": 5, "rounds": 4} if options.quick else {}))
    for name, speed in cost["steps_per_second"].items():
        print(f"{name}: {speed:.0f} steps a second")
    print(f"ratio (above 1, adam_edu is faster): {cost['ratio']}")
    write_record(cost | {"command": _command(options)}, output / "mlp-mnist-cost.json")


COMMANDS: list[Callable[[argparse._SubParsersAction], None]] = [
    add_data,
    add_reproduce,
    add_bench,
    add_exercise,
    add_identify,
]


def _say(text: str) -> None:
    """Say what is going on, at once, and not among the results."""
    print(text, file=sys.stderr, flush=True)


def _command(options: argparse.Namespace, *names: str) -> str:
    """Return the command as it should be typed to get the same result elsewhere."""
    words = ["adam-edu", options.command, *names, f"--device={options.device}"]
    if options.quick:
        words.append("--quick")
    for name in (
        "precision",
        "seeds",
        "rates",
        "tuning_epochs",
        "epochs",
        "examples",
        "dropout",
        "finished",
    ):
        value = getattr(options, name, None)
        if value is not None:
            text = ",".join(f"{v:g}" for v in value) if isinstance(value, tuple) else value
            words.append(f"--{name.replace('_', '-')}={text}")
    return " ".join(words)


def _check_device(device: str) -> None:
    import torch

    kind = device.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise ValueError(f"--device must be cpu or cuda, not {device!r}")
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: Torch sees no CUDA device; leave the option out for cpu")


def _check_plot() -> None:
    for name in ("uniplot", "matplotlib"):
        if find_spec(name) is None:
            raise ModuleNotFoundError(name=name)


def _check_executor(options: argparse.Namespace) -> None:
    if (options.executor == "dask") != (options.scheduler is not None):
        raise ValueError("--executor dask and --scheduler ADDRESS belong together: give both")
    if options.executor == "dask" and options.device != "cpu":
        raise ValueError("--executor dask trains on CPUs: leave --device out")
    if options.executor == "dask" and options.workers is not None:
        raise ValueError("--workers is for processes of this machine: leave it out with dask")


def _check_finished(options: argparse.Namespace) -> None:
    if options.finished is None:
        return
    if options.name == "all":
        raise ValueError("--finished is a file of one experiment: name that one in place of all")
    folder(options.finished.parent, "--finished")


def _output(options: argparse.Namespace) -> Path:
    """Return where records go, and can; a quick run never writes over a recorded one."""
    if options.output:
        return folder(options.output, "--output")
    default = _user_directory() / "quick" if options.quick else RESULTS
    return folder(default, "--output")


def _checkpoints(options: argparse.Namespace) -> Path:
    kind = "quick" if options.quick else "full"
    default = _user_directory() / "checkpoints" / kind
    return folder(options.checkpoints or default, "--checkpoints")


def _user_directory() -> Path:
    import pooch

    return Path(pooch.os_cache("adam-edu"))


if __name__ == "__main__":
    sys.exit(main())
