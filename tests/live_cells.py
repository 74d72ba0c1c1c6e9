"""Run chapters' cells on a page, and compare with what is stored: `python tests/live_cells.py`.

With names, such as `python tests/live_cells.py momentum`, those chapters; else all.
"""

import sys
import time

RUN = """async ([app, cells]) => {
  const { engine } = await import(`./_static/live/${app}/engine.js`);
  const found = [];
  await engine.run(cells, () => {}, (number, outputs) => found.push(outputs), () => {});
  return found;
}"""


def differences(cell, found):
    """Return what of a cell's outputs is not as stored; pictures are only counted."""
    outputs = found["outputs"]
    printed = "".join(one.get("text", "") for one in outputs)
    data = [one["data"] for one in outputs if "data" in one]
    pictures = sum("image/png" in one for one in data)
    texts = [one for one in data if "image/png" not in one]
    stored = cell.stored
    told = [found["error"]] if found["error"] else []
    if printed.strip() != stored["printed"].strip():
        told.append(f"printed {printed!r}, stored {stored['printed']!r}")
    if pictures != stored["pictures"]:
        told.append(f"{pictures} pictures, stored {stored['pictures']}")
    if texts != [{k: v for k, v in one.items() if "widget" not in k} for one in stored["texts"]]:
        told.append(f"texts {str(texts)[:300]}, stored {str(stored['texts'])[:300]}")
    return told


def run(page, app, chapter):
    """Run a chapter's cells in their order, and return what differs: number -> differences.

    A cell that lacks something is run as far as it can be, for those after it, and not compared.
    """
    wishes = [{"number": i, "source": cell.runs} for i, cell in enumerate(chapter, 1)]
    found = page.evaluate(RUN, [app, wishes])
    return {
        number: told
        for number, (cell, outputs) in enumerate(zip(chapter, found, strict=True), 1)
        if not cell.lacks and (told := differences(cell, outputs))
    }


def main():
    """Print each chapter's count of cells that give what is stored, and what differs."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
    from live_pages import CELLS, served, write_pages
    from page_weight import launch
    from playwright.sync_api import sync_playwright

    names = sys.argv[1:] or list(CELLS)
    right = lacking = total = 0
    with TemporaryDirectory() as name, sync_playwright() as session:
        write_pages(Path(name))
        app = next(path.name for path in Path(name, "_static/live").glob("app-*"))
        with served(Path(name)) as (address, _):
            browser = launch(session)
            for stem in names:
                chapter = CELLS[stem]
                page = browser.new_page()
                page.goto(f"{address}cells-{stem}.html")
                began = time.perf_counter()
                wrong = run(page, app, chapter)
                seconds = time.perf_counter() - began
                page.close()
                without = sum(bool(cell.lacks) for cell in chapter)
                same = len(chapter) - without - len(wrong)
                right, total, lacking = right + same, total + len(chapter), lacking + without
                counts = f"{same:3} of {len(chapter):3} as stored, {without:2} lack something"
                print(f"{stem:24} {counts}, {seconds:4.0f} s", flush=True)
                for number, told in wrong.items():
                    print(f"    cell {number}: {'; '.join(told)[:600]}", flush=True)
            browser.close()
    print(f"{right} of {total} as stored; {lacking} need what a page has not")
    return 0 if right + lacking == total else 1


if __name__ == "__main__":
    sys.exit(main())
