"""What tests of handed-in files share: a folder of their own, a right answer, the command."""

import json
from pathlib import Path

import pytest

from adam_edu.cli import main

RIGHT = """
import numpy as np

def first_step(g, lr=1e-3, eps=1e-8):
    return -lr * g / (abs(g) + eps)
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_STATE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "state"))


def write(text, name="first_step.py"):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


def checked(*arguments, capsys):
    """Return the exit status of a check and the JSON that it prints, which is in ASCII."""
    status = main(["exercise", "check", *map(str, arguments), "--json"])
    out = capsys.readouterr().out
    assert out.isascii()
    return status, json.loads(out)
