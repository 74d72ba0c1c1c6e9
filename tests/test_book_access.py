"""The pages for everyone: axe-core finds nothing serious on any of them, in light and in dark."""

from pathlib import Path

import pytest
from conftest import kinds, pages_of_each_kind, table_of_contents

axe = pytest.importorskip("axe_playwright_python.base")
pytestmark = [pytest.mark.browser, pytest.mark.pages]

# The tokens of code have no names to be read: one of each kind is enough. Formulas are thousands of
# elements that are all alike; where they may be something's name, their letters, which browsers
# read in a name and axe does not, stand for them. Classes and functions are set by one template: a
# dozen of a page are enough.
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
# The contrast of a text is a matter of its own style and of what lies behind it: of all elements
# that are alike in these the first is measured, and axe measures what is within it as well.
RUN = """
async (theme) => {
  document.documentElement.dataset.theme = theme;
  const styles = new Map();
  const style = (element) => {
    if (!element) return "";
    if (!styles.has(element)) {
      const {
        color, fontSize, fontWeight, textDecorationLine,
        backgroundColor, backgroundImage, opacity, position,
      } = getComputedStyle(element);
      const behind = [backgroundColor, backgroundImage, opacity, position].join();
      const before = style(element.parentElement).behind ?? "";
      const plain = behind === "rgba(0, 0, 0, 0),none,1,static";
      styles.set(element, {
        behind: plain ? before : `${before}>${behind}`,
        text: [color, fontSize, fontWeight, textDecorationLine].join(),
      });
    }
    return styles.get(element);
  };
  const seen = new Set();
  const samples = [...document.body.querySelectorAll("*")].filter((element) => {
    const written = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!written || !element.checkVisibility()) return false;
    const { behind, text } = style(element);
    const key = [behind, text, element.closest("a") && style(element.parentElement).text].join();
    return !seen.has(key) && seen.add(key);
  });
  const contrast = ["color-contrast", "link-in-text-block"];
  const found = [await axe.run({ include: samples }, { runOnly: contrast })];
  if (theme === "light") {
    const rules = Object.fromEntries(contrast.map((rule) => [rule, { enabled: false }]));
    found.push(await axe.run(document, { resultTypes: ["violations"], rules }));
  }
  return found.flatMap(({ violations }) => violations)
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
    """Return what axe finds in the light, and what of it is a matter of colours in the dark."""
    page.goto(address)
    page.evaluate(THIN)
    page.evaluate(Path(axe.__file__).with_name("axe.min.js").read_text(encoding="utf-8"))
    return page.evaluate(RUN, "light"), page.evaluate(RUN, "dark")


@pytest.mark.parametrize("name", [*pages_of_each_kind(table_of_contents()), "search", "genindex"])
def test_axe_finds_nothing_serious(page, server, name):
    assert violations(page, f"{server}{name}.html") == ([], [])


def test_the_daily_pages_show_every_kind_that_any_page_shows():
    """A page is a parameter with a mark if it is nightly, and else a name."""
    pages = table_of_contents()
    daily = [page for page in pages_of_each_kind(pages) if isinstance(page, str)]
    every = set().union(*map(kinds, pages))

    assert {"exercise-start", "lab.race", "image/png", "tag stub"} <= every
    assert set().union(*map(kinds, daily)) == every
    assert len(daily) < len(pages) / 2


def test_axe_notices(page, server, html):
    pale = "<p style='color: #ccc; background: #fff'>pale</p><img src='_static/card.png'>"
    (html / "pale.html").write_text(f"<!doctype html><html lang=en><title>x</title>{pale}")

    light, dark = violations(page, f"{server}pale.html")
    (html / "pale.html").unlink()

    assert light == ["color-contrast: p", "image-alt: img"]
    assert dark == ["color-contrast: p"]
