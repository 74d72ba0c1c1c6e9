"""The command line."""

import builtins
import json

import pytest

from adam_edu import cli
from adam_edu.experiments import record
from adam_edu.experiments.specs import SPECS


def test_the_names_in_the_help_are_those_of_the_specs():
    assert set(cli.EXPERIMENTS) == set(SPECS)


def test_an_unknown_experiment_names_the_known_ones(capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["reproduce", "mlp"])
    assert exit_.value.code == 2
    assert "mlp-mnist" in capsys.readouterr().err


@pytest.mark.parametrize("seeds", ["0", "-1", "many"])
def test_seeds_must_be_a_positive_number(seeds):
    with pytest.raises(SystemExit):
        cli.main(["reproduce", "mlp-mnist", "--seeds", seeds])


@pytest.mark.parametrize("device", ["tpu", "cuda:99"])
def test_a_device_that_is_not_there_gives_one_line(device, capsys):
    assert cli.main(["bench", "--quick", "--device", device]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_without_torch_one_line_says_how_to_get_it(monkeypatch, capsys):
    real_import = builtins.__import__

    def no_torch(name, *args, **kwargs):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_torch)
    assert cli.main(["bench"]) == 1
    assert capsys.readouterr().err == (
        "adam-edu bench needs torch, which is not installed: pip install 'adam-edu[torch,data]'\n"
    )


def test_a_quick_run_is_recorded_in_the_users_directory(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path)
    before = {path: path.read_bytes() for path in record.RESULTS.glob("*.json")}
    assert cli.main(["reproduce", "logistic-mnist", "--quick", "--seeds", "1"]) == 0
    path = tmp_path / "quick" / "logistic-mnist.json"
    written = json.loads(path.read_text())
    assert written["finished"]
    assert not written["complete"]
    assert written["reduced"] == {"seeds": 1}
    assert written["command"] == "adam-edu reproduce logistic-mnist --device=cpu --quick --seeds=1"
    assert {run["optimizer"] for run in written["runs"]} == {
        entrant.label for entrant in SPECS["logistic-mnist"].entrants
    }
    assert {path: path.read_bytes() for path in record.RESULTS.glob("*.json")} == before
    assert str(path) in capsys.readouterr().out
