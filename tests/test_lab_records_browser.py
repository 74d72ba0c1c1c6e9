"""The figure of recorded runs in a browser."""

import json
from html import escape

import numpy as np
import pytest
from lab_pages import ROOT, VIEWS, page_of, pixels, settle, show as show, site as site
from record_samples import settings, tuned

from adam_edu import lab, recorded
from adam_edu.lab import catalog

pytestmark = [pytest.mark.browser, pytest.mark.pages]


def said_by(page, number=0):
    """Return the sentence that describes the figure's canvas."""
    settle(page)
    label = page.locator(".adam-edu-lab").nth(number).locator("canvas.curves")
    return label.get_attribute("aria-label").split(". ", 1)[1]


def move(page, key, value):
    """Move the slider of that key, as a hand does."""
    page.locator(f"[data-key='{key}']").evaluate(
        "(e, value) => { e.value = value; e.dispatchEvent(new Event('input')); }", value
    )


@pytest.mark.parametrize("name", ["record", "grid"])
def test_browser_and_python_say_the_same_of_every_epoch(show, name):
    view = {"record": lab.record(tuned()), "grid": lab.record(settings())}[name]
    page = show(view)
    steps = view.state["steps"]
    assert page.locator("[data-key=t]").get_attribute("max") == str(steps - 1)

    said = {}
    for epoch in range(1, steps + 1):
        move(page, "t", epoch - 1)
        view.state = view.state | {"t": epoch}
        said[epoch] = said_by(page)
        assert said[epoch] == view.summary
        assert page.locator("[data-key=t]").get_attribute("aria-valuetext") == str(epoch)

    assert len(set(said.values())) == steps


def test_menus_choose_quantity_version_and_axis(show):
    view = lab.record(tuned())
    page = show(view)
    page.locator("[data-key=dropout]").select_option("without")
    page.locator("[data-key=quantity]").select_option("test error (%)")
    move(page, "t", 8)
    view.state = view.state | {"dropout": False, "quantity": "test_error", "t": 9}

    assert said_by(page) == view.summary
    logarithmic = pixels(page)
    page.locator("[data-key=scale]").select_option("linear")
    assert pixels(page) != logarithmic
    assert said_by(page) == view.summary

    page = show(lab.record(settings()))
    page.locator("[data-key=beta1]").select_option("0.9")
    assert said_by(page) == lab.record(settings(), beta1=0.9).summary


def test_the_table_ranks_and_says_what_overlaps(show):
    """Against NumPy, from the record itself."""
    record = tuned(versions=(False,))
    page = show(lab.record(record, epoch=3))
    found = {name: runs[2] for name, runs in recorded.curves(record).items()}
    order = sorted(found, key=lambda name: np.median(found[name]))

    def heads():
        settle(page)
        return page.locator(".standing tbody th").evaluate_all(
            "(all) => all.map((e) => e.childNodes[1].textContent)"
        )

    rows = page.locator(".standing tbody tr").all_inner_texts()
    assert heads() == order
    for before, name, row in zip([None, *order], order, rows, strict=False):
        overlaps = before is not None and found[name].min() <= found[before].max()
        assert ("overlaps" in row) == overlaps
        assert f"{np.median(found[name]):.3g}" in row
    assert "after epoch 3: training loss" in page.locator(".standing caption").inner_text()

    move(page, "t", 11)
    found = {name: runs[11] for name, runs in recorded.curves(record).items()}
    found = {name: values[:2] for name, values in found.items()}  # the third seed is shorter
    assert heads() == sorted(found, key=lambda name: np.median(np.nan_to_num(found[name], nan=9)))
    assert heads() != order
    assert "2 of 3 seeds" in page.locator(".standing tbody tr").first.inner_text()


def test_the_epoch_moves_by_keys_and_by_play(show):
    page = show(lab.record(tuned(), epoch=1))
    page.locator("[data-key=t]").press("ArrowRight")
    assert "after epoch 2," in said_by(page)
    page.locator("[data-key=back]").click()
    page.locator("[data-key=back]").click()
    assert "after epoch 1," in said_by(page)
    page.locator("[data-key=speed]").select_option("20")
    page.locator("[data-key=play]").click()
    page.wait_for_function(f"() => ({ROOT}).querySelector('[data-key=t]').value === '11'")
    assert "after epoch 12," in said_by(page)


def test_a_new_ranking_is_said(show):
    page = show(lab.record(tuned()))
    page.wait_for_timeout(700)
    page.locator("[data-key=t]").press("Home")
    said = f"({ROOT}).querySelector('[role=status].hidden').textContent"
    page.wait_for_function(f"() => {said}.includes('after epoch 1, lowest first: Adam')")


def test_a_record_that_needs_no_choice_offers_none(show):
    run = {"optimizer": "Adam", "dropout": False, "lr": 1.0, "seed": 0, "train": [0.5]}
    page = show(lab.record({"runs": [run]}))

    controls = page.locator("input, select").evaluate_all("(all) => all.map((e) => e.dataset.key)")
    assert controls == ["scale"]
    assert "Adam 0.5 (one seed)" in said_by(page)


@pytest.mark.parametrize(
    "fragment",
    [
        "#lab=1&view=race&runs=&title=<img src=x>&t=1e99&steps=0&quantity=__proto__&dropout=[]",
        "#lab=1&view=record&t=NaN&scale=constructor&quantity=toString",
        "#lab=1&t=&steps=&dropout=",
    ],
)
def test_a_hostile_link_does_no_harm_to_a_record(show, fragment):
    page = show(VIEWS["record"], fragment=fragment)

    assert said_by(page) == VIEWS["record"].summary


def test_a_link_makes_no_record_of_another_figure(show):
    page = show(VIEWS["race"], fragment="#lab=1&view=record&t=2&rule=name:Adam")

    assert page.locator("canvas.map").count() == 1


@pytest.mark.parametrize("name", ["record", "grid"])
def test_damaged_runs_of_a_page_do_no_harm(show, name):
    view = VIEWS[name]
    state = json.loads(json.dumps(view.state))
    state["runs"] += [None, 7, {"train": 3}, {"optimizer": 5, "train": [[1]]}]
    state["runs"][0]["train"][0][0] = "1"
    state |= {"t": {"toString": 1}, "scale": None, "title": ["a"], "dropout": {}, "quantity": {}}
    html = page_of(view)
    kept = escape(json.dumps(view.state, separators=(",", ":")))
    assert kept in html

    page = show(html=html.replace(kept, escape(json.dumps(state))))

    assert page.locator("canvas.curves").count() == 1
    assert f"after epoch {view.state['steps']}" in said_by(page)


def test_a_record_in_a_notebook_syncs_its_epoch(show, site):
    folder, _ = site
    (folder / "widget.js").write_text(catalog.widget_module())
    view = lab.record(tuned())
    page = show(view)
    saved = page.evaluate(
        """async (given) => {
          const widget = (await import("./widget.js")).default;
          let state = given;
          let changed = null;
          const model = { get: () => state, set: (_, value) => { state = value; },
            save_changes() {}, on: (_, f) => { changed = f; }, off() {} };
          const el = document.createElement("div");
          document.body.append(el);
          const stop = widget.render({ model, el });
          const root = el.firstChild.shadowRoot;
          await new Promise((done) => setTimeout(done, 100));
          const slider = root.querySelector("[data-key=t]");
          slider.value = 3;
          slider.dispatchEvent(new Event("input"));
          await new Promise((done) => setTimeout(done, 300));
          const saved = state;
          state = { ...state, t: 6 };
          changed();
          await new Promise((done) => setTimeout(done, 100));
          const shown = root.querySelector("[data-key=t]").getAttribute("aria-valuetext");
          stop();
          return { saved, shown };
        }""",
        view.state,
    )

    view.state = saved["saved"]
    assert (view.state["t"], saved["shown"]) == (4, "6")
    assert "after epoch 4," in view.summary
