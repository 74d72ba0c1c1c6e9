"""How many steps a parameter has taken: an int, or a tensor that a captured step counts on itself.

A CUDA graph replays what the device did, and ``torch.compile`` traces a step once. Neither runs the
lines that would add one to an int. There the step number is a tensor on the parameter's device,
shared by all parameters that began together, and so are the products that a rule's scalars ask for
(:func:`adam_edu.ops.product`): each step multiplies them by their next term.
"""

from collections.abc import Iterable, MutableMapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..base import Rule
from ..ops import answering, product

State = MutableMapping[str, Any]


def key(own: State) -> int:
    """Return what parameters that count together have in common."""
    t = own["step"]
    return id(t) if isinstance(t, Tensor) else t


def count_in_tensors(params: Sequence[Tensor], states: Sequence[State], rule: Rule) -> None:
    """Have the steps of these parameters counted by tensors from here on."""
    shared: dict[Any, dict[str, Tensor]] = {}
    for p, own in zip(params, states, strict=True):
        t = own.get("step", 0)
        if not isinstance(t, Tensor):
            if (t, p.device) not in shared:
                shared[t, p.device] = _counter(rule, t, p.device)
            own.update(shared[t, p.device])


def _counter(rule: Rule, t: int, device: torch.device) -> dict[str, Tensor]:
    asked: list[Any] = []

    def note(term: Any, n: int, *args: Any) -> Any:
        asked.append((term, n, args))
        return term(n, *args)

    with answering(note):
        rule.scalars(t + 1)
    # An integer and a vector: torch.compile loses what is written to a single float64 on the CPU.
    entries = {"step": torch.full((), t, dtype=torch.int64, device=device)}
    if asked:
        values = [product(term, n - 1, *args) if n > 1 else 1.0 for term, n, args in asked]
        tensors = [torch.full((), v, dtype=torch.float64, device=device) for v in values]
        entries["products"] = torch.stack(tensors)
    return entries


def check_countable(rule: Rule) -> None:
    """Raise an error of some kind if the rule's scalars depend on looking at the step number."""
    with answering(lambda term, n, *args: term(n, *args)):
        rule.scalars(torch.ones((), dtype=torch.float64, device="meta"))


def part(idle: Sequence[State], moving: Sequence[State]) -> None:
    """Where some that take a step share a counter with some that do not, give each side its own.

    Both are new, so that a graph traced while they were one is not taken for one that still holds.
    """
    still, counting = (
        {id(own["step"]) for own in states if isinstance(own.get("step"), Tensor)}
        for states in (idle, moving)
    )
    for states in (idle, moving):
        new: dict[int, dict[str, Tensor]] = {}
        for own in states:
            t = id(own.get("step"))
            if t in still and t in counting:
                if t not in new:
                    names = [name for name in ("step", "products") if name in own]
                    new[t] = {name: own[name].clone() for name in names}
                own.update(new[t])


def scalars_of_next_step(states: Iterable[State], rule: Rule) -> dict[int, tuple[Any, ...]]:
    """Add one to each step number; return the rule's scalars then, by :func:`key`."""
    counters = {}
    for own in states:
        if not isinstance(own.get("step"), Tensor):
            own["step"] = own.get("step", 0) + 1
        counters[key(own)] = own
    return {
        t: _advance(own, rule) if isinstance(own["step"], Tensor) else rule.scalars(t)
        for t, own in counters.items()
    }


def _advance(own: State, rule: Rule) -> tuple[Any, ...]:
    after: list[Tensor] = []

    def go_on(term: Any, n: Tensor, *args: Any) -> Tensor:
        after.append(own["products"][len(after)] * term(n, *args))
        return after[-1]

    own["step"].add_(1)
    with answering(go_on):
        scalars = rule.scalars(own["step"].to(torch.float64))
    if after:
        own["products"].copy_(torch.stack(after))
    return scalars
