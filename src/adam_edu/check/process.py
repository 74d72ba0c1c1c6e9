"""Running a student's file in a process of its own, and calling its functions from here."""

import builtins
import contextlib
import ctypes
import inspect
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from .kinds import Misfit
from .remote import Ended, Remote
from .sandbox import CHARACTERS, RUNNING, WHOLE, Limit, call
from .submission import Part
from .wire import Packer, unpack, write_over
from .worker import read, write

# For loading a file, and for all that is asked of its process together: of its processor's time.
SECONDS_TO_LOAD, SECONDS_IN_ALL = 20.0, 120.0
LONGEST_ANSWER = 2**26
PACKAGE = Path(__file__).parents[2]
# -P: a file beside the student's, called as one of Python's own modules, is not taken for it.
START = (
    "import sys; sys.path.append(sys.argv.pop(1)); from adam_edu.check.worker import main; main()"
)


class Process:
    """A process for one file. Once it has ended, all that it is asked ends in the same way, until
    it is made ready again.

    Parameters
    ----------
    path : the file; what stands beside it can be imported
    parts : what is to be run of it
    names : what may be asked for
    """

    def __init__(self, path: Path, parts: Sequence[Part], names: list[str]) -> None:
        self.load: dict[str, Any] = {
            "do": "load",
            "path": str(path),
            "folder": str(path.absolute().parent),
            "name": path.stem,
            "parts": [asdict(part) for part in parts],
            "names": names,
        }
        self.files = [part.file for part in parts]
        self.limit: Limit | None = None  # until it is first ready
        self.spent = 0.0  # by processes that have ended
        self.known = 0.0  # all that had been spent when the last answer came, as that says
        self.end: BaseException = Ended("ends_the_process", "The process has not begun.")
        self.popen: subprocess.Popen[bytes] | None = None
        self.answers: queue.Queue[Any] = queue.Queue(1)
        self.listener = threading.Thread()
        self.given: list[Callable[..., Any]] = []

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def ready(self) -> dict[str, Any]:
        """Start the process if it does not run, load the file, and return what the wanted names
        stand for; those that it defines.

        Raises
        ------
        BaseException
            What running the file ended with: its error, OutOfTime, or Ended.
        """
        if self.popen is None:
            outcome = call(self._started, SECONDS_TO_LOAD)
            if outcome.error is not None:
                raise outcome.error
            self.defined = outcome.value
            if self.limit is None:
                self.limit = Limit(SECONDS_IN_ALL)
                self.limit.before[self] = self.known
        return self.defined

    def _started(self) -> dict[str, Any]:
        self.answers = queue.Queue(1)
        self.known, self.began = self.spent, time.monotonic()
        self.popen = subprocess.Popen(
            [sys.executable, "-P", "-c", START, str(PACKAGE), str(int(2 * SECONDS_IN_ALL))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd=self.load["folder"],
            start_new_session=True,
        )
        arguments = (self.popen.stdout, self.answers)
        self.listener = threading.Thread(target=_listen, args=arguments, daemon=True)
        self.listener.start()
        loaded, _ = self._ask(self.load)
        if loaded["torch"]:
            import torch  # noqa: F401  (so that tensors are tried)
        return loaded["defined"]

    def close(self) -> None:
        """End the process, and all that it has started."""
        if self.popen is None:
            return
        self.spent = self.known if self.popen.poll() is not None else self._used()
        if hasattr(os, "killpg"):  # with all that it has started
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.kill()
        self.popen.wait()
        until = time.monotonic() + 1
        while self.listener.is_alive() and time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                self.answers.get_nowait()
            self.listener.join(0.01)
        for stream in (self.popen.stdin, self.popen.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]
        self.popen = None

    def call(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the function of this number, and return what it returned, or raise its error."""
        self.given = []
        packer = Packer(self._number)
        request = {"args": packer.pack(list(args)), "kwargs": packer.pack(dict(kwargs))}
        before = (*args, *kwargs.values())
        value, after = self._request({"do": "call", "function": number} | request)
        for old, new in zip(before, (*after[0], *after[1].values()), strict=True):
            write_over(old, new)
        return value

    def inside(self, number: int, tool: str, arguments: tuple[Any, ...]) -> Any:
        """Call a tool of the package with the function of this number, in its process."""
        packed = Packer(self._number).pack(list(arguments))
        request = {"do": "inside", "tool": tool, "function": number, "arguments": packed}
        outcome = call(lambda: self._request(request), SECONDS_TO_LOAD)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value[0]

    def _number(self, function: Callable[..., Any]) -> int:
        self.given.append(function)
        return len(self.given) - 1

    def _request(self, request: dict[str, Any]) -> tuple[Any, Any]:
        if self.popen is None:
            raise self.end
        return self._ask(request)

    def _ask(self, request: dict[str, Any]) -> tuple[Any, Any]:
        """Return the value and the given arguments that answer a request, or raise the error.

        A process that is interrupted, that ends, or whose answer is none, is not asked again.
        """
        raised: list[Exception] = []
        try:
            answer = self._exchanged(request)
            while "asks" in answer:
                answer = self._exchanged(self._asked(answer, raised))
            self.known = self.spent + float(answer["used"])
            sys.stdout.write(str(answer["printed"])[:CHARACTERS])
            if "error" not in answer:
                return self._unpacked(answer["value"]), self._unpacked(answer["given"])
            error = self._error(answer["error"], raised)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            text = "What your code's process sent to the checker is no answer."
            self.end = Ended("ends_the_process", text)
            self.close()
            raise self.end from None
        except BaseException as end:
            self.end = end
            self.close()
            raise
        raise error

    def _exchanged(self, message: dict[str, Any]) -> Any:
        """Send a message, and return the next one that comes."""
        assert self.popen is not None
        assert self.popen.stdin is not None
        try:
            write(self.popen.stdin, message)  # type: ignore[arg-type]
        except OSError:
            raise self._ended() from None
        limits = [limit for limit in (RUNNING.get(), self.limit) if limit is not None]
        while True:
            for limit in limits:
                limit.before.setdefault(self, self.known)
                limit.look(self._used, self)
            try:
                answer = self.answers.get(timeout=0.1)
            except queue.Empty:
                continue
            if answer is None:
                raise self._ended()
            return answer

    def _used(self) -> float:
        """Return for how many seconds it has computed; or has lived, if no system tells."""
        own = None if self.popen is None else processor_seconds(self.popen)
        return self.spent + (time.monotonic() - self.began if own is None else own)

    def _ended(self) -> Ended:
        assert self.popen is not None
        try:
            status = self.popen.wait(1)
        except subprocess.TimeoutExpired:
            return Ended("ends_the_process", "Your code broke off its answer to the checker.")
        if status >= 0:
            how = f"with status {status}, as os._exit does; a function returns"
        else:
            how = f"by the signal {signal.Signals(-status).name}"
        return Ended("ends_the_process", f"Your code ended the process that ran it {how}.")

    def _asked(self, answer: dict[str, Any], raised: list[Exception]) -> dict[str, Any]:
        """Call a function of this process for the other one, and return what to tell it."""
        try:
            value = self.given[answer["asks"]](*self._unpacked(answer["args"]))
            return {"value": Packer(self._number).pack(value)}
        except Exception as error:
            raised.append(error)
            return {"error": [len(raised) - 1, str(error)]}

    def _unpacked(self, data: Any) -> Any:
        return unpack(data, self._function)

    def _function(self, described: Any) -> Remote:
        number, name, parameters = described
        return Remote(self, number, str(name), self._signature(parameters))

    def _signature(self, parameters: Any) -> inspect.Signature | None:
        if parameters is None:
            return None
        kinds = list(inspect._ParameterKind)
        made = []
        for name, kind, default in parameters:
            values = [self._unpacked(value) for value in default] or [inspect.Parameter.empty]
            made.append(inspect.Parameter(name, kinds[kind], default=values[0]))
        return inspect.Signature(made)

    def _error(self, described: dict[str, Any], raised: list[Exception]) -> BaseException:
        """Return an error like the one that was raised there, with its lines as its traceback."""
        if "asked" in described:
            return raised[described["asked"]]
        text = str(described["text"])
        if "misfit" in described:
            return Misfit(str(described["misfit"]), text)
        name, base = map(str, described["type"])
        if "syntax" in described:
            message, file, line = described["syntax"]
            return SyntaxError(str(message), (str(file), line, None, None))
        frames = [frame for frame in described["frames"] if frame[0] in self.files]
        return _like(base, name, text).with_traceback(_traceback(frames))


WHOLE.add(Process.close.__code__)


def processor_seconds(popen: subprocess.Popen[bytes]) -> float | None:
    """Return for how many seconds a process that runs has computed, or None if no system tells."""
    with contextlib.suppress(OSError, ValueError, IndexError, subprocess.SubprocessError):
        if sys.platform == "win32":
            return _of_windows(popen)
        if sys.platform == "linux":
            # Of what stands behind the name, in brackets, the times are the 12th and the 13th.
            stat = Path(f"/proc/{popen.pid}/stat").read_bytes().rpartition(b")")[2]
            return sum(map(int, stat.split()[11:13])) / os.sysconf("SC_CLK_TCK")
        command = ["ps", "-o", "time=", "-p", str(popen.pid)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
        return clock_seconds(done.stdout)
    return None


def clock_seconds(text: str) -> float:
    """Return the seconds of a time as ps writes it.

    >>> clock_seconds("1:02.50"), clock_seconds("1-00:00:07")
    (62.5, 86407.0)
    """
    days, _, clock = text.strip().rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = 60 * seconds + float(part)
    return 86400 * int(days or 0) + seconds


def _of_windows(popen: subprocess.Popen[bytes]) -> float | None:
    if sys.platform != "win32":
        return None
    times = [ctypes.c_ulonglong() for _ in range(4)]  # two dates, and two times in 100 ns
    handle = ctypes.c_void_p(int(popen._handle))
    told = ctypes.windll.kernel32.GetProcessTimes(handle, *map(ctypes.byref, times))
    return 1e-7 * sum(time.value for time in times[2:]) if told else None


def _listen(stream: BinaryIO, answers: queue.Queue[Any]) -> None:
    """Put each message of a stream into a queue, and None at its end."""
    try:
        while (message := read(stream, LONGEST_ANSWER)) is not None:
            answers.put(message)
    except (OSError, ValueError, RecursionError, MemoryError):
        pass
    answers.put(None)


def _like(base: str, name: str, text: str) -> BaseException:
    """Return an error of a class of this name below one of Python's, that says this text.

    >>> _like("KeyError", "KeyError", "'beta'"), isinstance(_like("OSError", "Mine", ""), OSError)
    (KeyError("'beta'"), True)
    """
    found = getattr(builtins, base, None)
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        found = Exception
    # These take more than a text.
    special = (UnicodeError, BaseExceptionGroup)
    plain = next(t for t in found.__mro__ if not issubclass(t, special))
    made = type(name, (plain,), {"__str__": lambda self: text})
    return made(text)


def _traceback(frames: list[Any]) -> TracebackType | None:
    """Return a traceback of (file, line, function) each, the outermost first."""
    found = None
    for file, line, name in reversed(frames):
        code = compile("__import__('sys')._getframe()", str(file), "eval")
        frame = eval(code.replace(co_name=str(name)))
        found = TracebackType(found, frame, -1, int(line))
    return found
