"""What a build of the book is made from, as one number: whether a build can still be used."""

import os
import sysconfig
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
READ = ["_config.yml", "_toc.yml", "README.md", "book", "src"]
FILE = "inputs"  # beside the folder of the pages


def inputs() -> str:
    """Return the SHA-256 of the files that a build reads, of the packages that it runs, and of
    where it takes Python for the page from."""
    found = sha256(os.environ.get("ADAM_EDU_PYODIDE", "").encode())
    # Not the whole path: some packages put what they carry along on it when they are imported.
    here = distributions(path=[sysconfig.get_path("purelib")])
    for one in sorted(f"{package.name} {package.version}" for package in here):
        found.update(one.encode())
    for path in sorted(path for name in READ for path in _files(ROOT / name)):
        found.update(f"\n{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return found.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    unread = ("__pycache__", ".ipynb_checkpoints")
    return [p for p in path.rglob("*") if p.is_file() and not any(x in p.parts for x in unread)]
