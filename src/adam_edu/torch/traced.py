"""The step for ``torch.compile``, when it traces a function that calls ``step()``.

On a CPU it finds one operation for each batch of tensors, ``adam_edu::step``, and leaves it whole:
within is the loop that a plain step would take. Elsewhere it finds the rule's lines, acting on
tensors, and fuses them itself.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from ..base import Rule
from .arguments import torch_slots
from .batches import Batch, batches, dense, has_no_memory, kernel_for, make_slots
from .counting import count_in_tensors, mend_counters
from .entries import Entries
from .settings import Settings, numbers_of, penalty_of, variant_of
from .variant import Variant


class Given(Settings):
    """Settings whose parts are known."""

    def __init__(self, variant: Variant, rule: Rule, penalty: float) -> None:
        self.variant, self.rule, self.penalty = variant, rule, penalty


@torch.no_grad()
def step(optimizer: Any) -> None:
    """Take a step by operations that ``torch.compile`` can trace."""
    prepare(optimizer)
    for group in optimizer.param_groups:
        settings = as_they_are(optimizer, group)
        for batch in batches(
            group["params"], optimizer.state, settings, optimizer.slot_dtype, capturable=True
        ):
            if stays_whole(batch):
                one = torch.ones((), dtype=torch.float64)
                numbers = torch.stack([one * number for number in settings.numbers(batch.scalars)])
                changed = [*batch.params, *chain.from_iterable(batch.slots)]
                eager = optimizer.implementation == "eager"
                whole_step(name_of(settings.variant), eager, changed, batch.grads, numbers)
            else:
                batch.eager_step(settings)


def stays_whole(batch: Batch) -> bool:
    """Say whether the batch's step is one operation, not the rule's lines."""
    return batch.params[0].is_cpu


@torch.compiler.assume_constant_result
def prepare(optimizer: Any) -> None:
    """Make the state that the traced step finds: run while it is traced, and no part of it."""
    optimizer._plans.clear()
    for i, group in enumerate(optimizer.param_groups):
        settings = Settings(optimizer.rule, group)
        optimizer.check_tensors(i, group["params"], settings)
        VARIANTS[name_of(settings.variant)] = settings.variant
        params = [p for p in group["params"] if p.grad is not None]
        for p in params:
            if p not in optimizer.state:
                optimizer.state[p] = Entries(torch_slots(optimizer.rule))
        states = [optimizer.state[p] for p in params]
        mend_counters(states, settings.rule)
        count_in_tensors(params, states, settings.rule)
        optimizer.part_counters(group["params"])
        start = group.get("initial_accumulator_value", 0.0)
        make_slots(params, states, settings.variant.rule.slots, optimizer.slot_dtype, start)


def as_they_are(optimizer: Any, group: Mapping[str, Any]) -> Settings:
    """Return a group's settings, neither checked nor waited for.

    A tensor is an input of the graph. A number is a constant, until it changes: then it becomes an
    input too, at the price of one more compilation.
    """
    variant = variant_of(optimizer.rule, group)
    rule = object.__new__(variant.rule)
    for name, value in numbers_of(variant, group, group["lr"], optimizer.other_rates).items():
        object.__setattr__(rule, name, value)
    return Given(variant, rule, penalty_of(variant, group, group["lr"]))


# What an operation may be told is tensors, numbers and text.
VARIANTS: dict[str, Variant] = {}


def name_of(variant: Variant) -> str:
    """Return the name under which a variant is kept; two rules of one name have different ones."""
    rule = variant.rule
    return f"{rule.__name__} {id(rule)} {variant.maximize} {variant.penalized} {variant.decoupled}"


@torch.library.custom_op("adam_edu::step", mutates_args=("changed",))
def whole_step(
    name: str, eager: bool, changed: Sequence[Tensor], grads: Sequence[Tensor], numbers: Tensor
) -> None:
    """Take the step of one batch on the CPU.

    Parameters
    ----------
    name : that of the variant
    eager : by Torch's operations, not by a compiled loop
    changed : the parameters, then the slots of each
    grads : the gradients
    numbers : float64, in the order of ``variant.numbers``

    Raises
    ------
    RuntimeError
        If one of the tensors has lost its memory, which no guard of ``torch.compile`` notices.
    """
    if any(map(has_no_memory, chain(changed, grads))):
        raise RuntimeError(
            "a parameter, its gradient or its state has no memory: its storage was freed"
        )
    variant = VARIANTS[name]
    rule, scalars, penalty = variant.with_numbers(numbers.tolist())
    settings, batch = Given(variant, rule, penalty), Batch(scalars)
    n, width = len(grads), len(variant.rule.slots)
    for i in range(n):
        first = n + i * width
        batch.add(changed[i], grads[i], list(changed[first : first + width]))
    kernel = None if eager else kernel_for(variant, batch.dtypes)
    odd, plain = batch.split(lambda x, g, slots: kernel is None or not dense(x, g, slots))
    odd.eager_step(settings)
    if plain and kernel is not None:
        plain.native_step(settings, kernel)
