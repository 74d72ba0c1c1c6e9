"""What other libraries compute when they say Adam: their defaults, and where epsilon stands.

The record ``results/library-defaults.json`` says it for every library that the course names. What
comes with ``pip install adam-edu[dev]`` was measured, and ``python -m adam_edu.libraries`` measures
it anew; the others were read in their sources. Chapters use the record, so that a page comes out
the same where none of these libraries is installed.
"""
# mypy: allow-untyped-defs

import importlib
import importlib.metadata
import inspect
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from math import isclose
from pathlib import Path
from typing import Any

from ..forms import EpsilonHat
from ..names import lookup
from ..ops import sqrt
from ..rules import Adam

RECORD = "library-defaults.json"

ALGORITHM_1 = "Algorithm 1"
EPSILON_HAT = "epsilon hat"
INSIDE_ROOT = "inside the root"


@dataclass(frozen=True)
class Library:
    """The Adam of one library.

    Attributes
    ----------
    name, version : of the library; a commit where there was no release
    call : the name of its Adam
    lr, beta1, beta2, eps : the defaults; None where the user must choose
    form : where epsilon stands: one of the three names in this module
    measured : whether that was measured by running it, or else read in its source
    source : the address of that source
    note : what else is to be said
    """

    name: str
    version: str
    call: str
    lr: float | None
    beta1: float | None
    beta2: float | None
    eps: float | None
    form: str
    measured: bool
    source: str
    note: str = ""


def record() -> dict[str, Any]:
    """Return the whole record, as plain data."""
    return json.loads(files("adam_edu").joinpath("results", RECORD).read_text(encoding="utf-8"))


def recorded() -> dict[str, Library]:
    """Return the Adam of each library in the record, by its name.

    Examples
    --------
    >>> keras = recorded()["Keras"]
    >>> keras.eps, keras.form
    (1e-07, 'epsilon hat')
    """
    return {row["name"]: Library(**row) for row in record()["libraries"]}


def epsilon_form(first_step: float) -> str:
    """Return where epsilon stands, given the first step with a rate, gradient and epsilon of 1.

    ``first_step`` is the change of the parameter; beta1 and beta2 are 0.9 and 0.999. With the
    gradient as large as epsilon, Algorithm 1 halves the step; a constant epsilon hat acts as one 32
    times as large; under the root, the step is divided by the root of 2.

    Raises
    ------
    ValueError
        If it is none of these.

    Examples
    --------
    >>> epsilon_form(-0.5)
    'Algorithm 1'
    """
    start = (1, 0.0, 1.0, 0.0, 0.0)
    steps = {
        ALGORITHM_1: Adam(lr=1.0, eps=1.0).update(*start)[0],
        EPSILON_HAT: EpsilonHat(lr=1.0, eps=1.0).update(*start)[0],
        INSIDE_ROOT: -1.0 / sqrt(1.0 + 1.0),
    }
    for form, step in steps.items():
        if isclose(first_step, step, rel_tol=1e-3):
            return form
    raise ValueError(f"a first step of {first_step!r} is that of no known form: {steps}")


def measure(name: str) -> Library:
    """Return the Adam of an installed library: the defaults it declares, and one step it takes.

    Parameters
    ----------
    name : one of :data:`MEASURABLE`, whatever its case

    Raises
    ------
    KeyError
        If that library is not one of them.
    ImportError
        If it is not installed.
    """
    peer = lookup(name, MEASURABLE, "library to measure")
    module = peer.load()
    adam = peer.find(module, "Adam")
    given = defaults(adam)
    beta1, beta2 = given.get("betas", (given.get(peer.beta1), given.get(peer.beta2)))
    return Library(
        name=peer.name,
        version=importlib.metadata.version(peer.distribution).partition("+")[0],
        call=peer.call,
        lr=given.get(peer.lr),
        beta1=beta1,
        beta2=beta2,
        eps=given[peer.eps],
        form=epsilon_form(peer.first_step(module)),
        measured=True,
        source=peer.source,
        note=peer.note,
    )


def measure_relatives(name: str) -> dict[str, dict[str, Any]]:
    """Return the defaults of a library's other optimizers, by our name for each.

    Arguments have the library's own names; those without a default are left out. Raises as
    :func:`measure` does.
    """
    peer = lookup(name, MEASURABLE, "library to measure")
    module = peer.load()
    return {
        ours: {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in defaults(peer.find(module, ours)).items()
            if key in TOLD
        }
        for ours in peer.relatives
    }


# The arguments that are recorded; the others say how to compute, not what.
TOLD = {
    *("lr", "learning_rate"),
    *("betas", "b1", "b2", "beta_1", "beta_2", "alpha", "rho", "decay"),
    *("eps", "epsilon", "eps_in_sqrt", "weight_decay"),
    *("initial_accumulator_value", "momentum_decay"),
}


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the arguments of a function that have a default, and it.

    >>> defaults(lambda x, lr=0.1: x)
    {'lr': 0.1}
    """
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }


@dataclass(frozen=True)
class Peer:
    """A library that can be measured: how to import it, and what it calls things."""

    name: str
    distribution: str
    module: str
    call: str
    lr: str
    beta1: str
    beta2: str
    eps: str
    first_step: Callable[[Any], float]
    source: str
    relatives: Mapping[str, str]
    note: str = ""

    def load(self) -> Any:
        """Import the library, on a backend that is installed."""
        os.environ.setdefault("KERAS_BACKEND", "jax")
        return importlib.import_module(self.module)

    def find(self, module: Any, ours: str) -> Any:
        """Return the library's optimizer for our name of it."""
        return getattr(module, {"Adam": self.call, **self.relatives}[ours].rpartition(".")[2])


def _torch_step(optim: Any) -> float:
    import torch

    x = torch.zeros(1, requires_grad=True)
    x.grad = torch.ones(1)
    optim.Adam([x], lr=1.0, eps=1.0).step()
    return x.item()


def _optax_step(optax: Any) -> float:
    import jax.numpy as jnp

    adam = optax.adam(1.0, eps=1.0)
    change, _ = adam.update(jnp.ones(1), adam.init(jnp.zeros(1)))
    return float(change[0])


def _keras_step(optimizers: Any) -> float:
    import keras

    x = keras.Variable([0.0])
    optimizers.Adam(1.0, epsilon=1.0).apply([keras.ops.ones(1)], [x])
    return float(x.value[0])


def _sklearn_step(module: Any) -> float:
    import numpy as np

    # Its networks offer no step with a gradient of one's own; this is the class that they use.
    inner = importlib.import_module("sklearn.neural_network._stochastic_optimizers")
    adam = inner.AdamOptimizer([np.zeros(1)], learning_rate_init=1.0, epsilon=1.0)
    return float(adam._get_updates([np.ones(1)])[0][0])


MEASURABLE: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer(
            "PyTorch",
            "torch",
            "torch.optim",
            "torch.optim.Adam",
            *("lr", "beta1", "beta2", "eps"),
            _torch_step,
            "https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html",
            {
                "AdamW": "AdamW",
                "RMSProp": "RMSprop",
                "AdaGrad": "Adagrad",
                "AdaDelta": "Adadelta",
                "AdaMax": "Adamax",
                "NAdam": "NAdam",
            },
            "epsilon hat until 2019 (pull request 22628)",
        ),
        Peer(
            "Optax",
            "optax",
            "optax",
            "optax.adam",
            *("learning_rate", "b1", "b2", "eps"),
            _optax_step,
            "https://optax.readthedocs.io/en/latest/api/optimizers.html#optax.adam",
            {
                "AdamW": "adamw",
                "RMSProp": "rmsprop",
                "AdaGrad": "adagrad",
                "AdaDelta": "adadelta",
                "AdaMax": "adamax",
                "NAdam": "nadam",
            },
            "has a second epsilon, eps_root, inside the root; 0 by default",
        ),
        Peer(
            "Keras",
            "keras",
            "keras.optimizers",
            "keras.optimizers.Adam",
            *("learning_rate", "beta_1", "beta_2", "epsilon"),
            _keras_step,
            "https://keras.io/api/optimizers/adam/",
            {
                "AdamW": "AdamW",
                "RMSProp": "RMSprop",
                "AdaGrad": "Adagrad",
                "AdaDelta": "Adadelta",
                "AdaMax": "Adamax",
                "NAdam": "Nadam",
            },
        ),
        Peer(
            "scikit-learn",
            "scikit-learn",
            "sklearn.neural_network",
            "sklearn.neural_network.MLPClassifier",
            *("learning_rate_init", "beta_1", "beta_2", "epsilon"),
            _sklearn_step,
            "https://scikit-learn.org/stable/modules/generated/"
            "sklearn.neural_network.MLPClassifier.html",
            {},
        ),
    )
}


def remeasure(path: Path) -> None:
    """Measure what is installed, and write it into the record at ``path``, beside what was read."""
    found = json.loads(path.read_text(encoding="utf-8"))
    for name in MEASURABLE:
        try:
            new, relatives = asdict(measure(name)), measure_relatives(name)
        except ImportError:
            continue
        found["libraries"] = [new if row["name"] == name else row for row in found["libraries"]]
        if relatives:
            found["relatives"][name] = relatives
    path.write_text(as_text(found), encoding="utf-8")


def as_text(found: Mapping[str, Any]) -> str:
    """Return a record as JSON with one line for each library, so that a change is one line."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    parts = []
    for key, value in found.items():
        if isinstance(value, dict):
            rows = [f"{line(name)}: {line(row)}" for name, row in value.items()]
            text = "{\n  " + ",\n  ".join(rows) + "\n }"
        elif isinstance(value, list):
            text = "[\n  " + ",\n  ".join(map(line, value)) + "\n ]"
        else:
            text = line(value)
        parts.append(f"{line(key)}: {text}")
    return "{\n " + ",\n ".join(parts) + "\n}\n"
