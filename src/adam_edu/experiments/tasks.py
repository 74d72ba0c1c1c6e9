"""A data set on a device, ready to be drawn from in minibatches."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn.functional import binary_cross_entropy

from ..problems.bigrams import frequency_groups
from ..problems.networks import Loss, cross_entropy
from .checkpoint import write_atomically
from .specs import Shape, Spec


@dataclass(frozen=True)
class Task:
    """Training and test examples in whole on one device.

    Attributes
    ----------
    train_x, test_x : tensors (examples, *shape); bags of words are SciPy matrices of their
        non-zeros on the CPU, and elsewhere stay one byte an entry until drawn; running text is
        the numbers of its words, int32
    train_y, test_y : class numbers, (examples,), or for running text (examples, context)
    """

    train_x: Any
    train_y: Tensor
    test_x: Any
    test_y: Tensor

    @property
    def device(self) -> torch.device:
        """Where the examples are."""
        return self.train_y.device

    @property
    def shape(self) -> Shape:
        """Shape of one example."""
        return tuple(self.train_x.shape[1:])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.train_y.max()) + 1

    def batch(self, indices: Tensor) -> tuple[Any, Tensor]:
        """Return the training examples with these numbers, as float32, and their classes.

        Text stays numbers of words.
        """
        y = self.train_y.index_select(0, indices)
        if isinstance(self.train_x, Tensor):
            return drawn(self.train_x.index_select(0, indices)), y
        return self.train_x[indices.numpy()], y

    def test_batches(self, size: int) -> Iterator[tuple[Any, Tensor]]:
        """Yield the test examples as :meth:`batch` does, with at most ``size`` classes a time."""
        step = max(1, size // self.test_y[0].numel())
        for start in range(0, len(self.test_y), step):
            x = self.test_x[start : start + step]
            yield drawn(x) if isinstance(x, Tensor) else x, self.test_y[start : start + step]

    def to(self, device: torch.device | str) -> "Task":
        """Return the task on another device; only tensors can go there."""
        return Task(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def drawn(x: Tensor) -> Tensor:
    """Return examples as a model takes them: float32, but the numbers of words as they are."""
    return x if x.dtype == torch.int32 else x.float()


def save_task(task: Task, path: Path) -> None:
    """Write a task into a file that many processes can read and keep in memory once.

    Raises
    ------
    OSError
        If there is no room for it.
    """
    parts = {name: _parts(getattr(task, name)) for name in task.__dataclass_fields__}
    content = io.BytesIO()
    torch.save(parts, content)
    write_atomically(path, content.getvalue())


def open_task(path: Path) -> Task:
    """Read a task from a file, as tensors on the CPU that are read as they are used."""
    parts = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    return Task(**{name: _whole(part) for name, part in parts.items()})


def content_name(task: Task) -> str:
    """Return a name for a file that is the same for the same examples and no others."""
    digest = sha256()
    for name in task.__dataclass_fields__:
        part = _parts(getattr(task, name))
        for piece in [part] if isinstance(part, Tensor) else part:
            content = piece.contiguous().numpy() if isinstance(piece, Tensor) else str(piece)
            digest.update(content.data if isinstance(content, np.ndarray) else content.encode())
    return digest.hexdigest()[:16]


def _parts(examples: Any) -> Any:
    if isinstance(examples, Tensor):
        return examples.cpu()
    arrays = (examples.data, examples.indices, examples.indptr)
    return [*(torch.from_numpy(array) for array in arrays), *examples.shape]


def _whole(parts: Any) -> Any:
    if isinstance(parts, Tensor):
        return parts
    *arrays, rows, columns = parts
    return csr_array(tuple(array.numpy() for array in arrays), shape=(rows, columns))


def constant_loss(task: Task, loss: Loss) -> float:
    """Return the training loss of the best model that does not look at its input, in nats.

    A run that ends above it has learned nothing. It predicts the classes' shares, or for
    :func:`~adam_edu.problems.networks.negative_elbo` the mean image.
    """
    if loss is cross_entropy:
        shares = torch.bincount(task.train_y.flatten()).double() / task.train_y.numel()
        return -torch.special.xlogy(shares, shares).sum().item()
    mean = task.train_x.double().mean(0)
    return binary_cross_entropy(mean, mean, reduction="sum").item()


def groups_of(y: Tensor, groups: int) -> Tensor:
    """Return which of so many groups of labels each class is in, (classes,), by frequency."""
    counts = torch.bincount(y.flatten())
    return torch.from_numpy(frequency_groups(counts.cpu().numpy(), groups)).to(y.device)


def shares(task: Task, groups: int) -> dict[str, list[float]]:
    """Return how many classes each group has, and which share of the training labels."""
    found = groups_of(task.train_y, groups)
    labels = torch.bincount(found[task.train_y.flatten()], minlength=groups).double()
    return {
        "classes": torch.bincount(found, minlength=groups).tolist(),
        "share": [round(share, 4) for share in (labels / labels.sum()).tolist()],
    }


def zca_whitening(x: Tensor, epsilon: float = 0.01) -> tuple[Tensor, Tensor]:
    """Return the mean (features,) and the matrix (features, features) that whiten ``x``.

    ``(x - mean) @ matrix`` is less correlated and looks as much like ``x`` as it can. It turns an
    eigenvalue of the covariance from ``value`` into ``value / (value + epsilon)``: with an
    ``epsilon`` of 0 into 1, and a larger one keeps directions of almost no
    variance from being blown up. Source: Krizhevsky (2009), appendix A.
    """
    mean = x.mean(0)
    centred = x - mean
    values, vectors = torch.linalg.eigh((centred.T @ centred / len(x)).double())
    matrix = vectors * (values.clamp(min=0) + epsilon).rsqrt() @ vectors.T
    return mean, matrix.to(x.dtype)


def whitened(train: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    """Whiten images (examples, channels, height, width) by the statistics of the training set."""
    mean, matrix = zca_whitening(train.flatten(1))

    def whiten(images: Tensor) -> Tensor:
        return ((images.flatten(1) - mean) @ matrix).view_as(images)

    return whiten(train), whiten(test)


def load_task(spec: Spec, device: str, *, limit: int | None = None) -> Task:
    """Load the data of an experiment onto a device, with ``limit`` training examples at most.

    Images come as rows of pixels from 0 to 1, or for a convolutional network as (channels, height,
    width). With a limit, the test set is thinned by the same factor, or as far as the experiment
    says. Raises what :func:`adam_edu.data.load` raises, for example where there is no network.
    """
    from .. import data

    source = data.load(spec.data)
    every = 1 if limit is None else max(1, len(source.train_x) // limit)
    train_x, test_x = (
        examples(array[::every][: limit if name == "train" else None], device)
        for name, array in (("train", source.train_x), ("test", source.test_x))
    )
    train_y, test_y = (
        torch.from_numpy(array[::every].astype(np.int64)).to(device)
        for array in (source.train_y, source.test_y)
    )
    if spec.test_examples:
        kept = slice(None, None, max(1, len(test_y) // spec.test_examples))
        test_x, test_y = test_x[kept][: spec.test_examples], test_y[kept][: spec.test_examples]
    if spec.images:
        train_x, test_x = whitened(as_images(train_x), as_images(test_x))
    return Task(train_x, train_y[:limit], test_x, test_y)


def examples(array: np.ndarray, device: str) -> Any:
    """Return examples as a tensor, or as a SciPy matrix: bytes on the CPU are bags of words."""
    if array.dtype == np.uint8 and device == "cpu":
        return csr_array(array, dtype=np.float32)
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)


def as_images(x: Tensor) -> Tensor:
    """Return grey images given as rows of pixels as (examples, 1, side, side), others as is."""
    if x.ndim > 2:
        return x
    side = isqrt(x.shape[1])
    return x.view(-1, 1, side, side)
