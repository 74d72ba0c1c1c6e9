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


def make_optimizer(entrant: Entrant, params: Iterable[Any], lr: float) -> Optimizer:
    """Return the entrant's optimizer over ``params``."""
    return optimizer(make_rule(entrant, lr), params)


def penalized(parameters: Iterable[Tensor], strength: float) -> list[Any]:
    """Return parameters as an optimizer takes them that has to minimize an L2 penalty as well.

    The gradient of :func:`~adam_edu.problems.networks.l2_penalty`, which spares biases, is then
    added within the optimizer's own loop: autograd would go five times over the weights for it, and
    a loop of its own once.
    """
    every = list(parameters)
    if strength == 0:
        return every
    return [
        {"params": [p for p in every if p.ndim > 1], "weight_decay": strength},
        {"params": [p for p in every if p.ndim <= 1]},
    ]
