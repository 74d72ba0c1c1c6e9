"""Slides of a chapter: what is on them fits, and no solution is among it."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT
from pypdf import PdfReader

pytestmark = [pytest.mark.browser, pytest.mark.pages]

TOOLS = ROOT / "book/_tools"
sys.path.insert(0, str(TOOLS))
slides = pytest.importorskip("slides")
CHAPTERS = slides.chapters()
# What reaches beyond its slide, to the right or below. The parts of a formula may overlap.
CUT_OFF = """
() => [...document.querySelectorAll(".slide")].flatMap((slide) => {
  const edge = slide.getBoundingClientRect();
  return [...slide.querySelectorAll("*")].filter((one) => {
    const { right, bottom, width, height } = one.getBoundingClientRect();
    if (!width || !height || one.closest("math, svg")) return false;
    return right > edge.right + 1 || bottom > edge.bottom + 1;
  }).map((one) => `${slide.textContent.trim().slice(0, 30)}: ${one.tagName}.${one.className}`);
})
"""


@pytest.fixture(scope="module")
def deck(browser, html):
    """Return a function that opens a chapter as slides."""
    page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="light")
    page.emulate_media(media="print")

    def made(name):
        page.goto((html / f"{name}.html").as_uri(), wait_until="load")
        page.evaluate("() => { for (const one of document.images) one.loading = 'eager'; }")
        page.wait_for_function("() => [...document.images].every((one) => one.complete)")
        page.add_style_tag(path=TOOLS / "slides.css")
        page.evaluate((TOOLS / "slides.js").read_text(encoding="utf-8"))
        return page

    yield made
    page.close()


@pytest.mark.parametrize("name", CHAPTERS)
def test_what_is_on_a_slide_fits_and_is_no_solution(deck, name):
    page = deck(name)

    assert page.locator(".slide").count() >= 4
    assert page.evaluate(CUT_OFF) == []
    assert page.locator(".solution, details, .adam-edu-check").count() == 0
    assert "Solution to" not in page.locator(".deck").inner_text()


def test_a_chapter_is_a_file_of_wide_pages(html, tmp_path, browser):
    command = [sys.executable, TOOLS / "slides.py", "book/bias-correction"]
    done = subprocess.run(
        [*command, "--html", html, "--output", tmp_path],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    pages = PdfReader(tmp_path / "bias-correction.pdf").pages
    assert f"{len(pages)} slides" in done.stdout
    assert {round(float(page.mediabox.width / page.mediabox.height), 2) for page in pages} == {1.78}
    texts = [page.extract_text() for page in pages]
    assert "Bias correction" in texts[0]
    assert any("Predict" in text for text in texts)
    assert any("def first_step" in text and "..." in text for text in texts)
