"""Pages with live figures, as strict as a page can be, served and opened in a browser."""

from functools import partial
from http.server import ThreadingHTTPServer
from threading import Thread

import pytest
from conftest import QuietHandler
from record_samples import settings, tuned

from adam_edu import lab
from adam_edu.lab import catalog
from adam_edu.rules import SGD

# No inline script, no inline style, nothing evaluated, nothing from elsewhere.
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"
ROOT = "document.querySelector('.adam-edu-lab')?.shadowRoot"
VIEWS = {
    "race": lab.race("Bowl", ["SGD", "Momentum", "RMSProp", "Adam"]),
    "pair": lab.pair("Adam", "AMSGrad"),
    "tuner": lab.tuner("AdamW", "Ravine"),
    "inside": lab.inside(),
    "bias": lab.bias(),
    "drawn": lab.bias(signal=[1.0, -1.0, 2.0]),
    "weight": lab.weight(signal="1-then-10", t=120),
    "schedule": lab.schedule("Step"),
    "average": lab.average(),
    "diverging": lab.race("Bowl", [SGD(lr=0.1), SGD(lr=1.0)]),
    "record": lab.record(tuned()),
    "grid": lab.record(settings()),
}


def page_of(*views, theme="light"):
    figures = "<p>and</p>".join(view._repr_mimebundle_()[0]["text/html"] for view in views)
    return (
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><title>Figures</title>'
        '<meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><link rel="icon" href="icon.svg">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<script defer src="lab.js"></script></head>'
        f"<body><main><h1>Figures</h1>{figures}</main></body></html>"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Serve a folder with the figures' script; return it and its address."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "lab.js").write_text(catalog.page_script())
    (folder / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def show(site, browser):
    """Return a function that opens a page with the given figures; no complaint may come of it."""
    folder, address = site
    complaints = []
    contexts = []

    def open_page(*views, fragment="", html=None, theme="light", **options):
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        (folder / "page.html").write_text(html or page_of(*views, theme=theme))
        page.goto(f"{address}page.html{fragment}")
        page.wait_for_function(f"() => {ROOT}")
        settle(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == [], complaints


def settle(page):
    """Wait until the frame that a change has asked for is painted."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixels(page):
    """Return what the first figure has painted."""
    settle(page)
    canvases = f"[...({ROOT}).querySelectorAll('canvas')]"
    return page.evaluate(f"() => {canvases}.map((c) => c.toDataURL()).join()")
