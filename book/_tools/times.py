"""Write anew how many minutes each chapter takes to read, in its first line.

Counted up to the exercises, which say their own minutes: the words, the lines of code that the page
shows unfolded, and the pictures.
"""

import re
from pathlib import Path

import nbformat

BOOK = Path(__file__).parents[1]
WORDS_A_MINUTE = 230  # an adult's reading of English that is no fiction
SECONDS_A_LINE, SECONDS_A_PICTURE = 5, 20  # of code
FOLDED = {"hide-input", "remove-input", "hide-cell", "remove-cell"}
STATED = re.compile(r"(?<=\*)\d+(?= minutes to read)")
EXERCISES = re.compile(r"^## Exercises?\b", re.MULTILINE)


def minutes(notebook: nbformat.NotebookNode) -> int:
    """Return the whole minutes that a notebook takes to read."""
    words = lines = pictures = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text, *exercises = EXERCISES.split(cell.source)
            words += len(text.split())
            if exercises:
                break
            continue
        if not FOLDED.intersection(cell.metadata.get("tags", [])):
            lines += sum(bool(line.strip()) for line in cell.source.splitlines())
        pictures += any("image/png" in output.get("data", {}) for output in cell.outputs)
    code = (SECONDS_A_LINE * lines + SECONDS_A_PICTURE * pictures) / 60
    return round(words / WORDS_A_MINUTE + code)


def main() -> None:
    """Write the first line of every chapter whose time has changed."""
    for path in sorted(BOOK.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        first = notebook.cells[0]
        told = STATED.sub(str(minutes(notebook)), first.source, count=1)
        if told != first.source:
            print(f"{path.name}: {STATED.search(first.source)[0]} -> {minutes(notebook)}")
            first.source = told
            nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
