"""The live figures under a reader's hand: fingers, keys and pointer, in a browser."""

import re

import pytest
from lab_pages import ROOT, VIEWS, pixels, settle, show as show, site as site

from adam_edu import lab
from adam_edu.rules import SGD, Adam

pytestmark = [pytest.mark.browser, pytest.mark.pages]

PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True, "is_mobile": True}
STATE = f"""[...({ROOT}).querySelectorAll("input, select")].map((one) => one.value)"""


START = re.compile(r"start at a = (\S+), b = ([^;]+);")


def value(page, key, name="aria-valuetext"):
    return page.locator(f"[data-key='{key}']").get_attribute(name)


def read(page, kind):
    """Return what the read-out of a plot says to a screen reader."""
    settle(page)
    return value(page, f"read-{kind}")


def swipe(page, start, by, steps=12):
    """Move a finger from a point by some pixels and lift it."""
    client = page.context.new_cdp_session(page)

    def send(kind, points):
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(16)

    x, y = start
    send("touchStart", [{"x": x, "y": y}])
    for i in range(1, steps + 1):
        send("touchMove", [{"x": x + by[0] * i / steps, "y": y + by[1] * i / steps}])
    send("touchEnd", [])
    page.wait_for_timeout(100)
    settle(page)


def long_page(show, view, **options):
    page = show(view, **PHONE | options)
    page.evaluate("document.body.style.paddingBottom = '2000px'")
    settle(page)
    return page


def point_of(slider, share):
    box = slider.bounding_box()
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


# Touch


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_swipe_that_begins_on_a_slider_scrolls_and_changes_nothing(show, share):
    page = long_page(show, VIEWS["tuner"])
    slider = page.locator("[data-key='0-lr']")
    heard = "window.heard = []; "
    page.evaluate(
        f"{heard} ({ROOT}).addEventListener('change', () => 0);"
        f"new MutationObserver((all) => heard.push(...all.map((one) => one.target.dataset.key)))"
        f".observe({ROOT}, {{ subtree: true, attributeFilter: ['aria-valuetext'] }})"
    )
    before = page.evaluate(STATE)

    swipe(page, point_of(slider, share), (4, -160))

    assert page.evaluate("scrollY") > 60
    assert page.evaluate(STATE) == before
    assert "0-lr" not in page.evaluate("heard")


def test_a_finger_that_goes_sideways_moves_the_slider(show):
    page = long_page(show, VIEWS["tuner"])
    slider = page.locator("[data-key='0-lr']")
    before = value(page, "0-lr")

    swipe(page, point_of(slider, 0.5), (60, 3))
    moved = value(page, "0-lr")
    page.touchscreen.tap(*point_of(slider, 0.1))
    settle(page)

    assert page.evaluate("scrollY") == 0
    assert len({before, moved, value(page, "0-lr")}) == 3


@pytest.mark.parametrize("name", VIEWS)
def test_a_figure_and_its_controls_are_one_screen_of_a_phone(show, name):
    """In a column as wide as the book's on such a phone, whichever group of controls is open."""
    page = show(VIEWS[name], **PHONE)
    page.evaluate("document.body.style.margin = '0 16px'")
    settle(page)
    tabs = page.locator(".tab")
    for i in range(max(tabs.count(), 1)):
        if tabs.count():
            tabs.nth(i).click()
            settle(page)
            assert tabs.nth(i).get_attribute("aria-expanded") == "true"
            assert page.locator(".group:visible, .group.open").count() == 1
        assert page.locator(".adam-edu-lab").bounding_box()["height"] <= 667
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


@pytest.mark.parametrize("name", ["tuner", "inside", "schedule"])
def test_every_choice_leaves_a_figure_one_screen(show, name):
    page = show(VIEWS[name], **PHONE)
    page.evaluate("document.body.style.margin = '0 16px'")
    heights = {}
    for key in ("schedule", "rule"):
        menu = page.locator(f"[data-key={key}]")
        if menu.count():
            if not menu.is_visible():
                page.locator(".tab").nth(1).click()
            for choice in menu.locator("option").all_inner_texts():
                menu.select_option(choice)
                settle(page)
                heights[choice] = page.locator(".adam-edu-lab").bounding_box()["height"]

    assert len(heights) > 10
    # Those whose step has more charts than a phone's screen holds.
    long = {"Adan", "AdEMAMix", "CautiousAdamW"}
    assert {choice: high for choice, high in heights.items() if high > 667}.keys() <= long


# The menu that adds


def test_an_optimizer_is_added_by_keys_alone(show):
    page = show(VIEWS["race"])
    menu = page.locator("[data-key=add]")
    menu.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    chosen = menu.input_value()
    assert page.locator(".runner").count() == 4  # nothing is added on the way

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    settle(page)

    assert page.locator(".runner strong").all_inner_texts()[4:] == [chosen]
    assert page.evaluate(f"({ROOT}).activeElement.dataset.key") == "add-it"


def test_six_are_the_most_and_the_figure_says_why(show):
    page = show(VIEWS["race"])
    add = page.locator("[data-key=add-it]")
    for _ in range(4):
        add.press("Enter")
        settle(page)

    assert page.locator(".runner").count() == 6
    assert add.get_attribute("aria-disabled") == "true"
    assert page.get_by_text("Six is the most: remove one").first.is_visible()
    assert "Six is the most" in page.locator("[role=status].hidden").text_content()
    page.locator("[data-key=remove-0]").click()
    assert add.get_attribute("aria-disabled") is None


def test_a_second_adam_recolors_no_other(show):
    page = show(lab.race("Bowl", ["SGD", "Momentum", "Adam"]))
    glyphs = f"[...({ROOT}).querySelectorAll('.glyph')].map((one) => one.toDataURL())"
    settle(page)
    before = page.evaluate(glyphs)
    page.locator("[data-key=add]").select_option("Adam")
    page.locator("[data-key=add-it]").click()
    settle(page)
    after = page.evaluate(glyphs)

    assert after[:3] == before
    assert after[3] not in before


# Playing


def steps_shown(page, count):
    """Return the next so many steps that the slider of the step comes to."""
    return page.evaluate(
        f"""async (count) => {{
          const slider = ({ROOT}).querySelector("[data-key=t]");
          const seen = [];
          for (let i = 0; i < 600 && seen.length < count; i += 1) {{
            if (seen.at(-1) !== slider.value) seen.push(slider.value);
            await new Promise(requestAnimationFrame);
          }}
          return seen.map(Number);
        }}""",
        count,
    )


def test_play_at_the_end_plays_from_the_start(show):
    page = show(lab.race("Bowl", steps=1000))
    assert page.locator("[data-key=t]").input_value() == "1000"
    page.locator("[data-key=play]").click()
    page.wait_for_function(f"() => +({ROOT}).querySelector('[data-key=t]').value < 1000")
    seen = steps_shown(page, 3)

    assert seen == sorted(seen)
    assert seen[-1] < 1000


def test_without_motion_play_is_a_row_of_stills_from_the_start(show):
    page = show(lab.race("Bowl", steps=100), reduced_motion="reduce")
    page.locator("[data-key=play]").click()
    settle(page)

    assert steps_shown(page, 3) == [0, 10, 20]
    page.locator("[data-key=play]").click()
    stopped = page.locator("[data-key=t]").input_value()
    page.wait_for_timeout(900)
    assert page.locator("[data-key=t]").input_value() == stopped
    page.locator("[data-key=t]").press("End")
    page.locator("[data-key=back]").click()
    page.locator("[data-key=play]").click()
    settle(page)
    assert page.locator("[data-key=t]").input_value() == "100"
    assert "Play" in page.locator("[data-key=play]").inner_text()


# Map and chart


def test_a_click_on_the_map_moves_the_start(show):
    page = show(lab.tuner(SGD(lr=0.02), "Bowl"))
    box = page.locator("canvas.map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.25)
    settle(page)

    a, b = START.match(page.locator(".start").get_attribute("aria-label")).groups()
    assert float(a) == pytest.approx(3, abs=0.05)
    assert float(b) == pytest.approx(1.25, abs=0.05)


def test_a_click_on_the_chart_shows_that_step(show):
    page = show(lab.tuner(SGD(lr=0.02), "Bowl", steps=100))
    box = page.locator("canvas.chart").bounding_box()
    page.mouse.click(round(box["x"] + box["width"] * 0.4), round(box["y"] + box["height"] / 2))
    settle(page)
    shown = int(page.locator("[data-key=t]").input_value())

    assert 20 < shown < 60
    assert read(page, "chart").startswith(f"step {shown}: SGD ")


@pytest.mark.parametrize("where", ["map", "chart"])
def test_values_are_read_by_pointer(show, where):
    """The tip says what NumPy finds at that step."""
    view = lab.race("Bowl", [SGD(lr=0.02), Adam(lr=0.1)], steps=50)
    page = show(view)
    assert not page.locator(".tip:visible").count()
    box = page.locator(f"canvas.{where}").bounding_box()
    shares = {"map": (0.2, 0.35), "chart": (0.3, 0.5)}[where]  # on the map, beside both paths
    page.mouse.move(box["x"] + shares[0] * box["width"], box["y"] + shares[1] * box["height"])
    settle(page)
    tip = page.locator(".tip:visible")
    step = int(tip.locator("strong").inner_text().removeprefix("step "))

    for name, trace in zip(("SGD", "Adam"), view.traces, strict=True):
        row = tip.locator("div", has_text=name).inner_text()
        assert float(row.split()[-1].replace("−", "-").replace("e-", "e-")) == pytest.approx(
            trace.loss[step], rel=0.06
        )
    assert page.locator(".ring:visible").count() >= 2
    page.mouse.move(2, 2)
    settle(page)
    assert not page.locator(".tip:visible").count()


def test_away_from_the_paths_the_map_says_its_height(show):
    page = show(lab.tuner(SGD(lr=0.02), "Bowl"))
    box = page.locator("canvas.map").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.1)
    settle(page)

    # a = 4, b = 2: (16 + 10 · 4) / 2
    assert "loss 28" in page.locator(".tip:visible").inner_text()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("race", "map"),
        ("race", "chart"),
        ("inside", "bars"),
        ("bias", "strip"),
        ("weight", "strip"),
        ("record", "curves"),
        ("grid", "curves"),
    ],
)
def test_values_are_read_by_keys(show, name, kind):
    page = show(VIEWS[name])
    probe = page.locator(f"[data-key=read-{kind}]").first
    probe.focus()
    said = []
    for key in ("Home", "ArrowRight", "End", "ArrowLeft"):
        page.keyboard.press(key)
        settle(page)
        said.append(probe.get_attribute("aria-valuetext"))
        assert page.locator(".tip:visible").count() == 1
    first, second, last, before_last = (
        float(words.split()[1].rstrip(":").replace("−", "-")) for words in said
    )

    assert first < second <= before_last < last
    if name != "grid":
        page.keyboard.press("Enter")
        settle(page)
        assert int(value(page, "t")) == before_last
    page.keyboard.press("Escape")
    assert page.locator(".tip:visible").count() == 0


def test_star_and_ring_are_explained(show):
    for name in ("race", "tuner", "inside", "schedule"):
        key = show(VIEWS[name]).locator(".key").inner_text()
        assert "★ the minimum" in key
        assert "the start: drag it or click the map" in key


# Drawing


def test_a_drawn_gradient_has_no_holes(show):
    """A fast pen is seen at few places; what lies between them is drawn, too."""
    page = show(lab.bias(signal="drawn"))
    assert page.locator("[data-key=height]").get_attribute("aria-valuetext") == "0"
    empty = pixels(page)
    box = page.locator(".pen").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 90, box["y"] + 40, steps=1)
    page.mouse.up()
    settle(page)

    assert pixels(page) != empty
    page.locator("[data-key=link]").click()
    drawn = page.evaluate("new URLSearchParams(location.hash.slice(1)).get('drawn')").split(",")
    values = [float(one) for one in drawn]
    marked = [i for i, one in enumerate(values) if one]
    assert marked == list(range(marked[0], marked[-1] + 1))
    assert len(marked) > 30
    assert len(set(values[marked[0] : marked[-1]])) == 1


def test_the_drawn_gradient_says_that_one_can_draw(show):
    page = show(lab.bias(signal="drawn"))

    assert "draw" in page.locator("[data-key=read-strip]").first.get_attribute("aria-label")
