"""What the tests of the book share: where things are, and the pages, built once."""

import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import fresh_kernel
import nbformat
import pytest
import yaml
from filelock import FileLock

from adam_edu.data.files import LOCAL_COPY

ROOT = Path(__file__).parents[1]

# xdist keeps every core busy. More threads in each worker, or in a notebook's kernel, wait for one
# another: a cell of three seconds took two minutes.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Keras picks its backend once, on import, whichever test imports it first.
os.environ["KERAS_BACKEND"] = "jax"


def pytest_configure(config: pytest.Config) -> None:
    """Keep the order of files; make the kernel that notebooks are to run in, before workers."""
    config.option.loadscopereorder = False  # of xdist, by their number of tests
    asked = getattr(config.option, "nbval_kernel_name", None) == fresh_kernel.NAME
    if asked and not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="adam-edu-kernel-")
        config.add_cleanup(folder.cleanup)
        kernels = ExitStack()
        kernels.enter_context(fresh_kernel.installed(Path(folder.name)))
        config.add_cleanup(kernels.close)


# What a test takes at most, in seconds of a quiet core, as far as its kind tells.
SECONDS = {"slow": 20.0, "browser": 2.0}
CELL, OTHER = 1.0, 0.15


def seconds(item: pytest.Item) -> float:
    """Return a guess of what a test takes."""
    if item.path.suffix == ".ipynb":
        return CELL
    return max([OTHER, *(SECONDS[kind] for kind in SECONDS if item.get_closest_marker(kind))])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let workers begin with the files that take longest, so that none is left alone with one."""
    if hasattr(config, "workerinput"):
        whole = Counter[Path]()
        for item in items:
            whole[item.path] += seconds(item)
        items.sort(key=lambda item: -whole[item.path])


# Thousands of tests, and the libraries that they import, live to the end. The collector of garbage
# goes through all of them again and again, unless it is told to let them be.
gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage from here on, but not among what was imported and collected."""
    gc.collect()
    gc.freeze()
    gc.enable()


def table_of_contents() -> list[str]:
    """Return every page of _toc.yml in its order, such as "book/notation"."""

    def pages(entry: dict) -> list[str]:
        below = [*entry.get("parts", []), *entry.get("chapters", []), *entry.get("sections", [])]
        own = [entry[key] for key in ("root", "file") if key in entry]
        return own + [page for child in below for page in pages(child)]

    return pages(yaml.safe_load((ROOT / "_toc.yml").read_text()))


# One template sets all pages of the package's reference: their list, the longest, one of formulas.
SAMPLE = ("book/index", "book/api/index", "book/api/torch", "book/api/rules")
DIRECTIVE = re.compile(r"^\s*[`:]{3,}\{([\w:-]+)\}", re.MULTILINE)
FIGURE = re.compile(r"\blab\.(\w+)\(")


def pages_to_visit() -> list[Any]:
    """Return every page for a test in a browser; nightly, what SAMPLE leaves out."""
    return [
        pytest.param(page, marks=pytest.mark.nightly)
        if "/api/" in page and page not in SAMPLE
        else page
        for page in table_of_contents()
    ]


def kinds(page: str) -> set[str]:
    """Return what a page is made of: its directives, live figures and other outputs."""
    source = ROOT / f"{page}.ipynb"
    if not source.exists():
        return set(DIRECTIVE.findall(source.with_suffix(".md").read_text(encoding="utf-8")))
    found = set()
    for cell in nbformat.read(source, as_version=4).cells:
        if cell.cell_type == "markdown":
            found.update(DIRECTIVE.findall(cell.source))
        else:
            found.update(f"lab.{figure}" for figure in FIGURE.findall(cell.source))
            found.update(f"tag {tag}" for tag in cell.metadata.get("tags", []))
            found.update(kind for one in cell.outputs for kind in one.get("data", {}))
    return found


def pages_of_each_kind(pages: list[str]) -> list[Any]:
    """Return pages for a test of what they are made of: those that show every kind of directive,
    live figure and output among them; nightly, the others."""
    shows = {page: kinds(page) for page in pages}
    missing, chosen = set().union(*shows.values()), {*SAMPLE}.intersection(pages)
    while missing:
        chosen.add(max(shows, key=lambda page: len(shows[page] & missing)))
        missing -= set().union(*(shows[page] for page in chosen))
    return [
        page if page in chosen else pytest.param(page, marks=pytest.mark.nightly) for page in pages
    ]


def notebooks() -> list[Path]:
    """Return the notebooks among the pages of _toc.yml."""
    paths = (ROOT / f"{page}.ipynb" for page in table_of_contents())
    return [path for path in paths if path.exists()]


@pytest.fixture(autouse=True)
def _gradients():
    """Let gradients be computed, whatever the test before left: an error in a compiled step, or an
    interruption at the wrong moment, leaves Torch without them."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_grad_enabled(True)


@pytest.fixture(scope="module")
def one_thread():
    """Let this process compute with one thread, as the processes of an executor do."""
    from adam_edu.experiments.reproduce import one_thread

    with one_thread():
        yield


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """Return the folder of an empty cache of data; there is no local copy."""
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "cache")
    monkeypatch.delenv(LOCAL_COPY, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def html(tmp_path_factory, worker_id):
    """Build the book, warnings as errors, and return the folder of its pages.

    Parallel workers share one build: the first makes it, the others wait. What ``make book`` built
    from the very same files, also with warnings as errors, is copied instead.
    """
    from inputs import FILE, inputs  # of book/_ext, which a copy of the package has not

    base = tmp_path_factory.getbasetemp()
    out = (base if worker_id == "master" else base.parent) / "book"
    with FileLock(f"{out}.lock"):
        if not (out / "built").exists():
            made = ROOT / "_build"
            if (made / FILE).exists() and (made / FILE).read_text() == inputs():
                shutil.copytree(made / "html", out / "_build/html")
            else:
                build_book(out)
            (out / "built").touch()
    return out / "_build/html"


def build_book(out: Path) -> None:
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT, "-W"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}
    done = subprocess.run(
        [*command, "--path-output", out], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files and print nothing."""

    def log_message(self, *args):
        pass


# The theme has scripts and styles within its pages. Nothing is evaluated, nothing from elsewhere.
POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "worker-src 'self'"
)


class StrictHandler(QuietHandler):
    """Serve files under a strict content security policy."""

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()


@pytest.fixture(scope="module")
def server(html):
    """Serve the book's pages; return their address."""
    handler = partial(StrictHandler, directory=html)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    """Start Chromium, or skip and say why."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as session:
        try:
            browser = session.chromium.launch(
                executable_path=shutil.which("chromium"),  # None: Playwright's own
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
        except playwright.Error as error:
            pytest.skip(f"no Chromium: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


def visit(page, address: str) -> None:
    """Open a page, and wait for what its scripts load after it.

    The network is also idle while a busy machine reads the page, before any script is asked for;
    so first everything that the page names has to be there.
    """
    page.goto(address)
    page.wait_for_load_state("networkidle")
