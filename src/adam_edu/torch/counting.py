"""How many steps a parameter has taken: an int, or a tensor that a captured step counts on itself.

A CUDA graph replays what the device did, and ``torch.compile`` traces a step once. Neither runs the
lines that would add one to an int. There the step number is a tensor on the parameter's device,
shared by all parameters that began together.

Beside the number stand the products that a rule's scalars ask for (:func:`adam_edu.ops.product`),
as a tuple or as a tensor. Each step multiplies them by their next term, with the hyper-parameters
of that step, as ``torch.optim`` does: when a schedule moves them, the terms before stay what they
were.
"""

from collections.abc import Iterable, MutableMapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from ..base import Rule
from ..ops import answering, product

State = MutableMapping[str, Any]


def key(own: State) -> Any:
    """Return what parameters that count together have in common."""
    t = own["step"]
    return id(t) if isinstance(t, Tensor) else (t, own.get("products"))


def count_in_tensors(params: Sequence[Tensor], states: Sequence[State], rule: Rule) -> None:
    """Have the steps of these parameters counted by tensors from here on."""
    shared: dict[Any, dict[str, Tensor]] = {}
    for p, own in zip(params, states, strict=True):
        t = own.get("step", 0)
        if not isinstance(t, Tensor):
            before = own.get("products")
            if (kind := (t, before, p.device)) not in shared:
                shared[kind] = _counter(rule, t, before, p.device)
            own.update(shared[kind])


def mend_counters(states: Iterable[State], rule: Rule) -> None:
    """Give each step number that somebody has put in as a tensor products of its own."""
    if not multiplies(type(rule)):  # type: ignore[arg-type]
        return
    owners: dict[int, Any] = {}
    for own in states:
        t, products = own.get("step"), own.get("products")
        if isinstance(t, Tensor) and not isinstance(products, Tensor):
            own["step"] = int(t)
        elif isinstance(products, Tensor) and owners.setdefault(id(products), t) is not t:
            own["products"] = products.clone()


def count_in_numbers(states: Iterable[State]) -> None:
    """Have steps counted by numbers again that somebody has put in as a tensor."""
    for own in states:
        if isinstance(t := own.get("step"), Tensor):
            own["step"] = int(t)
        if isinstance(products := own.get("products"), Tensor):
            own["products"] = tuple(products.flatten().tolist())


def _counter(rule: Rule, t: int, before: Any, device: torch.device) -> dict[str, Tensor]:
    # An integer and a vector: torch.compile loses what is written to a single float64 on the CPU.
    entries = {"step": torch.full((), t, dtype=torch.int64, device=device)}
    if values := before or products_after(rule, t):
        tensors = [torch.full((), v, dtype=torch.float64, device=device) for v in values]
        entries["products"] = torch.stack(tensors)
    return entries


def products_after(rule: Rule, t: int) -> tuple[float, ...]:
    """Return the products after ``t`` steps with the same hyper-parameters: none for most rules."""
    asked: list[Any] = []

    def note(term: Any, n: int, *args: Any) -> Any:
        asked.append((term, n, args))
        return term(n, *args)

    with answering(note):
        rule.scalars(t + 1)
    return tuple(product(term, n - 1, *args) if n > 1 else 1.0 for term, n, args in asked)


@cache
def multiplies(rule: type[Rule]) -> bool:
    """Say whether a rule's scalars ask for products."""
    return bool(products_after(rule(), 0))


def check_countable(rule: Rule) -> None:
    """Raise an error of some kind if the rule's scalars depend on looking at the step number."""
    with answering(lambda term, n, *args: term(n, *args)):
        rule.scalars(torch.ones((), dtype=torch.float64, device="meta"))


def part(idle: Sequence[State], moving: Sequence[State]) -> None:
    """Where some that take a step share a counter with some that do not, give each side its own.

    Both are new, so that a graph traced while they were one is not taken for one that still holds.
    """
    for name in ("step", "products"):
        still, counting = (
            {id(own[name]) for own in states if isinstance(own.get(name), Tensor)}
            for states in (idle, moving)
        )
        for states in (idle, moving):
            new: dict[int, Tensor] = {}
            for own in states:
                t = id(own.get(name))
                if t in still and t in counting:
                    if t not in new:
                        new[t] = own[name].clone()
                    own[name] = new[t]


def scalars_of_next_step(states: Iterable[State], rule: Rule) -> list[tuple[Any, ...]]:
    """Add one to each step number; return the rule's scalars then, for each state."""
    found: dict[Any, tuple[Any, ...]] = {}
    after: dict[Any, dict[str, Any]] = {}
    rows = []
    for own in states:
        own.setdefault("step", 0)
        kind = key(own)
        if kind not in found:
            step = _advance_tensors if isinstance(own["step"], Tensor) else advance
            found[kind], after[kind] = step(own, rule)
        own.update(after[kind])
        rows.append(found[kind])
    return rows


def advance(own: State, rule: Rule) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the rule's scalars at the next step, and what the state counts then, in numbers."""
    t = own["step"] + 1
    if not multiplies(type(rule)):  # type: ignore[arg-type]
        return rule.scalars(t), {"step": t}
    before = own.get("products") or products_after(rule, t - 1)
    scalars, after = _multiplied(rule, t, before)
    return scalars, {"step": t, "products": tuple(after)}


def _advance_tensors(own: State, rule: Rule) -> tuple[tuple[Any, ...], dict[str, Any]]:
    own["step"].add_(1)
    scalars, after = _multiplied(rule, own["step"].to(torch.float64), own.get("products"))
    if after:
        own["products"].copy_(torch.stack(after))
    return scalars, {}


def _multiplied(rule: Rule, t: Any, before: Any) -> tuple[tuple[Any, ...], list[Any]]:
    after: list[Any] = []

    def go_on(term: Any, n: Any, *args: Any) -> Any:
        after.append(before[len(after)] * term(n, *args))
        return after[-1]

    with answering(go_on):
        return rule.scalars(t), after
