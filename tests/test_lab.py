"""The live figures from Python: their state, their text and their still picture."""

import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import ROOT

from adam_edu import RULES, descend, lab, steps_of
from adam_edu.lab import catalog, states
from adam_edu.plots import STYLE, Style
from adam_edu.problems import SURFACES, Bowl, Rosenbrock
from adam_edu.rules import SGD, Adam, AdamUncorrected, Momentum
from adam_edu.schedules import Cosine, Step, Warmup

EVERY_VIEW = {
    "race": lab.race,
    "pair": lab.pair,
    "tuner": lab.tuner,
    "inside": lab.inside,
    "bias": lab.bias,
    "weight": lab.weight,
    "schedule": lab.schedule,
    "average": lab.average,
}


def html_of(view):
    return view._repr_mimebundle_()[0]["text/html"]


def test_what_the_reader_chose_comes_back_as_rules():
    view = lab.race(Bowl(condition=4), ["sgd", Adam(lr=0.3, beta2=0.99)], lr={"SGD": 0.2}, steps=30)

    assert view.rules == [SGD(lr=0.2), Adam(lr=0.3, beta2=0.99)]
    assert view.rule == SGD(lr=0.2)
    assert view.surface == Bowl(condition=4)


def test_traces_are_the_numpy_descents():
    view = lab.tuner(Momentum(lr=0.01), "Bowl", start=(-3.0, 1.0), steps=25)
    expected = descend(Momentum(lr=0.01), Bowl(), start=(-3.0, 1.0), steps=25)

    np.testing.assert_array_equal(view.trace.x, expected.x)


def test_schedule_comes_back_with_its_warmup():
    view = lab.schedule(Warmup(steps=10, then=Step(every=20, factor=0.5)), "Adam", noise=0)

    assert view.schedule == Warmup(steps=10, then=Step(every=20, factor=0.5))
    assert view.trace.lr[10] == pytest.approx(0.1)
    assert lab.schedule(steps=70).schedule == Cosine(steps=70)


def test_noise_moves_the_trace_and_is_the_same_each_time():
    noisy = lab.schedule("Constant", SGD(lr=0.1), noise=1.0)
    calm = lab.schedule("Constant", SGD(lr=0.1), noise=0.0)

    assert not np.allclose(noisy.trace.x, calm.trace.x)
    np.testing.assert_array_equal(noisy.trace.x, noisy.trace.x)


def test_an_average_follows_the_path():
    view = lab.average(SGD(lr=0.1), window=1, steps=50)
    slow = lab.average(SGD(lr=0.1), window=1000, steps=50)

    np.testing.assert_allclose(view.traces[1].x, view.traces[0].x)
    np.testing.assert_allclose(slow.traces[1].x[-1], slow.trace.x[1:].mean(axis=0), rtol=0.05)
    with pytest.raises(ValueError, match="window must be 1 to 1000 steps, not 0"):
        lab.average(window=0)


def test_still_picture_tells_two_of_one_rule_apart():
    view = lab.race("Bowl", [Adam(lr=0.1), SGD(lr=0.02), Adam(lr=0.3)])
    picture = ElementTree.fromstring(html_of(view)).find("svg")
    names = [text for text in picture.itertext() if "Adam" in text or "SGD" in text]
    colors = {text.get("fill") for text in picture.iter("text") if "Adam" in (text.text or "")}

    assert names == ["Adam, α 0.1", "SGD", "Adam, α 0.3"]
    assert len(colors) == 2


@pytest.mark.parametrize("name", ["first", "second", "third"])
def test_the_dark_colours_of_the_style_sheet_are_turned_as_the_optimizers_are(name):
    light, dark = re.findall(rf"--{name}: (#\w+)", catalog.source("lab.css"))

    assert catalog._style(Style(light, "o"))["dark"] == dark


def test_a_state_from_the_browser_is_taken_over():
    view = lab.tuner("Adam")
    view.state = view.state | {"rules": [{"name": "SGD", "hyper": {"lr": 0.5}}]}

    assert view.rule == SGD(lr=0.5)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"view": "rce"}, "view must be"),
        ({"surface": "Bowle"}, "did you mean 'Bowl'"),
        ({"rules": [{"name": "Adma", "hyper": {}}]}, "did you mean .*'Adam'"),
        ({"rules": [{"name": "SGD", "hyper": {"lr": -1}}]}, "would climb the loss"),
        ({"rules": []}, "number of optimizers"),
        ({"view": "pair"}, "optimizers of a pair must be 2, not 3"),
        ({"start": [99, 0]}, "start must be a point of the map"),
        ({"start": [float("nan"), 0]}, "start must be a point of the map"),
        ({"steps": 10**9}, "steps must be 1 to 5000"),
        ({"t": -1}, "t must be a step"),
        ({"noise": float("inf")}, "noise must be"),
        ({"signal": "alert(1)"}, "signal must be"),
        ({"drawn": [5.0]}, "drawn must be"),
        ({"schedule": "Cosin"}, "did you mean 'Cosine'"),
    ],
)
def test_a_wrong_state_is_refused_and_changes_nothing(part, message):
    view = lab.race()
    before = view.state

    with pytest.raises((KeyError, ValueError), match=message):
        view.state = before | part

    assert view.state == before


def test_wrong_arguments_are_explained():
    with pytest.raises(KeyError, match="did you mean 'RMSProp'"):
        lab.race("Bowl", ["RMSPorp"])
    with pytest.raises(KeyError, match="did you mean 'Adam'"):
        lab.race("Bowl", ["Adam"], lr={"Adm": 0.1})
    with pytest.raises(ValueError, match="'a' or 'b'"):
        lab.inside(parameter="c")


def test_outputs_are_the_same_in_every_session():
    code = (
        "from adam_edu import lab\n"
        f"for name in {list(EVERY_VIEW)}:\n"
        "    view = getattr(lab, name)()\n"
        "    print(repr(view), view._repr_mimebundle_()[0]['text/html'])"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            check=True,
            encoding="utf-8",
        ).stdout
        for seed in ("1", "2")
    ]
    here = "".join(f"{make()!r} {html_of(make())}\n" for make in EVERY_VIEW.values())

    assert printed[0] == printed[1] == here
    assert "0x" not in here


@pytest.mark.parametrize("make", EVERY_VIEW.values(), ids=EVERY_VIEW)
def test_still_picture_is_small_sound_and_described(make):
    html = html_of(make())
    picture = ElementTree.fromstring(html).find("svg")

    assert len(html) < 25_000
    assert picture.get("role") == "img"
    assert len(picture.get("aria-label")) > 20
    assert not re.search(r"nan|inf\b", html)


def test_still_picture_says_who_diverges():
    assert "SGD diverges" in html_of(lab.race("Bowl", [SGD(lr=1.0), "Adam"]))


@pytest.mark.parametrize("name", RULES)
def test_still_picture_names_what_the_rule_computes(name):
    """The picture of the view from inside is worked out by SymPy, the trace by NumPy."""
    view = lab.inside(name, "Ravine", t=7)
    label = ElementTree.fromstring(html_of(view)).find("svg").get("aria-label")
    shown = dict(re.findall(r"(\S+) = ([\d.e+−]+)(?=[,.])", label))
    values = {"g": view.trace.g[7, 0], "step": view.trace.x[7, 0] - view.trace.x[6, 0]}
    values |= {catalog.LABELS.get(k, k): slot[7, 0] for k, slot in view.trace.slots.items()}

    for key, value in values.items():
        if key in shown:
            assert float(shown[key].replace("−", "-")) == pytest.approx(value, rel=0.006), key
    assert {"g", "step"} <= set(shown)


def test_the_still_of_one_weight_tells_the_longest_step_of_each_case():
    told = lab.weight(0.8, 0.99, steps=150).summary
    for signal, gradients in {
        "constant": np.ones(150),
        "alternating": (-1.0) ** np.arange(150),
        "zeros-then-ones": np.repeat([0.0, 1.0], 75),
        "1-then-10": np.repeat([1.0, 10.0], 75),
    }.items():
        with_, without = (
            np.abs(steps_of(kind(1.0, 0.8, 0.99), gradients)).max()
            for kind in (Adam, AdamUncorrected)
        )
        assert f"{signal} {with_:.3g} ({without:.3g})" in told


def test_a_figure_of_one_weight_has_adam_with_its_correction_or_without():
    assert lab.weight(corrected=False).rule == AdamUncorrected(lr=1.0)
    with pytest.raises(ValueError, match="must be one of Adam, AdamUncorrected, not 'SGD'"):
        states.make("weight", "Bowl", [SGD()], signal="constant")
    with pytest.raises(ValueError, match="signal must be one of constant, alternating"):
        lab.weight(signal="rare")


def test_every_rule_and_surface_is_in_the_figures():
    for name in RULES:
        lab.tuner(name).trace  # noqa: B018
        assert f"\n  {name}: {{" in catalog.rules_module()
    for name in SURFACES:
        assert isinstance(lab.race(name).surface, SURFACES[name])


def test_starting_rates_neither_diverge_nor_stand_still():
    """Whatever the reader adds to a map first shows a path towards the minimum."""
    for surface in SURFACES:
        for name in RULES:
            if name == "AdaDelta":  # which starts slowly, whatever the rate
                continue
            trace = states.traces(states.make("race", surface, [name]))[0]
            floor = trace.problem.value(trace.problem.minimum)
            assert trace.loss[-1] - floor < 0.75 * (trace.loss[0] - floor), (surface, name)


def test_widget_module_is_one_module_without_imports():
    module = lab.race()._esm

    assert not re.search(r"^import ", module, re.MULTILINE)
    assert "export default { render }" in module
    assert "export const RULES" in module


def test_modules_are_short_and_each_follows_what_it_imports():
    names = catalog.modules()
    there = {path.name for path in (ROOT / "src/adam_edu/lab/js").glob("*.js")}

    assert set(names) == there - {"page.js"}
    for i, name in enumerate(names):
        text = catalog.source(f"js/{name}")
        assert len(text.splitlines()) <= 200, name
        assert set(catalog.IMPORT.findall(text)) <= {*names[:i], catalog.GENERATED}, name


def test_script_is_small():
    hand = sum(len(catalog.source(f"js/{name}").encode()) for name in catalog.modules())

    assert hand < 104 * 1024


def test_further_looks_are_no_rules_and_stand_out_in_light_and_dark():
    """The contrast is that of graphics, 3 to 1 on the page's paper (WCAG 1.4.11)."""

    def luminance(color):
        parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    css = catalog.source("lab.css")
    papers = ["#ffffff", *re.findall(r"--paper: (#\w{6});", css)]
    assert len(papers) == 2
    known = {style.color for style in STYLE.values()}
    for look in catalog.FURTHER:
        drawn = catalog._style(look)
        assert look.color not in known
        for color, paper in zip((drawn["color"], drawn["dark"]), papers, strict=True):
            light, dark = sorted((luminance(color), luminance(paper)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) > 3, (look, color)


def test_a_second_one_of_a_rule_changes_no_other_look():
    assert catalog.looks(["SGD", "Adam", "Adam", "SGD"])[:2] == catalog.looks(["SGD", "Adam"])
    assert len(set(catalog.looks(["Adam"] * states.MAX_RULES))) == states.MAX_RULES


def test_nothing_is_evaluated():
    for source in (catalog.widget_module(), catalog.page_script()):
        assert not re.search(r"\beval\b|new Function|innerHTML|document\.write", source)


def test_rosenbrock_is_the_first_race():
    assert isinstance(lab.race().surface, Rosenbrock)
