"""The option that keeps finished runs in a file, and the files of them that are committed."""

import json

import pytest
import torch
from conftest import ROOT

from adam_edu import cli
from adam_edu.experiments import finished, reproduce
from adam_edu.experiments.plan import tuning_trials
from adam_edu.experiments.products import PRECISIONS
from adam_edu.experiments.specs import SPECS
from adam_edu.experiments.tasks import Task


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Return the words of a run of seconds, in a folder of the test."""
    monkeypatch.chdir(tmp_path)
    words = ["reproduce", "logistic-mnist", "--quick", "--seeds=1"]
    return [*words, "--checkpoints=states", "--output=out", "--finished=records/a.jsonl"]


def test_the_command_makes_the_file_and_its_record_names_it(command, tmp_path, capsys):
    assert cli.main(command) == 0
    path = tmp_path / "records/a.jsonl"
    text, record = path.read_text(), json.loads((tmp_path / "out/logistic-mnist.json").read_text())

    assert record["command"].endswith(" --seeds=1 --finished=records/a.jsonl")
    assert {json.loads(line)["experiment"] for line in text.splitlines()} == {"logistic-mnist"}
    for file in (tmp_path / "states").rglob("*.json"):
        file.unlink()
    assert cli.main(command) == 0
    again = json.loads((tmp_path / "out/logistic-mnist.json").read_text())
    assert again["runs"] == record["runs"]
    assert path.read_text() == text
    assert not list((tmp_path / "states").rglob("*.json"))

    path.write_text(text[:-10])
    capsys.readouterr()
    assert cli.main(command) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("adam-edu reproduce: records/a.jsonl, line ")
    assert "is damaged" in said


def test_a_file_for_all_experiments_is_refused(tmp_path, capsys):
    assert cli.main(["reproduce", "all", f"--finished={tmp_path / 'a.jsonl'}"]) == 1
    assert capsys.readouterr().err == (
        "adam-edu reproduce: --finished is a file of one experiment: "
        "name that one in place of all\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", sorted((ROOT / "records").glob("*.jsonl")), ids=lambda p: p.stem)
def test_what_is_committed_can_go_on(file, tmp_path):
    """A record in the making is of the experiment as it is, or its file has to go."""
    spec = SPECS[file.stem]
    path = tmp_path / file.name
    path.write_bytes(file.read_bytes())
    (precision,) = {
        PRECISIONS["bfloat16" in line["precision"]] for _, line in finished.whole_lines(path)
    }
    task = Task(torch.zeros(1, 784).expand(60000, -1), torch.arange(60000) % 10, None, None)
    run = reproduce.Reproduction(spec, task, tmp_path, precision=precision, finished=path)

    assert any(run.finished.progress([trial]) for trial in tuning_trials(spec))
