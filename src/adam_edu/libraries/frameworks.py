"""Drivers of optimizers that come with a library, a few lines for each way to give gradients."""

import copy
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Driver, Gradients, Unusable


class Torch(Driver):
    """A ``torch.optim.Optimizer``: a class, an instance (its defaults are used), or a factory that
    is called with a list of parameters."""

    dtypes = ("float64", "float32", "bfloat16")
    sparse = True

    def __init__(self, optimizer: Any, rate: float = 1.0) -> None:
        import torch

        self.torch, self.given, self.rate = torch, optimizer, rate
        if isinstance(optimizer, torch.optim.Optimizer):
            kind, defaults = type(optimizer), dict(optimizer.defaults)
            taken = inspect.signature(kind).parameters
            defaults = {key: value for key, value in defaults.items() if key in taken}
            self.name, self.make = kind.__name__, lambda params: kind(params, **defaults)
        else:
            self.name, self.make = getattr(optimizer, "__name__", "optimizer"), optimizer

    def with_rate(self, factor: float) -> "Torch":
        """Return one whose learning rates are multiplied by ``factor``."""
        return Torch(self.given, factor)

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Put each gradient into ``.grad``, and call ``step()``."""
        kind = getattr(self.torch, dtype)
        params = [self.torch.tensor(x).to(kind).requires_grad_() for x in starts]
        optimizer = self.make(params)
        if not isinstance(optimizer, self.torch.optim.Optimizer):
            raise Unusable(
                f"{self.name} must make a Torch optimizer from a list of parameters; it made "
                f"{type(optimizer).__name__}"
            )
        if self.rate != 1:  # the rate of some has another name
            for group in optimizer.param_groups:
                group["lr"] *= self.rate
        train = getattr(optimizer, "train", None)
        if callable(train):  # schedule-free ones have two modes
            train()
        path = []
        for row in gradients:
            for param, g in zip(params, row, strict=True):
                param.grad = None if g is None else self.torch.tensor(g).to(kind)
            try:
                optimizer.step()
            except TypeError as error:
                if "closure" in str(error):
                    raise Unusable(
                        f"{self.name} calls a closure that computes the loss, several times a "
                        "step perhaps; it cannot be driven by recorded gradients"
                    ) from error
                raise
            path.append([param.detach().to(self.torch.float64).numpy().copy() for param in params])
        return path


class Optax(Driver):
    """An Optax gradient transformation."""

    dtypes = ("float64", "float32", "bfloat16")

    def __init__(self, transformation: Any) -> None:
        self.transformation, self.name = transformation, "Optax transformation"

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Call ``update`` and add what it returns; a gradient that is None is a zero."""
        import jax
        import jax.numpy as jnp

        with jax.enable_x64(dtype == "float64"):
            params = [jnp.asarray(x, dtype) for x in starts]
            state = self.transformation.init(params)

            @jax.jit
            def step(params: Any, state: Any, values: Any) -> Any:
                changes, state = self.transformation.update(values, state, params)
                # As optax.apply_updates does: a parameter keeps its dtype.
                return [
                    jnp.asarray(x + change, x.dtype)
                    for x, change in zip(params, changes, strict=True)
                ], state

            path = []
            for row in gradients:
                values = [
                    jnp.zeros_like(x) if g is None else jnp.asarray(g, dtype)
                    for x, g in zip(params, row, strict=True)
                ]
                params, state = step(params, state, values)
                path.append([np.asarray(x, np.float64) for x in params])
        return path


class Keras(Driver):
    """A Keras optimizer, on whatever backend Keras has."""

    dtypes = ("float32", "bfloat16")

    def __init__(self, optimizer: Any, rate: float = 1.0) -> None:
        self.given, self.rate = optimizer, rate
        self.kind: Any = optimizer if inspect.isclass(optimizer) else type(optimizer)
        self.config = None
        if not inspect.isclass(optimizer):
            with warnings.catch_warnings():  # Keras 3 warns of itself on a new NumPy
                warnings.simplefilter("ignore", DeprecationWarning)
                self.config = optimizer.get_config()
        self.name = self.kind.__name__

    def with_rate(self, factor: float) -> "Keras":
        """Return one whose learning rate is multiplied by ``factor``."""
        return Keras(self.given, factor)

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Call ``apply``; a gradient that is None is a zero."""
        import keras

        optimizer = self.kind() if self.config is None else self.kind.from_config(self.config)
        params = [keras.Variable(np.asarray(x, np.float32), dtype=dtype) for x in starts]
        optimizer.build(params)
        if self.rate != 1:
            optimizer.learning_rate = self.rate * float(optimizer.learning_rate)
        path = []
        for row in gradients:
            values = [
                keras.ops.cast(np.zeros(len(x)) if g is None else g, dtype)
                for x, g in zip(starts, row, strict=True)
            ]
            optimizer.apply(values, params)
            path.append(
                [
                    keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")).astype(np.float64)
                    for x in params
                ]
            )
        return path


class Sklearn(Driver):
    """One of scikit-learn's two optimizers of networks, which are otherwise hidden in a model."""

    dtypes = ("float64", "float32")

    def __init__(self, kind: Any) -> None:
        self.kind, self.name = kind, getattr(kind, "__name__", type(kind).__name__)

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Call ``update_params``; a gradient that is None is a zero."""
        params = [np.array(x, dtype) for x in starts]
        optimizer = self.kind(params)
        path = []
        for row in gradients:
            values = [
                np.zeros_like(x) if g is None else np.asarray(g, dtype)
                for x, g in zip(params, row, strict=True)
            ]
            optimizer.update_params(params, values)
            path.append([np.asarray(x, np.float64).copy() for x in params])
        return path


class Adapter(Driver):
    """An optimizer whose library has another way to hand it gradients, told by three functions.

    Parameters
    ----------
    name : for a reader
    begin : from NumPy arrays of the dtype to the library's parameters and a new optimizer
    step : takes optimizer, parameters and gradients (None where there is none), and returns the
        parameters after the step
    read : from a parameter to a NumPy array
    dtypes, sparse : as of a :class:`Driver`
    """

    def __init__(
        self,
        name: str,
        begin: Callable[[list[Any]], tuple[Any, Any]],
        step: Callable[[Any, Any, list[Any]], Any],
        read: Callable[[Any], ArrayLike] = np.asarray,
        dtypes: tuple[str, ...] = ("float64", "float32"),
        sparse: bool = False,
    ) -> None:
        self.name, self.begin, self.step, self.read = name, begin, step, read
        self.dtypes, self.sparse = dtypes, sparse

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Walk by the three functions."""
        optimizer, params = self.begin([np.array(x, dtype) for x in starts])
        path = []
        for row in gradients:
            values = [None if g is None else np.asarray(g, dtype) for g in row]
            params = self.step(optimizer, params, values)
            path.append([np.array(self.read(x), np.float64) for x in params])
        return path


def river(optimizer: Any) -> Adapter:
    """Drive a River optimizer by dicts: an entry of a parameter is a feature."""

    def begin(xs: list[Any]) -> tuple[Any, Any]:
        return copy.deepcopy(optimizer), xs

    def step(made: Any, params: Any, values: list[Any]) -> Any:
        weights = {(k, i): float(v) for k, x in enumerate(params) for i, v in enumerate(x)}
        given = {
            (k, i): float(v) for k, g in enumerate(values) if g is not None for i, v in enumerate(g)
        }
        after = made.step(weights, given)
        return [[after[k, i] for i in range(len(x))] for k, x in enumerate(params)]

    return Adapter(type(optimizer).__name__, begin, step, dtypes=("float64",), sparse=True)


def mlx(optimizer: Any) -> Adapter:
    """Drive an MLX optimizer that has taken no step yet."""
    import mlx.core as mx

    def begin(xs: list[Any]) -> tuple[Any, Any]:
        return copy.deepcopy(optimizer), [mx.array(x) for x in xs]

    def step(made: Any, params: Any, values: list[Any]) -> Any:
        keyed = {str(k): x for k, x in enumerate(params)}
        given = {
            str(k): mx.zeros_like(x) if v is None else mx.array(v)
            for k, (x, v) in enumerate(zip(params, values, strict=True))
        }
        after = made.apply_gradients(given, keyed)
        return [after[str(k)] for k in range(len(params))]

    return Adapter(type(optimizer).__name__, begin, step, dtypes=("float32",))


def paddle(make: Callable[..., Any]) -> Adapter:
    """Drive a Paddle optimizer's class, or a factory that takes ``parameters=``."""
    import paddle as library

    def begin(xs: list[Any]) -> tuple[Any, Any]:
        params = [
            library.create_parameter(
                x.shape, str(x.dtype), default_initializer=library.nn.initializer.Assign(x)
            )
            for x in xs
        ]
        return make(parameters=params), params

    def step(made: Any, params: Any, values: list[Any]) -> Any:
        for x, v in zip(params, values, strict=True):
            x.grad = None if v is None else library.to_tensor(v)
        made.step()
        return params

    name = getattr(make, "__name__", "optimizer")
    return Adapter(name, begin, step, lambda x: x.numpy(), sparse=True)
