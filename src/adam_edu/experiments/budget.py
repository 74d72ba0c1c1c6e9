"""How much of an experiment to run: all of it, a stated part, or a quick version."""

from dataclasses import dataclass, replace
from typing import Any

from .specs import Spec


def quick_version(spec: Spec) -> Spec:
    """Return the experiment on small embedded data, with few epochs and learning rates."""
    return replace(
        spec,
        data=spec.quick_data,
        grid=thinned(spec.grid),
        entrants=tuple(replace(one, rates=thinned(one.rates)) for one in spec.entrants),
        tuning_epochs=min(spec.tuning_epochs, 1),
        epochs=tuple(2 for _ in spec.epochs),
    )


def thinned(rates: tuple[float, ...]) -> tuple[float, ...]:
    """Return every other rate within a grid."""
    return rates[1:-1:2] or rates


@dataclass(frozen=True)
class Budget:
    """What to run of an experiment where the machine is too slow for all of it.

    Attributes
    ----------
    seeds : how many; a further seed runs as long as the last
    grid : the learning rates to try, the same for every entrant
    tuning_epochs : length of a tuning run
    epochs : length of a run, at most
    examples : of the training set, spread evenly over it, at most
    dropout : only the version with, or only the one without
    """

    seeds: int | None = None
    grid: tuple[float, ...] | None = None
    tuning_epochs: int | None = None
    epochs: int | None = None
    examples: int | None = None
    dropout: bool | None = None

    def applied(self, spec: Spec) -> Spec:
        """Return the experiment cut to this budget; ``examples`` is for :func:`load_task`."""
        count = len(spec.epochs) if self.seeds is None else self.seeds
        epochs = (spec.epochs + spec.epochs[-1:] * count)[:count]
        if self.epochs is not None:
            epochs = tuple(min(n, self.epochs) for n in epochs)
        dropout = spec.dropout
        if self.dropout is not None:
            if self.dropout not in spec.dropout:
                raise ValueError(
                    f"{spec.name} has no version {'with' if self.dropout else 'without'}"
                    " dropout to run alone"
                )
            dropout = (self.dropout,)
        tuning = spec.tuning_epochs
        if self.tuning_epochs is not None and tuning:
            tuning = min(tuning, self.tuning_epochs)
        planned = replace(spec, epochs=epochs, dropout=dropout, tuning_epochs=tuning)
        if not self.grid:
            return planned
        entrants = tuple(replace(entrant, rates=()) for entrant in spec.entrants)
        return replace(planned, grid=tuple(sorted(self.grid)), entrants=entrants)


def reductions(whole: Spec, planned: Spec, examples: int | None) -> dict[str, Any]:
    """Return in what a plan falls short of the whole experiment; empty if in nothing."""
    found: dict[str, Any] = {}
    entrants = list(zip(whole.entrants, planned.entrants, strict=True))
    if len(planned.epochs) < len(whole.epochs):
        found["seeds"] = len(planned.epochs)
    if any(set(whole.rates(a)) - set(planned.rates(b)) for a, b in entrants):
        found["grid"] = list(planned.grid)
    if planned.tuning_epochs < whole.tuning_epochs:
        found["tuning_epochs"] = planned.tuning_epochs
    if any(n < m for n, m in zip(planned.epochs, whole.epochs, strict=False)):
        found["epochs"] = list(planned.epochs)
    if examples is not None:
        found["examples"] = examples
    if planned.dropout != whole.dropout:
        found["dropout"] = list(planned.dropout)
    return found
