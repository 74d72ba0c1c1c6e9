"""An entrant of a comparison as a Torch optimizer."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from ..base import Rule
from ..rules import RULES
from ..torch import optimizer
from .specs import Entrant


def make_rule(entrant: Entrant, lr: Any) -> Rule:
    """Return the entrant's rule with a learning rate."""
    hyper: dict[str, Any] = {"lr": lr, **entrant.hyper}
    return RULES[entrant.rule](**hyper)


def make_optimizer(entrant: Entrant, params: Iterable[Tensor], lr: float) -> Optimizer:
    """Return the entrant's optimizer over ``params``."""
    return optimizer(make_rule(entrant, lr), params)
