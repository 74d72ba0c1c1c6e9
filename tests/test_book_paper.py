"""What leaves the page: printed, as a worksheet or with everything; formulas that are copied."""

import pytest
from conftest import ROOT, notebooks, pages_of_each_kind, visit

pytestmark = [pytest.mark.browser, pytest.mark.pages]

CHAPTERS = [str(path.relative_to(ROOT).with_suffix("")) for path in notebooks()]
A4 = {"width": 718, "height": 1000}  # in pixels, less margins of 1 cm
PRINT = """
(what) => {
  if (what) document.documentElement.dataset.print = what;
  dispatchEvent(new Event("beforeprint"));
}
"""
# What reaches beyond the sheet, or is cut off in its own box. The parts of a formula may overlap.
CUT_OFF = """
() => {
  const cut = [];
  for (const one of document.querySelectorAll("article *")) {
    const { right, width, height } = one.getBoundingClientRect();
    if (!width || !height || one.closest("math, svg, .visually-hidden")) continue;
    const { display, overflowX } = getComputedStyle(one);
    const clips = display !== "inline" && overflowX !== "visible";
    if (right > innerWidth + 1 || (clips && one.scrollWidth > one.clientWidth + 1)) {
      cut.push(`${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 40)}`);
    }
  }
  return cut;
}
"""


@pytest.fixture(scope="module")
def context(browser):
    context = browser.new_context(viewport=A4, color_scheme="dark")
    yield context
    context.close()


@pytest.fixture
def sheet(context, server):
    """Return a function that opens a chapter as it is printed."""
    page = context.new_page()

    def printed(name: str, what: str | None = None):
        page.emulate_media(media="print")
        visit(page, f"{server}{name}.html")
        page.evaluate(PRINT, what)
        return page

    yield printed
    page.close()


@pytest.mark.parametrize("name", pages_of_each_kind(CHAPTERS))
def test_nothing_is_cut_off_on_paper(sheet, name):
    page = sheet(name, "everything")

    assert page.evaluate(CUT_OFF) == []
    figures = page.locator("article .adam-edu-lab")
    for figure in figures.all():
        assert figure.locator("svg[role=img]").count() == 1
        assert figure.locator("svg[role=img]").is_visible()
        assert not figure.locator("canvas:visible").count()
    assert page.locator("html").get_attribute("data-theme") == "light"


def shown(page, selector):
    return page.locator(f"article {selector} >> visible=true").count()


@pytest.mark.parametrize("what", ["worksheet", None])
def test_a_worksheet_has_tasks_and_no_solutions(sheet, what):
    page = sheet("book/bias-correction", what)

    assert shown(page, ".exercise") == page.locator("article .exercise").count() > 1
    assert shown(page, ".solution") == 0
    assert shown(page, ".exercise details") == 0
    assert shown(page, ".adam-edu-quiz summary") > 5
    assert shown(page, ".adam-edu-quiz details > p") == 0
    assert shown(page, ".adam-edu-check") == 0


def test_everything_is_unfolded_and_folded_again(sheet):
    page = sheet("book/bias-correction")
    folded = page.locator("article .toggle-hidden").count()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page = sheet("book/bias-correction", "everything")

    assert shown(page, ".solution section p") > 0
    assert page.locator("article .toggle-hidden, article details:not([open])").count() == 0
    answers = page.locator("article .adam-edu-quiz details > p").count()
    assert shown(page, ".adam-edu-quiz details > p") == answers > 5
    # The verdict on a task that nobody has begun is no failure; a solution's is shown.
    assert shown(page, ".exercise .adam-edu-check") == 0
    assert shown(page, ".solution .adam-edu-check") > 0

    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("article .toggle-hidden").count() == folded > 0
    assert page.locator("article .adam-edu-quiz details[open]").count() == 0
    assert page.locator("article .adam-edu-quiz details[name]").count() == answers
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_the_menu_offers_both(context, server):
    page = context.new_page()
    visit(page, f"{server}book/momentum.html")
    page.evaluate(
        "window.print = () => { window.printed = document.documentElement.dataset.print; }"
    )
    choices = page.locator(".dropdown-download-buttons .btn-download-pdf-button")

    for choice, what in zip(choices.all(), ("worksheet", "everything"), strict=True):
        page.locator(".dropdown-download-buttons > button").click()
        choice.click()
        assert page.evaluate("printed") == what
        page.keyboard.press("Escape")
    page.close()


COPY = """
([first, last]) => {
  const [from, to] = [first, last].map((one) => document.querySelector(one));
  const range = document.createRange();
  range.setStart(from, 0);
  range.setEnd(to, to.childNodes.length);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  const data = new DataTransfer();
  const options = { clipboardData: data, bubbles: true, cancelable: true };
  const event = new ClipboardEvent("copy", options);
  from.dispatchEvent(event);
  return [data.getData("text/plain"), data.getData("text/html"), event.defaultPrevented];
}
"""


def test_a_formula_is_copied_as_its_tex(context, server):
    page = context.new_page()
    visit(page, f"{server}book/bias-correction.html")
    page.evaluate(
        """() => {
          const math = (where) => document.querySelector(`article ${where} math`).outerHTML;
          document.querySelector("article").innerHTML = `
            <p id="a">Say ${math("p")} and</p><div id="b">${math("div.math")}</div>
            <p id="c">No.</p>`;
        }"""
    )

    text, html, taken = page.evaluate(COPY, ["#a", "#b"])
    assert taken
    assert "Say $1 - \\\\beta^t$ and\\n" in repr(text)
    assert text.count("$$\n") == 2
    assert "<math" in html

    inside = page.evaluate(COPY, ["#a math mn", "#a math mi"])[0]
    assert inside == "$1 - \\beta^t$"

    assert page.evaluate(COPY, ["#c", "#c"]) == ["", "", False]
    page.close()
