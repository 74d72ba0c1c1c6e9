"""A Sphinx extension of this book: what makes its build quick, and changes nothing in a page."""

import gc
from pathlib import PurePosixPath
from typing import Any

MENU = "generate_toctree_html"


def share_menu(menus: dict[PurePosixPath, Any]) -> Any:
    """Let pages of source, which the menu does not list, share one: a folder's have the same."""

    def share(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
        if page.startswith("_modules/"):
            context[MENU] = menus.setdefault(PurePosixPath(page).parent, context[MENU])

    return share


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension."""
    # Millions of nodes of documents are alive to the end, and each collection goes through all of
    # them: a quarter of the build's time, for some hundred megabytes.
    gc.disable()
    # After the theme has made its functions.
    app.connect("html-page-context", share_menu({}), priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
