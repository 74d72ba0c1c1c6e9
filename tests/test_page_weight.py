"""What pages weigh is noticed, how long two of them take, and the size of the book.

The budget of each page is among what test_book.py asks of it, which visits all of them.
"""

import pytest
from conftest import ROOT
from live_figures import milliseconds
from page_weight import KB, served, size, size_of_runtime, weigh

pytestmark = [pytest.mark.browser, pytest.mark.pages]


SHIFT = 0.05  # of the layout; above 0.1 readers notice


@pytest.fixture(scope="module")
def host(html):
    with served(html) as address:
        yield address


def assert_within_budget(cost):
    assert cost.complaints == []
    assert cost.foreign == []
    assert cost.text < 200 * KB
    assert cost.first < 300 * KB
    assert cost.requests <= 20
    assert cost.shift < SHIFT


def test_the_search_is_within_the_budget(browser, host):
    assert_within_budget(weigh(browser, host, "search", throttled=False))


def test_a_heavy_page_is_noticed(browser, host, html):
    (html / "_static/heavy.js").write_text(
        "".join(f"var a{i}={i * 7919 % 104729};" for i in range(90_000))
    )
    late = "<script>setTimeout(() => document.querySelector('p').before('moved'), 100)</script>"
    text = '<!doctype html><script src="_static/heavy.js"></script>' + "<p>words</p>" * 9 + late
    (html / "heavy.html").write_text(text + '<img src="http://127.0.0.1:9/gone.png">')

    page = weigh(browser, host, "heavy", throttled=False)
    for made in ("_static/heavy.js", "heavy.html"):
        (html / made).unlink()

    assert page.text > 200 * KB
    assert page.shift > 0
    assert page.complaints


@pytest.mark.parametrize("name", ["book/index", "book/bias-correction"])
def test_page_is_there_within_a_second_of_a_slow_line(browser, host, name):
    """The best of two, since other tests use the machine too."""
    tries = [weigh(browser, host, name) for _ in range(2)]

    assert min(page.paint for page in tries) < milliseconds(1000)
    assert min(page.alive for page in tries) < milliseconds(1500)


def test_the_book_is_small_beside_the_runtime_of_python(html):
    chapters = len(list((ROOT / "book").glob("*.ipynb")))
    # Six or seven pictures a chapter, in place of the tables of numbers that they had.
    assert size(html / "_images", "*") / chapters < 95 * KB
    assert size(html, "*") - size_of_runtime(html) < 30e6
