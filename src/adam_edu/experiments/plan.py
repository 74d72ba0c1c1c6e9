"""Which trials an experiment consists of, and what is made of their curves."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from .record import rounded
from .specs import Entrant, Spec
from .trials import Curves, Trial

TUNING_SEED = 1000  # none of the seeds that are reported


@dataclass(frozen=True)
class Outcome:
    """A trial with its curves, the seconds that it took (its share, in a stack), and on what.

    ``origin`` is what else is known of how it was made, where that may differ from this run.
    """

    trial: Trial
    curves: Curves
    seconds: float
    hardware: tuple[str, ...] = ()
    origin: dict[str, Any] = field(default_factory=dict)


def identity(trial: Trial) -> dict[str, Any]:
    """Return all that makes a trial; what was added later counts only where it is used.

    So checkpoints from before stay valid.
    """
    parts = asdict(trial)
    if not trial.entrant.constant:
        del parts["entrant"]["constant"]
    del parts["entrant"]["rates"]  # the trial has its own
    return parts


def key(trial: Trial) -> tuple[Any, ...]:
    """Return what tells the trials of a plan apart."""
    return trial.entrant.label, trial.lr, trial.dropout, trial.seed


def tuning_trials(spec: Spec) -> Iterator[Trial]:
    """Yield every entrant with every learning rate of the grid: the same budget for each."""
    if spec.tuning_epochs:
        for dropout in spec.dropout:
            for entrant in spec.entrants:
                for lr in spec.rates(entrant):
                    yield Trial(entrant, lr, dropout, TUNING_SEED, spec.tuning_epochs)


def final_trials(spec: Spec, best: dict[tuple[str, bool], float]) -> Iterator[Trial]:
    """Yield the runs to be reported, seed by seed: at the best learning rate, or at all of them."""
    for seed, epochs in enumerate(spec.epochs):
        for dropout in spec.dropout:
            for entrant in spec.entrants:
                every = spec.rates(entrant)
                for lr in rate_of(best, entrant, dropout) if spec.tuning_epochs else every:
                    yield Trial(entrant, lr, dropout, seed, epochs)


def rate_of(best: dict[tuple[str, bool], float], entrant: Entrant, dropout: bool) -> list[float]:
    """Return the tuned learning rate as a list; an empty one if tuning did not get that far."""
    return [best[key] for key in [(entrant.label, dropout)] if key in best]


def planned_epochs(spec: Spec) -> int:
    """Return the epochs of all runs together, for the progress bar."""
    tuning = sum(trial.epochs for trial in tuning_trials(spec))
    return tuning + sum(spec.epochs) * len(spec.dropout) * reported(spec)


def reported(spec: Spec) -> int:
    """Return how many runs of each seed and version are reported: an entrant's one, or its grid."""
    return sum(1 if spec.tuning_epochs else len(spec.rates(one)) for one in spec.entrants)


def best_rates(tuning: list[Outcome], *, margin: bool = False) -> dict[tuple[str, bool], float]:
    """Return, for each entrant with and without dropout, the rate of the lowest final loss.

    With ``margin``, a rate below one that diverged is not taken, unless there is no other.
    """
    scores: dict[tuple[str, bool], dict[float, float]] = {}
    for outcome in tuning:
        loss = rounded(outcome.curves.train[-1]) if outcome.curves.train else None
        key = (outcome.trial.entrant.label, outcome.trial.dropout)
        scores.setdefault(key, {})[outcome.trial.lr] = float("inf") if loss is None else loss
    if margin:
        scores = {key: away_from_divergence(losses) for key, losses in scores.items()}
    return {key: min(losses, key=losses.__getitem__) for key, losses in scores.items()}


def away_from_divergence(losses: dict[float, float]) -> dict[float, float]:
    """Return the losses of the rates without those whose next higher one has an infinite loss.

    >>> away_from_divergence({0.1: 3.0, 0.2: 2.0, 0.4: float("inf")})
    {0.1: 3.0, 0.4: inf}
    """
    rates = sorted(losses)
    near = {low for low, high in pairwise(rates) if losses[high] == float("inf")}
    kept = {rate: losses[rate] for rate in rates if rate not in near}
    return kept if min(kept.values()) < float("inf") else losses


def is_complete(spec: Spec, finals: list[Outcome]) -> bool:
    """Say whether every run to be reported has gone its full length."""
    expected = len(spec.epochs) * len(spec.dropout) * reported(spec)
    return len(finals) == expected and all(
        len(outcome.curves.train) == outcome.trial.epochs for outcome in finals
    )


def tuning_table(
    spec: Spec, tuning: list[Outcome], best: dict[tuple[str, bool], float]
) -> list[dict[str, Any]]:
    """Return, for each entrant, the final training loss at each learning rate of the grid."""
    rows = []
    for (label, dropout), lr in best.items():
        mine = [o for o in tuning if (o.trial.entrant.label, o.trial.dropout) == (label, dropout)]
        rates = [o.trial.lr for o in mine]
        rows.append(
            {
                "optimizer": label,
                "dropout": dropout,
                "best_lr": lr,
                "best_at_edge": lr in (min(rates), max(rates)),
                "lr": rates,
                "train": [rounded(o.curves.train[-1]) if o.curves.train else None for o in mine],
                "test_error": [
                    rounded(o.curves.test_error[-1]) if o.curves.test_error else None for o in mine
                ],
            }
        )
    return rows


def run_entry(outcome: Outcome) -> dict[str, Any]:
    """Return what the record says of one run."""
    trial = outcome.trial
    entry = {
        "optimizer": trial.entrant.label,
        "dropout": trial.dropout,
        "lr": trial.lr,
        "seed": trial.seed,
        "epochs": len(outcome.curves.train),
        "seconds": rounded(outcome.seconds, 3),
    }
    curves = {
        name: [list(map(rounded, v)) if isinstance(v, list) else rounded(v) for v in values]
        for name, values in asdict(outcome.curves).items()
    }
    return entry | {name: values for name, values in curves.items() if values}


def with_origin(
    entries: list[dict[str, Any]], outcomes: list[Outcome], here: dict[str, Any]
) -> list[dict[str, Any]]:
    """Add to the entries of runs how each was made, as far as that was not the same for all.

    ``here`` is how it would be made here, where runs may all come from elsewhere.
    """
    origins = [{"hardware": list(o.hardware)} | o.origin for o in outcomes]
    same = {**origins[0], **here} if origins else {}
    differing = [name for name in same if any(o[name] != same[name] for o in origins)]
    return [
        entry | {name: origin[name] for name in differing}
        for entry, origin in zip(entries, origins, strict=True)
    ]
