"""A chapter where the package is missing, as on Colab: its set-up cell brings it, and that only.

The set-up cell is the same in every chapter (test_notebooks.py), and is run once. That every cell
of every chapter runs in such an environment, in a folder that is not the book's, is seen where
their outputs are compared: in the kernel of fresh_kernel.py.
"""

import os
import subprocess
import sys
from pathlib import Path

import fresh_kernel
import pytest
import yaml
from conftest import ROOT

import adam_edu

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
ADDRESS = CONFIG["repository"]["url"]
NOTEBOOK = ROOT / "book/moment-estimates.ipynb"
pytestmark = [
    pytest.mark.pages,
    pytest.mark.skipif(os.name == "nt", reason="Colab is Linux, and links need a right here"),
]

# What Colab has besides: its kernel imports this module before any cell runs.
STAND_IN = """
import builtins
from types import SimpleNamespace
_widgets = SimpleNamespace(_installed_url=None)
calls = builtins.colab_calls = []
def enable_custom_widget_manager():
    calls.append("enable_custom_widget_manager")
    _widgets._installed_url = "https://widgets.example/manager.js"
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return a fresh environment's interpreter: it sees everything installed here but adam_edu."""
    return fresh_kernel.bare(tmp_path_factory.mktemp("colab"))


def git(*arguments):
    command = ["git", "-c", "safe.directory=*", "-c", "user.name=A", "-c", "user.email=a@b.c"]
    done = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a clone whose release is what is here, and whose newest commit has nothing in it."""
    clone = tmp_path_factory.mktemp("published") / "clone.git"
    git("clone", "--quiet", "--bare", ROOT, clone)
    git("-C", clone, "tag", "--force", f"v{adam_edu.__version__}")
    nothing = git("-C", clone, "hash-object", "-w", "-t", "tree", "/dev/null")
    newest = git("-C", clone, "commit-tree", nothing, "-p", "HEAD", "-m", "remove everything")
    git("-C", clone, "update-ref", "HEAD", newest)
    return clone.as_uri()


def circumstances(folder, address):
    """Return Colab's environment: no source tree, no network, the book's address led elsewhere."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return kept | {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.{address}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "MPLBACKEND": "agg",
        "IPYTHONDIR": str(folder / "ipython"),
    }


def run(python, environment, folder, *arguments):
    return subprocess.run(
        [python, *arguments], env=environment, cwd=folder, capture_output=True, text=True
    )


def cpu_seconds():
    """Return the processor time of all commands that have been run so far."""
    used = os.times()
    return used.children_user + used.children_system


VERSIONS = """
from importlib.metadata import version
from importlib.util import find_spec
print(*((name, version(name), find_spec(name).origin) for name in ("numpy", "torch")))
"""


def versions(python, environment, folder):
    return run(python, environment, folder, "-c", VERSIONS).stdout


@pytest.fixture(scope="module")
def colab(python, published, tmp_path_factory):
    """Return the environment after the set-up cell has run in it, and what that changed."""
    folder = tmp_path_factory.mktemp("content")
    environment = circumstances(folder, published)
    (own,) = (python.parents[1] / "lib").glob("python*/site-packages")
    (own / "google/colab").mkdir(parents=True)
    (own / "google/colab/__init__.py").touch()
    (own / "google/colab/output.py").write_text(STAND_IN)
    where = "import adam_edu; print(adam_edu.__file__)"
    before = versions(python, environment, folder)
    assert before
    assert "ModuleNotFoundError" in run(python, environment, folder, "-c", where).stderr

    begin = cpu_seconds()
    done = run(python, environment, folder, ROOT / "book/_setup_cell.py")
    seconds = cpu_seconds() - begin

    assert done.returncode == 0, done.stdout + done.stderr
    assert versions(python, environment, folder) == before
    imported = run(python, environment, folder, "-c", where).stdout.strip()
    assert Path(imported).is_relative_to(python.parents[1])
    return python, environment, folder, seconds


def test_a_chapter_runs_there(colab):
    python, environment, folder, _ = colab

    done = run(python, environment, folder, "-m", "IPython", "--no-banner", NOTEBOOK)

    assert done.returncode == 0, done.stdout + done.stderr


def test_setup_takes_little_more_than_the_download(colab):
    """In seconds of one processor, since other tests use the machine too, and so its caches: it
    takes 13 to 22."""
    assert colab[-1] < 30


def test_live_figures_ask_colab_for_its_widget_manager(colab):
    """Without it, Colab shows no widget that it has not itself; it is asked once."""
    python, environment, folder, _ = colab
    code = (
        "import google.colab.output, builtins\n"
        "from adam_edu import lab\n"
        "data, metadata = lab.race()._repr_mimebundle_()\n"
        "lab.bias()\n"
        "view = 'application/vnd.jupyter.widget-view+json'\n"
        "print(builtins.colab_calls, view in data, metadata[view]['colab'])"
    )

    done = run(python, environment, folder, "-c", code)

    manager = {"custom_widget_manager": {"url": "https://widgets.example/manager.js"}}
    assert done.stdout == f"['enable_custom_widget_manager'] True {manager}\n", done.stderr


def test_setup_cell_does_nothing_where_the_package_is(tmp_path):
    nowhere = "https://nowhere.example"
    environment = circumstances(tmp_path, nowhere) | {"PYTHONPATH": str(ROOT / "src")}

    done = run(sys.executable, environment, tmp_path, ROOT / "book/_setup_cell.py")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
