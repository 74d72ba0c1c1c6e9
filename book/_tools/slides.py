"""Make slides of the built chapters: `python book/_tools/slides.py [PAGE ...]`.

A PDF for each chapter, to be shown by any reader of PDFs, full screen. `slides.js` says what of a
chapter goes onto them.
"""

import argparse
from pathlib import Path

from chromium import chromium
from pdf import LOAD_ALL, ROOT, contents
from playwright.sync_api import Page

HERE = Path(__file__).parent
WIDTH, HEIGHT = 1280, 720


def chapters() -> list[str]:
    """Return the pages that are notebooks, without those to look things up in."""
    pages = [name for part, name in contents() if part != "Reference"]
    return [name for name in pages if (ROOT / f"{name}.ipynb").exists()]


def make(page: Page, address: str, output: Path) -> int:
    """Write the slides of a page, and return how many there are."""
    page.goto(address, wait_until="load")
    page.evaluate(LOAD_ALL, "worksheet")
    page.add_style_tag(path=HERE / "slides.css")
    count: int = page.evaluate((HERE / "slides.js").read_text(encoding="utf-8"))
    output.parent.mkdir(parents=True, exist_ok=True)
    page.pdf(path=output, width=f"{WIDTH}px", height=f"{HEIGHT}px", print_background=True)
    return count


def main() -> None:
    """Make slides of the pages named on the command line, or of all chapters."""
    parser = argparse.ArgumentParser(description="Make slides of the built chapters.")
    parser.add_argument("pages", nargs="*", help="such as book/momentum; by default all chapters")
    parser.add_argument("--html", type=Path, default=ROOT / "_build/html")
    parser.add_argument("--output", type=Path, default=ROOT / "_build/slides")
    options = parser.parse_args()
    with chromium() as browser:
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", device_scale_factor=2
        )
        page.emulate_media(media="print")
        for name in options.pages or chapters():
            output = options.output / f"{Path(name).name}.pdf"
            count = make(page, (options.html / f"{name}.html").as_uri(), output)
            print(f"{output}: {count} slides")


if __name__ == "__main__":
    main()
