"""What a reader loads and waits for: `python benchmarks/page_weight.py [PAGE ...]`.

Every page of the built book in Chromium with a cold cache, from a server on this machine that
compresses text as a host does, over 1.6 Mbit/s and 150 ms by the browser's own throttling. Bytes
are those on the wire: what a page loads first, without scrolling. Then the page is scrolled to its
end, and whatever moves on the way counts as a shift of the layout.
"""

import argparse
import gzip
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

import yaml
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
LINK = {"downloadThroughput": 1.6e6 / 8, "uploadThroughput": 1.6e6 / 8, "latency": 150}
TEXT = {".html", ".css", ".js", ".svg", ".json", ".txt"}
KB = 1000

# Notes when the first figure has painted something, and what moves.
WATCH = """
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  const look = () => {
    const canvas = document.querySelector(".adam-edu-lab")?.shadowRoot?.querySelector("canvas");
    if (canvas?.width > 300) window.alive = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
SCROLL = """
async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += 0.8 * innerHeight) {
    scrollTo({ top: y, behavior: "instant" });
    await new Promise((done) => setTimeout(done, 25));
  }
}
"""


@dataclass
class Cost:
    """What one page costs: bytes, requests, milliseconds, the sum of its shifts, complaints."""

    name: str
    text: float = 0  # bytes without pictures
    first: float = 0  # bytes of all that it loads first
    requests: int = 0
    paint: float | None = None
    alive: float | None = None
    shift: float = 0
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


def contents() -> list[str]:
    """Return every page of `_toc.yml` in its order, such as "book/notation"."""

    def pages(entry: dict) -> Iterator[str]:
        yield from (entry[key] for key in ("root", "file") if key in entry)
        for below in ("parts", "chapters", "sections"):
            for child in entry.get(below, []):
                yield from pages(child)

    return list(pages(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))))


@cache
def compressed(path: str, changed: float) -> bytes:
    return gzip.compress(Path(path).read_bytes(), 6)


class Host(SimpleHTTPRequestHandler):
    """Serve files as a host on the web does: connections kept, text compressed."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        """Print nothing."""

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Answer with the compressed file where it is text."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in TEXT or not path.is_file():
            return super().send_head()
        body = compressed(str(path), path.stat().st_mtime)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return BytesIO(body)


@contextmanager
def served(html: Path, host: type[Host] = Host) -> Iterator[str]:
    """Serve a folder on this machine; give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(host, directory=html)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def weigh(browser: Browser, base: str, name: str, throttled: bool = True) -> Cost:
    """Load a page that was never seen before, and say what it costs."""
    with visited(browser, base, name, throttled) as (_, found):
        return found


@contextmanager
def visited(
    browser: Browser, base: str, name: str, throttled: bool = True
) -> Iterator[tuple[Page, Cost]]:
    """Load a page that was never seen before and scroll to its end; give it, and what it costs.

    What it complains of later is still added.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(WATCH)
    client = context.new_cdp_session(page)
    client.send("Network.enable")
    if throttled:
        client.send("Network.emulateNetworkConditions", {"offline": False, **LINK})
    found, kinds = Cost(name), {}
    sizes: dict[str, float] = {}

    def answered(event: dict) -> None:
        url = event["response"]["url"]
        if url.startswith("http"):
            kinds[event["requestId"]] = event["type"]
            if not url.startswith(base):
                found.foreign.append(url)
        if event["response"]["status"] >= 400:
            found.complaints.append(f"{event['response']['status']}: {url}")

    client.on("Network.responseReceived", answered)
    client.on(
        "Network.loadingFinished",
        lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}),
    )
    page.on("pageerror", lambda error: found.complaints.append(f"uncaught: {error}"))
    page.on(
        "console",
        lambda message: (
            found.complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.goto(f"{base}{name}.html", timeout=120_000)
    page.wait_for_load_state("networkidle", timeout=120_000)
    loaded = {one: size for one, size in sizes.items() if one in kinds}
    found.requests = len(loaded)
    found.first = sum(loaded.values())
    found.text = sum(size for one, size in loaded.items() if kinds[one] != "Image")
    found.paint, found.alive = page.evaluate(PAINT), page.evaluate("window.alive ?? null")
    page.evaluate(SCROLL)
    page.wait_for_load_state("networkidle")
    found.shift = page.evaluate("window.shift")
    try:
        yield page, found
    finally:
        context.close()


def size(folder: Path, *patterns: str) -> int:
    """Return how many bytes the files of a folder have."""
    return sum(p.stat().st_size for pattern in patterns for p in folder.rglob(pattern))


def size_of_runtime(html: Path) -> int:
    """Return how many bytes of a built book are the Python that its pages run."""
    return sum(size(folder, "*") for folder in html.glob("_static/live/python-*"))


def summary(pages: list[Cost], html: Path) -> dict[str, tuple[float, float]]:
    """Return each figure of the book as a whole, and its goal."""
    paints = [page.paint / 1000 for page in pages if page.paint]
    alive = [page.alive / 1000 for page in pages if page.alive] or [0.0]
    chapters = len(list((ROOT / "book").glob("*.ipynb")))
    return {
        "KB without pictures, median page": (statistics.median(p.text for p in pages) / KB, 200),
        "KB of the heaviest, with what it loads first": (max(p.first for p in pages) / KB, 300),
        "requests, most": (max(p.requests for p in pages), 20),
        "first paint, median, s": (statistics.median(paints), 1.0),
        "first paint, slowest, s": (max(paints), 1.0),
        "first live figure, median, s": (statistics.median(alive), 1.5),
        "first live figure, slowest, s": (max(alive), 1.5),
        "layout shift, worst page": (max(p.shift for p in pages), 0.05),
        "pictures, KB for each chapter": (size(html / "_images", "*") / chapters / KB, 70),
        "complaints of the console": (sum(len(p.complaints) for p in pages), 0),
        "requests to third parties": (sum(len(p.foreign) for p in pages), 0),
        "the built book without the runtime of Python, MB": (
            (size(html, "*") - size_of_runtime(html)) / 1e6,
            30,
        ),
    }


def until(page: Any, asks: str, given: Any = None, seconds: float = 20) -> Any:
    """Wait until an asynchronous function of the page gives something, and return it.

    ``page.wait_for_function`` takes the promise itself for an answer, and does not wait.
    """
    last = time.monotonic() + seconds
    while not (found := page.evaluate(asks, given)):
        if time.monotonic() > last:
            raise TimeoutError(f"not true after {seconds} s: {asks}")
        time.sleep(0.05)
    return found


def launch(session: Any) -> Browser:
    """Start the browser that is there."""
    return session.chromium.launch(
        executable_path=shutil.which("chromium"),
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="such as book/momentum; by default all")
    parser.add_argument("--html", type=Path, default=ROOT / "_build/html")
    options = parser.parse_args()
    if not (options.html / "book").is_dir():
        sys.exit(f"no book in {options.html}: make book builds it")
    names = options.pages or contents()
    with served(options.html) as base, sync_playwright() as session:
        browser = launch(session)
        print(f"Chromium {browser.version}, 1.6 Mbit/s, 150 ms, cold cache")
        print(f"{'':30} {'KB':>6} {'first':>6} {'reqs':>5} {'paint':>6} {'alive':>6} {'shift':>6}")
        pages = []
        for name in names:
            page = weigh(browser, base, name)
            pages.append(page)
            times = (f"{t / 1000:6.2f}" if t else f"{'-':>6}" for t in (page.paint, page.alive))
            print(
                f"{name:30} {page.text / KB:6.0f} {page.first / KB:6.0f} {page.requests:5}",
                *times,
                f"{page.shift:6.3f}",
                *page.complaints,
            )
        browser.close()
    for what, (value, goal) in summary(pages, options.html).items():
        print(f"{what:46} {value:8.2f}   goal {goal}")


if __name__ == "__main__":
    main()
