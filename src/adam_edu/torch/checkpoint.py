"""What a checkpoint holds, checked before any of it is taken over."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from torch import Tensor

from ..base import Rule
from .arguments import TORCH_SLOTS, chosen


def checked_state(
    rule: type[Rule], groups: Sequence[Mapping[str, Any]], state_dict: Mapping[str, Any]
) -> list[tuple[Tensor, dict[str, Any]]]:
    """Return each parameter with its entries in a checkpoint, under our names.

    Raises
    ------
    ValueError
        If the checkpoint is of other parameters or of another rule.
    """
    saved_groups = state_dict["param_groups"]
    counts = [len(group["params"]) for group in groups]
    if counts != (saved := [len(group["params"]) for group in saved_groups]):
        raise ValueError(
            f"the state has groups of {saved} parameters, but this optimizer has {counts}"
        )
    numbers = chain.from_iterable(group["params"] for group in saved_groups)
    params = chain.from_iterable(group["params"] for group in groups)
    known = {slot for group in groups for slot in chosen(rule, group).slots}
    known |= {slot for group in saved_groups for slot in chosen(rule, {**groups[0], **group}).slots}
    found = []
    for number, p in zip(numbers, params, strict=True):
        entries = dict(state_dict["state"].get(number, {}))
        if entries:
            found.append((p, _checked(rule, p, entries, known)))
    return found


def _checked(
    rule: type[Rule], p: Tensor, entries: dict[str, Any], known: set[str]
) -> dict[str, Any]:
    for follows_from_t in ("products", "mu_product"):  # the latter in NAdam of torch.optim
        entries.pop(follows_from_t, None)
    step = int(entries.pop("step", 0))
    # SGD of torch.optim writes None where it has no momentum.
    slots = {TORCH_SLOTS.get(k, k): value for k, value in entries.items() if value is not None}
    for name, value in slots.items():
        if name not in known:
            raise ValueError(
                f"the state has {name!r}, but {rule.__name__} keeps "
                f"{', '.join(sorted(known)) or 'nothing'}: is it another optimizer's?"
            )
        if value.shape != p.shape:
            raise ValueError(
                f"{name!r} in the state has shape {tuple(value.shape)}, its parameter "
                f"{tuple(p.shape)}"
            )
    return {"step": step, **slots}
