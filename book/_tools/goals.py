"""Write the table of learning-goals.md anew, from the first line of each chapter."""

import re
from pathlib import Path

import nbformat
import yaml

BOOK = Path(__file__).parents[1]
GOALS = BOOK / "learning-goals.md"
FIRST_LINE = re.compile(
    r"# (?P<title>[^\n]+)\n\n\*(?P<minutes>\d+) minutes to read, \d+ s to run[^.]*\.\s+"
    r"You\s+need\s+(?P<needs>.+?)\.\s+You\s+will\s+(?:be\s+able\s+to\s+)?(?P<gives>.+?)\.\*",
    re.DOTALL,
)

HEAD = "| chapter | minutes | you need | you will be able to |\n| --- | ---: | --- | --- |\n"


def table() -> str:
    """Return a table for each part of _toc.yml that has chapters."""
    parts = yaml.safe_load((BOOK.parent / "_toc.yml").read_text())["parts"]
    text = ""
    for part in parts:
        rows = [row(BOOK.parent / f"{entry['file']}.ipynb") for entry in part["chapters"]]
        if any(rows):
            text += f"\n## {part['caption']}\n\n{HEAD}{''.join(rows)}"
    return text


def row(chapter: Path) -> str:
    """Return the row of a chapter; of a page that is none, nothing."""
    if not chapter.exists():
        return ""
    found = FIRST_LINE.match(nbformat.read(chapter, as_version=4).cells[0].source)
    if found is None:
        raise SystemExit(f"{chapter.name}: the first line lacks a time, a need or a goal")
    needs, gives = (" ".join(found[name].split()) for name in ("needs", "gives"))
    link = f"[{found['title']}]({chapter.name})"
    return f"| {link} | {found['minutes']} | {needs} | {gives} |\n"


def main() -> None:
    """Write the tables anew, and keep what stands above the first and below the last."""
    head, *parts = GOALS.read_text(encoding="utf-8").split("\n## ")
    below = "".join(f"\n## {part}" for part in parts if HEAD not in part)
    GOALS.write_text(head.rstrip("\n") + "\n" + table() + below, encoding="utf-8")


if __name__ == "__main__":
    main()
