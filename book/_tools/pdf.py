"""Print the built book into one PDF: `python book/_tools/pdf.py [PAGE ...]`.

Chromium prints each page of `_toc.yml` in turn, all that is folded open and the live figures as
their still pictures; pypdf joins them, with an outline. With `--worksheets` there are no solutions.
"""

import argparse
import io
from pathlib import Path
from typing import Any

import yaml
from chromium import chromium
from playwright.sync_api import Page
from pypdf import PdfReader, PdfWriter

ROOT = Path(__file__).parents[2]
FOOTER = (
    '<div style="font: 8pt sans-serif; width: 100%; text-align: center; color: #555">'
    '<span class="title"></span> · <span class="pageNumber"></span></div>'
)
MARGIN = {"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}


def contents() -> list[tuple[str | None, str]]:
    """Return each page of the table of contents with the part of the book that it stands in."""

    def pages(entry: dict, part: str | None) -> list[tuple[str | None, str]]:
        part = entry.get("caption", part)
        own = [(part, entry[key]) for key in ("root", "file") if key in entry]
        below = [*entry.get("parts", []), *entry.get("chapters", []), *entry.get("sections", [])]
        return own + [page for child in below for page in pages(child, part)]

    return pages(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")), None)


# A picture below the screen is loaded late; paper has no screen.
LOAD_ALL = """
(what) => {
  document.documentElement.dataset.print = what;
  for (const image of document.images) image.loading = "eager";
  return Promise.all([document.fonts.ready, ...[...document.images].map((one) => one.decode())]);
}
"""


def print_page(page: Page, address: str, what: str) -> tuple[str, bytes]:
    """Return a page's title and the page as a PDF, once all of it is there."""
    page.goto(address, wait_until="load")
    page.evaluate(LOAD_ALL, what)
    title = page.locator("article h1").first.evaluate("(h) => h.firstChild.textContent.trim()")
    page.evaluate("(title) => { document.title = title; }", title)
    return title, page.pdf(
        format="A4",
        scale=0.85,
        margin=MARGIN,
        print_background=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
    )


def main() -> None:
    """Print the pages named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description="Print the built book into one PDF.")
    parser.add_argument("pages", nargs="*", help="such as book/momentum; by default all")
    parser.add_argument("--worksheets", action="store_true", help="without solutions")
    parser.add_argument("--html", type=Path, default=ROOT / "_build/html")
    parser.add_argument("--output", type=Path, default=ROOT / "_build/adam-from-the-ground-up.pdf")
    options = parser.parse_args()
    chosen = [row for row in contents() if not options.pages or row[1] in options.pages]
    book = PdfWriter()
    outline: dict[str, Any] = {}
    with chromium() as browser:
        page = browser.new_page(color_scheme="light")
        for part, name in chosen:
            what = "worksheet" if options.worksheets else "everything"
            title, printed = print_page(page, (options.html / f"{name}.html").as_uri(), what)
            first = len(book.pages)
            book.append(PdfReader(io.BytesIO(printed)), import_outline=False)
            if part and part not in outline:
                outline[part] = book.add_outline_item(title=part, page_number=first)
            above = outline.get(part) if part else None
            book.add_outline_item(title=title, page_number=first, parent=above)
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    book.add_metadata({"/Title": settings["title"], "/Author": settings["author"]})
    book.compress_identical_objects()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    book.write(options.output)
    print(f"{options.output}: {len(book.pages)} pages")


if __name__ == "__main__":
    main()
