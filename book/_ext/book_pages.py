"""A Sphinx extension of this book: what its pages tell search engines, previews and screen readers.

Open Graph data and a sitemap, the page for an address that is gone, a link for reports, and
corrections of markup that the theme gets wrong. The repository's address comes from `_config.yml`;
the pages' own follows from it, as GitHub Pages has it.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlencode, urlparse
from xml.sax.saxutils import escape, quoteattr

from docutils import nodes
from inputs import FILE, inputs

CARD = "_static/card.png"
DESCRIPTION = 200
PRINTS = [
    {
        "type": "javascript",
        "javascript": f"printPage('{what}')",
        "text": text,
        "tooltip": tooltip,
        "icon": "fas fa-file-pdf",
        "label": "download-pdf-button",
    }
    for what, text, tooltip in (
        ("worksheet", "Print a worksheet", "Without solutions, hints and answers"),
        ("everything", "Print everything", "With all that is folded"),
    )
]
VIEWPORT = re.compile(r'\s*<meta name="viewport"[^>]*>')


def pages_address(repository: str) -> str:
    """Return where GitHub Pages publishes a repository: https://OWNER.github.io/NAME/."""
    owner, name = urlparse(repository).path.strip("/").split("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def configure(app: Any, config: Any) -> None:
    """Derive from the repository's address what depends on it, and name the theme's parts."""
    options = config.html_theme_options
    app.adam_edu_inputs = inputs()  # before the build, during which a file may change
    config.html_baseurl = config.html_baseurl or pages_address(options["repository_url"])
    config.notfound_urls_prefix = urlparse(config.html_baseurl).path
    options["article_footer_items"] = ["report.html"]
    # All of a page's headings at once: what unfolds as one reads on moves the others about.
    options["show_toc_level"] = 2
    options["logo"] = {"text": config.html_title, "alt_text": ""}


def description(doctree: nodes.document) -> str:
    """Return the first paragraph that is more than a line of emphasis, cut at the end of a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        inside = [child for child in paragraph.children if child.astext().strip()]
        if inside and not all(isinstance(child, nodes.emphasis) for child in inside):
            text = " ".join(paragraph.astext().split())
            if len(text) <= DESCRIPTION:
                return text
            return text[:DESCRIPTION].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
    return ""


def picture(doctree: nodes.document) -> str:
    """Return the first picture of a page that previews can show, or the book's own."""
    for image in doctree.findall(nodes.image):
        path = PurePosixPath(image["uri"])  # as the page has it: ../_images/NAME
        if path.parent.name == "_images" and path.suffix in (".png", ".jpg"):
            return f"_images/{path.name}"
    return CARD


def describe(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give a page its Open Graph data and its link for reports; correct its markup."""
    base = app.config.html_baseurl
    report = {"template": "mistake.yml", "page": page}
    repository = app.config.html_theme_options["repository_url"]
    context["report_address"] = f"{repository}/issues/new?{urlencode(report)}"
    context["body"] = corrected(context.get("body", ""))
    label_navigation(context)
    offer_printing(context)
    # The theme has one of its own.
    context["metatags"] = VIEWPORT.sub("", context.get("metatags", ""))
    if doctree is None:
        return
    found = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": nodes.Text(context["title"]).astext(),
        "og:description": description(doctree),
        "og:url": base + app.builder.get_target_uri(page),
        "og:image": base + picture(doctree),
    }
    tags = [
        f"<meta property={quoteattr(key)} content={quoteattr(text)} />"
        for key, text in found.items()
        if text
    ]
    if found["og:description"]:
        tags.append(f'<meta name="description" content={quoteattr(found["og:description"])} />')
    context["metatags"] += "\n".join(tags)


SCROLLED = "pst-scrollable-table-container"
TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
NAME = re.compile(r'(<span class="pre">)([^<]*)')
TITLE = re.compile(r'(<p class="admonition-title">[^<]*)(<a [^>]*>) ')


def corrected(body: str) -> str:
    """Put right some markup, for those who see the page and for those who hear it.

    The entries of a bibliography become items of its list: their present role is deprecated. A
    table that may be wider than its column can be scrolled by keyboard; the names in it may be
    divided between their words. The space before a link is no part of it.
    """
    body = body.replace(' role="doc-biblioentry"', ' role="listitem"')
    body = TITLE.sub(r"\1 \2", body)
    body = TABLE.sub(lambda table: NAME.sub(divided, table[0]), body)
    return body.replace(f'<div class="{SCROLLED}">', f'<div class="{SCROLLED}" tabindex="0">')


def divided(name: re.Match[str]) -> str:
    """Let a long name of code be divided after a dot, an underscore, a comma and the like."""
    if len(name[2]) <= 12:
        return name[0]
    return name[1] + re.sub(r"(?<=\w)([._/,=(]+)(?=\w)", r"\1<wbr>", name[2])


def offer_printing(context: dict[str, Any]) -> None:
    """Let the reader choose what is printed, in the menu where the theme has one choice."""
    groups = (one for one in context.get("header_buttons", []) if "buttons" in one)
    for group in groups:
        group["buttons"] = [
            choice
            for button in group["buttons"]
            for choice in (PRINTS if button.get("label") == "download-pdf-button" else [button])
        ]


def label_navigation(context: dict[str, Any]) -> None:
    """Name the arrows that open a part of the navigation: they are pictures without words."""
    generate = context.get("generate_toctree_html")
    if generate is None:
        return

    def labelled(*arguments: Any, **options: Any) -> Any:
        found = generate(*arguments, **options)
        if "raw" in (*arguments, options.get("kind")):
            return found
        return str(found).replace("<summary>", '<summary aria-label="pages below this one">')

    context["generate_toctree_html"] = labelled


def draw_card(path: Path, title: str) -> None:
    """Draw the picture of pages that have none of their own: four optimizers on their way."""
    import matplotlib.pyplot as plt
    import numpy as np

    import adam_edu as ae
    from adam_edu import plots
    from adam_edu.lab.catalog import rate

    figure, axes = plt.subplots(figsize=(12, 6.3), dpi=100)
    surface = ae.problems.SURFACES["Rosenbrock"]()
    (left, right), (low, high) = surface.view
    a, b = np.meshgrid(np.linspace(left, right, 200), np.linspace(low, high, 120))
    levels = np.log(surface.height(a, b) + 1e-2)
    axes.contourf(a, b, levels, 24, cmap="Blues_r", alpha=0.6)
    for name in ("SGD", "Momentum", "RMSProp", "Adam"):
        trace = ae.descend(ae.rule(name, lr=rate(name, "Rosenbrock")), surface, steps=300)
        axes.plot(*trace.x.T, color=plots.STYLE[name].color, linewidth=4)
    axes.set(xlim=(left, right), ylim=(low, high))
    axes.axis("off")
    figure.subplots_adjust(0, 0, 1, 1)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 14}
    figure.text(0.06, 0.1, title, fontsize=40, weight="bold", color="#1d2733", bbox=box)
    figure.savefig(path)
    plt.close(figure)


def finish(app: Any, error: Exception | None) -> None:
    """Write the sitemap, the book's own picture, and what it was built from."""
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    addresses = sorted(
        app.config.html_baseurl + app.builder.get_target_uri(page) for page in app.env.found_docs
    )
    urls = "".join(f"  <url><loc>{escape(one)}</loc></url>\n" for one in addresses)
    (out / "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n',
        encoding="utf-8",
    )
    draw_card(out / CARD, app.config.html_title)
    (out.parent / FILE).write_text(app.adam_edu_inputs)


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension."""
    app.connect("config-inited", configure, priority=100)
    # After the theme has made its functions.
    app.connect("html-page-context", describe, priority=900)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
