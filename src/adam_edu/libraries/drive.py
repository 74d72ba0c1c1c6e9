"""Anybody's optimizer, driven from outside: where it stands after each gradient that it is given.

A :class:`Driver` starts an optimizer anew for each run, so that what is seen is a matter of the
gradients alone. :func:`driver` finds the one for an object.
"""

import copy
import inspect
import json
import shlex
import subprocess
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import Rule

Array = NDArray[np.float64]
# One gradient for each parameter; None where a parameter has none in this step.
Gradients = Iterable[Sequence[Array | None]]


class Unusable(ValueError):
    """What was given is no optimizer that can be driven by gradients; the text says why."""


class Driver:
    """An optimizer that can be started anew.

    Attributes
    ----------
    name : what it is called, for a reader
    dtypes : the dtypes that its parameters may have, the most exact first
    sparse : whether a parameter without a gradient is something else than one with zeros
    """

    name: str
    dtypes: tuple[str, ...] = ("float64",)
    sparse = False

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Return every parameter after each step, as float64: ``path[t][k]`` is parameter k.

        ``starts`` are the parameters' first values, each of shape (n,).
        """
        raise NotImplementedError


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


class Attributes(Driver):
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


def _river(optimizer: Any) -> Attributes:
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

    return Attributes(type(optimizer).__name__, begin, step, dtypes=("float64",), sparse=True)


def _mlx(optimizer: Any) -> Attributes:
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

    return Attributes(type(optimizer).__name__, begin, step, dtypes=("float32",))


def _paddle(make: Callable[..., Any]) -> Attributes:
    """Drive a Paddle optimizer's class, or a factory that takes ``parameters=``."""
    import paddle

    def begin(xs: list[Any]) -> tuple[Any, Any]:
        params = [
            paddle.create_parameter(
                x.shape, str(x.dtype), default_initializer=paddle.nn.initializer.Assign(x)
            )
            for x in xs
        ]
        return make(parameters=params), params

    def step(made: Any, params: Any, values: list[Any]) -> Any:
        for x, v in zip(params, values, strict=True):
            x.grad = None if v is None else paddle.to_tensor(v)
        made.step()
        return params

    name = getattr(make, "__name__", "optimizer")
    return Attributes(name, begin, step, lambda x: x.numpy(), sparse=True)


class Ours(Driver):
    """A rule of this package, or a function of the form of its exercises.

    A function takes ``x``, ``g``, its slots in their order and ``t`` if it wants it, and returns
    the new x and the new slots: ``adam_step(x, g, m, v, t)``.
    """

    sparse = True

    def __init__(self, rule: Any) -> None:
        self.name = type(rule).__name__ if isinstance(rule, Rule) else rule.__name__
        if isinstance(rule, Rule):
            self.update, self.slots, self.wants_t = rule.update, len(rule.slots), True
            return
        required = [
            p.name for p in inspect.signature(rule).parameters.values() if p.default is p.empty
        ]
        self.wants_t = "t" in required
        self.slots = len(required) - 2 - self.wants_t
        order = required.index("t") - 2 if self.wants_t else 0

        def update(t: int, x: Any, g: Any, *slots: Any) -> Any:
            if not self.wants_t:
                return rule(x, g, *slots)
            return rule(x, g, *slots[:order], t, *slots[order:])

        self.update = update

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Call it for each parameter; one whose gradient is None is left out."""
        xs = [np.array(x, dtype) for x in starts]
        slots: list[tuple[Any, ...]] = [(np.zeros_like(x),) * self.slots for x in xs]
        path = []
        for t, row in enumerate(gradients, start=1):
            for k, g in enumerate(row):
                if g is None:
                    continue
                found = self.update(t, xs[k], g, *slots[k])
                x, *after = found if isinstance(found, tuple) else (found,)
                xs[k], slots[k] = np.asarray(x, np.float64), tuple(after)
            path.append([x.copy() for x in xs])
        return path


class Function(Driver):
    """A function from start and gradients, of shapes (n,) and (T, n), to the T points after each
    step, of shape (T, n). There is one parameter: what depends on several is not seen."""

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        self.function = function
        self.name = name or str(getattr(function, "__name__", "function"))

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Call it with all parameters as one."""
        rows = np.array([_joined(row, starts) for row in gradients])
        found = np.asarray(self.function(np.concatenate(starts), rows), np.float64)
        wanted = rows.shape
        if found.shape != wanted:
            raise Unusable(
                f"{self.name} must return the points after each step, of shape {wanted}, and "
                f"returned {found.shape}"
            )
        ends = np.cumsum([len(x) for x in starts])[:-1]
        return [np.split(row, ends) for row in found]


class Command(Driver):
    """A program that reads JSON lines and writes JSON lines.

    The first line that it reads is ``{"x": [...]}``, where the parameter starts; each other line is
    ``{"g": [...]}``, and it answers with ``{"x": [...]}``, the parameter after that step.
    """

    def __init__(self, command: str, seconds: float = 60.0) -> None:
        self.words, self.name, self.seconds = shlex.split(command), command, seconds

    def run(self, starts: Sequence[Array], gradients: Gradients, dtype: str) -> list[list[Array]]:
        """Start it, send all, and read all."""
        sizes = [len(x) for x in starts]
        lines = [json.dumps({"x": np.concatenate(starts).tolist()})]
        for row in gradients:
            lines.append(json.dumps({"g": _joined(row, starts).tolist()}))
        try:
            done = subprocess.run(
                self.words,
                input="\n".join(lines) + "\n",
                capture_output=True,
                text=True,
                timeout=self.seconds,
            )
        except subprocess.TimeoutExpired:
            raise Unusable(f"{self.name} did not end within {self.seconds:g} s") from None
        answers = [line for line in done.stdout.splitlines() if line.strip()]
        try:
            found = [np.asarray(json.loads(line)["x"], np.float64) for line in answers]
        except (ValueError, KeyError, TypeError):
            found = []
        if len(found) != len(lines) - 1:
            last = (done.stderr.strip().splitlines() or [""])[-1]
            raise Unusable(
                f'{self.name} must answer each line of gradients with a line {{"x": [...]}}; '
                f"{len(lines) - 1} were sent, {len(found)} came back. {last}".strip()
            )
        ends = np.cumsum(sizes)[:-1]
        return [np.split(x, ends) for x in found]


def _joined(row: Sequence[Array | None], starts: Sequence[Array]) -> Array:
    """Return the gradients of all parameters as one; a parameter without has zeros."""
    pairs = zip(row, starts, strict=True)
    return np.concatenate([np.zeros(len(x)) if g is None else g for g, x in pairs])


def driver(optimizer: Any) -> Driver:
    """Return what drives an object: a Driver, a Torch optimizer (class, instance or factory), an
    Optax transformation, a Keras optimizer, one of scikit-learn, River, MLX or Paddle, a rule of
    this package, a step function ``step(x, g, *slots, t)``, or a function from a start and
    gradients to points.

    Raises
    ------
    Unusable
        If it is none of these, with a sentence on what it is instead.
    """
    if isinstance(optimizer, Driver):
        return optimizer
    if inspect.isclass(optimizer) and issubclass(optimizer, Rule):
        return Ours(optimizer())
    if isinstance(optimizer, Rule):
        return Ours(optimizer)
    kind = optimizer if inspect.isclass(optimizer) else type(optimizer)
    made_by = {base.__module__.partition(".")[0] for base in kind.__mro__}
    if "keras" in made_by or "tf_keras" in made_by:
        return Keras(optimizer)
    if "river" in made_by:
        return _river(optimizer() if inspect.isclass(optimizer) else optimizer)
    if "mlx" in made_by:
        return _mlx(optimizer)
    if "paddle" in made_by:
        return _paddle(optimizer)
    if "sklearn" in made_by:
        if not hasattr(kind, "update_params"):
            raise Unusable(
                f"{kind.__name__} trains a whole model and takes no gradients; the optimizers of "
                "scikit-learn's networks are AdamOptimizer and SGDOptimizer in "
                "sklearn.neural_network._stochastic_optimizers"
            )
        return Sklearn(optimizer)
    if "torch" in made_by:
        return Torch(optimizer)
    if hasattr(optimizer, "init") and hasattr(optimizer, "update"):
        return Optax(optimizer)
    if callable(optimizer) and not inspect.isclass(optimizer):
        return _of_function(optimizer)
    raise Unusable(
        f"{kind.__name__} is no optimizer known here: it may be one of Torch, Optax, Keras, "
        "scikit-learn, River, MLX or Paddle, a rule, or a function step(x, g, *slots, t)"
    )


def _of_function(function: Callable[..., Any]) -> Driver:
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    if names[:2] == ["x", "g"]:
        return Ours(function)
    if names[:1] == ["parameters"]:
        return _paddle(function)
    if len(names) == 2:
        return Function(function)
    return Torch(function)
