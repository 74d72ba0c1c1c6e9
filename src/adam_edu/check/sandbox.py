"""Calling a stranger's function so that the notebook lives on, whatever it does."""

import contextlib
import io
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

# The first use of a large library takes a while.
SECONDS = 5.0


class OutOfTime(BaseException):
    """The time is up: so many seconds. Not an Exception, lest ``except Exception`` swallow it."""


@dataclass(frozen=True)
class Outcome:
    """What a call did: the value it returned or the error it raised, and what it printed."""

    value: Any = None
    error: BaseException | None = None
    printed: str = ""

    @property
    def out_of_time(self) -> bool:
        """Whether the call was stopped."""
        return isinstance(self.error, OutOfTime)


def call(function: Callable[[], Any], seconds: float | None = None) -> Outcome:
    """Call a function with its output caught, warnings off, and an end to its time of SECONDS.

    Whatever it raises is part of the outcome, even SystemExit; only the user's own interruption
    goes through.
    """
    printed = io.StringIO()
    value, error = None, None
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            with time_limit(SECONDS if seconds is None else seconds):
                value = function()
    except KeyboardInterrupt:
        raise
    except BaseException as raised:
        error = raised
    return Outcome(value, error, printed.getvalue())


def time_limit(seconds: float) -> contextlib.AbstractContextManager[None]:
    """Raise OutOfTime in the block when it has taken longer.

    By a timer's signal where there are such signals and this is the main thread, as in a script or
    a notebook on Linux or macOS. Elsewhere, as on Windows, by a trace function that looks at the
    clock on every line of Python; it is slower and cannot stop a call that is inside C code.
    """
    main = threading.current_thread() is threading.main_thread()
    return _by_signal(seconds) if hasattr(signal, "setitimer") and main else _by_trace(seconds)


@contextlib.contextmanager
def _by_signal(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise OutOfTime(f"{seconds:g}")

    handler = signal.signal(signal.SIGALRM, stop)
    # Again and again, in case the first one is swallowed by a bare "except:".
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    began = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if remaining:
            left = max(remaining - (time.monotonic() - began), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


@contextlib.contextmanager
def _by_trace(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds

    def look(frame: FrameType, event: str, argument: Any) -> Any:
        if time.monotonic() > deadline:
            raise OutOfTime(f"{seconds:g}")
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)


class RandomState:
    """The global random states of Python, NumPy and, where it is loaded, Torch."""

    def __init__(self) -> None:
        self.states = self._read()

    @staticmethod
    def _read() -> dict[str, Any]:
        states = {"random": random.getstate(), "numpy.random": np.random.get_state(legacy=True)}  # noqa: NPY002
        torch = sys.modules.get("torch")
        if torch is not None:
            states["torch"] = torch.get_rng_state()
        return states

    def changed(self) -> list[str]:
        """Return the names of those that are no longer what they were."""
        now = self._read()
        return [name for name, state in self.states.items() if _plain(state) != _plain(now[name])]

    def restore(self) -> None:
        """Put the states back."""
        random.setstate(self.states["random"])
        np.random.set_state(self.states["numpy.random"])  # noqa: NPY002
        if "torch" in self.states:
            sys.modules["torch"].set_rng_state(self.states["torch"])


def _plain(state: Any) -> Any:
    """Return a state as something that can be compared by ``==``."""
    if isinstance(state, tuple):
        return tuple(p.tobytes() if isinstance(p, np.ndarray) else p for p in state)
    return np.asarray(state).tobytes()
