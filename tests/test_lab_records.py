"""Recorded runs as a live figure, from Python: the state, what it says, what is refused."""

import copy
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from record_samples import QUANTITIES, settings, tuned

from adam_edu import lab, recorded
from adam_edu.lab import records

SHIPPED = ["cnn-cifar10", "logistic-imdb", "logistic-mnist", "mlp-mnist", "vae-mnist"]


def html_of(view):
    return view._repr_mimebundle_()[0]["text/html"]


def medians(record, quantity, epoch, **where):
    """Work out the ranking with NumPy from the record itself."""
    found = {}
    for name, values in recorded.curves(record, quantity, **where).items():
        lengths = [
            len(run[quantity])
            for run in record["runs"]
            if recorded.SHORT.get(run["optimizer"], run["optimizer"]) == name
            and all(run[key] == value for key, value in where.items())
        ]
        reached = values[epoch - 1][[length >= epoch for length in lengths]]
        found[name] = np.median(np.where(np.isnan(reached), np.inf, reached))
    return dict(sorted(found.items(), key=lambda item: item[1]))


@pytest.mark.parametrize("dropout", [True, False])
@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("epoch", [1, 5, 6, 9, 12])
def test_the_ranking_is_that_of_the_record(quantity, dropout, epoch):
    record = tuned()
    expected = medians(record, quantity, epoch, dropout=dropout)

    view = lab.record(record, quantity, dropout=dropout, epoch=epoch)
    found = records.ranking(view.state)

    assert [one.name for one in found] == list(expected)
    unit = 100 if quantity == "test_error" else 1
    np.testing.assert_allclose(
        [one.median for one in found], unit * np.array(list(expected.values())), rtol=1e-3
    )


def test_ranges_that_overlap_are_said_to():
    record = {"runs": []}
    for name, values in {"Adam": (1.0, 2.0), "SGD": (1.9, 3.0), "Lion": (3.1, 3.2)}.items():
        for seed, value in enumerate(values):
            run = {"optimizer": name, "dropout": False, "lr": 1, "seed": seed, "train": [value]}
            record["runs"].append(run)

    view = lab.record(record, title="three")

    assert view.summary == (
        "three, training loss after epoch 1, lowest first: Adam 1.5 (1 to 2); "
        "SGD 2.45 (1.9 to 3, overlaps with the one before); Lion 3.15 (3.1 to 3.2)."
    )


def test_a_diverged_seed_counts_as_the_worst_and_a_short_one_does_not_count():
    view = lab.record(tuned(), epoch=8)
    last = records.ranking(view.state)[-1]
    assert (last.name, last.seeds, last.diverged) == ("RMSProp", 3, 1)
    assert last.high == np.inf
    assert "1 of 3 seeds diverged" in view.summary

    view = lab.record(tuned(), epoch=9)
    assert "2 of 3 seeds" in view.summary
    assert {one.seeds for one in records.ranking(view.state)} == {2}

    record = tuned()
    for run in record["runs"]:
        if run["optimizer"] == "RMSProp":
            run |= {quantity: [None] * 12 for quantity in QUANTITIES}
        if run["optimizer"] == "AdaGrad":
            run |= {quantity: run[quantity][:3] for quantity in QUANTITIES}
    text = lab.record(record).summary
    assert text.endswith("RMSProp: all 3 seeds diverged; AdaGrad: no run is that long.")
    assert "inf" not in html_of(lab.record(record))


def test_a_grid_tells_what_is_broken_and_where():
    record = settings()
    view = lab.record(record)
    by_name = {(run["optimizer"], run["lr"]): run["train"][-1] for run in record["runs"]}
    most = 1.1 * max(
        run["train"][0]
        for run in record["runs"]
        if run["optimizer"].startswith("Adam,") and run["lr"] == 1e-5
    )

    assert records.limit(view.state) == pytest.approx(most, rel=1e-3)
    for (beta2, corrected), rates in records.broken(view.state).items():
        name = f"{'Adam' if corrected else 'AdamUncorrected'}, beta1 0, beta2 {beta2:g}"
        lost = [
            lr
            for (label, lr), loss in by_name.items()
            if label == name and (loss is None or loss > most)
        ]
        assert rates == sorted(lost)
    assert view.summary.endswith(
        "β₂ = 0.9999: with correction none broken, without correction broken at 0.001, 0.01, 0.1."
    )
    assert lab.record(record, beta1=0.9, epoch=1).summary != view.summary


@pytest.mark.parametrize("name", SHIPPED)
def test_the_records_that_come_with_the_package_can_be_shown(name):
    view = lab.record(name)
    picture = ElementTree.fromstring(html_of(view)).find("svg")

    assert picture.get("aria-label") == view.summary
    assert view.summary in repr(view) + "."
    assert view.state["title"] == name
    assert len(html_of(view)) < 160_000


def test_a_state_holds_plain_rounded_numbers_and_nothing_more():
    record = tuned()
    state = lab.record(record).state
    values = [v for run in state["runs"] for q in QUANTITIES for c in run[q] for v in c]

    assert json.loads(json.dumps(state)) == state
    assert len(values) == sum(len(run[q]) for run in record["runs"] for q in QUANTITIES)
    assert all(v is None or v == float(f"{v:.4g}") for v in values)
    assert set(state) == {
        *("view", "title", "quantity", "scale", "dropout", "runs", "t", "steps"),
    }


def test_what_was_not_recorded_does_not_travel():
    record = tuned()
    for run in record["runs"]:
        del run["test_loss"]

    assert records.quantities(lab.record(record).state) == ["train", "test_error"]
    with pytest.raises(KeyError, match=r"'test_loss'.*Known: train, test_error"):
        lab.record(record, "test_loss")


def test_a_state_from_the_browser_is_taken_over():
    view = lab.record(tuned())
    before = view.summary
    view.state = view.state | {"dropout": False, "quantity": "test_error", "t": 2}

    assert "test error (%) without dropout after epoch 2" in view.summary
    assert view.summary != before
    # Numbers that are whole come back as whole ones.
    view = lab.record(settings())
    runs = [run | {"beta1": int(run["beta1"])} for run in view.state["runs"] if not run["beta1"]]
    view.state = view.state | {"runs": runs}
    assert view.state["beta1"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"record": "mlp-mnits"}, "did you mean 'mlp-mnist'"),
        ({"record": "mlp-mnist-cost"}, "has no runs"),
        ({"record": {"runs": []}}, "has no runs"),
        ({"record": 7}, "a record or the name of one"),
        ({"quantity": "test_eror"}, "did you mean 'test_error'"),
        ({"epoch": 0}, "epoch must be from 1 to 12"),
        ({"epoch": 13}, "epoch must be from 1 to 12"),
        ({"epoch": 2.5}, "epoch must be from 1 to 12"),
        ({"scale": "logarithmic"}, "scale must be 'log' or 'linear'"),
        ({"beta1": 0.9}, "no grid"),
        ({"record": tuned(versions=(False,)), "dropout": True}, "dropout must be one of"),
        ({"record": settings(), "dropout": False}, "leave dropout out"),
        ({"record": settings(), "beta1": 0.5}, "beta1 must be one of the runs': 0.0, 0.9"),
        ({"record": settings(), "quantity": "test_error"}, "Known: train"),
        ({"title": 7}, "title must be a text"),
    ],
)
def test_wrong_arguments_are_explained(arguments, message):
    with pytest.raises((KeyError, TypeError, ValueError), match=message):
        lab.record(**{"record": tuned()} | arguments)


def test_a_grid_of_other_names_is_refused():
    record = settings()
    record["runs"][0]["optimizer"] = record["runs"][1]["optimizer"] = "SGD, warm"
    with pytest.raises(ValueError, match=r"such as 'Adam, beta1 0\.9, beta2 0\.999'.*'SGD, warm'"):
        lab.record(record)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state | {"runs": []}, "number of values must be 1 to"),
        (lambda state: state | {"t": 99}, "epoch must be"),
        (lambda state: state | {"t": True}, "epoch must be"),
        (lambda state: state["runs"][0] | {"optimizer": 3}, "optimizer of a run must be a text"),
        (lambda state: state["runs"][0] | {"train": [[1e999]]}, "train must be finite"),
        (lambda state: state["runs"][0] | {"train": [["1"]]}, "train must be numbers"),
        (lambda state: state["runs"][0] | {"train": [[1.0] * 200_000]}, "number of values"),
    ],
)
def test_a_wrong_state_is_refused_and_changes_nothing(change, message):
    view = lab.record(tuned())
    before = copy.deepcopy(view.state)
    wrong = change(before)
    if "view" not in wrong:
        wrong = before | {"runs": [wrong]}

    with pytest.raises((TypeError, ValueError), match=message):
        view.state = wrong

    assert view.state == before


def test_a_record_has_no_rule_to_run():
    view = lab.record(tuned())
    for name in ("rule", "surface", "schedule", "trace"):
        with pytest.raises(TypeError, match="its summary says"):
            getattr(view, name)


def test_the_still_picture_has_every_line_and_no_infinite_place():
    html = html_of(lab.record(tuned()))
    texts = [t.text for t in ElementTree.fromstring(html).find("svg").iter("text")]

    assert {"Adam", "Nesterov", "AdaGrad", "AdaGrad, constant", "RMSProp"} <= set(texts)
    assert {"epoch 1", "epoch 12", "training loss with dropout"} <= set(texts)
    for view in (lab.record(tuned()), lab.record(settings()), lab.record(settings(), beta1=0.9)):
        for scale in ("log", "linear"):
            view.state = view.state | {"scale": scale}
            assert not re.search(r"\bnan|\binf", html_of(view))
    crosses = html_of(lab.record(settings())).count(">×<")
    assert crosses == sum(map(len, records.broken(lab.record(settings()).state).values()))


def test_a_record_of_one_epoch_and_one_seed_can_be_shown():
    run = {"optimizer": "Mine", "dropout": False, "lr": 1.0, "seed": 0, "train": [0.0]}
    view = lab.record({"runs": [run]})

    assert view.summary == "runs, training loss after epoch 1, lowest first: Mine 0 (one seed)."
    assert "<svg" in html_of(view)
