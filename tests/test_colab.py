"""A chapter where the package is missing, as on Colab: its set-up cell brings it, and that only."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from conftest import ROOT, notebooks

ADDRESS = "https://github.com/adam-edu/adam-edu"


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return a fresh environment's interpreter: it sees everything installed here but adam_edu."""
    folder = tmp_path_factory.mktemp("colab")
    venv.create(folder / "venv", with_pip=False)
    packages = folder / "packages"
    packages.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(("adam_edu", "_adam_edu", "_editable_impl")):
            (packages / entry.name).symlink_to(entry)
    (own,) = (folder / "venv/lib").glob("python*/site-packages")
    (own / "colab.pth").write_text(f"{packages}\n")
    return folder / "venv/bin/python"


@pytest.fixture
def environment(tmp_path):
    """Return Colab's circumstances: no source tree, no network, the address led to this clone."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return kept | {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.{ROOT.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "MPLBACKEND": "agg",
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }


def run(python, environment, folder, *arguments):
    return subprocess.run(
        [python, *arguments], env=environment, cwd=folder, capture_output=True, text=True
    )


@pytest.mark.slow
def test_chapter_runs_where_the_package_is_missing(python, environment, tmp_path):
    versions = "import numpy, torch; print(numpy.__version__, torch.__version__, numpy.__file__)"
    where = "import adam_edu; print(adam_edu.__file__)"
    before = run(python, environment, tmp_path, "-c", versions).stdout
    assert before
    assert "ModuleNotFoundError" in run(python, environment, tmp_path, "-c", where).stderr

    chapter = notebooks()[0]
    done = run(python, environment, tmp_path, "-m", "IPython", "--no-banner", chapter)

    assert done.returncode == 0, done.stdout + done.stderr
    imported = run(python, environment, tmp_path, "-c", where).stdout.strip()
    assert Path(imported).is_relative_to(python.parents[1])
    assert run(python, environment, tmp_path, "-c", versions).stdout == before


def test_setup_cell_does_nothing_where_the_package_is(environment, tmp_path):
    environment |= {
        "PYTHONPATH": str(ROOT / "src"),
        "GIT_CONFIG_VALUE_0": "https://nowhere.example",
    }

    done = run(sys.executable, environment, tmp_path, ROOT / "book/_setup_cell.py")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_setup_cell_names_the_address_of_the_book():
    assert f"git+{ADDRESS}" in (ROOT / "book/_setup_cell.py").read_text()
    assert f"url: {ADDRESS}" in (ROOT / "_config.yml").read_text()
