"""A Sphinx extension: the live figures on the pages of a book. List ``adam_edu.lab.sphinx``.

Pages that are notebooks make their figures in Python. On other pages the directive ``race`` does,
with the arguments of :func:`adam_edu.lab.race`::

    ```{race} Rosenbrock
    :rules: SGD, Momentum, Adam
    :steps: 300
    ```
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive, directives

from . import catalog, picture, states


class Race(Directive):
    """Several optimizers on one map: the directive's argument names the surface."""

    required_arguments = 1
    option_spec = {"rules": directives.unchanged_required, "steps": directives.positive_int}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Return the figure, with its still picture in it; a wrong name is an error of the page."""
        rules = [
            name.strip() for name in self.options.get("rules", "SGD, Momentum, Adam").split(",")
        ]
        steps = self.options.get("steps", catalog.STEPS)
        try:
            state = states.make("race", self.arguments[0], rules, steps=steps)
        except (KeyError, ValueError) as error:
            raise self.error(str(error.args[0])) from error
        return [nodes.raw("", picture.html(state), format="html")]


def write_script(app: Any, error: Exception | None) -> None:
    """Write the figures' script where the pages look for it."""
    if error is None and app.builder.format == "html":
        folder = Path(app.outdir) / "_static"
        (folder / "lab.js").write_text(catalog.page_script(), encoding="utf-8")


def add_script(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load the figures' script on the pages that have one."""
    if "adam-edu-lab" in context.get("body", ""):
        # Before other scripts: it needs none of them.
        app.add_js_file("lab.js", loading_method="defer", priority=100)


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension."""
    app.add_directive("race", Race)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
