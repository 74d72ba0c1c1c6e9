"""Pages with exercises to be done on them, served and opened in a browser, without a whole book."""

from contextlib import contextmanager
from functools import partial
from html import escape
from http.server import ThreadingHTTPServer
from threading import Thread

import pytest
from conftest import POLICY, QuietHandler, notebooks
from filelock import FileLock

from adam_edu.lab import catalog
from adam_edu.live import cells, exercises, runtime, sphinx

SLOW = 60_000  # ms: a start on a busy machine
CELLS = {path.stem: cells.of_notebook(path) for path in notebooks()}
ASKED = {path.stem: found for path in notebooks() if (found := exercises.of_notebook(path))}


def page_of(asked, head="", chapter=()):
    """Return a page of exercises and of a chapter's cells, as the theme lays them out."""
    code = "".join(
        f'<div class="cell"><div class="cell_input"><pre>{escape(one.source)}</pre></div>'
        f'<div class="live-cell" data-cell="{number}" hidden></div>'
        '<div class="cell_output"><p>stored</p></div></div>'
        for number, one in enumerate(chapter)
        if one.offered
    )
    asked_for = "".join(
        '<div class="cell tag_stub"><div class="cell_input">'
        '<div class="highlight" tabindex="0" style="overflow-x: auto">'
        f"<pre>{escape(one.stub)}</pre></div></div>"
        f'{sphinx.place_of(one)}<div class="cell_output"><p>stored</p></div></div>'
        for one in asked
    )
    menu = "".join(f'<li><a href="{name}.html">{name}</a></li>' for name in ASKED)
    return (
        '<!doctype html><html lang="en" data-content_root="./" data-theme="light"><head>'
        f"<title>Exercises</title>{head}"
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<link rel="icon" href="icon.svg"><link rel="stylesheet" href="_static/live.css">'
        '<script defer src="_static/live.js"></script></head><body>'
        f'<div class="bd-sidebar-primary"><nav aria-label="pages"><ul>{menu}</ul></nav></div>'
        '<main><h1>Exercises</h1><article class="bd-article">'
        f'{asked_for}{code}<div class="live-work" hidden></div></article></main></body></html>'
    )


class Host(QuietHandler):
    """Serve files as strictly as a host may, and note what was asked for."""

    asked: list[str]

    def __init__(self, *args, asked, **options):
        self.asked = asked
        super().__init__(*args, **options)

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()


def write_pages(folder):
    """Write a page for each chapter's exercises and one for its cells, with all that they load."""
    known = runtime.distributions()
    python, figures, editor = (known[name].read() for name in ("python", "figures", "editor"))
    live = sphinx.Live(
        {f"book/{stem}": found for stem, found in ASKED.items()},
        {f"book/cells-{stem}": found for stem, found in CELLS.items()},
    )
    sphinx.written(folder / "_static", live, python, figures, editor)
    (folder / "_static/lab.js").write_text(catalog.page_script(), encoding="utf-8")
    pages = {f"cells-{stem}": page_of([], chapter=chapter) for stem, chapter in CELLS.items()}
    for stem, found in ASKED.items():
        pages[stem] = page_of([one for one in found if not one.torch])
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    (folder / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')


@contextmanager
def served(folder, port=0):
    """Serve a folder; give its address and the list of what is asked for."""
    asked = []
    handler = partial(Host, directory=folder, asked=asked)
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()


class Exercise:
    """One exercise of an open page."""

    def __init__(self, page, name):
        self.page, self.name = page, name
        self.cell = page.locator(f".cell:has(> [data-name={name}])")
        self.field = self.cell.locator("textarea")
        self.verdict = self.cell.locator(".live-verdict")
        self.note = self.cell.locator("span.live-note")

    def button(self, name):
        return self.cell.get_by_role("button", name=name)

    def write(self, text):
        if self.button("Write here").count():
            self.button("Write here").click()
        self.field.fill(text)

    def check(self):
        """Check, and return what the page shows."""
        self.button("Check").click()
        self.page.wait_for_function(
            "cell => cell.querySelector('.live-verdict')?.ariaBusy === 'false'",
            arg=self.cell.element_handle(),
            timeout=SLOW,
        )
        return self.verdict.inner_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, worker_id):
    """Return a folder of pages, written once for all that test them; skip without Pyodide."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "live"
    with FileLock(f"{folder}.lock"):
        if not (folder / "icon.svg").exists():
            try:
                write_pages(folder)
            except runtime.NotThere as error:
                pytest.skip(str(error))
    return folder


@pytest.fixture(scope="module")
def site(folder):
    """Serve the folder; return its address and the list of what is asked for."""
    with served(folder) as found:
        yield found
