"""Links to live figures: in the address, in sentences of the text, checked by the build."""

import json
import re
import subprocess
import sys
from html import unescape
from os import environ
from urllib.parse import parse_qs

import nbformat
import pytest
from conftest import ROOT as PROJECT, notebooks
from lab_pages import ROOT, VIEWS, page_of, settle, show as show, site as site

from adam_edu import lab
from adam_edu.lab import catalog, links
from adam_edu.rules import Adam

FIGURE = re.compile(r'class="adam-edu-lab" data-state="([^"]*)"')
SENTENCE = re.compile(r"\]\((#lab[^)]*)\)")


def of_book():
    """Return every sentence of the book with the state of the figure that it means."""
    found = []
    for path in notebooks():
        cells = nbformat.read(path, as_version=4).cells
        outputs = [one.get("data", {}) for cell in cells for one in cell.get("outputs", [])]
        states = [
            json.loads(unescape(state))
            for data in outputs
            for state in FIGURE.findall(data.get("text/html", ""))
        ]
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        sentences = [(link, states) for link in SENTENCE.findall(text)]
        assert bool(sentences) == bool(states), f"{path.stem}: a live figure and no sentence for it"
        found += [(path.stem, link, figures) for link, figures in sentences]
    return found


# In Python


def test_every_chapter_with_a_figure_has_a_sentence_that_changes_it():
    chapters = set()
    for chapter, link, figures in of_book():
        number, changes = links.parsed(link)
        state = figures[number - 1]
        if links.applied(state, changes) != state:
            chapters.add(chapter)

    assert len(chapters) >= 20


@pytest.mark.parametrize(
    ("link", "part", "expected"),
    [
        ("SGD.lr=0.04", ("rules", 0, "hyper", "lr"), 0.04),
        ("Adam.2.beta2=0.9", ("rules", 2, "hyper", "beta2"), 0.9),
        ("surface=Ravine", ("start",), [-4.0, -1.0]),
        ("surface=Ravine&start=1,2", ("start",), [1.0, 2.0]),
        ("shape.condition=50", ("shape", "condition"), 50.0),
        ("steps=50", ("t",), 50),
        ("steps=50&t=7", ("t",), 7),
    ],
)
def test_a_link_sets_what_it_names(link, part, expected):
    found = links.applied(RACE.state, links.parsed(f"#lab=1&{link}")[1])
    for key in part:
        found = found[key]

    assert found == expected


RACE = lab.race("Bowl", ["SGD", "Adam", Adam(lr=0.3)], steps=100)
WRONG = {
    "SGD.rl=0.1": "no parameter of SGD is called 'rl'",
    "Momentum.lr=0.1": "no optimizer of this figure is called 'Momentum'",
    "sgd.lr=0.1": "did you mean 'SGD'",
    "Adam.3.lr=0.1": "this figure has 2 of Adam",
    "SGD.lr=-1": "would climb the loss",
    "SGD.lr=much": "must be a number, not 'much'",
    "SGD.lr=nan": "finite",
    "surface=ravine": "did you mean 'Ravine'",
    "shape.every=3": "no parameter of the shape is called 'every'",
    "noise=1": "no part of this figure is called 'noise'",
    "rules=1": "no part of this figure is called 'rules'",
    "steps=0": "steps must be 1 to 5000",
    "t=101": "t must be a step",
}


@pytest.mark.parametrize("link", WRONG)
def test_a_link_that_does_not_fit_is_refused_in_words(link):
    before = json.dumps(RACE.state)

    with pytest.raises((KeyError, ValueError), match=WRONG[link]):
        links.applied(RACE.state, links.parsed(f"#lab=1&{link}")[1])

    assert json.dumps(RACE.state) == before


@pytest.mark.parametrize(
    "link", ["#lab=1", "#lab=x&SGD.lr=1", "#lab=1&t=1&t=2", "#other", "lab=1&t=1"]
)
def test_what_is_no_such_link_is_refused(link):
    with pytest.raises(ValueError, match=r"is such as '#lab=1&SGD.lr=0.04'"):
        links.parsed(link)


# On a page that Sphinx builds

PAGE = """# A page

[Set SGD to **0.04**](#lab=1&SGD.lr=0.04) and [go on for longer](#lab=2&steps=300&SGD.lr=0.1).

```{race} Bowl
:rules: SGD, Adam
```

```{race} Ravine
```
"""


def build(folder, page):
    """Build a book of one page, with warnings as errors; return the finished process."""
    (folder / "conf.py").write_text(
        'extensions = ["myst_nb", "adam_edu.lab.sphinx"]\nnb_execution_mode = "off"\n'
        'suppress_warnings = ["config.cache"]\n'
    )
    (folder / "index.md").write_text(page)
    command = [sys.executable, "-m", "sphinx", "-W", "-q", folder, folder / "out"]
    environment = environ | {"PYTHONPATH": str(PROJECT / "src"), "NO_COLOR": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_sentence_is_a_link_to_the_figure_also_without_a_script(tmp_path):
    done = build(tmp_path, PAGE)
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "out/index.html").read_text(encoding="utf-8")

    hrefs = re.findall(r'<a class="[^"]*adam-edu-set[^"]*" href="#([^"]*)"', html)
    assert [parse_qs(unescape(one)) for one in hrefs] == [
        {"lab": ["1"], "SGD.lr": ["0.04"]},
        {"lab": ["2"], "steps": ["300"], "SGD.lr": ["0.1"]},
    ]
    first, second = (f'<span id="{one}"></span>' for one in hrefs)
    assert f'{first}<div class="adam-edu-lab"' in html
    assert f'{second}<div class="adam-edu-lab"' in html
    assert "Set SGD to <strong>0.04</strong></a>" in html


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("1&SGD.lr", "1&Momentum.lr", "no optimizer of this figure is called 'Momentum'"),
        ("1&SGD.lr", "1&SGD.rate", "no parameter of SGD is called 'rate'"),
        ("#lab=2", "#lab=3", "the page has 2 live figures, not a number 3"),
        ("#lab=2", "#labs=2", "is such as '#lab=1&SGD.lr=0.04'"),
    ],
)
def test_a_sentence_that_does_not_fit_fails_the_build(tmp_path, old, new, problem):
    assert old in PAGE
    done = build(tmp_path, PAGE.replace(old, new, 1))

    assert done.returncode != 0
    assert problem in done.stderr
    assert "index.md" in done.stderr


# In the browser


@pytest.fixture
def module(show, site):
    """Return a page that has the widget's module at hand."""
    folder, _ = site
    (folder / "widget.js").write_text(catalog.widget_module())
    return show(VIEWS["race"])


@pytest.mark.browser
@pytest.mark.pages
def test_browser_and_python_read_the_same_of_every_sentence(module):
    sentences = of_book() + [
        ("here", f"#lab=1&{link}", [RACE.state])
        for link in ("Adam.2.beta2=0.9", "surface=Beale&steps=7", "start=1,-1&t=3", "steps=50")
    ]
    read = module.evaluate(
        """async (all) => {
          const { clean, fromLink } = await import("./widget.js");
          return all.map(([, link, figures]) => {
            const number = Number(new URLSearchParams(link.slice(1)).get("lab"));
            return fromLink(link, number, clean(figures[number - 1]));
          });
        }""",
        sentences,
    )
    for (chapter, link, figures), found in zip(sentences, read, strict=True):
        number, changes = links.parsed(link)
        expected = links.applied(figures[number - 1], changes)
        assert list(found) == ["state"], (chapter, link, found)
        assert {key: found["state"][key] for key in expected} == expected, (chapter, link)


@pytest.mark.browser
@pytest.mark.pages
@pytest.mark.parametrize("link", [*WRONG, "rule=name:Adma", "view=bias", "nothing=1"])
def test_a_bad_link_says_so_and_keeps_the_pages_own_figure(show, link):
    page = show(RACE, fragment=f"#lab=1&{link}")
    settle(page)
    notice = page.locator(".notice")

    assert notice.is_visible()
    assert link in notice.inner_text()
    assert "as the page has it" in notice.inner_text()
    assert page.locator(".runner strong").all_inner_texts() == ["SGD", "Adam", "Adam"]
    assert page.locator("[data-key='0-lr']").get_attribute("aria-valuetext") == "0.02"
    page.locator("[data-key=reset]").click()
    assert not notice.is_visible()


@pytest.mark.browser
@pytest.mark.pages
def test_a_link_to_no_figure_says_so(show):
    page = show(RACE, fragment="#lab=3&SGD.lr=0.1")

    assert "the page has no such figure" in page.locator(".notice").inner_text()
    assert not show(RACE, fragment="#a-heading").locator(".notice").is_visible()


USED = {
    "race": {"surface", "shape", "rule", "start", "steps", "t"},
    "tuner": {"surface", "rule", "start", "steps", "t"},
    "inside": {"surface", "shape", "rule", "start", "coordinate", "steps", "t"},
    "bias": {"rule", "signal", "steps", "t"},
    "weight": {"rule", "signal", "steps", "t"},
    "drawn": {"rule", "signal", "drawn", "steps", "t"},
    "schedule": {"surface", "shape", "rule", "start", "schedule", "parameters", "warmup", "noise"}
    | {"steps", "t"},
    "average": {"surface", "shape", "rule", "start", "window", "noise", "steps", "t"},
    "record": {"quantity", "dropout", "scale", "t"},
    "grid": {"quantity", "beta1", "scale", "t"},
}


@pytest.mark.browser
@pytest.mark.pages
@pytest.mark.parametrize("name", USED)
def test_a_link_holds_what_the_view_uses_and_reset_cleans_the_address(show, name):
    page = show(VIEWS[name])
    page.locator("[data-key=link]").click()
    found = parse_qs(page.evaluate("location.hash")[1:])

    assert set(found) == {"lab", "view"} | USED[name]
    page.locator("[data-key=reset]").click()
    assert page.evaluate("location.href").endswith("page.html")


@pytest.mark.browser
@pytest.mark.pages
def test_reset_leaves_another_address_alone(show):
    page = show(RACE, fragment="#a-heading")
    page.locator("[data-key=reset]").click()

    assert page.evaluate("location.hash") == "#a-heading"


OLD = (
    "#lab=1&view=race&surface=Bowl&shape=condition:4&start=-4,1.5&steps=50&t=50&coordinate=0"
    "&schedule=Constant&parameters=&warmup=0&noise=0&signal=noisy&drawn=&rule=name:SGD,lr:0.3"
)


@pytest.mark.browser
@pytest.mark.pages
def test_a_link_of_an_earlier_edition_still_works(show):
    page = show(RACE, fragment=OLD)
    settle(page)

    assert not page.locator(".notice").is_visible()
    assert page.locator(".runner strong").all_inner_texts() == ["SGD"]
    assert page.locator("[data-key='0-lr']").get_attribute("aria-valuetext") == "0.3"


def sentence_page(show, **options):
    links_ = (
        '<p>Before <a href="#lab=1&amp;SGD.lr=0.04">set SGD to 0.04</a> and '
        '<a href="#lab=1&amp;SGD.lr=0.08&amp;t=9">to 0.08</a>.</p>'
    )
    html = page_of(RACE).replace("<h1>Figures</h1>", f"<h1>Figures</h1>{links_}")
    page = show(html=html, **options)
    page.evaluate("document.querySelector('p').style.paddingTop = '1500px'")
    settle(page)
    return page


@pytest.mark.browser
@pytest.mark.pages
def test_a_sentence_sets_the_figure_by_keys_and_shows_it(show):
    page = sentence_page(show)
    rate = page.locator("[data-key='0-lr']")
    first = page.get_by_role("link", name="set SGD to 0.04")
    first.focus()
    page.keyboard.press("Enter")
    settle(page)

    assert rate.get_attribute("aria-valuetext") == "0.04"
    assert page.evaluate("location.hash") == "#lab=1&SGD.lr=0.04"
    box = page.locator(".adam-edu-lab").bounding_box()
    assert box["y"] < 900
    said = f"({ROOT}).querySelector('[role=status].hidden').textContent"
    page.wait_for_function(f"() => {said}.startsWith('Bowl after 100 steps')")

    rate.press("End")  # the reader plays, and follows the same sentence again
    settle(page)
    assert rate.get_attribute("aria-valuetext") == "10"
    first.press("Enter")
    settle(page)
    assert rate.get_attribute("aria-valuetext") == "0.04"

    page.get_by_role("link", name="to 0.08").click()
    settle(page)
    assert rate.get_attribute("aria-valuetext") == "0.08"
    assert page.locator("[data-key=t]").get_attribute("aria-valuetext") == "9"
    page.go_back()
    settle(page)
    assert rate.get_attribute("aria-valuetext") == "0.04"


@pytest.mark.browser
@pytest.mark.pages
def test_a_sentence_is_an_address_to_share(show):
    page = show(RACE, fragment="#lab=1&SGD.lr=0.04")
    settle(page)

    assert page.locator("[data-key='0-lr']").get_attribute("aria-valuetext") == "0.04"
    assert page.locator("[data-key='1-lr']").get_attribute("aria-valuetext") == "0.1"
