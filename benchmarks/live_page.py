"""How long a verdict takes on a page: `python benchmarks/live_page.py [--runs 5]`.

Chromium opens a chapter of the built book from a server on this machine, presses Check, writes ten
wrong Adams and has each checked, from the click to the card on the page. Cold: a browser that has
seen nothing. Cached: the same page again, once the browser remembers how Python had started, some
seconds after the first verdict.
Beside the time on the clock stands the processor's time of the worker that runs Python, which is
the same on a busy machine. Bytes are those of the archives, without the scripts that a host packs.
"""

import argparse
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from page_weight import KB, ROOT, launch, served, until
from playwright.sync_api import BrowserContext, sync_playwright

CHAPTER, EXERCISE = "book/bias-correction", "adam_step"
RIGHT = """\
def adam_step(x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    x = x - lr * m_hat / (v_hat**0.5 + eps)
    return x, m, v
"""
# What a student may write in place of it, one at a time.
MISTAKES = {
    "v / (1 - beta2**t)": "v / (1 - beta1**t)",
    "m / (1 - beta1**t)": "m",
    "m / (1 - beta1**t)\n": "m / (1 - beta1 * t)\n",
    "(v_hat**0.5 + eps)": "((v_hat + eps) ** 0.5)",
    "v_hat**0.5": "v**0.5",
    "(1 - beta2) * g**2": "(1 - beta2) * g",
    "beta2 * v +": "beta1 * v +",
    "x - lr": "x + lr",
    "beta1 * m + (1 - beta1) * g": "m + (1 - beta1) * g",
    "m_hat / (v": "g / (v",
}
# Notes when Check is pressed, and when a verdict stands on the page.
WATCH = """
  window.pressed = window.shown = null;
  addEventListener("click", () => { window.pressed ??= performance.now(); }, true);
  new MutationObserver((changes) => {
    for (const { target, oldValue } of changes) {
      if (oldValue === "true" && target.ariaBusy === "false") {
        requestAnimationFrame(() => { window.shown = performance.now(); });
      }
    }
  }).observe(document, { subtree: true, attributeFilter: ["aria-busy"], attributeOldValue: true });
"""
READING = 1500  # ms, which a reader takes at least for the first verdict
GOALS = {"cold": 6.0, "cached": 3.0, "further": 0.3, "MB": 8.5}


@dataclass
class Visit:
    """Seconds to the first verdict and to each further one; the worker's processor time."""

    first: float
    further: list[float]
    worker: float


def worker_seconds() -> float:
    """Return the processor time of the worker threads of every browser here; 0 where unknown."""
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/task/[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name.startswith("DedicatedWorker"):
            fields = rest.split()
            total += (int(fields[11]) + int(fields[12])) / 100
    return total


REMEMBERED = """async () => (await (await caches.open("adam-edu memory")).keys()).length > 0"""


def visit(context: BrowserContext, address: str) -> Visit:
    """Open the page, and have the stub and a wrong Adam checked; stay until all is kept."""
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    cell = page.locator(f".cell:has(> [data-name={EXERCISE}])")
    verdict = cell.locator(".live-verdict")
    before, began = worker_seconds(), time.perf_counter()
    cell.get_by_role("button", name="Check").click()
    verdict.get_by_text("not written yet").wait_for(timeout=120_000)
    first, worker = time.perf_counter() - began, worker_seconds() - before
    page.wait_for_timeout(READING)
    page.evaluate(WATCH)
    further = []
    for right, wrong in MISTAKES.items():
        cell.locator("textarea").fill(RIGHT.replace(right, wrong))
        page.evaluate("window.pressed = window.shown = null")
        cell.get_by_role("button", name="Check").click()
        page.wait_for_function("window.shown !== null", timeout=120_000)
        verdict.get_by_text("Differs").wait_for()
        further.append(page.evaluate("window.shown - window.pressed") / 1000)
    until(page, REMEMBERED)
    page.evaluate("localStorage.clear()")
    page.close()
    return Visit(first, further, worker)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--html", type=Path, default=ROOT / "_build/html")
    options = parser.parse_args()
    if not list((options.html / "_static/live").glob("python-*")):
        sys.exit(f"no Python in {options.html}: make book builds it")
    fetched: set[str] = set()
    cold, cached = [], []
    with served(options.html) as base, sync_playwright() as session:
        browser = launch(session)
        print(f"Chromium {browser.version}, {options.runs} runs, median")
        for _ in range(options.runs):
            context = browser.new_context()
            context.on("response", lambda response: fetched.add(response.url.partition("?")[0]))
            cold.append(visit(context, f"{base}{CHAPTER}.html"))
            cached.append(visit(context, f"{base}{CHAPTER}.html"))
            context.close()
        browser.close()
    parts = sum(
        (options.html / url.removeprefix(base)).stat().st_size
        for url in fetched
        if url.endswith((".gz", ".zip"))
    )
    for name, visits in (("cold", cold), ("cached", cached)):
        first = statistics.median(one.first for one in visits)
        worker = statistics.median(one.worker for one in visits)
        print(
            f"first verdict, {name:7} {first:6.2f} s (worker {worker:.2f} s)   goal {GOALS[name]} s"
        )
    tenths = statistics.quantiles((t for v in cold + cached for t in v.further), n=10)
    print(
        f"further verdicts, nine of ten {tenths[-1]:.2f} s, half {tenths[4]:.2f} s"
        f"        goal {GOALS['further']} s"
    )
    print(
        f"bytes, packed          {parts / KB / KB:6.2f} MB                    goal {GOALS['MB']} MB"
    )


if __name__ == "__main__":
    main()
