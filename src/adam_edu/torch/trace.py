"""A rule's lines as a graph of operations, recorded by ``torch.fx``.

The graph is what the compilers work on: :mod:`adam_edu.torch.native` prints it as a C++ loop and
:mod:`adam_edu.torch.inductor` hands it to ``torch.compile``.
"""

import inspect
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from torch import fx

from ..base import Rule


@dataclass(frozen=True)
class Variant:
    """What one step computes: a rule, and what Torch's optimizers do to a gradient before it.

    Attributes
    ----------
    rule : the algorithm
    maximize : climb instead of descending: the gradient's sign is turned
    penalized : the gradient of an L2 penalty is added, as in ``torch.optim`` for ``weight_decay``
    decoupled : x shrinks by itself, beside the step, as for ``decoupled_weight_decay``
    """

    rule: type[Rule]
    maximize: bool = False
    penalized: bool = False
    decoupled: bool = False

    def gradient(self, x: Any, g: Any, penalty: Any) -> Any:
        """Return the gradient that the rule gets to see."""
        if self.maximize:
            g = -g
        return g + penalty * x if self.penalized else g

    def change(self, x: Any, change: Any, penalty: Any) -> Any:
        """Return the change of x, given the rule's."""
        return change - penalty * x if self.decoupled else change

    @property
    def tensors(self) -> tuple[str, ...]:
        """The names of what has the parameter's shape: x, g and the slots."""
        return ("x", "g", *self.rule.slots)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the numbers of one step: hyper-parameters, scalars, and the penalty."""
        names = list(inspect.signature(self.rule.step).parameters)
        scalars = names[1 + len(self.tensors) :]
        hyper = [field.name for field in fields(self.rule)]
        return (*hyper, *scalars, *(["penalty"] if self.penalized or self.decoupled else []))


@cache
def trace(variant: Variant) -> fx.Graph:
    """Record one step.

    The placeholders are ``variant.tensors`` and ``variant.numbers``, in this order. The output is
    what ``step()`` returns: the change of x, and the new slots.
    """
    graph = fx.Graph()
    tracer = fx.proxy.GraphAppendingTracer(graph)
    proxies = {
        name: fx.Proxy(graph.placeholder(name), tracer)
        for name in (*variant.tensors, *variant.numbers)
    }
    hyper = [field.name for field in fields(variant.rule)]
    rule = variant.rule(**{name: proxies[name] for name in hyper})
    x, g, *slots = (proxies[name] for name in variant.tensors)
    scalars = [proxies[name] for name in variant.numbers if name not in hyper and name != "penalty"]
    penalty = proxies.get("penalty")
    change, *new = rule.step(x, variant.gradient(x, g, penalty), *slots, *scalars)
    results = variant.change(x, change, penalty), *new
    graph.output(tuple(getattr(result, "node", result) for result in results))
    graph.eliminate_dead_code()
    return graph
