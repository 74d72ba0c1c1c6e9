"""Checkpoints in the form of ``torch.optim``: written, and checked before any is taken over."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from ..base import Rule
from .arguments import (
    FOLLOWED,
    NEUTRAL,
    TORCH_SLOTS,
    chosen,
    entries_needed,
    is_ours,
    torch_slots,
)
from .settings import check_group

# float32 counts up to here, and Torch keeps the step number in it.
LAST_FLOAT32 = 2**24

# Names under which some optimizer keeps a slot. What has another name is the user's own.
SLOT_NAMES = {name for names in TORCH_SLOTS.values() for pair in names.items() for name in pair}


def written(rule: type[Rule], entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter's state as the class of ``torch.optim`` that computes this rule keeps it.

    Parameters
    ----------
    entries : under our names; slots have the parameter's shape and are not copied
    """
    torchs = {ours: name for name, ours in torch_slots(rule).items()}
    found = {torchs.get(name, name): value for name, value in entries.items()}
    if "step" in found:
        t = found["step"]
        exact = torch.float32 if isinstance(t, Tensor) or t <= LAST_FLOAT32 else torch.float64
        found["step"] = torch.as_tensor(t).to(exact, copy=True)
    for name in {"products", "mu_product"} & set(found):
        products = torch.as_tensor(found[name], dtype=torch.float64)
        found[name] = products.reshape(()) if name == "mu_product" else products
    return found


def checked_groups(
    rule: type[Rule],
    groups: Sequence[Mapping[str, Any]],
    defaults: Mapping[str, Any],
    state_dict: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return a checkpoint's groups, with the options of this optimizer and no others of Torch's.

    Raises
    ------
    ValueError, TypeError
        If one is of another number of parameters, or asks for what this optimizer does not do.
    """
    saved_groups = state_dict["param_groups"]
    counts = [len(group["params"]) for group in groups]
    if counts != (saved := [len(group["params"]) for group in saved_groups]):
        raise ValueError(
            f"the state has groups of {saved} parameters, but this optimizer has {counts}"
        )
    found = []
    for group, saved_group in zip(groups, saved_groups, strict=True):
        new = {**defaults, **saved_group}
        for name in ("foreach", "fused"):  # how Torch computed it, not what
            new[name] = group.get(name)
        if rule.__name__ == "AdamW":  # as Torch's AdamW does with a checkpoint of its Adam
            new["decoupled_weight_decay"] = True
        check_group(rule, new)
        found.append({k: value for k, value in new.items() if k in group or k not in NEUTRAL})
    return found


def checked_state(
    rule: type[Rule],
    groups: Sequence[Mapping[str, Any]],
    saved_groups: Sequence[Mapping[str, Any]],
    state: Mapping[Any, Any],
) -> dict[Any, dict[str, Any]]:
    """Return the entries of each parameter in a checkpoint, under our names.

    What is kept under another key than a parameter's number is returned as it is.

    Raises
    ------
    ValueError
        If the checkpoint is of another rule, or of parameters of other shapes.
    """
    params = chain.from_iterable(group["params"] for group in groups)
    whose = [group for group in saved_groups for _ in group["params"]]
    numbers = chain.from_iterable(group["params"] for group in saved_groups)
    found: dict[Any, Any] = {}
    known = set()
    for number, p, group in zip(numbers, params, whose, strict=True):
        known.add(number)
        if entries := state.get(number):
            found[p] = _checked(rule, chosen(rule, group), p, entries)
    return found | {key: value for key, value in state.items() if key not in known}


def _checked(
    rule: type[Rule], asked: type[Rule], p: Tensor, entries: Mapping[str, Any]
) -> dict[str, Any]:
    names = torch_slots(rule)
    # SGD of torch.optim writes None where it has no momentum.
    found = {names.get(k, k): value for k, value in entries.items() if value is not None}
    slots = _slots(rule)
    for name, value in found.items():
        if name in SLOT_NAMES - slots - {"products"}:
            raise ValueError(
                f"the state has {name!r}, but {rule.__name__} keeps "
                f"{', '.join(sorted(slots)) or 'nothing'}: is it another optimizer's?"
            )
        if name in slots and not (isinstance(value, Tensor) and value.shape == p.shape):
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(
                f"{name!r} in the state has shape {shape}, its parameter {tuple(p.shape)}"
            )
    needed = entries_needed(asked)
    t = int(found.get("step", 0))
    begun = t or slots & set(found)
    if begun and (missing := needed - set(found)):
        raise ValueError(
            f"the state lacks {', '.join(sorted(missing))} of {asked.__name__}: "
            "is it another optimizer's?"
        )
    found["step"] = t
    return found


def _slots(rule: type[Rule]) -> set[str]:
    """Return the names of all slots that a class may keep, whatever its options."""
    switches: list[dict[str, Any]] = [{}]
    if is_ours(rule):
        switches += [{"momentum": 0.9}] if "momentum" in FOLLOWED.get(rule.__name__, ()) else []
        switches += [{"centered": True, "amsgrad": True}]
    return {slot for options in switches for slot in chosen(rule, options).slots}
