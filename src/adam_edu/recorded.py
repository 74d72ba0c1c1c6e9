"""The recorded runs of the paper's experiments: to read, to compare, to judge. Needs NumPy alone.

``adam-edu reproduce`` makes a record; a chapter draws it, and computes from it whether a claim of
the paper held.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .names import lookup

RESULTS = Path(__file__).resolve().parent / "results"

# The entrants of figure 4 of the Adam paper: the grid of its settings is the experiment.
SETTING = re.compile(r"(Adam|AdamUncorrected), beta1 ([\d.]+), beta2 ([\d.]+)")

Record = Mapping[str, Any]
Array = NDArray[np.float64]

# Names that are short enough to stand at the end of a line, as in the figures' style.
SHORT = {
    "SGD with Nesterov momentum": "Nesterov",
    "AdaGrad, constant rate": "AdaGrad, constant",
}


def load_result(name: str) -> dict[str, Any]:
    """Return the recorded run of an experiment that comes with the package.

    Raises
    ------
    KeyError
        If there is none of that name; the message offers the nearest one.

    Examples
    --------
    >>> load_result("logistic-mnist")["figure"]
    'Figure 1, left (section 6.1)'
    """
    paths = {path.stem: path for path in sorted(RESULTS.glob("*.json"))}
    return json.loads(lookup(name, paths, "recorded run").read_text(encoding="utf-8"))


def curves(record: Record, quantity: str = "train", **where: Any) -> dict[str, Array]:
    """Return the curves of each optimizer, shape (epochs, seeds), in the record's order.

    A seed that ran for fewer epochs than another ends in NaN; so does a run that diverged.

    Parameters
    ----------
    quantity : ``"train"``, ``"test_loss"`` or ``"test_error"``
    where : which runs, such as ``dropout=False`` or ``seed=0``

    Examples
    --------
    >>> found = curves(load_result("logistic-mnist"), "test_error", seed=0)
    >>> {name: values.shape for name, values in found.items()}
    {'Adam': (45, 1), 'Nesterov': (45, 1), 'AdaGrad': (45, 1)}
    """
    found: dict[str, list[list[float | None]]] = {}
    for run in record["runs"]:
        if all(run[key] == value for key, value in where.items()):
            name = SHORT.get(run["optimizer"], run["optimizer"])
            found.setdefault(name, []).append(run[quantity])
    longest = max((len(run) for runs in found.values() for run in runs), default=0)
    return {
        name: np.array([run + [None] * (longest - len(run)) for run in runs], dtype=float).T
        for name, runs in found.items()
    }


def sensitivity(record: Record, quantity: str = "train", **where: Any) -> dict[str, Array]:
    """Return for each optimizer what tuning found: rows of learning rate and final value.

    ``where`` chooses among rows, such as ``dropout=False``; ``quantity`` is ``"train"`` or
    ``"test_error"``. A diverged run is NaN.
    """
    return {
        SHORT.get(row["optimizer"], row["optimizer"]): np.array(
            [row["lr"], row[quantity]], dtype=float
        ).T
        for row in record["tuning"]
        if all(row[key] == value for key, value in where.items())
    }


@dataclass(frozen=True)
class Setting:
    """A setting of Adam in a record in which all rates of the grid are reported.

    Attributes
    ----------
    corrected : with bias correction
    beta1, beta2, lr : its hyper-parameters
    """

    corrected: bool
    beta1: float
    beta2: float
    lr: float

    @property
    def first_step(self) -> float:
        """Length of the first step, whatever the gradient."""
        return self.lr * (1.0 if self.corrected else (1 - self.beta1) / (1 - self.beta2) ** 0.5)


def grid(record: Record, quantity: str = "train") -> dict[Setting, Array]:
    """Return the curves of each setting of Adam, shape (epochs, seeds), in the record's order.

    A run that diverged ends in NaN, and so does a seed that ran for fewer epochs than another.

    Examples
    --------
    >>> found = grid(load_result("vae-mnist"))
    >>> len(found), next(iter(found))
    (60, Setting(corrected=True, beta1=0.0, beta2=0.99, lr=1e-05))
    """
    found = {}
    for label in dict.fromkeys(run["optimizer"] for run in record["runs"]):
        setting = SETTING.fullmatch(label)
        if setting is None:
            raise ValueError(f"no setting of Adam, as in 'Adam, beta1 0.9, beta2 0.99': {label!r}")
        rates = dict.fromkeys(run["lr"] for run in record["runs"] if run["optimizer"] == label)
        for lr in rates:
            (values,) = curves(record, quantity, optimizer=label, lr=lr).values()
            key = Setting(setting[1] == "Adam", float(setting[2]), float(setting[3]), lr)
            found[key] = values
    return found


def how(record: Record) -> str:
    """Say which command made a record, when, on what, and how far it went.

    Examples
    --------
    >>> print(how(load_result("logistic-mnist")))
    Command: adam-edu reproduce logistic-mnist --device=cpu
    Made on 2026-11-24 with Torch 2.13.0+cpu: x86_64 CPU, 4 cores.
    Data: mnist, 60,000 training examples. Seeds: 3. Epochs: 45.
    It is the whole experiment.
    """
    facts = _facts(record)
    lines = [
        f"Command: {facts['command']}",
        f"Made on {facts['made on']}.",
        f"Data: {facts['data']}. {facts['runs']}.",
        facts["extent"],
    ]
    return _wrapped(lines)


def _facts(record: Record) -> dict[str, str]:
    made = date.fromisoformat(record["date"][:10])
    done = sorted({run["epochs"] for run in record["runs"]})
    seeds = len({run["seed"] for run in record["runs"]})
    epochs = f"{done[0]} to {done[-1]}" if len(done) > 1 else "".join(map(str, done)) or "none"
    # A run says itself what was not the same for all.
    runs = record["runs"] or [{}]
    torches = _named(run.get("versions", record["versions"])["torch"] for run in runs)
    hardware = _named(kind for run in runs for kind in run.get("hardware", [record["hardware"]]))
    part = f"It is a part of the experiment. {_shortfall(record)}".strip()
    return {
        "command": record["command"],
        "made on": f"{made} with Torch {torches}: {hardware}",
        "data": f"{record['data']['name']}, {record['data']['train']:,} training examples",
        "runs": f"Seeds: {seeds}. Epochs: {epochs}",
        "extent": "It is the whole experiment." if record["complete"] else part,
    }


def _named(names: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(names))


def choices(record: Record) -> str:
    """Say what the paper leaves open of an experiment, and what was chosen.

    Examples
    --------
    >>> print(choices(load_result("logistic-mnist")).splitlines()[0])
    A new permutation of the training set each epoch; the last, incomplete
    """
    return _wrapped([record["choices"]])


@dataclass(frozen=True, repr=False)
class About:
    """What :func:`about` shows: in a notebook and on the page a table that opens, else lines.

    Attributes
    ----------
    rows : a name and a fact each; the first says how far the record goes
    """

    rows: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return _wrapped(f"{name}: {fact}" for name, fact in self.rows)

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row">{escape(name)}</th><td>{escape(fact)}</td></tr>'
            for name, fact in self.rows
        )
        return (
            f"<details><summary>The record: {escape(self.rows[0][1], quote=False)} "
            f'Open for how it was made.</summary><table class="dataframe table"><tbody>{rows}'
            "</tbody></table></details>"
        )


def about(record: Record) -> About:
    """Return what one looks up of a record: how it was made, and what was chosen.

    Examples
    --------
    >>> about(load_result("logistic-mnist")).rows[0]
    ('extent', 'It is the whole experiment. Seeds: 3. Epochs: 45.')
    """
    facts, setup = _facts(record), record["setup"]
    rates = ", ".join(f"{rate:g}" for rate in setup["grid"])
    tuning = f"{setup['chosen_by']}; its epochs: {setup['tuning_epochs']}, one seed"
    rows = [
        ("extent", f"{facts['extent']} {facts['runs']}."),
        ("data", f"{facts['data']}, in mini-batches of {setup['batch']}"),
        ("rates", rates),
        *([("chosen by", tuning)] if setup["tuning_epochs"] else []),
        ("choices", record["choices"]),
        ("command", facts["command"]),
        ("made on", facts["made on"]),
    ]
    return About(tuple(rows))


def _wrapped(lines: Iterable[str]) -> str:
    """Return lines as narrow as a page of the book shows them whole."""
    return "\n".join(fill(line, 72, break_on_hyphens=False) for line in lines)


def _shortfall(record: Record) -> str:
    words = []
    for name, value in record.get("reduced", {}).items():
        if name == "dropout":
            words.append(f"{'with' if value[0] else 'without'} dropout alone")
            continue
        values = value if isinstance(value, list) else [value]
        shown = sorted(set(values)) if name == "epochs" else values
        words.append(f"{name.replace('_', ' ')} {', '.join(f'{v:g}' for v in shown)}")
    text = f"Planned smaller: {'; '.join(words)}." if words else ""
    if not record.get("finished", True):
        text += f" {_stopped(record)}"
    return text.strip()


def _stopped(record: Record) -> str:
    """Say after how many epochs the runs of a record stopped that were planned to be longer."""
    runs, done = record["runs"], record["done"]
    if len({run["epochs"] for run in runs}) < 2:
        return f"Stopped after {done['epochs']} of {done['of']} epochs, the same for every run."
    setup = record["setup"]
    planned = dict(zip(setup["seeds"], setup["epochs"], strict=True))
    short = {
        (run["seed"], run["dropout"], run["epochs"])
        for run in runs
        if run["epochs"] < planned[run["seed"]]
    }
    both = len({run["dropout"] for run in runs}) > 1
    words = [
        f"seed {seed}{(' with' if dropout else ' without') + ' dropout' if both else ''} "
        f"after {epochs} of {planned[seed]} epochs"
        for seed, dropout, epochs in sorted(short)
    ]
    return f"Stopped before their end: {'; '.join(words)}."


def beats(first: Any, second: Any, by: float = 1.0) -> bool:
    """Say whether the first is lower than the second, ``by`` this factor at least, for every seed.

    >>> beats([0.1, 0.2], [0.3, 0.3]), beats([0.1, 0.2], [0.3, 0.3], by=2.0)
    (True, False)
    """
    return bool((by * np.asarray(first) < np.asarray(second)).all())


def verdict(held: Iterable[bool]) -> str:
    """Return the word for a claim of which these parts held; without parts it was not tested.

    >>> verdict([True, True]), verdict([True, False]), verdict([False]), verdict([])
    ('held', 'held in part (1 of 2)', 'did not hold', 'not tested')
    """
    parts = [bool(part) for part in held]
    if not parts:
        return "not tested"
    if all(parts):
        return "held"
    return f"held in part ({sum(parts)} of {len(parts)})" if any(parts) else "did not hold"


@dataclass(frozen=True)
class Claim:
    """A claim of the paper beside what was found.

    Attributes
    ----------
    claim : what the paper says
    found : what the record says, with its numbers
    held : for each part of the claim, whether it held; empty if the record does not go that far
    """

    claim: str
    found: str
    held: tuple[bool, ...]


@dataclass(frozen=True, repr=False)
class Claims:
    """A table of claims; a notebook shows it as one.

    Attributes
    ----------
    rows : the claims
    head : whose they are
    found : what the numbers beside them are
    """

    rows: tuple[Claim, ...]
    head: str = "the paper's claim"
    found: str = "what we found"

    def __repr__(self) -> str:
        return "\n".join(f"{verdict(row.held)}: {row.claim} {row.found}" for row in self.rows)

    def _repr_html_(self) -> str:
        heads = "".join(
            f'<th scope="col">{name}</th>'
            for name in (escape(self.head, quote=False), escape(self.found), "verdict")
        )
        rows = "".join(
            f"<tr><td>{escape(row.claim)}</td><td>{escape(row.found)}</td>"
            f"<td><strong>{verdict(row.held)}</strong></td></tr>"
            for row in self.rows
        )
        return (
            f'<table class="dataframe table"><thead><tr>{heads}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )


def spread(values: Any, digits: int = 3) -> str:
    """Return the range of a value over seeds, as text.

    >>> spread([0.1234, 0.13]), spread([0.5])
    ('0.123 to 0.130', '0.500')
    """
    low, high = np.min(values), np.max(values)
    if f"{low:.{digits}f}" == f"{high:.{digits}f}":
        return f"{low:.{digits}f}"
    return f"{low:.{digits}f} to {high:.{digits}f}"
