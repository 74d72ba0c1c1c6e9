"""A Sphinx extension: the live figures on the pages of a book. List ``adam_edu.lab.sphinx``.

Pages that are notebooks make their figures in Python. On other pages the directive ``race`` does,
with the arguments of :func:`adam_edu.lab.race`::

    ```{race} Rosenbrock
    :rules: SGD, Momentum, Adam
    :steps: 300
    ```

A sentence of the text can set a figure of its page, as :mod:`adam_edu.lab.links` says. One that
asks for what the figure does not have is an error of the build.
"""

import json
import re
from html import escape, unescape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform

from . import catalog, links, picture, states


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


class Sentences(SphinxTransform):
    """Check the links that set a figure, and give each its target, for pages without a script.

    Such a link is an address within the page; the figure's place gets that address as an anchor.
    """

    default_priority = 870  # before MyST looks for the anchors of such links

    def apply(self, **kwargs: Any) -> None:
        """Raise an ExtensionError that lists what is wrong, if anything is."""
        found = [node for node in self.document.findall(nodes.reference) if _sets_figure(node)]
        if not found:
            return
        figures = [
            node for node in self.document.findall(nodes.raw) if FIGURE.search(node.astext())
        ]
        anchors: dict[int, dict[str, None]] = {}
        wrong = []
        for node in found:
            link = node["refuri"]
            try:
                anchors.setdefault(_number_of_checked(link, figures), {})[link[1:]] = None
            except (KeyError, TypeError, ValueError) as error:
                wrong.append(f"[{node.astext()}]({link}): {error.args[0]}")
            node.attributes.pop("id_link", None)
            node["classes"].append("adam-edu-set")
        if wrong:
            place = self.env.doc2path(self.env.docname)
            raise ExtensionError("\n".join([f"{place}: links to a live figure", *wrong]))
        for number, names in anchors.items():
            marks = "".join(f'<span id="{escape(name)}"></span>' for name in names)
            figure = figures[number - 1]
            figure.parent.replace(figure, nodes.raw("", marks + figure.astext(), format="html"))


FIGURE = re.compile(r'class="adam-edu-lab" data-state="([^"]*)"')


def _sets_figure(node: nodes.reference) -> bool:
    return str(node.get("refuri", "")).startswith("#lab")


def _number_of_checked(link: str, figures: list[nodes.raw]) -> int:
    """Return which figure of the page a link sets; raise what ``links`` raises if it cannot."""
    number, changes = links.parsed(link)
    if not 1 <= number <= len(figures):
        raise ValueError(f"the page has {len(figures)} live figures, not a number {number}")
    state = FIGURE.search(figures[number - 1].astext())
    assert state is not None
    links.applied(json.loads(unescape(state[1])), changes)
    return number


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
    app.add_transform(Sentences)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
