"""``adam-edu reproduce`` as people use it: what it says, what it refuses, how it is stopped."""

import argparse
import json
import re
import signal
import subprocess
import sys

import pytest

from adam_edu import __version__, arguments, cli
from adam_edu.experiments import reproduce as reproducing
from adam_edu.recorded import load_result

QUICK = ["reproduce", "logistic-mnist", "--quick", "--seeds", "1"]


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """Return the arguments of a run of seconds that keeps its files in a folder of the test."""
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path)
    return QUICK


def refused(words, capsys):
    """Return what is said of arguments that are refused."""
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_the_version_is_said(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])

    assert end.value.code == 0
    assert capsys.readouterr().out == f"adam-edu {__version__}\n"


def test_it_runs_as_a_module():
    command = [sys.executable, "-W", "error", "-m", "adam_edu", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == f"adam-edu {__version__}\n"


# Numbers and folders


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--seeds", "0", "must be 1 or more, not 0"),
        ("--epochs", "-3", "must be 1 or more, not -3"),
        ("--examples", "many", "must be a whole number, 1 or more, not 'many'"),
        ("--tuning-epochs", "1.5", "must be a whole number, 1 or more, not '1.5'"),
        ("--minutes", "0", "must be a number of minutes above 0, not '0'"),
        ("--minutes", "-1", "must be a number of minutes above 0, not '-1'"),
        ("--minutes", "nan", "must be a number of minutes above 0, not 'nan'"),
        ("--minutes", "soon", "must be a number of minutes above 0, not 'soon'"),
        ("--rates", "0.1,", "between commas, such as 0.001,0.01, not '0.1,'"),
        ("--rates", "0.1,0", "must be learning rates above 0"),
        ("--rates", "inf", "must be learning rates above 0"),
        ("--rates", "0.1,fast", "must be learning rates above 0"),
        ("--rates", "0.1,0.10", "names a learning rate twice"),
    ],
)
def test_impossible_numbers_are_refused_in_words(option, value, words, capsys):
    said = refused(["reproduce", "mlp-mnist", f"{option}={value}"], capsys)

    assert f"argument {option}: " in said
    assert words in said


def test_possible_numbers_are_taken():
    assert arguments.whole("3") == 3
    assert arguments.minutes("0.5") == 0.5
    assert arguments.rates("1e-3,0.01") == (0.001, 0.01)
    with pytest.raises(argparse.ArgumentTypeError):
        arguments.minutes("inf")


@pytest.mark.parametrize("option", ["--output", "--checkpoints"])
@pytest.mark.parametrize("below", ["", "below"])
def test_a_folder_is_tried_before_the_training(option, below, quick, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(reproducing, "reproduce", lambda *_, **__: pytest.fail("it trained"))
    taken = tmp_path / "taken"
    taken.write_text("a file")

    assert cli.main([*quick, option, str(taken / below)]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert option in said
    assert str(taken) in said
    assert taken.read_text() == "a file"


def test_a_folder_that_is_missing_is_made(tmp_path):
    made = arguments.folder(tmp_path / "a/b", "--output")

    assert made.is_dir()
    assert list(made.iterdir()) == []


# What it says


def test_it_says_at_once_what_it_does(quick, capsys, monkeypatch):
    order = []
    monkeypatch.setattr(cli, "_say", order.append)
    monkeypatch.setattr(cli, "_check_device", lambda device: order.append("torch"))

    assert cli.main(quick) == 0
    assert order[0] == "logistic-mnist: loading Torch, which takes some seconds ..."
    assert order[1] == "torch"


def test_the_first_word_comes_before_torch():
    """A reader waits half a minute for Torch on a slow disk, and must not think that it hangs."""
    script = (
        "import sys\n"
        "from adam_edu import cli\n"
        "def say(text):\n"
        "    print('torch' in sys.modules, text)\n"
        "    raise SystemExit\n"
        "cli._say = say\n"
        f"cli.main({QUICK})\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.stdout.startswith("False logistic-mnist: loading Torch"), done.stderr


def test_at_the_end_the_verdict_stands_beside_the_claim(quick, capsys):
    assert cli.main(quick) == 0
    said = capsys.readouterr().out

    assert "Figure 1, left (section 6.1): the paper's claims, and this record" in said
    assert "not tested: Adam converges like SGD with Nesterov momentum." in said
    assert "A quick run on digits is a trial of the program, no test." in said
    assert max(map(len, said.splitlines()[1:])) <= 80


def test_the_curves_are_drawn_here_and_into_a_file(quick, tmp_path, capsys):
    assert cli.main([*quick, "--plot"]) == 0
    said = capsys.readouterr().out
    picture = tmp_path / "quick/logistic-mnist.png"

    assert "++ Adam   xx Nesterov   oo AdaGrad" in said
    assert all(said.count(mark) > 10 for mark in "+xo")
    assert "\x1b" not in said  # no colours where they would be letters
    assert str(picture) in said
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "plot" not in json.loads(picture.with_suffix(".json").read_text())["command"]


def test_without_what_draws_it_says_so_before_the_training(quick, capsys, monkeypatch):
    monkeypatch.setattr(reproducing, "reproduce", lambda *_, **__: pytest.fail("it trained"))
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == "matplotlib" else name)

    assert cli.main([*quick, "--plot"]) == 1
    assert capsys.readouterr().err == (
        "adam-edu reproduce needs matplotlib, which is not installed: "
        "pip install 'adam-edu[torch,data,lab]'\n"
    )


# How it is stopped


def test_ctrl_c_ends_with_one_line(quick, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(reproducing, "reproduce", interrupted)

    assert cli.main(quick) == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        "adam-edu reproduce: stopped. What is done is kept: the same command goes on where it was."
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has another signal for Ctrl-C")
def test_after_ctrl_c_the_same_command_goes_on(tmp_path):
    folders = [f"--output={tmp_path / 'out'}", f"--checkpoints={tmp_path / 'states'}"]
    few = ["--rates=0.001,0.01", "--dropout=with"]
    command = [sys.executable, "-m", "adam_edu", "reproduce", "mlp-mnist", *QUICK[2:], *few]
    command += folders
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        seen = ""
        while not re.search(r"[1-9]\d*/\d+ \[", seen):  # an epoch is done
            letter = run.stderr.read(1)
            assert letter, seen
            seen += letter
        run.send_signal(signal.SIGINT)
        seen += run.stderr.read()
    kept = len(list((tmp_path / "states").rglob("*.json")))
    recorded = (tmp_path / "out/mlp-mnist.json").exists()
    done = subprocess.run(command, capture_output=True, text=True)

    assert run.returncode == 130, seen
    assert "Traceback" not in seen
    assert seen.splitlines()[-1].endswith("the same command goes on where it was.")
    assert not recorded
    assert kept > 0
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out/mlp-mnist.json").read_text())["finished"]


def test_records_are_told_with_colour_and_without():
    summary = pytest.importorskip("adam_edu.experiments.summary")
    record = load_result("vae-mnist")

    assert "\x1b[" in summary.as_text(record, color=True)
    assert "\x1b[" not in summary.as_text(record, color=False)
    assert len(summary.lines(record, dropout=False)) == summary.LINES
    assert "nothing to draw" in summary.as_text(record | {"runs": []}, color=False)
