"""The process in which a student's file runs: ``python -m adam_edu.check.worker``.

It reads requests and writes answers, each four bytes of length and that much JSON. It judges
nothing: what a function returns goes out as data, and whoever started the process compares.
"""

import importlib
import inspect
import json
import linecache
import os
import struct
import sys
import traceback
from collections.abc import Callable
from time import process_time
from types import ModuleType
from typing import Any, BinaryIO

from .kinds import Misfit
from .remote import apply
from .sandbox import caught, memory_limit, text_of
from .wire import Packer, unpack

OPEN_FILES, FILE_BYTES, FRAMES = 256, 64 * 2**20, 20
OTHER_PROCESSES = (
    *("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile"),
    *("os.system", "os.kill", "os.killpg", "subprocess.Popen", "pty.spawn"),
)


class Asked(Exception):
    """A function of the other process, called from here, raised the error of this number."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number = number


class Worker:
    """Answers requests about the functions of one file."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self.requests, self.answers = requests, answers
        self.functions: list[Callable[..., Any]] = []
        self.files: set[str] = set()

    def serve(self) -> None:
        """Answer until nobody asks any more."""
        while (request := read(self.requests)) is not None:
            outcome = caught(self._action(request))
            answer = outcome.value
            if outcome.error is not None:
                answer = {"error": self._described(outcome.error)}
            write(self.answers, answer | {"printed": outcome.printed, "used": process_time()})

    def _action(self, request: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        """Return what does a request and gives the answer; it is called as a student's code is."""
        do = {"load": self._load, "call": self._call, "inside": self._inside}[request["do"]]

        def action() -> dict[str, Any]:
            packer = self._packer()
            value, given = do(request)
            return {"value": packer.pack(value), "given": packer.pack(given)}

        return action

    def _packer(self) -> Packer:
        return Packer(self._number)

    def _number(self, function: Callable[..., Any]) -> Any:
        self.functions.append(function)
        name = getattr(function, "__name__", type(function).__name__)
        return [len(self.functions) - 1, str(name)[:100], self._signature(function)]

    def _signature(self, function: Callable[..., Any]) -> Any:
        try:
            parameters = inspect.signature(function).parameters.values()
        except (ValueError, TypeError):
            return None
        empty = inspect.Parameter.empty
        defaults = ([] if p.default is empty else [p.default] for p in parameters)
        # Without functions among the defaults: they would be numbered without end.
        packer = Packer(lambda default: [0, "function", None])
        pairs = zip(parameters, defaults, strict=True)
        return [[p.name, int(p.kind), [packer.pack(d) for d in default]] for p, default in pairs]

    def _load(self, request: dict[str, Any]) -> tuple[Any, Any]:
        """Run the parts of a file; return what the wanted names stand for."""
        sys.path.insert(0, request["folder"])
        module = ModuleType(request["name"])
        module.__file__ = request["path"]
        sys.modules.setdefault(module.__name__, module)
        for part in request["parts"]:
            self.files.add(part["file"])
            lines = part["source"].splitlines(keepends=True)
            linecache.cache[part["file"]] = (len(lines), None, lines, part["file"])
        for part in request["parts"]:
            try:
                exec(compile(part["source"], part["file"], "exec", dont_inherit=True), vars(module))
            except Exception:
                if part["needed"]:
                    raise
        found = {name: vars(module)[name] for name in request["names"] if name in vars(module)}
        return {"defined": found, "torch": "torch" in sys.modules}, None

    def _call(self, request: dict[str, Any]) -> tuple[Any, Any]:
        """Call a function; return what it returned, and its arguments as it left them."""
        args, kwargs = self._unpacked(request["args"]), self._unpacked(request["kwargs"])
        value = self.functions[request["function"]](*args, **kwargs)
        return value, [args, kwargs]

    def _inside(self, request: dict[str, Any]) -> tuple[Any, Any]:
        """Call a tool of the package with a function."""
        module, _, name = request["tool"].partition(":")
        function = self.functions[request["function"]]
        arguments = self._unpacked(request["arguments"])
        return apply(getattr(importlib.import_module(module), name), function, *arguments), None

    def _unpacked(self, data: Any) -> Any:
        return unpack(data, self._asking)

    def _asking(self, number: Any) -> Callable[..., Any]:
        """Return a function that has a function of the other process called."""

        def asking(*args: Any) -> Any:
            write(self.answers, {"asks": number, "args": self._packer().pack(args)})
            answer = read(self.requests)
            if answer is None:
                raise EOFError("nobody is there to answer")
            if "error" in answer:
                raise Asked(*answer["error"])
            return self._unpacked(answer["value"])

        return asking

    def _described(self, error: BaseException) -> dict[str, Any]:
        """Return what there is to say about an error, with the lines of the student's own files."""
        builtin = next(t for t in type(error).__mro__ if t.__module__ == "builtins")
        frames = [
            [frame.filename, frame.lineno, frame.name]
            for frame in traceback.extract_tb(error.__traceback__, -10 * FRAMES)
            if frame.filename in self.files
        ]
        described: dict[str, Any] = {
            "type": [type(error).__name__, builtin.__name__],
            "text": text_of(error)[:1000],
            "frames": frames[:FRAMES],
        }
        if isinstance(error, Misfit):
            described["misfit"] = error.name
        if isinstance(error, Asked):
            described["asked"] = error.number
        if isinstance(error, SyntaxError):
            described["syntax"] = [str(error.msg), str(error.filename), error.lineno]
        return described


def read(stream: BinaryIO, most: int = 2**30) -> Any:
    """Return the next message, or None at the end.

    Raises
    ------
    ValueError
        If it is longer than ``most`` bytes, or no JSON.
    """
    head = _exactly(stream, 4)
    if head is None:
        return None
    (size,) = struct.unpack("<I", head)
    if size > most:
        raise ValueError(f"a message of {size} bytes")
    data = _exactly(stream, size)
    return None if data is None else json.loads(data)


def _exactly(stream: BinaryIO, size: int) -> bytes | None:
    """Return so many bytes, or None if the stream ends before; it may have no buffer."""
    data = bytearray()
    while len(data) < size:
        more = stream.read(min(size - len(data), 2**20))
        if not more:
            return None
        data += more
    return bytes(data)


def write(stream: BinaryIO, message: Any) -> None:
    """Write a message, and send it off."""
    data = json.dumps(message).encode("ascii")
    data = struct.pack("<I", len(data)) + data
    while data:  # without a buffer, less may be written
        data = data[stream.write(data) :]
    stream.flush()


def _taken(number: int, mode: str) -> Any:
    """Return a standard stream for the checker's own use; a student's code finds nothing there."""
    own = os.dup(number)
    flags = os.O_RDONLY if mode == "rb" else os.O_WRONLY
    os.dup2(os.open(os.devnull, flags), number)
    return os.fdopen(own, mode)


def _limit(seconds: int) -> None:
    """Limit what this process may use, where the system can do that."""
    try:
        import resource
    except ImportError:
        return
    for name, most in {
        "RLIMIT_NOFILE": OPEN_FILES,
        "RLIMIT_FSIZE": FILE_BYTES,
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": seconds,
    }.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in OTHER_PROCESSES:
        raise PermissionError(f"a solution starts or ends no other process ({event})")


def main() -> None:
    """Serve on what are now standard input and output."""
    seconds = int(sys.argv[1])
    worker = Worker(_taken(0, "rb"), _taken(1, "wb"))
    _limit(seconds)
    sys.addaudithook(_refuse)
    with memory_limit():
        worker.serve()
    os._exit(0)  # nothing that was left for the end is run


if __name__ == "__main__":
    main()
