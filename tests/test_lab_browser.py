"""The live figures in a browser, on a page as strict as a page can be."""

import json
import re
from html import escape, unescape

import numpy as np
import pytest
from lab_pages import ROOT, VIEWS, page_of, pixels, settle, show as show, site as site
from live_figures import WATCH, milliseconds, try_controls

from adam_edu import RULES, lab, steps_of
from adam_edu.differences import difference
from adam_edu.lab import catalog, signals, states
from adam_edu.rules import SGD, AdaBound, Adam, AdamUncorrected, Momentum, NAdam

pytestmark = [pytest.mark.browser, pytest.mark.pages]


def test_no_control_is_dead(show):
    """Every slider, moved to both ends, and every choice changes the picture."""
    dead, tried = try_controls(show(*VIEWS.values()))

    assert dead == []
    assert tried > 40


def test_a_dead_control_is_noticed(show):
    page = show(VIEWS["race"])
    page.evaluate(
        f"""() => ({ROOT}).addEventListener("input", (event) => {{
          if (event.target.dataset.key === "1-lr") event.stopPropagation();
        }}, true)"""
    )

    assert try_controls(page)[0] == ["figure 1: 1-lr"]


LOOKS = [
    (1000, "light"),
    (375, "dark"),
    *(pytest.param(*look, marks=pytest.mark.nightly) for look in ((1000, "dark"), (375, "light"))),
]


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_axe_finds_nothing(show, width, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = show(
        *VIEWS.values(), theme=theme, viewport={"width": width, "height": 900}, bypass_csp=True
    )

    found = axe.Axe().run(page).response["violations"]

    assert [(one["id"], one["nodes"][0]["target"]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_start_is_dragged_and_moved_by_keys(show):
    page = show(VIEWS["tuner"])
    start = page.locator(".start")
    before = start.get_attribute("aria-label")
    box = page.locator(".map").bounding_box()
    start.hover()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    settle(page)

    assert "a = 2.5, b = 0" in start.get_attribute("aria-label").replace("0.00", "0")
    start.press("ArrowLeft")
    start.press("ArrowUp")
    settle(page)
    assert "a = 2.25, b = 0.17" in start.get_attribute("aria-label")
    assert start.get_attribute("aria-label") != before


def test_the_start_is_dragged_by_touch(show):
    page = show(VIEWS["tuner"], has_touch=True, viewport={"width": 375, "height": 800})
    box = page.locator(".start").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = page.locator(".start").get_attribute("aria-label")
    client = page.context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + 60, "y": y + 20}]),
        ("touchEnd", []),
    ):
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    settle(page)

    assert page.locator(".start").get_attribute("aria-label") != before
    assert box["width"] >= 32


def test_play_moves_and_pauses(show):
    page = show(lab.race("Bowl", t=0, steps=1000))
    page.locator("[data-key=play]").click()
    page.wait_for_function(f"() => +({ROOT}).querySelector('[data-key=t]').value > 3")
    page.locator("[data-key=play]").press("Enter")
    settle(page)
    stopped = page.locator("[data-key=t]").input_value()
    settle(page)

    assert page.locator("[data-key=t]").input_value() == stopped
    page.locator("[data-key=on]").click()
    settle(page)
    assert int(page.locator("[data-key=t]").input_value()) == int(stopped) + 1


def test_results_are_said(show):
    page = show(VIEWS["tuner"])
    page.wait_for_timeout(700)
    page.locator("[data-key='0-lr']").press("End")
    said = f"({ROOT}).querySelector('[role=status].hidden').textContent"
    page.wait_for_function(f"() => {said}.startsWith('Ravine after 200 steps: AdamW')")

    assert page.locator("[data-key='0-lr']").get_attribute("aria-valuetext") == "10"


PAIRS = [("Adam", "AMSGrad"), ("RMSProp", "Adam"), ("Lion", "ScheduleFreeSGD"), ("AdamW", "Adan")]
PAIRS += [("RAdam", "RAdam"), ("ADOPT", "NAdam")]
TABLE = f"""() => [...({ROOT}).querySelectorAll(".lines tbody tr")].map((row) => {{
  const texts = [...row.cells].map((cell) => cell.textContent);
  return texts.map((text) => (text === "–" ? null : text));
}})"""
WORDS = {"same": "the same", "changed": "changed", "removed": "gone", "added": "new"}


def test_the_lines_of_two_rules_stand_as_in_python(show):
    page = show(lab.pair(*PAIRS[0]))
    for pair in PAIRS:
        for place, name in enumerate(pair):
            page.locator(f"[data-key=pick-{place}]").select_option(name)
        settle(page)
        found = difference(*(RULES[name] for name in pair))
        rows = [
            [*(str(line) if line else None for line in row), WORDS[row.kind]] for row in found.rows
        ]

        assert page.evaluate(TABLE) == rows
        caption = page.locator(".lines caption").inner_text()
        assert caption == f"{len(found.changes)} of {len(found.rows)} lines differ"
        assert page.locator(".runner strong").all_inner_texts() == list(pair)


def test_on_a_phone_two_rules_are_one_screen_with_the_lines_that_differ(show):
    page = show(lab.pair("Adam", "AMSGrad"), viewport={"width": 375, "height": 667})
    visible = page.locator(".lines tbody tr:visible")

    assert page.locator(".adam-edu-lab").bounding_box()["height"] <= 667
    assert visible.count() == len(difference(RULES["Adam"], RULES["AMSGrad"]).changes)


def test_on_a_phone_the_names_of_lines_are_drawn_whole(show):
    views = lab.race("Rosenbrock", [AdaBound(final_lr=0.1), AdaBound(final_lr=0.01)], steps=50)
    page = show(views, viewport={"width": 375, "height": 667})
    page.evaluate(
        """() => {
          const pen = CanvasRenderingContext2D.prototype, fillText = pen.fillText;
          window.ends = {};
          pen.fillText = function (words, x, y, room) {
            const wide = Math.min(this.measureText(words).width, room ?? Infinity);
            const end = (x + wide) / this.canvas.clientWidth;
            if (this.textAlign === "left") window.ends[words] = end;
            fillText.call(this, words, x, y, room);
          };
        }"""
    )
    page.set_viewport_size({"width": 370, "height": 667})
    page.wait_for_function("() => Object.keys(window.ends).some((words) => words.includes('0.01'))")

    cut = page.evaluate("() => Object.keys(window.ends).filter((words) => window.ends[words] > 1)")
    assert cut == []


def test_divergence_is_drawn_and_said(show):
    page = show(VIEWS["diverging"])

    assert "diverged at step" in page.locator(".runner").nth(1).inner_text()
    assert "loss" in page.locator(".runner").nth(0).inner_text()


def test_optimizers_are_added_and_removed(show):
    page = show(VIEWS["race"])
    page.locator("[data-key=add]").select_option("AdaBound")
    page.locator("[data-key=add-it]").click()
    assert page.locator(".runner").count() == 5
    page.locator("[data-key=remove-0]").click()
    assert page.locator(".runner strong").all_inner_texts() == [
        "Momentum",
        "RMSProp",
        "Adam",
        "AdaBound",
    ]


def test_a_gradient_is_drawn_by_pointer_and_by_keys(show):
    page = show(VIEWS["drawn"])
    before = pixels(page)
    box = page.locator(".pen").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 90, steps=8)
    page.mouse.up()
    drawn = pixels(page)
    page.locator("[data-key=height]").press("End")

    assert before != drawn != pixels(page)


@pytest.mark.parametrize("name", ["race", "drawn", "schedule", "average", "record", "grid"])
def test_a_link_holds_the_state(show, name):
    page = show(VIEWS["inside"], VIEWS[name])
    second = page.locator(".adam-edu-lab").nth(1)
    second.locator("input[type=range]").nth(0).press("End")
    settle(page)
    second.locator("[data-key=link]").click()
    fragment = page.evaluate("location.hash")
    values = "(host) => [...host.shadowRoot.querySelectorAll('input, select')].map((i) => i.value)"
    expected = second.evaluate(values)

    again = show(VIEWS["inside"], VIEWS[name], fragment=fragment)

    assert again.locator(".adam-edu-lab").nth(1).evaluate(values) == expected
    assert again.locator(".adam-edu-lab").nth(0).evaluate(values) == page.locator(
        ".adam-edu-lab"
    ).nth(0).evaluate(values)


@pytest.mark.parametrize(
    "fragment",
    [
        "#lab=1&view=__proto__&surface=constructor&rule=name:toString&steps=1e99&t=-5",
        "#lab=1&rule=name:Adam,lr:alert(1),beta1:2&start=Infinity,&noise=NaN&schedule=[]",
        "#lab=1&view=<img src=x onerror=alert(1)>&signal=%00&drawn=1,x,99&coordinate=7",
        "#lab=1&steps=&warmup=&parameters=,,,::&shape=condition:-1",
    ],
)
def test_a_hostile_link_does_no_harm(show, fragment):
    page = show(VIEWS["race"], fragment=fragment)

    assert page.locator("canvas.map").count() == 1
    assert 1 <= int(page.locator("[data-key=t]").get_attribute("max")) <= 5000


def test_a_damaged_page_state_does_no_harm(show):
    state = json.dumps({"view": "race", "rules": [{"name": "Adam", "hyper": {"lr": "x"}}, 7, None]})
    html = page_of(VIEWS["race"])
    kept = escape(json.dumps(VIEWS["race"].state, separators=(",", ":")))
    assert kept in html

    page = show(html=html.replace(kept, escape(state)))

    assert page.locator(".runner strong").all_inner_texts() == ["Adam"]


def test_the_figure_is_alive_within_a_second(site, browser):
    """The best of three, since other tests use the machine too."""
    folder, address = site
    (folder / "alive.html").write_text(page_of(*VIEWS.values()))
    times = []
    for _ in range(3):
        page = browser.new_page()
        page.add_init_script(WATCH)
        page.goto(f"{address}alive.html")
        page.wait_for_function("() => window.alive")
        times.append(page.evaluate("window.alive"))
        page.close()

    assert min(times) < milliseconds(1000), times


SIX = ["SGD", "Momentum", "RMSProp", "Adam", "NAdam", "AMSGrad"]


@pytest.mark.parametrize(
    ("view", "limit"),
    [
        (lab.race("Rosenbrock", ["RMSProp", "NAdam", "AMSGrad", "AdaBound"], steps=500), 16),
        (lab.record("logistic-imdb"), 16),
        (lab.race("Rosenbrock", SIX, steps=5000), 32),
    ],
    ids=["race", "record", "six"],
)
def test_a_redraw_takes_at_most_a_frame_or_two(site, browser, view, limit):
    """Four optimizers over 500 steps, or the longest record: a frame. Six over 5,000: two.

    See benchmarks/lab_redraw.py.
    """
    folder, address = site
    (folder / "widget.js").write_text(catalog.widget_module())
    (folder / "redraw.html").write_text(
        page_of(view).replace(
            '<script defer src="lab.js">', '<script type="module" src="redraw.js">'
        )
    )
    (folder / "redraw.js").write_text(
        """import { mount } from "./widget.js";
        const figure = mount(document.querySelector(".adam-edu-lab"), 1);
        const redraw = () => {
          figure.stale = true;
          const start = performance.now();
          figure.redraw();
          figure.root.querySelector("canvas").getContext("2d").getImageData(0, 0, 1, 1);
          return performance.now() - start;
        };
        requestAnimationFrame(() => requestAnimationFrame(() => {
          window.times = Array.from({ length: 40 }, redraw);
        }));"""
    )
    page = browser.new_page()
    page.goto(f"{address}redraw.html")
    page.wait_for_function("() => window.times")
    times = page.evaluate("window.times")
    page.close()

    # What the machine's other work leaves alone: the quickest of the later ones.
    assert min(times[10:]) < milliseconds(limit), times


def test_paper_gets_the_still_picture(show):
    page = show(VIEWS["race"])
    picture = page.locator(".adam-edu-lab > svg")
    assert not picture.is_visible()
    assert page.locator(".lab").is_visible()

    page.emulate_media(media="print")

    assert picture.is_visible()
    assert not page.locator(".lab").is_visible()
    assert "Adam ends" in picture.get_attribute("aria-label")


def test_browser_and_numpy_agree_on_where_it_ends(show):
    view = lab.tuner(Adam(lr=0.05), "Rosenbrock", steps=100)
    page = show(view)
    trace = view.trace
    loss = float(trace.loss[-1])

    shown = page.locator(".outcome").inner_text()

    assert shown == f"after 100 steps: loss {loss:.2g}"


def test_a_product_over_the_steps_is_that_of_its_own_numbers(show):
    page = show(lab.tuner())
    rules = catalog.rules_module().replace("export ", "")
    asked = [(0.9, 1), (0.9, 5), (0.8, 6), (0.9, 6), (0.9, 2)]

    found = page.evaluate(
        f"""(asked) => {{ {rules}
        return asked.map(([beta1, t]) => RULES.NAdam.scalars(
          {{ beta1, beta2: 0.999, momentum_decay: 0.004 }}, t)); }}""",
        asked,
    )
    other = page.evaluate(
        f"""() => {{ {rules}
        return [product("i", [3], (i) => i, 4), product("2*i", [3], (i) => 2 * i, 4)]; }}"""
    )

    assert np.allclose(found, [NAdam(beta1=beta1).scalars(t) for beta1, t in asked], rtol=1e-12)
    assert other == [24, 384]


@pytest.mark.parametrize("t", [1, 5, 200])
def test_the_averages_said_are_those_of_adam(show, t):
    page = show(lab.bias(0.9, 0.999, signal="constant", t=t))
    m, v = 1 - 0.9**t, 1 - 0.999**t
    m_said, m_hat, v_said, v_hat, step, without = (
        float(found) for found in re.findall(r"[\d.]+", page.locator(".outcome").inner_text())[1:]
    )

    assert (m_hat, v_hat, step) == (1, 1, 1)
    assert m_said == pytest.approx(m, rel=5e-3)
    assert v_said == pytest.approx(v, rel=5e-3)
    assert without == pytest.approx(m / v**0.5, rel=5e-3)


def test_the_steps_of_one_weight_are_those_of_numpy(show):
    """Each kind of gradients, with the correction and without, as the page computes them."""
    page = show(lab.weight())
    module = re.sub(r"^export (default .*\n)?", "", catalog.widget_module(), flags=re.MULTILINE)
    wanted = [
        states.make("weight", rules=[rule(1.0, 0.8, 0.99)], signal=signal, drawn=[1, -2.5, 0, 3])
        for rule in (Adam, AdamUncorrected)
        for signal in catalog.SIGNALS["weight"]
    ]
    found = page.evaluate(
        f"""(wanted) => {{ {module}
        const host = document.body.appendChild(document.createElement("div"));
        host.dataset.state = JSON.stringify(wanted[0]);
        const figure = mount(host, 1);
        return wanted.map((state) => {{
          figure.change(state, true);
          figure.compute();
          return figure.rows.map(({{ step }}) => step);
        }}); }}""",
        wanted,
    )
    for state, steps in zip(wanted, found, strict=True):
        (rule,) = states.chosen_rules(state)
        expected = steps_of(rule, signals.gradients(state))
        np.testing.assert_allclose(steps, expected, rtol=1e-9, atol=1e-12, err_msg=str(state))


def test_one_weight_says_what_is_left_of_the_zero(show):
    page = show(lab.weight(0.9, 0.999, signal="alternating", t=10, corrected=False))

    assert "the zero at the start: 35 % of m, 99 % of v" in page.locator(".outcome").inner_text()
    page.locator("[data-key=corrected]").select_option("on")
    settle(page)
    assert page.locator(".outcome").inner_text().endswith("of v, taken out")


def test_two_of_one_rule_are_told_apart(show):
    page = show(lab.race("Bowl", [SGD(lr=0.01), Adam(lr=0.1), Adam(lr=0.1, beta2=0.9)]))
    runners = page.locator(".runner")

    names = [runners.nth(i).get_attribute("aria-label") for i in range(3)]
    assert names == ["SGD", "Adam, β₂ 0.999", "Adam, β₂ 0.9"]
    assert [runners.nth(i).locator("input").count() for i in range(3)] == [1, 2, 2]
    runners.nth(2).locator("[data-key='2-beta2']").press("End")
    settle(page)
    assert "Adam, β₂ 0.9999 loss" in page.locator("canvas.map").get_attribute("aria-label")


def test_a_constant_rate_is_one_run(show):
    page = show(lab.schedule("Constant", noise=0))
    said = page.locator(".outcome")
    assert re.fullmatch(r"Mean loss over .*: \S+ at a constant rate", said.inner_text())

    page.locator("[data-key=warmup]").press("End")
    settle(page)
    assert re.fullmatch(r".* with the schedule, \S+ at a constant rate", said.inner_text())


@pytest.mark.parametrize("window", [1, 20, 1000])
def test_the_average_of_a_path_is_the_packages(show, window):
    view = lab.average(Momentum(lr=0.02), noise=0.0, window=window, steps=60)
    said = show(view).locator(".outcome").inner_text()
    means = [trace.loss[-6:].mean() for trace in view.traces]

    shown = re.fullmatch(r"Mean loss .*: (\S+) along the path, (\S+) along its average", said)
    numbers = [float(number.replace("−", "-")) for number in shown.groups()]
    assert numbers == pytest.approx(means, rel=0.06)


def test_a_page_opened_from_a_disk_is_alive(site, browser):
    folder, _ = site
    (folder / "disk.html").write_text(page_of(VIEWS["race"]))
    page = browser.new_page()
    page.goto((folder / "disk.html").as_uri())

    page.wait_for_function(f"() => {ROOT}", timeout=5000)
    page.close()


def test_the_theme_is_followed(show):
    page = show(VIEWS["race"])
    light = pixels(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")

    assert pixels(page) != light
    background = page.locator(".lab").evaluate("(e) => getComputedStyle(e).backgroundColor")
    assert background == "rgb(22, 27, 34)"


def test_widget_front_end_syncs_with_its_model(show, site):
    """As anywidget calls it: the one module, a model, an element."""
    folder, _ = site
    (folder / "widget.js").write_text(catalog.widget_module())
    page = show(VIEWS["race"])
    state = unescape(json.dumps(VIEWS["tuner"].state))
    saved = page.evaluate(
        f"""async () => {{
          const widget = (await import("./widget.js")).default;
          let state = {state};
          let changed = null;
          const saved = [];
          const model = {{
            get: () => state, set: (_, value) => {{ state = value; }},
            save_changes: () => saved.push(state), on: (_, f) => {{ changed = f; }},
            off: () => {{ changed = null; }} }};
          const el = document.createElement("div");
          document.body.append(el);
          const stop = widget.render({{ model, el }});
          const root = el.firstChild.shadowRoot;
          await new Promise((done) => setTimeout(done, 100));
          const slider = root.querySelector("[data-key='0-lr']");
          slider.value = slider.max;
          slider.dispatchEvent(new Event("input"));
          await new Promise((done) => setTimeout(done, 300));
          state = {{ ...state, surface: "Bowl", start: [1, 1] }};
          changed();
          const links = root.querySelectorAll("[data-key=link]").length;
          const surface = root.querySelector("[data-key=surface]").value;
          stop();
          return {{ saved: saved.map((s) => s.rules[0].hyper.lr), surface, links, changed }};
        }}"""
    )

    assert saved == {"saved": [10], "surface": "Bowl", "links": 0, "changed": None}
