"""An entrant of a comparison as a Torch optimizer."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from ..base import Rule
from ..rules import RULES
from .specs import Entrant


def make_rule(entrant: Entrant, lr: Any) -> Rule:
    """Return the entrant's rule with a learning rate."""
    hyper: dict[str, Any] = {"lr": lr, **entrant.hyper}
    return RULES[entrant.rule](**hyper)


class _RuleOptimizer(Optimizer):
    """Interim."""

    def __init__(self, params: Iterable[Tensor], rule: type[Rule], **hyper: Any) -> None:
        self.rule = rule
        super().__init__(params, hyper)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            rule = self.rule(**{k: v for k, v in group.items() if k != "params"})
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["t"] = 0
                    for name in rule.slots:
                        state[name] = torch.zeros_like(p)
                state["t"] += 1
                change, *slots = rule.step(
                    p, p.grad, *(state[n] for n in rule.slots), *rule.scalars(state["t"])
                )
                p.add_(change)
                for name, value in zip(rule.slots, slots, strict=True):
                    state[name] = value


def make_optimizer(entrant: Entrant, params: Iterable[Tensor], lr: float) -> Optimizer:
    """Return the entrant's optimizer over ``params``."""
    return _RuleOptimizer(params, RULES[entrant.rule], lr=lr, **entrant.hyper)
