"""What the tests of the book share: where things are, and the pages, built once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]

# xdist keeps every core busy. More threads in each worker, or in a notebook's kernel, wait for one
# another: a cell of three seconds took two minutes.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def table_of_contents() -> list[str]:
    """Return every page of _toc.yml in its order, such as "book/notation"."""

    def pages(entry: dict) -> list[str]:
        below = [*entry.get("parts", []), *entry.get("chapters", []), *entry.get("sections", [])]
        own = [entry[key] for key in ("root", "file") if key in entry]
        return own + [page for child in below for page in pages(child)]

    return pages(yaml.safe_load((ROOT / "_toc.yml").read_text()))


def notebooks() -> list[Path]:
    """Return the notebooks among the pages of _toc.yml."""
    paths = (ROOT / f"{page}.ipynb" for page in table_of_contents())
    return [path for path in paths if path.exists()]


@pytest.fixture(scope="session")
def html(tmp_path_factory):
    """Build the book, warnings as errors, and return the folder of its pages."""
    out = tmp_path_factory.mktemp("book")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT, "-W"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}
    done = subprocess.run(
        [*command, "--path-output", out], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "_build/html"
