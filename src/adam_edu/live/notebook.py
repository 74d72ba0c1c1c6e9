"""What the page's Python does with a chapter's cells: run them in turn, and hand back outputs.

As a notebook does: the cells share their names, the value of a cell's last line is shown, and so
are the figures that it leaves open. An import of what a page has not fails by itself, and whoever
asks for its names is told so.
"""

import ast
import base64
import contextlib
import io
import json
import linecache
import logging
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

if sys.platform == "emscripten":  # a page alone: elsewhere others share the process, or inherit
    os.environ["MPLBACKEND"] = "agg"
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # its cache is made anew
    # What no page can have, and no reader of one can install.
    for absent in ("no C\\+\\+ compiler", "Unable to import Axes3D"):
        warnings.filterwarnings("ignore", absent)

try:
    from matplotlib import pyplot as plt
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError("a chapter's cells need Matplotlib: pip install adam-edu[course]") from error

from . import stand_ins
from .runner import ABSENT, cut, shortened, within_limits

FILE = "<cell {}>"
SHOWN = ("html", "latex", "markdown")


class Notebook:
    """The names that a page's cells share, and what they have shown.

    Parameters
    ----------
    dots : of a picture, for each of the figure's own
    """

    def __init__(self, dots: float = 2.0) -> None:
        self.dots = dots
        self.outputs: list[dict[str, Any]] = []
        self.missing: dict[str, str] = {}  # name -> why it is not there
        self.names: dict[str, Any] = {
            "__name__": "__main__",
            "__builtins__": within_limits(),
            "display": self.display,
        }
        stand_ins.install(self.display)

    def run(self, number: int, source: str) -> str:
        """Run a cell, and return what happened as JSON.

        Returns
        -------
        An object with ``outputs`` (a list, as a notebook stores them), ``error`` (a traceback of
        the cells' own lines, or null) and ``line`` (where in this cell the error is, or null).
        """
        self.outputs = []
        found: dict[str, Any] = {"error": None, "line": None}
        file = FILE.format(number)
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        with (
            contextlib.redirect_stdout(_Printed(self.outputs, "stdout")),
            contextlib.redirect_stderr(_Printed(self.outputs, "stderr")),
        ):
            try:
                self._execute(ast.parse(source, file), file)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                text, line = shortened(error, file)
                found |= {"error": self._explained(error, text), "line": line}
            finally:
                self._show_figures()
        return json.dumps(found | {"outputs": self.outputs})

    def _execute(self, tree: ast.Module, file: str) -> None:
        *others, last = tree.body or [ast.Pass(lineno=1, col_offset=0)]
        shown = isinstance(last, ast.Expr) and not _ends_in_semicolon(file)
        for node in others if shown else tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node, file)
            else:
                code = compile(ast.Module([node], []), file, "exec", dont_inherit=True)
                exec(code, self.names)
        if shown and isinstance(last, ast.Expr):
            code = compile(ast.Expression(last.value), file, "eval", dont_inherit=True)
            value = eval(code, self.names)
            if value is not None:
                self.display(value)

    def _import(self, node: ast.Import | ast.ImportFrom, file: str) -> None:
        """Import each name by itself; remember those that are not there."""
        for alias in node.names:
            one: ast.stmt = ast.copy_location(
                ast.Import([alias])
                if isinstance(node, ast.Import)
                else ast.ImportFrom(node.module, [alias], node.level),
                node,
            )
            try:
                exec(compile(ast.Module([one], []), file, "exec", dont_inherit=True), self.names)
            except ImportError as error:
                self.missing[alias.asname or alias.name.partition(".")[0]] = str(error)

    def _explained(self, error: BaseException, text: str) -> str:
        """Add why a name is not there, if an import that failed was to bring it."""
        why = None
        if isinstance(error, NameError):
            why = self.missing.get(error.name or "")
        elif isinstance(error, ModuleNotFoundError):
            why = ABSENT.get((error.name or "").partition(".")[0])
        return f"{text}\n{why}" if why else text

    def display(self, *values: Any) -> None:
        """Show values, each in all the ways it knows."""
        for value in values:
            if isinstance(value, Figure):
                self.outputs.append({"data": self._picture(value)})
            else:
                self.outputs.append({"data": _bundle(value)})

    def _show_figures(self) -> None:
        try:
            for number in plt.get_fignums():
                self.display(plt.figure(number))
        finally:
            plt.close("all")

    def _picture(self, figure: Figure) -> dict[str, str]:
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=self.dots * figure.dpi, bbox_inches="tight")
        png = base64.b64encode(buffer.getvalue()).decode()
        return {"text/plain": repr(figure), "image/png": png}


class _Printed(io.TextIOBase):
    """A stream that becomes an output, in its place among others."""

    def __init__(self, outputs: list[dict[str, Any]], name: str) -> None:
        self.outputs, self.stream = outputs, name

    def write(self, text: str) -> int:
        last = self.outputs[-1] if self.outputs else {}
        if last.get("name") != self.stream:
            last = {"name": self.stream, "text": ""}
            self.outputs.append(last)
        last["text"] = cut(last["text"] + text)
        return len(text)


def _bundle(value: Any) -> dict[str, str]:
    """Return a value's texts by their kind, as IPython asks for them."""
    data = {"text/plain": repr(value)}
    for kind in SHOWN:
        ask: Callable[[], str | None] | None = getattr(value, f"_repr_{kind}_", None)
        text = ask() if ask else None
        if text is not None:
            data[f"text/{kind}"] = text
    if hasattr(value, "_repr_mimebundle_"):
        more = value._repr_mimebundle_()
        data |= more[0] if isinstance(more, tuple) else more
    return data


def _ends_in_semicolon(file: str) -> bool:
    lines = linecache.cache[file][2]  # type: ignore[misc]
    code = [line.partition("#")[0].strip() for line in lines]
    return "".join(code[-1:]).endswith(";")
