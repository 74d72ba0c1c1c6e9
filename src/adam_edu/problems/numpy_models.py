"""Models in NumPy with gradients written by hand, for those who want no framework.

A model is a :class:`~adam_edu.problems.Problem`: its parameters are one flat vector, ``sample``
draws a mini-batch. So every rule, driver and figure takes it as it takes a surface. Several runs
side by side are an axis in front: parameters (runs, n), a batch of its own for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .base import Array, Problem

SKINNY = 2  # outputs, or fewer: see _product


@dataclass(frozen=True, eq=False)
class Classification(Problem):
    """A classifier on a data set, trained on all of it at every step or on mini-batches.

    A subclass defines ``start``, ``scores`` and ``backward``.

    Parameters
    ----------
    inputs : shape (examples, features)
    labels : the class of each example, 0 to classes - 1, shape (examples,)
    batch : examples in a mini-batch, drawn with replacement; None for all examples at every step
    l2 : strength of the penalty l2 / 2 · ‖x‖² that is added to the loss
    dtype : of the start, and of all that is computed; float32 takes two thirds of the time

    Raises
    ------
    ValueError
        If the shapes do not fit, an input is not finite, a label is not a class, or ``dtype`` is
        not of floating-point numbers.
    """

    inputs: Array
    labels: NDArray[np.integer[Any]]
    batch: int | None = None
    l2: float = 0.0
    dtype: DTypeLike = field(default=np.float64, kw_only=True)

    def __post_init__(self) -> None:
        if not np.issubdtype(self.dtype, np.floating):
            raise ValueError(f"dtype must be of floating-point numbers, not {self.dtype!r}")
        inputs, labels = np.asarray(self.inputs, dtype=self.dtype), np.asarray(self.labels)
        if inputs.ndim != 2 or labels.shape != inputs.shape[:1]:
            raise ValueError(
                "inputs must have shape (examples, features) and labels (examples,), not "
                f"{inputs.shape} and {labels.shape}"
            )
        if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
            raise ValueError("labels must be whole numbers, 0 or more")
        if not np.isfinite(inputs).all():
            raise ValueError("inputs must be finite")
        if (self.batch is not None and self.batch < 1) or self.l2 < 0:
            raise ValueError("batch must be 1 or more, or None for all; l2 must be 0 or more")
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "labels", labels)

    @cached_property
    def classes(self) -> int:
        """The number of classes."""
        return int(self.labels.max()) + 1

    def scores(self, x: Array, inputs: Array) -> tuple[Array, Any]:
        """Return the scores, shape (..., examples, classes), and what ``backward`` needs."""
        raise NotImplementedError

    def backward(self, x: Array, inputs: Array, memory: Any, error: Array) -> Array:
        """Return the gradient by ``x``, given the loss's gradient by the scores."""
        raise NotImplementedError

    def value(self, x: Array) -> float:
        """Return the mean cross-entropy over all examples, in nats, and the penalty."""
        return float(self.value_each(x[np.newaxis])[0])

    def value_each(self, x: Array) -> Array:
        """Return :meth:`value` at several points, shape (runs, n), as (runs,)."""
        scores, _ = self.scores(x, self.inputs)
        log_p = _log_softmax(scores)[..., np.arange(len(self.labels)), self.labels]
        return -log_p.mean(axis=-1) + self.l2 / 2 * (x**2).sum(axis=-1)

    def gradient(self, x: Array) -> Array:
        """Return the gradient of :meth:`value`, shape (n,)."""
        return self._gradient_on(x, np.arange(len(self.labels)))

    def sample(self, x: Array, t: int, rng: np.random.Generator) -> Array:
        """Return the gradient on one mini-batch."""
        if self.batch is None:
            return self.gradient(x)
        return self._gradient_on(x, rng.integers(len(self.labels), size=self.batch))

    def sample_each(self, x: Array, t: int, rngs: Sequence[np.random.Generator]) -> Array:
        """Return the gradient on a mini-batch of its own for each of several points, (runs, n)."""
        if self.batch is None:
            return super().sample_each(x, t, rngs)
        chosen = [rng.integers(len(self.labels), size=self.batch) for rng in rngs]
        return self._gradient_on(x, np.stack(chosen))

    def accuracy(self, x: Array, inputs: ArrayLike, labels: ArrayLike) -> float:
        """Return the share of examples whose highest score is that of their label."""
        scores, _ = self.scores(x, np.asarray(inputs, dtype=float))
        return float(np.mean(scores.argmax(axis=1) == labels))

    def _gradient_on(self, x: Array, chosen: NDArray[np.integer[Any]]) -> Array:
        inputs, labels = self.inputs[chosen], self.labels[chosen]
        scores, memory = self.scores(x, inputs)
        error = _log_softmax(scores)
        np.exp(error, out=error)
        error -= labels[..., np.newaxis] == np.arange(self.classes)
        error /= chosen.shape[-1]
        gradient = self.backward(x, inputs, memory, error)
        return gradient + self.l2 * x if self.l2 else gradient


class LogisticRegression(Classification):
    """Multinomial logistic regression: ``features + 1`` parameters, one of them a bias, a class.

    Its loss is convex, so every difference between two optimizers is one of speed.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> model = LogisticRegression(digits.data / 16, digits.target)
    >>> round(model.value(model.start), 4)
    2.3026
    """

    @property
    def start(self) -> Array:  # type: ignore[override]
        """Zeros, shape (n,): all classes are equally likely."""
        return np.zeros((self.inputs.shape[1] + 1) * self.classes, self.dtype)

    def scores(self, x: Array, inputs: Array) -> tuple[Array, None]:
        """Return the scores, shape (..., examples, classes)."""
        weights, bias = _affine(x, self.classes)
        return _product(inputs, weights) + bias, None

    def backward(self, x: Array, inputs: Array, memory: None, error: Array) -> Array:
        """Return the gradient by ``x``."""
        return _affine_gradient(inputs, error, np.empty_like(x))


@dataclass(frozen=True, eq=False)
class TwoLayerNetwork(Classification):
    """One hidden layer of ``hidden`` rectified linear units, and a linear layer on top.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> TwoLayerNetwork(digits.data / 16, digits.target, hidden=20).start.shape
    (1510,)
    """

    hidden: int = 64
    seed: int = 0

    @property
    def start(self) -> Array:  # type: ignore[override]
        """Weights drawn as by He et al. (2015), biases zero; shape (n,)."""
        rng = np.random.default_rng(self.seed)
        layers = []
        for fan_in, fan_out in self._sizes:
            layer = rng.standard_normal((fan_in + 1, fan_out)) * np.sqrt(2 / fan_in)
            layer[-1] = 0.0
            layers.append(layer.ravel())
        return np.concatenate(layers).astype(self.dtype, copy=False)

    @cached_property
    def _sizes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        return (self.inputs.shape[1], self.hidden), (self.hidden, self.classes)

    def _split(self, x: Array) -> tuple[Array, Array]:
        features, hidden = self._sizes[0]
        return x[..., : (features + 1) * hidden], x[..., (features + 1) * hidden :]

    def _layers(self, x: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        first, second = self._split(x)
        return _affine(first, self.hidden), _affine(second, self.classes)

    def scores(self, x: Array, inputs: Array) -> tuple[Array, Array]:
        """Return the scores, and the hidden activations."""
        (first, bias1), (second, bias2) = self._layers(x)
        hidden = _product(inputs, first)
        hidden += bias1
        np.maximum(hidden, 0.0, out=hidden)
        return hidden @ second + bias2, hidden

    def backward(self, x: Array, inputs: Array, memory: Array, error: Array) -> Array:
        """Return the gradient by ``x``."""
        hidden, (_, (second, _)) = memory, self._layers(x)
        gradient = np.empty_like(x)
        by_first, by_second = self._split(gradient)
        _affine_gradient(hidden, error, by_second)
        error = error @ second.swapaxes(-1, -2)
        error *= hidden > 0
        _affine_gradient(inputs, error, by_first)
        return gradient


def _affine(x: Array, outputs: int) -> tuple[Array, Array]:
    """Return the weights, shape (..., inputs, outputs), and the bias, (..., 1, outputs)."""
    layer = x.reshape(*x.shape[:-1], -1, outputs)
    return layer[..., :-1, :], layer[..., -1:, :]


def _product(inputs: Array, weights: Array) -> Array:
    """Return the inputs times the weights, (..., examples, outputs).

    Where several runs see the same inputs, (examples, inputs), this is one product for all. Where
    each has its own and there are two outputs, it is a product with a vector for each output: a
    library's product of matrices takes up to five times as long then.
    """
    outputs = weights.shape[-1]
    if inputs.ndim == 2 and weights.ndim == 3:
        runs, features, _ = weights.shape
        merged = inputs @ weights.swapaxes(0, 1).reshape(features, runs * outputs)
        return merged.reshape(-1, runs, outputs).swapaxes(0, 1)
    if outputs <= SKINNY:
        columns = [inputs @ weights[..., k, np.newaxis] for k in range(outputs)]
        return np.concatenate(columns, axis=-1)
    return inputs @ weights


def _affine_gradient(inputs: Array, error: Array, gradient: Array) -> Array:
    """Fill and return the gradient by weights and bias, (..., n), given that by the outputs."""
    by_weights, by_bias = _affine(gradient, error.shape[-1])
    if error.shape[-1] <= SKINNY:
        by_weights[...] = (error.swapaxes(-1, -2) @ inputs).swapaxes(-1, -2)
    else:
        np.matmul(inputs.swapaxes(-1, -2), error, out=by_weights)
    np.sum(error, axis=-2, keepdims=True, out=by_bias)
    return gradient


def _log_softmax(scores: Array) -> Array:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted
