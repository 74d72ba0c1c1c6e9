"""One step of a training loop, with each line in its place, and which parameters decay."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

Part = tuple[Tensor, Tensor]


def train_step(
    model: nn.Module,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    parts: Sequence[Part],
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    scaler: torch.amp.GradScaler,
    max_norm: float = 1.0,
    half: torch.dtype | None = None,
) -> None:
    """Take one step of the optimizer on the mean loss of all examples of all parts.

    Parameters
    ----------
    model : whose gradients are empty; they are left so
    loss_of : takes outputs and labels, returns the *sum* of the losses of a part's examples
    parts : the batch, cut so that each part fits into memory, of any sizes: inputs and labels, with
        examples along the first axis
    schedule : counts steps of the optimizer, not parts
    scaler : ``torch.amp.GradScaler(enabled=False)`` does nothing; only float16 needs one
    max_norm : the gradient is shortened to this length if it is longer
    half : in which the forward pass is computed, such as ``torch.bfloat16``

    Examples
    --------
    >>> model = nn.Linear(1, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 0.5**t)
    >>> scaler = torch.amp.GradScaler(enabled=False)
    >>> def loss_of(outputs, labels):
    ...     return (outputs - labels).square().sum()
    >>> parts = [(torch.ones(3, 1), torch.ones(3, 1)), (torch.ones(1, 1), torch.ones(1, 1))]
    >>> train_step(model, loss_of, parts, optimizer, schedule, scaler)
    >>> schedule.get_last_lr(), model.weight.grad
    ([0.05], None)
    """
    size = sum(len(labels) for _, labels in parts)
    for inputs, labels in parts:
        with torch.autocast(inputs.device.type, half, enabled=half is not None):
            loss = loss_of(model(inputs), labels) / size
        scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    clip_grad_norm_(model.parameters(), max_norm)
    scaler.step(optimizer)
    scaler.update()
    schedule.step()
    optimizer.zero_grad()


def edited(*edits: tuple[str, str], **names: Any) -> Callable[..., None]:
    """Return :func:`train_step` with pieces of its text exchanged: what does a fault do?

    Parameters
    ----------
    edits : pairs of a piece and of what stands in its place
    names : what a name in it means, such as ``clip_grad_norm_``

    Raises
    ------
    ValueError
        If a piece does not stand in the text once.

    Examples
    --------
    >>> forgetful = edited(("    optimizer.zero_grad()", ""))
    >>> edited(("zero_gard", ""))
    Traceback (most recent call last):
        ...
    ValueError: 'zero_gard' stands in train_step 0 times, not once
    """
    text = inspect.getsource(train_step)
    for piece, other in edits:
        if text.count(piece) != 1:
            raise ValueError(f"{piece!r} stands in train_step {text.count(piece)} times, not once")
        text = text.replace(piece, other)
    meaning = {**globals(), **names}
    exec(text, meaning)
    return meaning["train_step"]


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return two groups for an optimizer: matrices, which decay, and vectors, which do not.

    Biases and the gains of norms are vectors. Frozen parameters are in their groups too, so that
    they can thaw: an optimizer leaves alone what has no gradient.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3))
    >>> for group in decay_groups(model, 0.1):
    ...     print(group["weight_decay"], [tuple(p.shape) for p in group["params"]])
    0.1 [(3, 4)]
    0.0 [(3,), (3,), (3,)]
    """
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
