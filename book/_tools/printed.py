"""Count the numbers and the figures that readers meet in the chapters' outputs.

Run: ``python book/_tools/printed.py [book/one.ipynb ...]``. A number counts where it is printed as
text; stubs, solutions and quizzes are left out, and so is source code that a cell shows.
"""

import re
import sys
from pathlib import Path

import nbformat

BOOK = Path(__file__).parents[1]
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]*\w)")
FOLDED = {"stub", "solution", "setup-cell", "remove-input"}
RICH = ("text/html", "text/markdown", "text/latex", "image/png", "image/svg+xml")


def counted(notebook: nbformat.NotebookNode) -> tuple[int, int]:
    """Return how many numbers the outputs print, and how many figures they show."""
    numbers = figures = 0
    for cell in notebook.cells:
        if cell.cell_type != "code" or FOLDED & set(cell.metadata.get("tags", [])):
            continue
        for output in cell.outputs:
            data = output.get("data", {})
            figures += "image/png" in data or "adam-edu-lab" in "".join(data.get("text/html", ""))
            if not set(RICH) & set(data) and "getsource" not in cell.source:
                text = output.get("text", "") or data.get("text/plain", "")
                numbers += len(NUMBER.findall("".join(text)))
    return numbers, figures


def main(paths: list[Path]) -> None:
    """Print a line for each chapter, and the sums."""
    found = {path.stem: counted(nbformat.read(path, as_version=4)) for path in paths}
    for name, (numbers, figures) in found.items():
        print(f"{numbers:5d} numbers, {figures:2d} figures: {name}")
    sums = [sum(column) for column in zip(*found.values(), strict=True)]
    print(f"{sums[0]:5d} numbers, {sums[1]:2d} figures in {len(found)} chapters")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(BOOK.glob("*.ipynb")))
