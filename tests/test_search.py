"""The search: what it finds first, what it shows, and how it is used."""

import gzip
import json
import re
import sys
from types import SimpleNamespace

import pytest
from conftest import ROOT, visit

pytestmark = pytest.mark.pages

sys.path.insert(0, str(ROOT / "book/_ext"))
import search_index  # noqa: E402

QUESTIONS = [
    [part.strip() for part in line.split("|")]
    for line in (ROOT / "tests/search_questions.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
LAZY = ["language_data.js", "minisearch.js", "search-sections.js", "search-engine.js", "search.css"]


@pytest.fixture(scope="module")
def sections(html):
    """Return what the search looks through."""
    text = (html / search_index.OUTPUT).read_text(encoding="utf-8")
    return json.loads(text.removeprefix("window.bookSections=").removesuffix(";\n"))


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(20_000)
    yield page
    page.close()


def opened(page, address):
    """Open a page and its search, and wait until it can answer."""
    page.goto(address)
    page.keyboard.press("/")
    page.wait_for_selector("#book-search[aria-busy=false]")
    return page


@pytest.fixture(scope="module")
def asked(browser, html):
    """Return a page whose search is open, for all questions one after the other."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(20_000)
    yield opened(page, (html / "book/momentum.html").as_uri())
    page.close()


def found(page, question):
    """Return the sections that the search names, as page#id."""
    hits = page.evaluate(
        "(question) => bookSearch.find(question).hits.map(({ address }) => address)", question
    )
    return [hit.removeprefix("book/").replace(".html", "") for hit in hits]


# What it finds


@pytest.mark.browser
def test_questions_are_answered_first(asked):
    rank = {}
    for question, answers in QUESTIONS:
        hits = found(asked, question)
        rank[question] = next((i for i, hit in enumerate(hits) if hit in answers.split()), None)
    late = {question: at for question, at in rank.items() if at != 0}
    missing = {question: at for question, at in late.items() if at is None or at > 2}

    assert len(rank) >= 80
    assert len(late) <= 0.15 * len(rank), late
    assert len(missing) <= 0.03 * len(rank), missing


def test_the_answers_are_in_the_book(html):
    for _, answers in QUESTIONS:
        for answer in answers.split():
            name, _, anchor = answer.partition("#")
            text = (html / f"book/{name}.html").read_text(encoding="utf-8")
            assert not anchor or f'id="{anchor}"' in text, answer


@pytest.mark.browser
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("overfitting", "over-fitting"),
        ("over fitting", "over-fitting"),
        ("mini batches", "mini-batch"),
        ("hyper paramter", "hyper-parameter"),
        ("exponental moving averges", "exponential moving average"),
        ("β₂", "beta2"),
        ("MOMENTUM?", "momentum"),
    ],
)
def test_hyphens_plurals_and_misspellings_are_forgiven(asked, typed, meant):
    assert found(asked, meant)[0] in found(asked, typed)[:2]


@pytest.mark.browser
@pytest.mark.parametrize("typed", ["", "   ", "???", "what is", "xqzvw", "(", "<b>", "constructor"])
def test_odd_questions_do_no_harm(asked, typed):
    asked.locator("#book-search input").fill("")
    asked.keyboard.insert_text(typed)

    assert asked.locator("#book-search-list b").count() == 0
    assert len(found(asked, typed)) <= 12


# What it looks through


def test_every_hit_lands_on_a_place_that_is_there(html, sections):
    text = {page: (html / page).read_text(encoding="utf-8") for page, _ in sections["pages"]}
    places = {(sections["pages"][page][0], anchor) for page, anchor, *_ in sections["sections"]}
    gone = [(page, a) for page, a in places if a and f'id="{a}"' not in text[page]]

    assert len(places) > 400
    assert gone == []


def test_excerpts_are_prose(sections):
    shown = [f"{title} {text}" for _, _, _, _, title, text, *_ in sections["sections"]]

    for fault in (r"\\", r"\$", "{", "import numpy", "Traceback", "Installs the", "You:", "eq-"):
        assert [text for text in shown if re.search(fault, text)] == [], fault
    assert max(map(len, shown)) < 500
    assert any("β₂" in text for text in shown)


def test_all_kinds_are_there(sections):
    kinds = [kind for _, _, kind, *_ in sections["sections"]]

    assert {kind: kinds.count(kind) > 8 for kind in search_index.WEIGHTS} == dict.fromkeys(
        search_index.WEIGHTS, True
    )


def test_subjects_of_a_section_that_is_gone_stop_the_build(monkeypatch, tmp_path):
    subjects = tmp_path / "subjects.txt"
    subjects.write_text("# a list\nmomentum#gone: speed\n", encoding="utf-8")
    monkeypatch.setattr(search_index, "SUBJECTS", subjects)

    with pytest.raises(ValueError, match=r"not in the book: momentum#gone"):
        search_index.add_subjects([search_index.Entry("book/momentum", "", "page", "Momentum")])


@pytest.mark.parametrize(
    ("tex", "read"),
    [
        (r"\beta_2", "β₂"),
        (r"\hat m", "m"),
        (r"\alpha/\sqrt t", "α/√ t"),
        (r"\frac{1}{2}", ""),
        (r"\alpha_t", "α_t"),
    ],
)
def test_formulas_are_read_or_left_out(tex, read):
    assert search_index.symbols(tex).strip() == read


def test_a_failed_build_and_other_formats_are_left_alone(tmp_path):
    for error, kind in ((ValueError(), "html"), (None, "latex")):
        app = SimpleNamespace(builder=SimpleNamespace(format=kind), outdir=tmp_path)
        search_index.write_sections(app, error)

    assert list(tmp_path.iterdir()) == []


def test_it_is_small(html):
    sizes = {
        name: len(gzip.compress((html / "_static" / name).read_bytes(), 9))
        for name in [*LAZY, "search.js"]
    }

    assert sizes["search.js"] < 4_000
    assert sum(sizes.values()) < 115_000, sizes


# How it is used


@pytest.mark.browser
def test_nothing_is_loaded_before_it_opens(page, server):
    asked = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1].split("?")[0]))
    visit(page, f"{server}book/momentum.html")
    before = set(asked)
    page.keyboard.press("/")
    page.wait_for_selector("#book-search[aria-busy=false]")

    assert before & set(LAZY) == set()
    assert set(asked) >= set(LAZY)


@pytest.mark.browser
@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_by_keyboard_from_a_disk(page, html, key):
    page.goto((html / "book/momentum.html").as_uri())
    page.keyboard.press(key)
    page.keyboard.type("epsilon hat")
    page.wait_for_selector("#book-search-2")
    box = page.locator("#book-search input")

    assert box.get_attribute("aria-activedescendant") == "book-search-0"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") == "book-search-2"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.locator("[aria-selected=true]").get_attribute("id") == "book-search-11"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bias-correction.html#the-form-with-epsilon-hat")

    page.keyboard.press(key)
    assert page.locator("#book-search").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#book-search").is_hidden()


@pytest.mark.browser
def test_a_slash_in_a_field_is_a_slash(page, html):
    page.goto((html / "search.html").as_uri())
    page.locator("article input[type=search], .bd-search-container input").first.fill("1")
    page.keyboard.press("/")

    assert page.locator("#book-search").count() == 0
    assert page.locator(".bd-search-container input").input_value() == "1/"


@pytest.mark.browser
def test_the_button_opens_it_and_a_hit_on_the_same_page_closes_it(page, html):
    page.goto((html / "book/momentum.html").as_uri())
    page.locator(".search-button__button >> visible=true").click()
    page.keyboard.type("how much faster momentum")
    page.locator("#book-search a[href$='momentum.html#how-much-faster']").click()

    assert page.url.endswith("momentum.html#how-much-faster")
    assert page.locator("#book-search").is_hidden()


@pytest.mark.browser
def test_the_count_is_said(page, html):
    opened(page, (html / "book/momentum.html").as_uri())
    said = page.locator("#book-search [role=status]")

    page.keyboard.type("muon")
    page.wait_for_selector("#book-search-0")
    assert re.fullmatch(r"\d+ sections?(, the best 12 of them)?", said.inner_text())
    page.keyboard.type("xqzvw")
    page.wait_for_selector("#book-search-0", state="detached")
    assert said.inner_text().startswith("Nothing found")
    assert page.locator("#book-search input").get_attribute("aria-expanded") == "false"


@pytest.mark.browser
def test_without_its_words_the_search_page_answers(page, server):
    page.route("**/search-sections.js*", lambda route: route.abort())
    page.goto(f"{server}book/momentum.html")
    page.keyboard.press("/")
    page.get_by_text("cannot be loaded").wait_for()
    page.keyboard.type("momentum")
    page.keyboard.press("Enter")

    page.wait_for_url("**/search.html?q=momentum")
    page.wait_for_selector("#search-results li")


@pytest.mark.browser
def test_the_search_page_has_the_sections_first(page, server):
    page.goto(f"{server}search.html?q=epsilon+hat")
    page.wait_for_selector(".book-search-list a")

    assert (
        page.locator(".book-search-list a")
        .first.get_attribute("href")
        .endswith("book/bias-correction.html#the-form-with-epsilon-hat")
    )


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(page, server, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    opened(page, f"{server}book/momentum.html")
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    page.keyboard.type("learning rate")
    page.wait_for_selector("#book-search-0")
    result = axe.Axe().run(page, context="#book-search")

    assert [one["id"] for one in result.response["violations"]] == []
