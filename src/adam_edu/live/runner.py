"""What the page's Python does with a reader's text: run it, check it, say what happened.

Everything that comes back is plain data, as JSON, so that the page never sees an object of Python.
"""

import builtins
import contextlib
import gc
import importlib
import io
import json
import linecache
import random
import re
import traceback
from collections.abc import Callable
from types import CodeType
from typing import Any, NoReturn

import numpy as np

from .. import check
from ..check.exercise import Exercise

FILE = "<your code>"
# Readers' texts: an exercise's, or a numbered cell's.
OWN = re.compile(rf"{FILE}|<cell \d+>")
PLACE = re.compile(r'File "<cell (\d+)>", line')
PRINTED = 10_000
"""The most characters of what was printed that are handed on."""
NO_KEYBOARD = (
    "There is no keyboard to ask on a page: give the values as arguments, or write them down."
)
NO_FILES = "There are no files on a page: write the numbers into the code."
NO_NETWORK = "Python on a page has no network."
NO_OTHER = "Python on a page has NumPy, adam_edu and, for chapters, Matplotlib: no other library."
ABSENT = {
    **dict.fromkeys(("http", "requests", "socket", "ssl", "urllib"), NO_NETWORK),
    **dict.fromkeys(("js", "pyodide", "pyodide_js"), "The page itself is out of Python's reach."),
    **dict.fromkeys(
        (
            "jax",
            "keras",
            "matplotlib",
            "pandas",
            "scipy",
            "sklearn",
            "sympy",
            "tensorflow",
            "torch",
        ),
        NO_OTHER,
    ),
}


def verdict(source: str, name: str, before: str = "") -> str:
    """Run a text, have the function of that name checked, and return what happened as JSON.

    Parameters
    ----------
    source : what the reader has written
    name : of the exercise, and of the function in it
    before : imports that the text may rely on

    Returns
    -------
    An object with ``ok``, ``html`` (the checker's card, or null), ``printed``, ``error`` (a
    traceback of the reader's own lines, or null) and ``line`` (where the error is, or null).
    """
    printed = io.StringIO()
    found: dict[str, Any] = {"ok": False, "html": None, "error": None, "line": None}
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            names = run(source, before)
            if name not in names:
                raise NameError(f"the code defines no function {name}")
            report = check.EXERCISES[name](names[name])
            found |= {"ok": report.ok, "html": report._repr_html_()}
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            text, line = shortened(error)
            found |= {"error": text, "line": line}
    return json.dumps(found | {"printed": cut(printed.getvalue())})


def asleep() -> None:
    """Get ready for a memory to be taken: what there is stays, and its garbage is collected."""
    check.EXERCISES.get("adam_step")  # with it the engine is read, which all exercises share
    gc.collect()
    gc.freeze()
    # Collecting calls compiled libraries, which are not there at once when Python wakes.
    gc.disable()


def awake() -> None:
    """Go on, in this visit or in a later one, whose random numbers are others."""
    gc.enable()
    importlib.invalidate_caches()
    random.seed()
    np.random.seed()  # noqa: NPY002 - the generator of such calls is there already


def prepare(name: str) -> None:
    """Check a wrong solution of that exercise before the reader's: the first one takes longest.

    What it is compared with is made then, and the browser compiles what explains a mistake.
    """
    task = check.EXERCISES.get(name)
    if not isinstance(task, Exercise) or not task.mistakes:
        return

    def mistaken(*given: Any) -> Any:
        arguments = dict(zip(task.parameters, given, strict=True))
        results = task.results(task.values(arguments, task.mistakes[0]))
        return results if len(results) > 1 else results[0]

    task(mistaken)


def cut(text: str) -> str:
    """Return a text that is not too long to be handed on."""
    return text if len(text) <= PRINTED else f"{text[:PRINTED]}\n… and more"


def run(source: str, before: str = "") -> dict[str, Any]:
    """Run a text where the page's limits hold, and return the names that it defines."""
    names: dict[str, Any] = {"__name__": "__main__", "__builtins__": within_limits()}
    exec(before, names)
    linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)
    code: CodeType = compile(source, FILE, "exec", dont_inherit=True)
    exec(code, names)
    return names


def within_limits() -> dict[str, Any]:
    """Return the built-in names, with a sentence in place of what a page cannot do."""
    return vars(builtins) | {
        "input": refusing(NO_KEYBOARD),
        "open": refusing(NO_FILES),
        "__import__": import_here,
    }


def refusing(sentence: str) -> Callable[..., NoReturn]:
    """Return a function that raises an OSError with this sentence, whatever it is called with."""

    def refuse(*args: Any, **options: Any) -> NoReturn:
        raise OSError(sentence)

    return refuse


def import_here(name: str, *args: Any, **options: Any) -> Any:
    """Import what there is; say of the rest why it is not there."""
    room = name.partition(".")[0]
    why = ABSENT.get(room)
    if why and why != NO_OTHER:
        raise ImportError(why)
    try:
        return builtins.__import__(name, *args, **options)
    except ModuleNotFoundError as error:
        if error.name == room and why:
            raise ImportError(why) from None
        raise


def shortened(error: BaseException, file: str = FILE) -> tuple[str, int | None]:
    """Return an error as Python prints it, with the reader's own lines alone.

    The second is the last of these lines that stands in ``file``, or None.
    """
    told = traceback.TracebackException.from_exception(error)
    own = [frame for frame in told.stack if OWN.fullmatch(frame.filename)]
    told.stack = traceback.StackSummary.from_list(own)
    told.__cause__ = told.__context__ = None
    line = int(told.lineno or 0) if isinstance(error, SyntaxError) else None
    here = [frame.lineno for frame in own if frame.filename == file]
    if here and line is None:
        line = here[-1]
    text = "".join(told.format()).replace(f'File "{FILE}", line', "Line")
    return PLACE.sub(r"Cell \1, line", text).strip(), line
