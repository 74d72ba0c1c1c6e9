"""The few functions that a rule may call beside arithmetic and ``abs``.

Each takes a Python float, a NumPy array, a Torch tensor or a SymPy expression and answers in kind.
A rule that keeps to them therefore runs on all four.
"""

import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def _library(x: Any) -> Any:
    """Return the module that ``x`` comes from: whoever holds an array has imported its library.

    The class of ``x`` may be somebody's own, made from that of a library.
    """
    for kind in type(x).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in ("numpy", "torch", "sympy"):
            return sys.modules[root]
    raise TypeError(
        f"{x!r} is a {type(x).__name__}: a rule takes numbers, NumPy arrays, Torch tensors and "
        "SymPy expressions"
    )


def sqrt(x: Any) -> Any:
    """Square root, elementwise.

    >>> sqrt(9.0)
    3.0
    """
    if isinstance(x, (int, float)):
        return math.sqrt(x)
    return _library(x).sqrt(x)


def sign(x: Any) -> Any:
    """Return 1 where ``x`` is positive, -1 where it is negative and 0 where it is 0, elementwise.

    A NaN stays a NaN, except in Torch, whose sign of it is 0.

    >>> sign(-0.25)
    -1.0
    """
    if isinstance(x, (int, float)):
        return x if x != x else float(x > 0) - float(x < 0)
    return _library(x).sign(x)


def maximum(x: Any, low: Any) -> Any:
    """Return the larger of ``x`` and ``low``, elementwise. ``low`` may be a number.

    >>> maximum(-1.0, 0.0)
    0.0
    """
    return clip(x, low, math.inf)


def clip(x: Any, low: Any, high: Any) -> Any:
    """Bring ``x`` into the interval from ``low`` to ``high``, elementwise.

    A NaN stays a NaN.

    >>> clip(0.7, 0.0, 0.5)
    0.5
    """
    if isinstance(x, (int, float)):
        return min(max(x, low), high)  # in this order, both hand a NaN on
    library = _library(x)
    if library.__name__ == "sympy":
        return library.Min(library.Max(x, low), high)
    high = None if high is math.inf else high
    return library.clip(x, low, high)


def product(term: Callable[..., Any], n: Any, *args: Any) -> Any:
    """Return ``term(1, *args) * ... * term(n, *args)``.

    A driver asks for n = 1, 2, 3, ... in turn, so the last product of each ``term`` and ``args``
    is remembered, and the next one costs a single multiplication. For a symbolic ``n``, a SymPy
    ``Product``. For an ``n`` of which nobody can say what it holds, see :func:`answering`.

    >>> product(lambda i, c: c * i, 3, 10)
    6000
    """
    if (answer := getattr(_here, "answer", None)) is not None:
        return answer(term, n, *args)
    if not isinstance(n, int):
        sympy = _library(n)
        i = sympy.Symbol("i", integer=True, positive=True)
        return sympy.Product(term(i, *args), (i, 1, n))
    done, value = _products.get((term, args), (0, 1))
    if done > n:
        done, value = 0, 1
    for i in range(done + 1, n + 1):
        value = value * term(i, *args)
    if len(_products) >= 64:
        _products.clear()
    _products[term, args] = n, value
    return value


@contextmanager
def answering(answer: Callable[..., Any]) -> Iterator[None]:
    """Have :func:`product` return ``answer(term, n, *args)`` instead.

    For a driver that counts its steps where no one can look, such as in a tensor on a GPU: it keeps
    the products there too, and multiplies each by its next term.

    >>> with answering(lambda term, n: 10 * term(n)):
    ...     product(lambda i: i, 7)
    70
    """
    _here.answer = answer
    try:
        yield
    finally:
        _here.answer = None


_here = threading.local()

_products: dict[tuple[Callable[..., Any], tuple[Any, ...]], tuple[int, Any]] = {}
