"""The atlas: its record, how a library is measured again, and its page."""

import importlib.util
import json
import re
import sys
from argparse import Namespace
from dataclasses import replace
from datetime import date

import pytest
from conftest import ROOT, visit

pytest.importorskip("scipy")
from html.parser import HTMLParser

from adam_edu.libraries import Made, Row, atlas, measured
from adam_edu.libraries.atlas import EARLIER, IDENTIFIED, KNOWN, READ, RECORD, moved
from adam_edu.rules import Adam

# Its folder is no place to import from: each library's own has the name of a package in it.
SPEC = importlib.util.spec_from_file_location("measure", ROOT / "atlas/measure.py")
measure = importlib.util.module_from_spec(SPEC)
sys.modules["measure"] = measure
SPEC.loader.exec_module(measure)

ROWS = atlas()


def named(optimizer):
    [row] = [row for row in ROWS if row.optimizer == optimizer]
    return row


# The record


def test_a_row_is_a_line():
    text = (ROOT / "src/adam_edu/results" / RECORD).read_text(encoding="utf-8")
    assert text.splitlines() == [row.as_json() for row in ROWS]


def test_rows_are_complete():
    for row in ROWS:
        assert all((row.library, row.version, row.words, row.language)), row
        assert date.fromisoformat(row.date) >= date(2026, 1, 1)
        assert not row.rule or row.rule in KNOWN
        assert row.decay in ("none", "coupled", "decoupled")
        assert all(isinstance(value, float | int) for value in row.settings.values())
        assert bool(row.explained) == (not row.rule and row.how == IDENTIFIED), row
        if row.how == IDENTIFIED:
            assert (ROOT / "atlas" / row.program).is_dir(), row
            assert not row.rule or (row.settings and row.first and row.deviation is not None), row
        else:
            assert row.how in (EARLIER, READ)
            assert not row.program
            assert row.how != READ or re.match(r"https://\S+$", row.source), row
    assert len({(row.library, row.optimizer) for row in ROWS}) == len(ROWS)


def test_sixty_libraries_and_the_relatives_of_adam():
    assert len({row.library for row in ROWS}) >= 60
    assert len({row.library for row in ROWS if row.how == IDENTIFIED}) >= 40
    assert {
        *("Adam", "AdamW", "AMSGrad", "NAdam", "RMSProp", "AdaGrad", "Lion", "LAMB"),
        *("Adafactor", "Muon"),
    } <= {row.kin for row in ROWS}


def test_every_program_is_in_the_record():
    assert {row.program for row in ROWS} - {""} == set(measure.libraries())


def test_what_a_row_says_of_itself():
    torch, keras, optax = map(named, ("torch.optim.Adam", "keras.optimizers.Adam", "optax.adam"))
    assert (torch.kin, torch.epsilon, keras.epsilon) == (
        "Adam",
        "to the root",
        "before the correction",
    )
    assert (torch.default("lr"), optax.default("lr"), optax.default("eps")) == (1e-3, None, 1e-8)
    assert torch.step(1e-7) == pytest.approx(1 / 1.1, rel=1e-3)
    assert keras.step(1e-7) == pytest.approx(1 / (1 + 1 / 0.001**0.5), rel=1e-3)
    assert torch.declared["betas"] == [0.9, 0.999]


# Measuring again


def again(name, **options):
    given = {"newest": False, "here": True, "update": False} | options
    return measure.measure(name, Namespace(**given))


def test_nothing_has_moved_in_scikit_learn(capsys):
    assert again("scikit-learn"), capsys.readouterr().out
    assert "2 optimizers, nothing moved" in capsys.readouterr().out


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Return a folder for programs, with a record of its own."""
    record = tmp_path / "src/adam_edu/results" / RECORD
    record.parent.mkdir(parents=True)
    record.write_text("", encoding="utf-8")
    monkeypatch.setattr(measure, "HERE", tmp_path)
    monkeypatch.setattr(measure, "RESULTS", record)
    return tmp_path


def program(folder, **settings):
    folder.mkdir(exist_ok=True)
    (folder / "requirements.txt").write_text("numpy==2.4.6\n")
    (folder / "optimizers.py").write_text(
        f"from adam_edu.rules import Adam\nOPTIMIZERS = {{'mine.Adam': Adam(**{settings!r})}}\n"
    )


def test_a_default_that_has_changed_is_told(house, capsys):
    program(house / "mine")
    assert not again("mine", update=True)
    assert "mine.Adam: new: Adam" in capsys.readouterr().out
    written = measure.RESULTS.read_text()
    by_hand = replace(Row.of_json(written), library="Mine", surprise="It is small.")
    measure.RESULTS.write_text(by_hand.as_json() + "\n")

    program(house / "mine", beta2=0.99)
    assert not again("mine", update=True)

    assert "mine.Adam: beta2 is 0.99, was 0.999" in capsys.readouterr().out
    now = Row.of_json(measure.RESULTS.read_text())
    assert (now.settings["beta2"], now.library, now.surprise) == (0.99, "Mine", "It is small.")


def test_a_program_that_fails_says_so_and_changes_nothing(house, capsys):
    program(house / "mine")
    (house / "mine/optimizers.py").write_text("import no_such_module")

    assert not again("mine", update=True)

    assert "mine: not measured: ModuleNotFoundError: No module named" in capsys.readouterr().out
    assert measure.RESULTS.read_text() == ""


def test_what_moves_and_what_does_not():
    row = named("torch.optim.Adam")

    assert moved(row, row) == []
    assert moved(row, replace(row, version="9", date="2030-01-01", deviation=1e-3)) == []
    assert moved(row, replace(row, settings=row.settings | {"lr": 1.0001e-3})) == []
    assert moved(row, replace(row, settings=row.settings | {"lr": 2e-3})) == [
        "lr is 0.002, was 0.001"
    ]
    assert moved(row, replace(row, first=((1.0, -0.5),)))[0].startswith(
        "the first move at 1 is -0.5"
    )
    assert moved(row, replace(row, words="Lion")) == ["words is 'Lion', was 'Adam'"]
    late = "a parameter that has a gradient of zero for {} steps then moves 2 times its first step"
    one, other = (replace(row, notes=(late.format(n),)) for n in ("100", "1,000"))
    assert moved(one, other) == []
    assert moved(row, replace(row, notes=(*row.notes, "it climbs"))) == ["it says: it climbs"]


def test_what_must_be_chosen_is_no_default():
    row = measured("Adam", Made(lambda lr, beta2=0.999: Adam(lr, beta2=beta2), lr=0.01))

    assert (row.chosen, row.declared) == ({"lr": 0.01}, {"beta2": 0.999})
    assert (row.settings["lr"], row.default("lr"), row.default("beta1")) == (0.01, None, 0.9)
    assert dict(row.first)[1.0] == -0.01


def test_an_optimizer_that_cannot_be_driven_has_a_row_that_says_why():
    row = measured("still", lambda x, g: x)

    assert (row.words, row.rule) == ("still does not move at all, whatever the gradients", "")


def test_every_library_is_pinned():
    for name in measure.libraries():
        library = measure.Library(ROOT / "atlas" / name)
        package = library.folder / "package.json"
        assert all("==" in one for one in library.requirements), name
        assert library.requirements or package.exists() or library.language == "C++", name
        if package.exists():
            pins = json.loads(package.read_text())["dependencies"].values()
            assert all(re.fullmatch(r"[\d.]+", pin) for pin in pins), name
    assert measure.Library(ROOT / "atlas/river", newest=True).requirements[0] == "river"


# The page


@pytest.mark.pages
def test_the_page_has_every_row(html):
    class Reader(HTMLParser):
        rows, links, header = 0, (), 0

        def handle_starttag(self, tag, attributes):
            found = dict(attributes)
            self.rows += tag == "tr" and "data-kin" in found
            if "/tree/main/atlas/" in (found.get("href") or ""):
                self.links += (found["href"].rpartition("/")[2],)

    text = (html / "book/atlas.html").read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(text)

    assert reader.rows == len(ROWS)
    assert set(reader.links) == {row.program for row in ROWS} - {""}
    assert len(reader.links) == sum(row.how == IDENTIFIED for row in ROWS)


@pytest.mark.browser
@pytest.mark.pages
def test_the_table_is_sorted_and_filtered(browser, html):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    visit(page, (html / "book/atlas.html").as_uri())
    count = "() => document.querySelectorAll('.atlas tbody tr:not([hidden])').length"
    column = (
        "(k) => [...document.querySelectorAll('.atlas tbody tr')]"
        ".map((row) => row.cells[k].innerText.trim())"
    )

    page.get_by_label("Filter").fill("torch.optim adam")
    wanted = [row for row in ROWS if "torch.optim.adam" in row.optimizer.lower()]
    assert len(wanted) <= page.evaluate(count) < len(ROWS) / 4
    assert f"of {len(ROWS)} optimizers" in page.locator(".atlas-tools output").inner_text()
    page.get_by_label("Filter").fill("")
    page.get_by_label("Family").select_option("AdaGrad")
    assert page.evaluate(count) == sum(row.kin == "AdaGrad" for row in ROWS)
    page.get_by_label("Family").select_option("all")
    assert page.evaluate(count) == len(ROWS)

    header = page.locator(".atlas thead th", has_text="α").first
    for way, sign in (("ascending", 1), ("descending", -1)):
        header.get_by_role("button").click()
        assert header.get_attribute("aria-sort") == way
        told = page.evaluate(column, 4)
        rates = [float(one) for one in told if one]
        assert rates == sorted(rates, key=lambda rate: sign * rate)
        assert not any(told[len(rates) :])
    assert page.locator(".atlas th[aria-sort]").count() == 1
    page.close()


@pytest.mark.browser
@pytest.mark.pages
def test_the_table_can_be_read_without_scripts_and_on_a_telephone(browser, html):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 375, "height": 700})
    page = context.new_page()
    page.goto((html / "book/atlas.html").as_uri())

    assert not page.locator(".atlas-tools").is_visible()
    assert page.locator(".atlas tbody tr").count() == len(ROWS)
    box = page.locator(".pst-scrollable-table-container:has(.atlas)").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 376
    context.close()
