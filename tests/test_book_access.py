"""The pages for everyone: axe-core finds nothing serious on any of them, in light and in dark."""

from pathlib import Path

import pytest
from conftest import table_of_contents

axe = pytest.importorskip("axe_playwright_python.base")
pytestmark = [pytest.mark.browser, pytest.mark.pages]

# The look of code is a matter of its tokens' kinds: one of each kind is enough to measure. Formulas
# are thousands of elements that are all alike; where they may be something's name, their letters,
# which browsers read in a name and axe does not, stand for them. Classes and functions are set by
# one template: a dozen of a page are enough.
THIN = """
() => {
  const seen = new Set();
  for (const code of document.querySelectorAll(".highlight pre")) {
    const kinds = [...code.querySelectorAll("span")].map((span) => span.className);
    if (kinds.every((kind) => seen.has(kind))) code.textContent = code.textContent;
    kinds.forEach((kind) => seen.add(kind));
  }
  for (const formula of document.querySelectorAll("math")) {
    const named = formula.closest("summary, a, button, th, dt, figcaption");
    formula.querySelectorAll("annotation").forEach((tex) => tex.remove());
    formula.replaceWith(named ? formula.textContent : "x");
  }
  [...document.querySelectorAll("dl.py")].slice(12).forEach((one) => one.remove());
}
"""
RUN = """
async (rules) => {
  const chosen = rules ? { runOnly: rules } : {};
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...chosen });
  return violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.flat().join(" ")}`));
}
"""


@pytest.fixture(scope="module")
def page(browser):
    context = browser.new_context(
        viewport={"width": 1200, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


def violations(page, address):
    """Return what axe finds in the light, and what of it depends on colours in the dark."""
    page.goto(address)
    page.evaluate(THIN)
    page.evaluate(Path(axe.__file__).with_name("axe.min.js").read_text(encoding="utf-8"))
    light = page.evaluate(RUN)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    return light, page.evaluate(RUN, ["color-contrast", "link-in-text-block"])


@pytest.mark.parametrize("name", [*table_of_contents(), "search", "genindex"])
def test_axe_finds_nothing_serious(page, server, name):
    assert violations(page, f"{server}{name}.html") == ([], [])


def test_axe_notices(page, server, html):
    pale = "<p style='color: #ccc; background: #fff'>pale</p><img src='_static/card.png'>"
    (html / "pale.html").write_text(f"<!doctype html><html lang=en><title>x</title>{pale}")

    light, dark = violations(page, f"{server}pale.html")

    assert light == ["color-contrast: p", "image-alt: img"]
    assert dark == ["color-contrast: p"]
