"""Small networks on the digits, one for each seed, trained side by side by one step for all.

Their weights are stacked along a first axis, and each has batches of its own. So a comparison over
ten seeds costs little more than one run.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..data import DataSet, load
from .loop import edited

CUT = (48, 16)  # the parts of a batch, of unequal sizes
WHITE = 16  # what the pixels were divided by


class Networks(nn.Module):
    """Networks with a hidden layer, in float64, one for each seed.

    Each hidden unit has a gain behind it, as behind a norm, so that there is one to decay.

    Attributes
    ----------
    matrices : of the two layers, shapes (seeds, 64, hidden) and (seeds, hidden, 10)
    vectors : the first bias and the gain, shape (seeds, 1, hidden), and the last bias
    """

    def __init__(self, seeds: Sequence[int], hidden: int = 32) -> None:
        super().__init__()
        shapes = (64, hidden), (hidden, 10)
        self.matrices = nn.ParameterList(_drawn(seeds, *shape) for shape in shapes)
        vectors = (0.0, hidden), (1.0, hidden), (0.0, 10)
        self.vectors = nn.ParameterList(
            torch.full((len(seeds), 1, size), value, dtype=torch.double) for value, size in vectors
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return outputs of shape (batch, seeds, 10) for images of shape (batch, seeds, 64)."""
        (first, last), (bias, gain, last_bias) = self.matrices, self.vectors
        hidden = (images.transpose(0, 1) @ first + bias).relu() * gain
        return (hidden @ last + last_bias).transpose(0, 1)

    @torch.no_grad()
    def test_losses(self) -> NDArray[np.float64]:
        """Return the mean loss on the test images for each seed; infinite where it is no number."""
        (first, *_) = self.matrices
        digits = _digits()
        images = torch.tensor(digits.test_x).to(first.dtype)[:, None].expand(-1, len(first), -1)
        labels = torch.tensor(digits.test_y)[:, None].expand(-1, len(first))
        losses = nn.functional.cross_entropy(self(images).mT, labels, reduction="none")
        return losses.double().mean(0).nan_to_num(torch.inf).numpy()


@cache
def _digits() -> DataSet:
    return load("digits")


def _drawn(seeds: Sequence[int], rows: int, columns: int) -> Tensor:
    each = [np.random.default_rng(seed).normal(size=(rows, columns)) for seed in seeds]
    return torch.tensor(np.array(each) / rows**0.5)


def loss_of(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return the sum of the losses of all examples, and of all networks."""
    return nn.functional.cross_entropy(outputs.mT, labels, reduction="sum")


def clip_each(parameters: Iterable[Tensor], max_norm: float) -> None:
    """Clip the gradient of each network by its own norm."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norms = torch.stack([g.square().sum(dim=(1, 2)) for g in gradients]).sum(0).sqrt()
    for g in gradients:
        g *= (max_norm / norms).clamp(max=1)[:, None, None]


def trained(
    edits: Sequence[tuple[str, str]],
    optimizer_of: Callable[[Networks], torch.optim.Optimizer],
    factor: Callable[[int], float],
    *,
    seeds: Sequence[int] = range(10),
    steps: int = 60,
    dtype: torch.dtype = torch.double,
    raw: int | None = None,
    **options: Any,
) -> Iterator[Networks]:
    """Train by :func:`~adam_edu.torch.loop.train_step`, edited, and yield after each step.

    Parameters
    ----------
    edits : of its text; none for the right step
    optimizer_of : makes the optimizer of the networks
    factor : on the rate, after so many steps
    dtype : of weights and images
    raw : the step whose images are not divided by 16, as if somebody had forgotten it
    options : ``scaled``, whether there is a ``GradScaler``; others go to the step
    """
    digits = _digits()
    images, labels = torch.tensor(digits.train_x).to(dtype), torch.tensor(digits.train_y)
    model, step = Networks(seeds).to(dtype), edited(*edits, clip_grad_norm_=clip_each)
    optimizer = optimizer_of(model)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    scaler = torch.amp.GradScaler("cpu", enabled=options.pop("scaled", False))
    rngs = [np.random.default_rng(seed) for seed in seeds]
    for t in range(steps):
        batch = np.stack([rng.integers(len(images), size=sum(CUT)) for rng in rngs], axis=1)
        pixels = images[batch] * (WHITE if t == raw else 1)
        parts = list(zip(pixels.split(CUT), labels[batch].split(CUT), strict=True))
        step(model, loss_of, parts, optimizer, schedule, scaler, **options)
        yield model
