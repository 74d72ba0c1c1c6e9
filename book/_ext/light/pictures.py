"""Pictures: a palette in place of sixteen million colours, their size in the page, and loaded late.

Figures have few colours. With 256 of them a file has a quarter of its size, and no eye sees it.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from PIL import Image

TAG = re.compile(r"<img\b[^>]*>")
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
LENGTH = re.compile(r"\b(width|height): *([\d.]+)px")


def with_palette(path: Path) -> None:
    """Write a picture anew with at most 256 colours, where that makes it smaller.

    The lightest colour stays white: figures are drawn on white, and a ground that is nearly so
    shows as a box once the dark turns it over.
    """
    with Image.open(path) as picture:
        if picture.mode == "P":
            return
        whole = picture.convert("RGBA")
    opaque = whole.getextrema()[3] == (255, 255)
    source = whole.convert("RGB") if opaque else whole
    reduced = source.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    mode = "RGB" if opaque else "RGBA"
    channels = len(mode)
    palette = reduced.getpalette(mode)
    entries = [palette[i : i + channels] for i in range(0, len(palette), channels)]
    white = max(range(len(entries)), key=lambda i: entries[i])
    if min(entries[white][:3]) > 250:
        entries[white][:3] = [255] * 3
    reduced.putpalette([value for entry in entries for value in entry], mode)
    before = path.read_bytes()
    reduced.save(path, optimize=True)
    if path.stat().st_size >= len(before):
        path.write_bytes(before)


def fingerprint(content: bytes) -> str:
    """Return what tells one picture from all others."""
    return sha256(content).hexdigest()


def lighten_notebook(path: Path, smaller: Mapping[str, Path]) -> None:
    """Put a page's pictures in the place of those that a notebook holds, to be downloaded.

    ``smaller`` has the file of a page by the fingerprint of the picture that it was made of.
    """
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            found = smaller.get(fingerprint(b64decode("".join(data.get("image/png", "")))))
            if found is not None:
                data["image/png"] = b64encode(found.read_bytes()).decode()
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def with_size(tag: str, folder: dict[str, Path]) -> str:
    """Return an ``img`` tag with its width and height, loaded when it comes near the screen.

    ``folder`` has the picture of each name. With its size known, a picture moves nothing when it
    comes; of a size that the tag has already, the shape is kept.
    """
    given = {key: unescape(value) for key, value in ATTRIBUTE.findall(tag)}
    path = folder.get(Path(unquote(given.get("src", ""))).name)
    if path is None or path.suffix not in (".png", ".jpg", ".gif", ".svg"):
        return tag
    width, height = _size(path)
    wanted = {key: float(value) for key, value in LENGTH.findall(given.get("style", ""))}
    wanted |= {
        key: float(given[key]) for key in ("width", "height") if given.get(key, "").isdigit()
    }
    if "width" in wanted:
        width, height = wanted["width"], wanted["width"] * height / width
    elif "height" in wanted:
        width, height = wanted["height"] * width / height, wanted["height"]
    dropped = re.sub(r' (?:width|height|style)="[^"]*"', "", tag)
    rest = LENGTH.sub("", given.get("style", "")).replace(";", "").strip()
    style = f' style="{rest}"' if rest else ""
    sized = f'<img width="{width:.0f}" height="{height:.0f}" loading="lazy" decoding="async"{style}'
    return sized + dropped.removeprefix("<img")


def _size(path: Path) -> tuple[float, float]:
    """Return the width and the height of a picture; a drawing says them in its first tag."""
    if path.suffix != ".svg":
        with Image.open(path) as picture:
            return picture.size
    first, _, _ = path.read_text(encoding="utf-8").partition(">")
    said = dict(re.findall(r'\s(width|height)="([\d.]+)"', first))
    return float(said["width"]), float(said["height"])


def add_sizes(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give every picture of a page its size."""
    folder = {name: Path(app.srcdir, source) for source, (_, name) in app.env.images.items()}
    context["body"] = TAG.sub(lambda found: with_size(found[0], folder), context.get("body", ""))


def setup(app: Any) -> None:
    """Connect what is done to pictures."""
    app.connect("html-page-context", add_sizes)
