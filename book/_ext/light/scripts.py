"""Scripts that wait for the page, and only where the page has something for them."""

from typing import Any

# What a page must say for a script to have work on it.
WORK = {
    "clipboard.min.js": ('<div class="highlight',),
    "copybutton.js": ('<div class="highlight',),
    "togglebutton.js": ("toggle", "dropdown"),
    "design-tabs.js": ("sd-tab-set",),
}


def needed(script: Any, body: str) -> bool:
    """Say whether a script of Sphinx's list has work on a page."""
    # For a choice of versions, which this book has not; it wants the script before it at once.
    if "DOCUMENTATION_OPTIONS.pagename" in (script.attributes.get("body") or ""):
        return False
    marks = WORK.get(str(script.filename).rpartition("/")[2])
    return marks is None or any(mark in body for mark in marks)


def postpone(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Let every script of a page wait until the page is read; they keep their order.

    Sphinx's page for searching writes scripts of its own after them, which want them at once.
    """
    if template == "search.html":
        return
    tag = context["js_tag"]

    def waiting(script: Any) -> str:
        text = tag(script)
        if " src=" in text and " defer" not in text and " async" not in text:
            return str(text).replace("<script", '<script defer="defer"', 1)
        return str(text)

    context["js_tag"] = waiting
    body = context.get("body", "")
    context["script_files"] = [one for one in context["script_files"] if needed(one, body)]


def setup(app: Any) -> None:
    """Connect what is done to scripts."""
    # After every extension has added its own.
    app.connect("html-page-context", postpone, priority=950)
