"""What a record, and a checkpoint, says of the experiment itself."""

from typing import Any

from torch import nn

from .plan import TUNING_SEED
from .products import Precision, named
from .record import rounded
from .specs import Spec
from .tasks import Task, constant_loss, shares


def precision_name(spec: Spec, device: str, precision: Precision) -> str:
    """Return the precision of products as a record names it."""
    on_gpu = device.startswith("cuda")
    return "float32, products in TF32" if on_gpu and spec.tf32 else named(precision)


def anatomy(model: nn.Module) -> list[Any]:
    """Return what tells a model from others: its kind, its settings and its parameters' shapes."""
    settings = {name: v for name, v in vars(model).items() if isinstance(v, int | float)}
    shapes = {name: list(p.shape) for name, p in model.named_parameters()}
    return [type(model).__name__, settings, shapes]


def description(spec: Spec, task: Task) -> dict[str, Any]:
    """Return what the record says of the experiment itself."""
    own = {entrant.label: list(entrant.rates) for entrant in spec.entrants if entrant.rates}
    optional = {
        "own_grids": own,
        "steps": spec.steps,
        "groups": spec.groups and shares(task, spec.groups),
    }
    return {
        "experiment": spec.name,
        "figure": spec.figure,
        "claim": spec.claim,
        "choices": spec.choices,
        "data": {"name": spec.data, "train": len(task.train_y), "test": len(task.test_y)},
        "setup": {
            "batch": spec.batch,
            "l2": spec.l2,
            "schedule": spec.schedule.__name__,
            "grid": list(spec.grid),
            "tuning_epochs": spec.tuning_epochs,
            "tuning_seed": TUNING_SEED if spec.tuning_epochs else None,
            "chosen_by": "lowest training loss in the last epoch of a tuning run"
            + (", of the rates whose next higher one did not diverge" if spec.margin else ""),
            "seeds": list(range(len(spec.epochs))),
            "epochs": list(spec.epochs),
            "objective": spec.loss.__name__,
            "constant_loss": rounded(constant_loss(task, spec.loss)),
            "hyper": {entrant.label: entrant.hyper for entrant in spec.entrants},
        }
        | {name: value for name, value in optional.items() if value},
    }
