"""The records that come with the package, and what is read from them."""

import math
import re

import numpy as np
import pytest

from adam_edu import plots, recorded
from adam_edu.experiments.specs import SPECS

NAMES = sorted(path.stem for path in recorded.RESULTS.glob("*.json") if path.stem in SPECS)


def record(**changes):
    runs = [
        {"optimizer": "Adam", "dropout": False, "lr": 0.1, "seed": 0, "epochs": 3},
        {"optimizer": "Adam", "dropout": False, "lr": 0.1, "seed": 1, "epochs": 2},
        {"optimizer": "SGD with Nesterov momentum", "dropout": True, "lr": 0.1, "seed": 0},
    ]
    values = [[3.0, 2.0, 1.0], [4.0, None], [5.0, 5.0, 5.0]]
    for run, curve in zip(runs, values, strict=True):
        run |= {"train": curve, "epochs": len(curve)}
    return {
        "command": "adam-edu reproduce x",
        "date": "2026-01-02T03:04:05+00:00",
        "hardware": "CPU",
        "versions": {"torch": "2"},
        "data": {"name": "mnist", "train": 60000},
        "runs": runs,
        "complete": True,
    } | changes


def test_curves_are_padded_where_a_seed_is_shorter_and_where_a_run_diverged():
    found = recorded.curves(record(), dropout=False)
    nan = math.nan
    np.testing.assert_equal(found, {"Adam": np.array([[3.0, 4.0], [2.0, nan], [1.0, nan]])})
    assert list(recorded.curves(record())) == ["Adam", "Nesterov"]
    assert recorded.curves(record(), seed=5) == {}


def test_how_states_in_what_a_record_falls_short():
    assert recorded.how(record()).endswith("It is the whole experiment.")
    partial = record(
        complete=False,
        finished=False,
        reduced={"seeds": 1, "epochs": [10, 10], "grid": [0.001, 0.1], "dropout": [False]},
        done={"epochs": 3, "of": 10},
    )
    for run in partial["runs"]:
        run["epochs"] = 3
    assert max(map(len, recorded.how(partial).splitlines())) <= 72
    text = " ".join(recorded.how(partial).split())
    assert "Planned smaller: seeds 1; epochs 10; grid 0.001, 0.1; without dropout alone." in text
    assert "Stopped after 3 of 10 epochs, the same for every run." in text
    assert "whole experiment" not in text


def test_what_a_record_says_of_itself_is_a_table_that_opens():
    shown = recorded.about(recorded.load_result("vae-mnist") | {"choices": "p < 0.5"})
    assert "Stopped after 10 of 100 epochs" in repr(shown).splitlines()[1]
    assert "chosen by" not in repr(shown)  # its grid is the experiment
    html = shown._repr_html_()
    assert html.startswith("<details><summary>The record: It is a part of the experiment.")
    assert "p &lt; 0.5" in html
    assert html.count("<tr>") == html.count("</tr>") == len(shown.rows) == 6


def test_a_claims_table_escapes_its_text_and_computes_its_verdicts():
    claims = recorded.Claims(
        (
            recorded.Claim("a < b", "x & y", (True, False)),
            recorded.Claim("c", "d", (False,)),
        ),
        head="read into <it>",
    )
    html = claims._repr_html_()
    assert '<th scope="col">read into &lt;it&gt;</th>' in html
    assert "a &lt; b" in html
    assert "x &amp; y" in html
    assert re.findall("<strong>(.*?)</strong>", html) == ["held in part (1 of 2)", "did not hold"]
    assert repr(claims).splitlines()[0] == "held in part (1 of 2): a < b x & y"
    assert recorded.verdict([]) == "not tested"


def test_a_claim_about_seeds_fails_by_one_seed_or_a_diverged_run():
    assert recorded.beats([1.0, 1.0], [2.0, 1.5])
    assert not recorded.beats([1.0, 1.0], [2.0, 0.5])
    assert not recorded.beats([1.0, math.nan], [2.0, 2.0])


def test_curves_are_drawn_with_their_spread_and_a_variant_in_dots():
    ax = plots.panels()
    curves = {"Adam": np.array([[1.0, 3.0, 2.0], [0.5, 1.0, 0.7]])}
    plots.recorded(ax, curves | {"Adam, constant": curves["Adam"] + 1})
    plain, variant = ax.get_lines()
    assert plain.get_ydata().tolist() == [2.0, 0.7]
    assert plain.get_xdata().tolist() == [1, 2]
    assert plain.get_linestyle() != variant.get_linestyle()
    assert ax.collections[0].get_datalim(ax.transData).height == pytest.approx(2.5)


def test_a_record_says_which_of_its_runs_stopped_before_their_end():
    found = recorded.load_result("mlp-mnist") | {"finished": False, "complete": False}
    found["setup"] = found["setup"] | {"seeds": [0, 1], "epochs": [200, 50]}
    found["done"] = {"tuning": True, "epochs": 200, "of": 200}

    def with_epochs(lengths):
        runs = [
            {"seed": seed, "dropout": dropout, "epochs": epochs}
            for (seed, dropout), epochs in lengths.items()
        ]
        return " ".join(recorded.how(found | {"runs": runs}).split())

    uneven = {(0, True): 200, (0, False): 120, (1, True): 50, (1, False): 50}
    text = with_epochs(uneven)
    assert "Epochs: 50 to 200." in text
    assert text.endswith("before their end: seed 0 without dropout after 120 of 200 epochs.")
    text = with_epochs({(0, True): 90, (1, True): 50})
    assert text.endswith("before their end: seed 0 after 90 of 200 epochs.")
    found["done"]["epochs"] = 40
    text = with_epochs({(0, True): 40, (1, True): 40})
    assert text.endswith("Stopped after 40 of 200 epochs, the same for every run.")


@pytest.mark.parametrize("name", NAMES)
def test_a_record_is_consistent_and_tells_no_more_than_it_should(name):
    found = recorded.load_result(name)
    spec = SPECS[name]
    assert found["experiment"] == name
    assert not found["quick"]
    assert {run["optimizer"] for run in found["runs"]} == {e.label for e in spec.entrants}
    if found["complete"]:
        assert [run["epochs"] for run in found["runs"]] == [
            n for n in spec.epochs for _ in range(len(found["runs"]) // len(spec.epochs))
        ]
    else:
        # No entrant has gone further than another with the same seed.
        lengths: dict[tuple[int, bool], set[int]] = {}
        for run in found["runs"]:
            lengths.setdefault((run["seed"], run["dropout"]), set()).add(run["epochs"])
        assert {len(found) for found in lengths.values()} == {1}
        assert found["reduced"] or not found["finished"]
    for row in found["tuning"]:
        own = found["setup"].get("own_grids", {})
        assert row["lr"] == own.get(row["optimizer"], found["setup"]["grid"])
    text = (recorded.RESULTS / f"{name}.json").read_text(encoding="utf-8")
    assert not re.search(r"/(work|home|root|tmp|Users)/|EPYC|Xeon|Ryzen|Intel|AMD", text)


def test_a_grid_has_the_curves_of_each_setting_with_their_holes():
    runs = [
        {"optimizer": "Adam, beta1 0.9, beta2 0.99", "lr": 0.1, "seed": seed, "train": train}
        for seed, train in enumerate(([3.0, 2.0], [4.0, None], [5.0]))
    ]
    runs.append({"optimizer": "AdamUncorrected, beta1 0, beta2 0.9999", "lr": 0.1, "train": [6.0]})
    found = recorded.grid({"runs": runs})
    with_, without = found
    assert with_ == recorded.Setting(True, 0.9, 0.99, 0.1)
    np.testing.assert_array_equal(found[with_], [[3, 4, 5], [2, np.nan, np.nan]])
    np.testing.assert_array_equal(found[without], [[6]])
    assert with_.first_step == 0.1
    assert without.first_step == pytest.approx(10.0)
    with pytest.raises(ValueError, match="no setting of Adam"):
        recorded.grid({"runs": [{"optimizer": "SGD", "lr": 0.1, "train": [1.0]}]})
