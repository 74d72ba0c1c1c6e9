"""A Sphinx extension: the live figures on the pages of a book. List ``adam_edu.lab.sphinx``."""

from pathlib import Path
from typing import Any

from . import catalog

FILES = ("page.js", "lab.js", "descent.js")


def write_into(folder: Path) -> None:
    """Write the JavaScript modules into a folder; a page loads ``page.js`` from it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).write_text(catalog.source(name), encoding="utf-8")
    (folder / "rules.js").write_text(catalog.rules_module(), encoding="utf-8")


def write_modules(app: Any, error: Exception | None) -> None:
    """Write the JavaScript where the pages look for it."""
    if error is None and app.builder.format == "html":
        write_into(Path(app.outdir) / "_static" / "lab")


def add_script(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load the figures' script on the pages that have one."""
    if "adam-edu-lab" in context.get("body", ""):
        app.add_js_file("lab/page.js", type="module")


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension."""
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_modules)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
