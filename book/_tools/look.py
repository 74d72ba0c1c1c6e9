"""Take screenshots of built pages: `python book/_tools/look.py [PAGE ...]`, for example `notation`.

Each page in light and dark, 1200 and 375 pixels wide, whole, into `_build/look/`.
"""

import argparse
from itertools import product
from pathlib import Path

from chromium import chromium

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "_build/html/book"
OUT = ROOT / "_build/look"
# Pictures wait until one scrolls near them.
LOAD = """
async () => {
  for (const one of document.images) one.loading = "eager";
  await Promise.all([...document.images].map((one) => one.decode().catch(() => {})));
}
"""


def main() -> None:
    """Screenshot the pages named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description="Take screenshots of built pages.")
    parser.add_argument("pages", nargs="*")
    every = sorted(str(p.relative_to(PAGES).with_suffix("")) for p in PAGES.rglob("*.html"))
    pages = parser.parse_args().pages or every
    OUT.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for page_name, scheme, width in product(pages, ("light", "dark"), (1200, 375)):
            page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
            page.goto((PAGES / f"{page_name}.html").as_uri())
            page.wait_for_load_state("networkidle")
            page.evaluate(LOAD)
            path = OUT / f"{page_name.replace('/', '-')}-{scheme}-{width}.png"
            page.screenshot(path=path, full_page=True)
            page.close()
            print(path)


if __name__ == "__main__":
    main()
