"""The record of what other libraries' Adam is, against those that are installed here."""

import json
import re
from dataclasses import asdict, replace
from functools import partial
from math import sqrt

import numpy as np
import pytest
from libraries import difference, keras, recording, run_keras, run_rule

from adam_edu import libraries
from adam_edu.libraries import EpsilonHat
from adam_edu.rules import Adam

FORMS = {libraries.ALGORITHM_1, libraries.EPSILON_HAT, libraries.INSIDE_ROOT}


@pytest.mark.parametrize("name", libraries.MEASURABLE)
def test_record_is_what_the_installed_library_does(name):
    found = libraries.measure(name)
    assert replace(libraries.recorded()[name], version=found.version) == found


@pytest.mark.parametrize("name", libraries.record()["relatives"])
def test_record_of_the_other_optimizers_is_what_the_library_declares(name):
    assert libraries.record()["relatives"][name] == libraries.measure_relatives(name)


def test_record_says_which_rows_were_measured():
    measured = {name for name, row in libraries.recorded().items() if row.measured}
    assert measured == set(libraries.MEASURABLE)


def test_every_row_is_complete_and_its_source_an_address():
    for row in libraries.recorded().values():
        assert row.form in FORMS, row
        assert re.match(r"https://\S+$", row.source), row
        assert row.version
        assert 0 < row.eps < 1e-4
        assert all(beta is None or 0 < beta < 1 for beta in (row.beta1, row.beta2)), row


def test_the_blogs_rows_name_libraries_of_the_record():
    record = libraries.recorded()
    assert {row["today"] for row in libraries.record()["blog"]} <= set(record)


def test_remeasuring_leaves_the_record_as_it_is(tmp_path):
    path = tmp_path / "record.json"
    stale = libraries.record()
    stale["libraries"][0] |= {"lr": 7.0}
    path.write_text(libraries.as_text(stale), encoding="utf-8")

    libraries.remeasure(path)

    # What the libraries do, whichever of their versions are here.
    found = [json.loads(path.read_text(encoding="utf-8")), libraries.record()]
    for row in (row for record in found for row in record["libraries"]):
        del row["version"]
    assert found[0] == found[1]


def test_a_missing_library_is_an_import_error_and_keeps_its_row(tmp_path, monkeypatch):
    gone = replace(libraries.MEASURABLE["Keras"], module="no_such_module")
    monkeypatch.setitem(libraries.MEASURABLE, "Keras", gone)
    with pytest.raises(ImportError):
        libraries.measure("keras")

    path = tmp_path / "record.json"
    path.write_text(libraries.as_text(libraries.record()), encoding="utf-8")
    libraries.remeasure(path)
    assert asdict(libraries.recorded()["Keras"]) in json.loads(path.read_text())["libraries"]


def test_an_unknown_library_is_named_with_the_nearest():
    with pytest.raises(KeyError, match="did you mean 'Keras'"):
        libraries.measure("kears")


@pytest.mark.parametrize(
    ("step", "form"),
    [(-0.5, libraries.ALGORITHM_1), (-1 / sqrt(2), libraries.INSIDE_ROOT)],
)
def test_epsilon_form(step, form):
    assert libraries.epsilon_form(step) == form


@pytest.mark.parametrize("step", [0.5, -1.0, -0.1 / (sqrt(0.001) + 1), float("nan")])
def test_an_unknown_form_is_refused(step):
    with pytest.raises(ValueError, match="no known form"):
        libraries.epsilon_form(step)


def test_epsilon_hat_is_kerass_adam_and_not_algorithm_1():
    xs, gs = recording(seed=3, steps=1000)
    theirs = run_keras(partial(keras.optimizers.Adam, 1e-3), xs, gs)
    assert difference(run_rule(EpsilonHat(), xs, gs).x, theirs.x) < 1e-12
    assert difference(run_rule(Adam(eps=1e-7), xs, gs).x, theirs.x) > 1e-5


@pytest.mark.parametrize("t", [1, 10, 1000])
def test_epsilon_hat_is_adam_with_an_epsilon_that_falls(t):
    g, m, v = np.array([1e-7, 1.0]), np.array([1e-8, 0.2]), np.array([1e-15, 0.1])
    ours = EpsilonHat().update(t, 0 * g, g, m, v)
    adam = Adam(eps=1e-7 / sqrt(1 - 0.999**t)).update(t, 0 * g, g, m, v)
    np.testing.assert_allclose(ours, adam, rtol=1e-12)
