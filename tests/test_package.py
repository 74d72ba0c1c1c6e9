"""The distributions: what is in them, and that they work where nothing else of this tree is."""

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, notebooks

SIZE = 2_000_000
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Build the source archive, and the wheel from it, as `make dist` does; return both."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,), (archive,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, archive


@pytest.fixture(scope="module")
def environment(distributions, tmp_path_factory):
    """Return a function that makes an environment with the wheel and some of what is here."""

    def make(*wanted, leave_out=()):
        folder = tmp_path_factory.mktemp("une forêt et des espaces")
        venv.create(folder, with_pip=False)
        python = folder / SCRIPTS / "python"
        packages = folder / "packages"
        packages.mkdir()
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            name = re.split(r"[-.]", entry.name)[0]
            own = entry.name.startswith(("adam_edu", "_adam_edu", "_editable_impl"))
            if not own and (not wanted or name in wanted) and name not in leave_out:
                (packages / entry.name).symlink_to(entry)
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "packages.pth").write_text(f"{packages}\n")
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
        wheel = distributions[0]
        subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
        return python

    return make


def run(python, code, folder):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [python, "-W", "error", "-c", code], env=kept, cwd=folder, capture_output=True, text=True
    )


def package_files():
    folder = ROOT / "src/adam_edu"
    return {
        path.relative_to(ROOT / "src").as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_holds_the_package_and_nothing_else(distributions):
    wheel, _ = distributions
    names = set(zipfile.ZipFile(wheel).namelist())
    metadata = {name for name in names if re.match(r"adam_edu-[\d.]+\.dist-info/", name)}

    assert names - metadata == package_files()
    files = ("py.typed", "lab/js/lab.js", "lab/js/record.js", "lab/lab.css")
    assert {f"adam_edu/{name}" for name in files} <= names
    assert any(re.fullmatch(r"adam_edu/results/.*\.json", name) for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in metadata)
    assert wheel.stat().st_size < SIZE


def test_archive_holds_what_the_wheel_is_made_of(distributions):
    _, archive = distributions
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    others = names - {f"src/{name}" for name in package_files()}

    assert {f"src/{name}" for name in package_files()} <= names
    assert others - {".gitignore"} == {
        "CHANGELOG.md",
        "CITATION.cff",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "pyproject.toml",
    }
    assert archive.stat().st_size < SIZE


# Imports every module there is; what cannot be imported must say in one line what to install.
IMPORT_ALL = """
import importlib, pkgutil, adam_edu
failed = {}
for module in pkgutil.walk_packages(adam_edu.__path__, "adam_edu.", onerror=lambda name: None):
    if module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        failed[module.name] = str(error)
print(failed)
"""


@pytest.mark.skipif(os.name == "nt", reason="links to what is installed need a right there")
def test_where_nothing_but_numpy_is(environment, tmp_path):
    python = environment("numpy")
    done = run(python, IMPORT_ALL, tmp_path)
    assert done.returncode == 0, done.stderr
    failed = ast.literal_eval(done.stdout)

    for name, message in failed.items():
        assert re.search(r"pip install '?adam-edu\[\w+(,\w+)*\]", message), f"{name}: {message}"
        assert "\n" not in message
    works = "adam_edu.rules adam_edu.descent adam_edu.problems adam_edu.schedules adam_edu.cli"
    assert not set(works.split()) & set(failed)

    command = python.with_name("adam-edu")
    asked = subprocess.run([command, "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert (asked.returncode, "reproduce" in asked.stdout) == (0, True)
    told = subprocess.run(
        [command, "reproduce", "mlp-mnist", "--quick"], capture_output=True, text=True, cwd=tmp_path
    )
    assert told.returncode == 1
    assert re.fullmatch(r"adam-edu reproduce.*pip install 'adam-edu\[.*\]'\n", told.stderr)


@pytest.mark.skipif(os.name == "nt", reason="links to what is installed need a right there")
def test_where_everything_but_torch_is(environment, tmp_path):
    python = environment(leave_out=("torch", "torchgen", "functorch", "jax", "keras", "optax"))
    done = run(python, IMPORT_ALL, tmp_path)
    assert done.returncode == 0, done.stderr
    failed = ast.literal_eval(done.stdout)

    rooms = {name.split(".")[1] for name in failed}
    assert rooms <= {"torch", "experiments", "problems"}
    assert {name for name in failed if name.startswith("adam_edu.problems")} <= {
        "adam_edu.problems.masks",
        "adam_edu.problems.networks",
        "adam_edu.problems.sparse",
        "adam_edu.problems.transformer",
    }
    for name, message in failed.items():
        assert re.search(r"needs? .*pip install '?adam-edu\[torch", message), f"{name}: {message}"


@pytest.mark.skipif(os.name == "nt", reason="links to what is installed need a right there")
def test_every_chapters_imports_work_from_the_wheel(environment, tmp_path):
    lines = set()
    for path in notebooks():
        cells = nbformat.read(path, as_version=4).cells
        code = "\n".join(cell.source for cell in cells[1:] if cell.cell_type == "code")
        plain = re.sub(r"^\s*[%!].*$", "", code, flags=re.MULTILINE)
        tree = ast.parse(plain)
        lines |= {
            ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
        }
    assert any("adam_edu" in line for line in lines)
    where = "import adam_edu; print(adam_edu.__file__)"

    done = run(environment(), "\n".join([*sorted(lines), where]), tmp_path)

    assert done.returncode == 0, done.stderr
    assert "site-packages" in done.stdout


def interpreters():
    """Return the supported interpreters of this machine, by version."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {}
    for version in VERSIONS:
        named = shutil.which(f"python{version}")
        for path in [*sorted(versions.glob(f"{version}.*/bin/python")), named]:
            asked = path and subprocess.run(
                [path, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"],
                capture_output=True,
                text=True,
            )
            if asked and asked.stdout.strip() == version:
                found[version] = path
                break
    return found


SMOKE = """
import doctest, sys
import numpy as np
import adam_edu as ae
from adam_edu import cli, moments, schedules
for module in (ae, moments, schedules, sys.modules["adam_edu.descent"]):
    assert doctest.testmod(module).failed == 0
for name in ae.RULES:
    trace = ae.descend(ae.rule(name, lr=0.01), ae.problems.Bowl(), steps=20)
    assert np.isfinite(trace.loss).all(), name
print("fine")
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_wheel_works_on_each_python(version, distributions, tmp_path):
    """With the newest NumPy that this Python has; only where it can be installed."""
    if version == ".".join(map(str, sys.version_info[:2])):
        pytest.skip("the other tests run on this one")
    python = interpreters().get(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    subprocess.run([python, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    own = tmp_path / "venv" / SCRIPTS / "python"
    pip = [sys.executable, "-m", "pip", "--python", own, "install", "--quiet", "--prefer-binary"]
    installed = subprocess.run([*pip, distributions[0]], capture_output=True, text=True)
    if installed.returncode and re.search("retr|resolve|connection", installed.stderr, re.I):
        pytest.skip("NumPy cannot be installed: no network")
    assert installed.returncode == 0, installed.stderr

    done = run(own, SMOKE, tmp_path)
    asked = subprocess.run([own.with_name("adam-edu"), "--help"], capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("fine\n", "")
    assert asked.returncode == 0
