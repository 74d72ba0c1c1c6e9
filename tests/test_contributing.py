"""CONTRIBUTING.md, followed to the letter in an empty folder: a new optimizer from what it says."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

pytestmark = pytest.mark.pages


def section(title):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return re.split(r"^## ", text.partition(f"## {title}")[2], flags=re.MULTILINE)[0]


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.slow
def test_a_new_optimizer_needs_no_more_than_what_it_says(tmp_path):
    tmp_path /= "mit Leerzeichen und Ümläut"
    tmp_path.mkdir()
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    guide = section("An optimizer")
    rule, registered, compared, natively = blocks(guide, "python")
    (command,) = re.findall(r"^\.venv/bin/python (-m pytest .*)$", guide, re.MULTILINE)

    rules = tmp_path / "src/adam_edu/recent_rules.py"
    text = rules.read_text(encoding="utf-8").replace("RECENT: dict", f"{rule}\n\nRECENT: dict")
    head, _, tail = text.rpartition("    )\n}")
    rules.write_text(f"{head}{registered}    )\n}}{tail}", encoding="utf-8")
    parity = tmp_path / "tests/test_parity.py"
    before, _, after = parity.read_text(encoding="utf-8").partition("PEERS = {")
    peers, _, rest = after.partition("\n}\n")
    parity.write_text(f"{before}PEERS = {{{peers}\n{compared}}}\n{rest}", encoding="utf-8")

    for check in (["check"], ["format", "--check"]):
        lint = [sys.executable, "-m", "ruff", *check, "--no-cache", rules, parity]
        linted = subprocess.run(lint, cwd=tmp_path, capture_output=True, text=True)
        assert linted.returncode == 0, linted.stdout
    about = {
        "cwd": tmp_path,
        "env": os.environ | {"PYTHONPATH": str(tmp_path / "src")},
        "capture_output": True,
        "text": True,
    }
    stepped = subprocess.run([sys.executable, "-c", f"{natively}\nprint(x[0])"], **about)
    assert abs(float(stepped.stdout) + 4e-4) < 1e-9, stepped.stderr
    done = subprocess.run(
        [sys.executable, *command.split(), "-p", "no:xdist", "-p", "no:cacheprovider"], **about
    )

    assert done.returncode == 0, done.stdout + done.stderr
    passed = int(re.search(r"(\d+) passed", done.stdout)[1])
    assert passed > 8
    assert "failed" not in done.stdout


def test_it_names_targets_and_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE))

    assert set(re.findall(r"\bmake ([a-z]+)", text)) <= targets
    for name in re.findall(r"`((?:src|tests|book)/[\w/.-]+\.\w+)`", text):
        assert (ROOT / name).exists(), name
