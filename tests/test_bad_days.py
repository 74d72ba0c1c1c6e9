"""Where something is missing or unusual: it works, or one line says what is missing."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from conftest import ROOT
from test_publishing import our_files

pytestmark = pytest.mark.pages


def run(command, **environment):
    return subprocess.run(
        command, env=os.environ | environment, cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.skipif(os.name == "nt" or not shutil.which("make"), reason="no make")
def test_the_first_make_without_a_network_says_so(tmp_path):
    venv.create(tmp_path / "venv", with_pip=False)  # bringing pip itself takes seconds
    (site,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    (site / "pip").symlink_to(Path(sysconfig.get_path("purelib")) / "pip")
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "MAKEFLAGS": ""}
    done = run(["make", f"VENV={tmp_path}/venv", f"PYTHON={sys.executable}", "lint"], **offline)

    assert done.returncode != 0
    assert "the first make needs a network" in done.stdout
    assert not (tmp_path / "venv/.installed").exists()


@pytest.mark.skipif(os.name == "nt" or not shutil.which("make"), reason="no make")
def test_make_without_a_new_python_says_so(tmp_path):
    done = run(["make", f"VENV={tmp_path}/venv", "PYTHON=", "lint"], MAKEFLAGS="")

    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="/dev/null is no folder there")
def test_a_home_that_cannot_be_written_to_is_left_alone():
    code = (
        "import adam_edu as ae, adam_edu.plots, adam_edu.lab\n"
        "from adam_edu.data import load\n"
        "print(len(load('digits').train_x), ae.descend(ae.rule('adam'), ae.problems.Bowl()).steps)"
    )
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null", "XDG_CONFIG_HOME": "/dev/null"}
    done = run([sys.executable, "-c", code], PYTHONPATH=str(ROOT / "src"), **nowhere)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "1437 100\n"


@pytest.mark.parametrize("tool", ["look", "pdf"])
def test_tools_without_a_browser_say_so(tool, tmp_path):
    nothing = {"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    done = run([sys.executable, ROOT / f"book/_tools/{tool}.py"], **nothing)

    assert done.returncode == 1
    assert done.stderr == "there is no Chromium; make browser installs it\n"


def test_numbers_have_points_in_every_locale():
    """Nothing asks for the locale's own numbers."""
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"setlocale|toLocaleString|use_locale|:n\}", text), path
    for path in (ROOT / "src/adam_edu/lab/js").glob("*.js"):
        assert "toLocale" not in path.read_text(encoding="utf-8"), path


def test_line_endings_are_those_of_unix_on_every_system():
    assert re.search(r"^\* text=auto eol=lf$", (ROOT / ".gitattributes").read_text(), re.MULTILINE)
    for path in our_files():
        assert b"\r\n" not in path.read_bytes(), path


def test_the_package_names_the_encoding_of_its_files():
    code = "import adam_edu.plots, adam_edu.lab as lab; lab.race()._repr_mimebundle_()"
    strict = ["-X", "warn_default_encoding", "-W", "error::EncodingWarning:adam_edu"]
    done = run([sys.executable, *strict, "-c", code], PYTHONPATH=str(ROOT / "src"))

    assert done.returncode == 0, done.stderr
    for path in (ROOT / "src").rglob("*.py"):
        for call in re.findall(r"\.(?:read|write)_text\(.*", path.read_text(encoding="utf-8")):
            assert "encoding" in call or call.count("(") > call.count(")"), f"{path}: {call}"
