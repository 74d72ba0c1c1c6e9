"""The verdicts on the paper's claims: those of the chapters, and none where a record is short."""

import nbformat
import numpy as np
import pytest
from conftest import ROOT

from adam_edu.claims import TESTS, claims
from adam_edu.recorded import load_result, verdict

# The table of a chapter, and how many of its claims the command line has too.
CHAPTERS = {
    "logistic-mnist": ("logistic-regression", 0, 2),
    "logistic-imdb": ("logistic-regression", 1, 4),
    "mlp-mnist": ("multilayer-network", 0, 2),
    "cnn-cifar10": ("convolutional-network", 0, 2),
    "vae-mnist": ("vae", 0, 1),
}


def tables(chapter):
    """Return the verdicts in the tables of claims that a chapter shows."""
    found = []
    for cell in nbformat.read(ROOT / f"book/{chapter}.ipynb", as_version=4).cells:
        if cell.cell_type == "code" and "recorded.Claims((" in cell.source:
            text = cell.outputs[-1]["data"]["text/plain"]
            found.append([line.split(":")[0] for line in text.splitlines()])
    return found


@pytest.mark.pages
@pytest.mark.parametrize("name", TESTS)
def test_the_verdicts_are_those_of_the_chapters(name):
    chapter, table, count = CHAPTERS[name]
    rows = claims(load_result(name)).rows

    assert [verdict(row.held) for row in rows] == tables(chapter)[table][:count]


def shortened(record, epochs):
    keys = ("train", "test_loss", "test_error")
    runs = [
        {k: v[:epochs] if k in keys else v for k, v in run.items()} | {"epochs": epochs}
        for run in record["runs"]
    ]
    return record | {"runs": runs}


@pytest.mark.parametrize("name", TESTS)
def test_a_short_record_decides_nothing_late(name):
    record = load_result(name)
    short = claims(shortened(record, 2)).rows
    if name != "vae-mnist":  # its claim is about the first epochs
        assert [row.held for row in short] == [()] * len(short)
    assert all(row.held == () for row in claims(record | {"runs": []}).rows)


@pytest.mark.parametrize("name", TESTS)
def test_without_adam_nothing_is_decided(name):
    record = load_result(name)
    runs = [run for run in record["runs"] if not run["optimizer"].startswith("Adam")]
    rows = claims(record | {"runs": [run for run in runs if run["optimizer"] != "Adam"]}).rows

    assert all(row.held == () for row in rows if "Adam" in row.claim.replace("AdaGrad", ""))


def test_a_verdict_follows_the_numbers():
    record = load_result("logistic-mnist")
    worse = [
        run | {"train": [2 * v for v in run["train"]]} if run["optimizer"] == "Adam" else run
        for run in record["runs"]
    ]
    alike, faster = claims(record | {"runs": worse}).rows

    assert alike.held == (False, False)
    assert faster.held == (False, False)
    assert "100.0%" in alike.found or float(alike.found.split("most ")[1].split("%")[0]) > 90


def test_a_diverged_run_beats_nobody():
    record = load_result("logistic-mnist")
    broken = [
        run | {"train": [None] * run["epochs"]} if run["optimizer"] == "Adam" else run
        for run in record["runs"]
    ]
    with np.errstate(all="raise"):
        rows = claims(record | {"runs": broken}).rows

    assert [row.held for row in rows] == [(False, False)] * 2


def test_a_control_of_ours_has_no_claim():
    assert claims(load_result("mlp-mnist-rates")).rows == ()
