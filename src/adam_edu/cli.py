"""The command line: ``adam-edu data | reproduce | bench | exercise``."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .check.cli import add_exercise

EXPERIMENTS = (
    "logistic-mnist",
    "logistic-imdb",
    "mlp-mnist",
    "mlp-mnist-rates",
    "cnn-cifar10",
    "vae-mnist",
)
DATA_SETS = ("mnist", "fashion_mnist", "imdb", "cifar10", "digits")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, or 1 after one line that says what is wrong.

    ``adam-edu exercise check`` returns 1 as well where a solution is not right yet.
    """
    parser = argparse.ArgumentParser(
        prog="adam-edu", description="Adam and its relatives, from the ground up."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(commands)
    options = parser.parse_args(arguments)
    try:
        return options.run(options) or 0
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("adam_edu"):
            raise
        print(
            f"adam-edu {options.command} needs {error.name}, which is not installed: "
            "pip install 'adam-edu[torch,data]'",
            file=sys.stderr,
        )
        return 1
    except (OSError, ValueError, KeyError) as error:
        print(f"adam-edu {options.command}: {_message(error)}", file=sys.stderr)
        return 1


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
        description="Run an experiment of Kingma and Ba (2015), section 6, and record its curves. "
        "Interrupted, it goes on where it was; the result is the same.",
    )
    parser.add_argument("name", choices=[*EXPERIMENTS, "all"], help="which experiment")
    parser.add_argument(
        "--quick", action="store_true", help="small embedded data and few steps, in seconds"
    )
    parser.add_argument("--device", default="cpu", help="cpu (the default) or cuda")
    parser.add_argument("--seeds", type=_positive, metavar="N", help="seeds 0 to N - 1")
    parser.add_argument(
        "--minutes",
        type=float,
        default=float("inf"),
        help="stop and record what is done by then, with the same epochs for every optimizer",
    )
    cuts = parser.add_argument_group(
        "a smaller budget, equal for every optimizer, that the record states"
    )
    cuts.add_argument("--rates", type=_rates, metavar="A,B,...", help="learning rates to try")
    cuts.add_argument("--tuning-epochs", type=_positive, metavar="N", help="length of a tuning run")
    cuts.add_argument("--epochs", type=_positive, metavar="N", help="length of a run, at most")
    cuts.add_argument("--examples", type=_positive, metavar="N", help="training examples, at most")
    cuts.add_argument("--dropout", choices=["with", "without"], help="one version only")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="where the record goes (default: the package)"
    )
    parser.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="where states are kept meanwhile"
    )
    parser.set_defaults(run=run_reproduce)


def run_reproduce(options: argparse.Namespace) -> None:
    """Run one experiment, or all, and write a record of each."""
    from .experiments.budget import Budget
    from .experiments.record import write_record
    from .experiments.reproduce import reproduce
    from .experiments.specs import SPECS

    _check_device(options.device)
    output, checkpoints = _output(options), _checkpoints(options)
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
        record = reproduce(
            SPECS[name],
            device=options.device,
            checkpoints=checkpoints,
            command=_command(options, name),
            quick=options.quick,
            budget=budget,
            deadline=deadline,
        )
        path = output / f"{name}.json"
        write_record(record, path)
        print(f"{path}{'' if record['finished'] else ' (not finished: run it again to go on)'}")


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
]


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {value}")
    return value


def _rates(text: str) -> tuple[float, ...]:
    values = tuple(float(word) for word in text.split(","))
    if not all(0 < value < float("inf") for value in values):
        raise argparse.ArgumentTypeError("learning rates must be above 0")
    return values


def _command(options: argparse.Namespace, *names: str) -> str:
    """Return the command as it should be typed to get the same result elsewhere."""
    words = ["adam-edu", options.command, *names, f"--device={options.device}"]
    if options.quick:
        words.append("--quick")
    for name in ("seeds", "rates", "tuning_epochs", "epochs", "examples", "dropout"):
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


def _output(options: argparse.Namespace) -> Path:
    """Return where records go; a quick run never writes over a recorded one."""
    from .experiments.record import RESULTS

    if options.output:
        return options.output
    return _user_directory() / "quick" if options.quick else RESULTS


def _checkpoints(options: argparse.Namespace) -> Path:
    kind = "quick" if options.quick else "full"
    return options.checkpoints or _user_directory() / "checkpoints" / kind


def _user_directory() -> Path:
    import pooch

    return Path(pooch.os_cache("adam-edu"))


if __name__ == "__main__":
    sys.exit(main())
