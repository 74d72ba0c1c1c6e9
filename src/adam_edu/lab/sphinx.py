"""A Sphinx extension: the live figures on the pages of a book. List ``adam_edu.lab.sphinx``."""

from pathlib import Path
from typing import Any

from . import catalog


def write_script(app: Any, error: Exception | None) -> None:
    """Write the figures' script where the pages look for it."""
    if error is None and app.builder.format == "html":
        folder = Path(app.outdir) / "_static"
        (folder / "lab.js").write_text(catalog.page_script(), encoding="utf-8")


def add_script(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load the figures' script on the pages that have one."""
    if "adam-edu-lab" in context.get("body", ""):
        app.add_js_file("lab.js", loading_method="defer")


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension."""
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
