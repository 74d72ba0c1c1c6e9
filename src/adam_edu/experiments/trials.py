"""One training run as a value, and the curves that it leaves."""

from dataclasses import asdict, dataclass, field
from hashlib import sha256
from json import dumps
from typing import Any, Protocol

from .specs import Entrant


@dataclass(frozen=True)
class Trial:
    """One run: an entrant with its learning rate, a seed, with or without dropout, how long."""

    entrant: Entrant
    lr: float
    dropout: bool
    seed: int
    epochs: int


@dataclass
class Curves:
    """What a run reports at the end of each epoch.

    Attributes
    ----------
    train : mean objective of the epoch's minibatches, without the L2 penalty
    test_loss, test_error : the same on the test set without noise, and the share of wrong
        classes; empty for a model that does not classify
    test_groups : the test loss of each group of classes, from the most frequent; empty without
        groups
    """

    train: list[float] = field(default_factory=list)
    test_loss: list[float] = field(default_factory=list)
    test_error: list[float] = field(default_factory=list)
    test_groups: list[list[float]] = field(default_factory=list)

    def first(self, epochs: int) -> "Curves":
        """Return the curves of the first so many epochs."""
        return Curves(**{name: values[:epochs] for name, values in vars(self).items()})


class Run(Protocol):
    """Some trials in progress: the plain loop runs one, a stack several side by side."""

    curves: list[Curves]

    @property
    def epoch(self) -> int:
        """Epochs done."""

    def train_epoch(self) -> None:
        """Train for one epoch and add to the curves."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that a later ``load_state_dict`` needs to go on as if never stopped."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to a state."""


def fingerprint(*parts: Any) -> str:
    """Return a name for a file that is the same for the same settings and no others."""
    return sha256(dumps(parts, sort_keys=True, default=asdict).encode()).hexdigest()[:16]
