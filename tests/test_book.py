"""The pages, in a browser that can reach nothing but them."""

import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from conftest import table_of_contents
from playwright.sync_api import Error, sync_playwright

pytestmark = pytest.mark.browser


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server(html):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=html)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),  # None: Playwright's own
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
        except Error as error:
            pytest.skip(f"no Chromium: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def load(server, browser):
    """Return a function that opens a page of the book; `page.complaints` lists what went wrong."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.complaints = complaints = []

    def only_the_book(route):
        if route.request.url.startswith((server, "data:", "blob:")):
            route.continue_()
        else:
            complaints.append(f"request to a third party: {route.request.url}")
            route.abort()

    context.route("**/*", only_the_book)
    page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
    page.on(
        "console",
        lambda message: (
            complaints.append(f"console: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    page.on(
        "response",
        lambda response: (
            complaints.append(f"{response.status}: {response.url}")
            if response.status >= 400
            else None
        ),
    )

    def open_page(path: str):
        page.goto(server + path, wait_until="networkidle")
        page.evaluate("() => window.MathJax?.startup?.promise")
        return page

    yield open_page
    context.close()


@pytest.mark.parametrize("name", table_of_contents())
def test_page_is_whole_without_a_network(load, name):
    page = load(f"{name}.html")

    assert page.complaints == []
    assert page.locator("article h1").count() == 1

    formulas = page.locator("article .math")
    assert page.locator("article .math:has(> mjx-container)").count() == formulas.count()
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0

    search_fields = page.locator("input[type=search], .search-button, .search-button-field")
    assert search_fields.locator("visible=true").count() == 1

    silent = page.locator("article img:not([alt]), article img[alt='']")
    assert [image.get_attribute("src") for image in silent.all()] == []


@pytest.mark.parametrize("name", table_of_contents())
def test_page_fits_a_phone(load, name):
    page = load(f"{name}.html")
    page.set_viewport_size({"width": 375, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_a_broken_page_is_noticed(load, html):
    broken = (
        '<script src="https://cdn.example/x.js"></script><img src="gone.png"><script>x.y</script>'
    )
    (html / "broken.html").write_text(f"<!doctype html><title>broken</title>{broken}")

    complaints = "\n".join(load("broken.html").complaints)

    assert "third party: https://cdn.example/x.js" in complaints
    assert "404" in complaints
    assert "uncaught" in complaints


def test_index_leads_to_the_start_page(load):
    page = load("index.html")

    page.wait_for_url("**/book/index.html")
