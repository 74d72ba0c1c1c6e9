"""Calling a stranger's function so that the notebook lives on, whatever it does."""

import contextlib
import hashlib
import io
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Hashable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

from .guard import originals
from .remote import inside

try:
    import resource
except ImportError:  # as on Windows, or in a page
    resource = None  # type: ignore[assignment]

# The first use of a large library takes a while.
SECONDS = 5.0
# What waits, as for the network, and does not compute, has so many times as long.
PATIENCE = 10.0
# More than this a call may not take on top of what is in use, where the system can tell.
MEMORY = 2 * 2**30
# Of what a call prints, so many characters are kept.
CHARACTERS = 10_000


class OutOfTime(BaseException):
    """The time is up: so many seconds. Not an Exception, lest ``except Exception`` swallow it."""


class Limit:
    """The time that a call has: so many seconds of a processor's, or PATIENCE times as many by the
    clock. Where other programs keep the processors busy, a right answer takes long by the clock.

    Who computes on several processors has so many seconds by the clock too.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.began = seconds, time.monotonic()
        self.before: dict[Hashable, float] = {}

    def look(self, used: Callable[[], float], who: Hashable = None) -> None:
        """Raise OutOfTime if the time is up, for the one whose processor time ``used`` tells."""
        passed = time.monotonic() - self.began
        if passed > PATIENCE * self.seconds:
            raise OutOfTime(f"{PATIENCE * self.seconds:g}")
        if passed > self.seconds and used() - self.before.get(who, 0.0) > self.seconds:
            raise OutOfTime(f"{self.seconds:g}")


# In what is called by these the time limit does not raise: they leave nothing half done.
WHOLE: set[CodeType] = set()
# Of the call that is running in this thread.
RUNNING: ContextVar[Limit | None] = ContextVar("RUNNING", default=None)


@dataclass(frozen=True)
class Outcome:
    """What a call did.

    Attributes
    ----------
    value, error : what it returned, or raised
    printed : the beginning of what it printed
    replaced : the functions of NumPy, Python or the checker that it had replaced; they are back
    """

    value: Any = None
    error: BaseException | None = None
    printed: str = ""
    replaced: tuple[str, ...] = ()

    @property
    def out_of_time(self) -> bool:
        """Whether the call was stopped."""
        return isinstance(self.error, OutOfTime)


class Printed(io.StringIO):
    """A text stream that keeps the first CHARACTERS and lets go of the rest."""

    def write(self, text: str) -> int:
        """Take a text as if all of it were kept."""
        super().write(text[: max(CHARACTERS - self.tell(), 0)])
        return len(text)


def call(function: Callable[[], Any], seconds: float | None = None) -> Outcome:
    """Call a function with its output caught, warnings off, and an end to its time of SECONDS.

    Whatever it raises is part of the outcome, even SystemExit; only the user's own interruption
    goes through. Functions that it replaced are put back, and its memory is limited.
    """
    originals().put_back()
    with time_limit(SECONDS if seconds is None else seconds), memory_limit():
        outcome = caught(function)
    replaced = originals().put_back()
    return Outcome(outcome.value, outcome.error, outcome.printed, replaced)


def caught(function: Callable[[], Any]) -> Outcome:
    """Call a function with its output and errors caught and warnings off; time has no limit."""
    printed = Printed()
    value, error = None, None
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            value = _theirs(function)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:
        error = raised
    return Outcome(value, error, printed.getvalue())


def _theirs(function: Callable[[], Any]) -> Any:
    """Call a function. While this frame is on the stack, and no longer, the time limit raises."""
    return function()


def text_of(error: BaseException) -> str:
    """Return an error's message, also where asking for it raises another.

    >>> text_of(ValueError("no number"))
    'no number'
    """
    try:
        return str(error)
    except BaseException as another:
        return f"(its text cannot be shown: asking for it raises {type(another).__name__})"


def time_limit(seconds: float) -> contextlib.AbstractContextManager[None]:
    """Raise OutOfTime in a function that is called in the block, when the block has computed longer
    or has waited much longer.

    By a timer's signal where there are such signals and this is the main thread, as in a script or
    a notebook on Linux or macOS. Elsewhere, as on Windows or in a page, by a trace function that
    looks at the clock on every line of Python; it is slower and cannot stop a call that is inside C
    code.
    """
    main = threading.current_thread() is threading.main_thread()
    timers = hasattr(signal, "setitimer") and sys.platform != "emscripten"
    return _limited(Limit(seconds), _by_signal if timers and main else _by_trace)


@contextlib.contextmanager
def _limited(limit: Limit, by: Callable[[Limit], Any]) -> Iterator[None]:
    limit.before[None] = time.process_time()
    outer = RUNNING.set(limit)
    try:
        with by(limit):
            yield
    finally:
        RUNNING.reset(outer)


@contextlib.contextmanager
def _by_signal(limit: Limit) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        while frame is not None and frame.f_code is not _theirs.__code__:
            if frame.f_code in WHOLE:
                return
            frame = frame.f_back
        if frame is not None:
            limit.look(time.process_time)

    handler = signal.signal(signal.SIGALRM, stop)
    # Again and again: it may be too early, or swallowed by a bare "except:".
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, limit.seconds, 0.1)
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
def _by_trace(limit: Limit) -> Iterator[None]:
    def look(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename == __file__:
            return None  # what stands around the call is not to be stopped
        limit.look(time.process_time)
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)


@contextlib.contextmanager
def memory_limit() -> Iterator[None]:
    """Let the block take no more than MEMORY, where the system counts what a process takes."""
    if resource is None or not (pages := _pages()):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = pages * resource.getpagesize() + MEMORY
    known = [one for one in (soft, hard, limit) if one != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(known), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _pages() -> int:
    """Return how many pages of memory this process has, or 0 where the system does not count."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    except OSError:
        return 0


def random_states() -> dict[str, str]:
    """Return the global random states of Python, NumPy and, where it is loaded, Torch, in short."""
    return {name: _short(state) for name, state in _states().items()}


def _states() -> dict[str, Any]:
    states = {"random": random.getstate(), "numpy.random": np.random.get_state(legacy=True)}  # noqa: NPY002
    torch = sys.modules.get("torch")
    if torch is not None:
        states["torch"] = torch.get_rng_state()
    return states


def _short(state: Any) -> str:
    digest = hashlib.sha256()
    for part in state if isinstance(state, tuple) else (state,):
        # As bytes: to spell out hundreds of numbers takes longer than a student's function.
        digest.update(repr(None).encode() if part is None else np.asarray(part).tobytes())
    return digest.hexdigest()


class RandomState:
    """The global random states that a function can draw from, where it lives."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.states = _states()
        self.before = inside(function, random_states)

    def changed(self) -> list[str]:
        """Return the names of those that are no longer what they were."""
        now = inside(self.function, random_states)
        return [name for name, state in self.before.items() if state != now[name]]

    def restore(self) -> None:
        """Put the states here back."""
        random.setstate(self.states["random"])
        np.random.set_state(self.states["numpy.random"])  # noqa: NPY002
        if "torch" in self.states:
            sys.modules["torch"].set_rng_state(self.states["torch"])
