"""A Sphinx extension of this book: its pages made light.

Formulas are set when the book is built, pictures get a palette, fonts and style sheets keep what
the pages use, scripts lose their comments and wait until the page is there. Each is a module of its
own; this one calls them in order, once all pages are written.
"""

import hashlib
import re
import shutil
import unicodedata
from base64 import b64encode
from pathlib import Path
from typing import Any

import rjsmin
from sphinx.errors import ExtensionError

from . import fonts, formulas, pictures, scripts, styles

SHEET, FONT = "book.css", "formulas.woff2"
ICONS = "vendor/fontawesome/6.5.2"
# The theme's own sheets, which its layout has written by hand.
THEME = (
    "_static/styles/theme.css",
    "_static/styles/bootstrap.css",
    "_static/styles/pydata-sphinx-theme.css",
    f"_static/{ICONS}/css/all.min.css",
)
HEAD = (
    '@charset "utf-8";\n'
    "/* Icons: Font Awesome Free (CC BY 4.0, SIL OFL 1.1). "
    "Formulas: Latin Modern Math (GUST Font License), cut down. */\n"
)
LEFT_OVER = ("vendor", "locales", "styles", "**/*.map", "*webpack-macros.html")


def pages_of(out: Path) -> list[Path]:
    """Return every page of a built book."""
    return [path for path in out.rglob("*.html") if "_static" not in path.relative_to(out).parts]


def icon_faces(css: str, folder: Path) -> str:
    """Return the faces of the icons that a style sheet shows, the fonts within."""
    codes = {ord(one) for one in css if unicodedata.category(one) == "Co"}  # of private use
    faces = ""
    for family, weight, name in (
        ("Free", 900, "fa-solid-900"),
        ("Free", 400, "fa-regular-400"),
        ("Brands", 400, "fa-brands-400"),
    ):
        # The light and the heavy icons have the same points; few pages ask for the light ones.
        if name == "fa-regular-400" and ".fa-regular" not in css:
            continue
        if data := fonts.icon_font(folder / f"{name}.woff2", codes):
            faces += (
                f'@font-face{{font-family:"Font Awesome 6 {family}";font-weight:{weight};'
                f"src:url(data:font/woff2;base64,{b64encode(data).decode()})}}"
            )
    return faces


def finish(app: Any, error: Exception | None) -> None:
    """Make what all pages share, now that all are written."""
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    static = out / "_static"
    if not (out / THEME[0]).exists():
        return  # no page was written: Sphinx lays the theme's files anew when one is
    smaller = {}
    for path in (out / "_images").glob("*.png"):
        smaller[pictures.fingerprint(path.read_bytes())] = path
        pictures.with_palette(path)
    for path in (out / "_sources").rglob("*.ipynb"):
        pictures.lighten_notebook(path, smaller)

    texts = {path: path.read_text(encoding="utf-8") for path in pages_of(out)}
    names, shown = styles.Names(), set()
    for text in texts.values():
        names.read_page(text)
        shown |= fonts.characters(text)
    for path in sorted(static.rglob("*.js")):
        if any(path.name in text for text in texts.values()):
            script = path.read_text(encoding="utf-8")
            names.read_script(script)
            path.write_text(rjsmin.jsmin(script, keep_bang_comments=True), encoding="utf-8")

    ordered = sorted(app.builder._css_files, key=lambda sheet: sheet.priority)
    sheets = [*THEME, *(str(sheet.filename) for sheet in ordered)]
    rules = [rule for name in sheets for rule in styles.sheet(out / name, static)]
    faces = [one for one in rules if one.type == "at-rule" and one.at_keyword == "font-face"]
    css = styles.written(styles.prune([one for one in rules if one not in faces], names), names)
    css += icon_faces(css, static / ICONS / "webfonts")
    try:
        font = fonts.formula_font(shown)
    except ValueError as problem:
        raise ExtensionError(str(problem)) from problem
    css += f'@font-face{{font-family:"Book Math";src:url({FONT}?v={version(font)})}}'
    (static / FONT).write_bytes(font)
    (static / SHEET).write_text(HEAD + css, encoding="utf-8")

    versions = {FONT: version(font), SHEET: version(css.encode())}
    for path, text in texts.items():
        stamped = re.sub(
            rf"_static/({re.escape(FONT)}|{re.escape(SHEET)})\?v=\w*",
            lambda found: f"_static/{found[1]}?v={versions[found[1]]}",
            text,
        )
        if stamped != text:
            path.write_text(stamped, encoding="utf-8")
    for pattern in LEFT_OVER:
        for path in list(static.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def version(data: bytes) -> str:
    """Return a short name for what a file holds, by which a browser knows that it has changed."""
    return hashlib.sha256(data).hexdigest()[:8]


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension."""
    for module in (formulas, pictures, scripts):
        module.setup(app)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
