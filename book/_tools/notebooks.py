"""Re-execute notebooks in place: `python book/_tools/notebooks.py [FILE ...]`.

Without arguments, every notebook of the book. The first code cell becomes the set-up cell of
`book/_setup_cell.py`; metadata that would differ between two machines is left out.
"""

import argparse
from pathlib import Path

import nbformat
from nbclient import NotebookClient

BOOK = Path(__file__).parents[1]
SETUP_CELL = (BOOK / "_setup_cell.py").read_text().rstrip("\n")
SETUP_METADATA = {
    "tags": ["setup-cell", "hide-input"],
    "mystnb": {
        "code_prompt_show": "Set-up, for Colab: show",
        "code_prompt_hide": "Set-up, for Colab: hide",
    },
}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def put_setup_cell(notebook: nbformat.NotebookNode) -> None:
    """Make the set-up cell the first code cell, folded away on the page."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if code and "setup-cell" in code[0].metadata.get("tags", []):
        cell = code[0]
    else:
        cell = nbformat.v4.new_code_cell()
        notebook.cells.insert(1, cell)  # below the title
    cell.source = SETUP_CELL
    cell.metadata = nbformat.from_dict(SETUP_METADATA)


def make_deterministic(notebook: nbformat.NotebookNode) -> None:
    """Drop what depends on the machine or the moment; number the cells' ids."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata.pop("execution", None)


def execute(path: Path) -> None:
    """Run a notebook from its own folder and write it back with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    put_setup_cell(notebook)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources=resources,
        record_timing=False,
        coalesce_streams=True,
    )
    client.execute()
    make_deterministic(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def main() -> None:
    """Execute the notebooks named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description="Re-execute notebooks and store their outputs.")
    parser.add_argument("notebooks", nargs="*", type=Path, default=sorted(BOOK.glob("*.ipynb")))
    for path in parser.parse_args().notebooks:
        print(f"executing {path}")
        execute(path)


if __name__ == "__main__":
    main()
