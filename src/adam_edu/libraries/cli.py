"""``adam-edu identify``: which rule an optimizer runs, asked in a terminal."""

import argparse
import sys
from importlib import import_module
from typing import Any


def add_identify(commands: argparse._SubParsersAction) -> None:
    """Add ``adam-edu identify``."""
    parser = commands.add_parser(
        "identify",
        help="say which rule an optimizer runs, and with which hyper-parameters",
        description="Drive an optimizer by gradients, and say which rule it runs: "
        "torch.optim:NAdam, my_module:MyAdam, or any program that reads and writes JSON lines.",
    )
    parser.add_argument(
        "optimizer",
        nargs="?",
        metavar="MODULE:NAME",
        help="a class, an instance, or a function that makes one",
    )
    parser.add_argument(
        "--torch", action="store_true", help="MODULE:NAME is called with a list of Torch parameters"
    )
    parser.add_argument(
        "--call", action="store_true", help="MODULE:NAME is called without arguments first"
    )
    parser.add_argument(
        "--command",
        dest="program",
        metavar="PROGRAM",
        help='a program in place of MODULE:NAME: its first line is {"x": [...]}, each further one '
        '{"g": [...]}, which it answers with {"x": [...]}',
    )
    parser.add_argument("--json", action="store_true", help="print one object of JSON")
    parser.set_defaults(run=run_identify)


def run_identify(options: argparse.Namespace) -> int:
    """Identify, and print; 1 if no rule fits."""
    from .frameworks import Torch
    from .functions import Command
    from .identify import identify

    if (options.optimizer is None) == (options.program is None):
        raise ValueError("name one optimizer: MODULE:NAME, or --command PROGRAM")
    given: Any
    if options.program is not None:
        given = Command(options.program)
    else:
        given = found(options.optimizer)
        given = given() if options.call else given
        given = Torch(given) if options.torch else given
    identity = identify(given, progress=_say)
    print(identity.as_json() if options.json else identity)
    return 0 if identity.fits else 1


def found(text: str) -> Any:
    """Return what MODULE:NAME names; modules of the working folder are found too.

    Raises
    ------
    ValueError
        If there is no such module or name.
    """
    module, _, name = text.partition(":")
    if not name:
        raise ValueError(f"name module and optimizer, as in torch.optim:NAdam, not {text!r}")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        value: Any = import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise ValueError(f"there is no module {module!r} here") from None
        raise
    for part in name.split("."):
        if not hasattr(value, part):
            raise ValueError(f"{module} has no {name!r}")
        value = getattr(value, part)
    return value


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text} ...", end="", file=sys.stderr, flush=True)
