"""A data set on a device, ready to be drawn from in minibatches."""

from dataclasses import dataclass
from math import isqrt

import numpy as np
import torch
from torch import Tensor

from .specs import Shape, Spec


@dataclass(frozen=True)
class Task:
    """Training and test examples as whole tensors on one device.

    Attributes
    ----------
    train_x, test_x : (examples, *shape); bag-of-words features stay one byte each until drawn
    train_y, test_y : class numbers, (examples,)
    """

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor

    @property
    def shape(self) -> Shape:
        """Shape of one example."""
        return tuple(self.train_x.shape[1:])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.train_y.max()) + 1

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Return the training examples with these numbers, as float32, and their classes."""
        x = self.train_x.index_select(0, indices)
        return x.float(), self.train_y.index_select(0, indices)

    def to(self, device: torch.device | str) -> "Task":
        """Return the task on another device."""
        return Task(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def zca_whitening(x: Tensor, epsilon: float = 0.01) -> tuple[Tensor, Tensor]:
    """Return the mean (features,) and the matrix (features, features) that whiten ``x``.

    ``(x - mean) @ matrix`` has about unit covariance and looks as much like ``x`` as it can.
    ``epsilon``, added to the eigenvalues of the covariance, keeps directions of almost no
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
    """Load the data of an experiment onto a device, with ``limit`` examples of each half at most.

    Images come as rows of pixels from 0 to 1, or for a convolutional network as (channels, height,
    width). Raises what :func:`adam_edu.data.load` raises, for example where there is no network.
    """
    from .. import data

    source = data.load(spec.data)
    train_x, train_y, test_x, test_y = (
        torch.from_numpy(np.ascontiguousarray(thinned(array, limit))).to(device)
        for array in (source.train_x, source.train_y, source.test_x, source.test_y)
    )
    if spec.images:
        train_x, test_x = whitened(as_images(train_x), as_images(test_x))
    return Task(train_x, train_y.long(), test_x, test_y.long())


def thinned(array: np.ndarray, limit: int | None) -> np.ndarray:
    """Return ``limit`` rows spread evenly over the array, since a file may be sorted by class."""
    if limit is None or len(array) <= limit:
        return array
    return array[:: len(array) // limit][:limit]


def as_images(x: Tensor) -> Tensor:
    """Return grey images given as rows of pixels as (examples, 1, side, side), others as is."""
    if x.ndim > 2:
        return x
    side = isqrt(x.shape[1])
    return x.view(-1, 1, side, side)
