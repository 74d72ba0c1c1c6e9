"""Python on the pages, without a browser: what is asked, what is loaded, what the runner says."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from conftest import notebooks
from docutils import nodes
from docutils.utils import new_document

from adam_edu import check
from adam_edu.check.examine import examine
from adam_edu.check.exercise import Exercise
from adam_edu.data.files import File
from adam_edu.live import (
    bundle,
    cells as live_cells,
    exercises,
    licenses,
    notebook as page_notebook,
    runner,
    runtime,
    sphinx,
)

try:
    PYTHON = runtime.distributions()["python"].read()
except runtime.NotThere as error:
    pytest.skip(str(error), allow_module_level=True)


def said(source, name="adam_step", before=exercises.GIVEN):
    return json.loads(runner.verdict(source, name, before))


# What a chapter asks for


CHAPTERS = {path.stem: exercises.of_notebook(path) for path in notebooks()}
ASKED = [
    pytest.param(one, id=f"{stem}-{one.name}") for stem, found in CHAPTERS.items() for one in found
]


@pytest.mark.parametrize("exercise", ASKED)
def test_a_stub_and_a_solution_run_without_their_notebook(exercise):
    if exercise.torch:
        assert "torch" in exercise.solution or "_(" in exercise.solution
        return
    stub, solution = (
        said(text, exercise.name, exercise.before) for text in (exercise.stub, exercise.solution)
    )

    assert (stub["ok"], solution["ok"]) == (False, True)
    assert stub["error"] is solution["error"] is None
    assert solution["html"].startswith('<div class="adam-edu-check"')
    assert "check" not in exercise.stub.split()


def notebook(tmp_path, *cells):
    path = tmp_path / "page.ipynb"
    listed = [
        {"cell_type": "code", "metadata": {"tags": [tag]}, "source": text} for tag, text in cells
    ]
    path.write_text(json.dumps({"cells": listed}))
    return path


HALF = "def half_life(beta):\n    {}\n\ncheck.half_life(half_life)"


def test_what_a_solution_needs_comes_before_it(tmp_path):
    path = notebook(
        tmp_path,
        ("setup-cell", "import sys"),
        ("", "from math import log as ln, exp\nimport torch"),
        ("stub", HALF.format("...")),
        ("solution", HALF.format("return ln(0.5) / ln(beta)")),
    )
    (found,) = exercises.of_notebook(path)

    assert found.before.removeprefix(exercises.GIVEN) == "from math import log as ln\n"
    assert not found.torch
    assert found.stub == "def half_life(beta):\n    ...\n"


@pytest.mark.parametrize(
    "cells",
    [
        [("stub", HALF.format("..."))],
        [("stub", "check.nobody(nobody)"), ("solution", "check.nobody(nobody)")],
        [("stub", HALF.format("...")), ("solution", "check.adam_step(adam_step)")],
    ],
)
def test_a_stub_without_an_exercise_or_a_solution_is_an_error(tmp_path, cells):
    with pytest.raises(ValueError, match=r"page\.ipynb: the stub of"):
        exercises.of_notebook(notebook(tmp_path, *cells))


# The runner


def test_an_error_is_shown_by_the_readers_own_lines():
    found = said(
        "def adam_step(x):\n    return y\n\nnp.array([1]).sum(axis=adam_step)\nadam_step(1)"
    )

    assert found["html"] is None
    assert found["line"] == 4
    assert "Line 4, in <module>" in found["error"]
    assert "numpy/" not in found["error"]
    assert "runner" not in found["error"]


def test_a_text_that_is_no_python_names_its_line():
    found = said("def adam_step(x)\n    return x\n")

    assert found["line"] == 1
    assert "SyntaxError: expected ':'" in found["error"]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("input('x?')", runner.NO_KEYBOARD),
        ("open('x.txt')", runner.NO_FILES),
        ("import urllib.request", runner.NO_NETWORK),
        ("from socket import socket", runner.NO_NETWORK),
        ("import js", "out of Python's reach"),
        ("import tensorflow", "no other library"),
        ("adam = 1", "defines no function adam_step"),
        ("import sys\nsys.exit()", "SystemExit"),
    ],
)
def test_what_a_page_cannot_do_is_a_sentence(source, sentence):
    assert sentence in said(source)["error"]


def test_what_is_printed_comes_back_and_ends_somewhere():
    assert said("print('hello')\nadam_step = 3")["printed"] == "hello\n"
    assert len(said("print('x' * 10**6)\nadam_step = 3")["printed"]) < 2 * runner.PRINTED


def test_a_text_does_not_see_the_one_before():
    said("left = 3\nadam_step = 3")

    assert "NameError" in said("adam_step = left")["error"]


def test_a_first_wrong_solution_is_checked_before_the_readers(monkeypatch):
    """One of every kind of exercise, by a mistake that the checker knows; it leaves no trace."""
    made = []
    monkeypatch.setattr(Exercise, "__call__", lambda self, it: made.append(examine(self, it)))
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    for name in check.EXERCISES:
        runner.prepare(name)
    assert len(made) >= 45
    assert not [report for report in made if report.ok]
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002


def test_a_solution_may_be_read_again_by_the_checker():
    source = "def adam_step(x, g, m, v, t, lr, beta1, beta2, eps):\n    return x, m\n"
    names = runner.run(source, "import inspect")

    assert names["inspect"].getsource(names["adam_step"]) == source


# The files


def distribution(content, tmp_path, monkeypatch, folder=True):
    monkeypatch.setattr(runtime, "cache_folder", lambda: tmp_path / "cache")
    if folder:
        monkeypatch.setenv(runtime.FOLDER, str(tmp_path))
    else:
        monkeypatch.delenv(runtime.FOLDER, raising=False)
    wanted = hashlib.sha256(content).hexdigest()
    wheel = runtime.Wheel(File("none-1.whl", 1, "0"), "none==1", "none/")
    return runtime.Distribution(
        "python", {"a.js": File("python/a.js", len(content), wanted)}, wheel
    )


def test_a_file_of_the_folder_is_taken_and_a_wrong_one_refused(tmp_path, monkeypatch):
    wanted = distribution(b"right", tmp_path, monkeypatch)
    (tmp_path / "a.js").write_bytes(b"right")
    assert wanted.read() == {"a.js": b"right"}

    (tmp_path / "a.js").write_bytes(b"wrong")
    with pytest.raises(runtime.NotThere, match=r"a\.js cannot be used"):
        wanted.read()


def test_a_file_comes_out_of_a_wheel_and_stays_in_the_cache(tmp_path, monkeypatch):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("none/a.js", b"right")
    content = buffer.getvalue()
    calls = []

    def pip(command, **options):
        calls.append(command)
        folder = command[command.index("--dest") + 1]
        (runtime.Path(folder) / "none-1.whl").write_bytes(content)
        return runtime.subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(runtime.subprocess, "run", pip)
    wanted = distribution(b"right", tmp_path, monkeypatch, folder=False)
    sha256 = hashlib.sha256(content).hexdigest()
    wheel = replace(wanted.wheel, file=File("none-1.whl", len(content), sha256))
    wanted = replace(wanted, wheel=wheel)

    assert wanted.read() == {"a.js": b"right"}
    assert wanted.read() == {"a.js": b"right"}
    assert len(calls) == 1

    damaged = replace(wanted, wheel=replace(wheel, file=File("none-1.whl", len(content), "0")))
    (tmp_path / "cache/live/python/a.js").unlink()
    with pytest.raises(runtime.NotThere, match="not the published wheel"):
        damaged.read()


def test_without_any_source_it_says_so(tmp_path, monkeypatch):
    def pip(command, **options):
        return runtime.subprocess.CompletedProcess(command, 1, "", "ERROR: no network")

    monkeypatch.setattr(runtime.subprocess, "run", pip)
    wanted = distribution(b"right", tmp_path, monkeypatch, folder=False)

    with pytest.raises(
        runtime.NotThere, match="none==1 cannot be had from PyPI: ERROR: no network"
    ):
        wanted.read()


def test_every_file_has_a_version_and_a_hash():
    for known in runtime.distributions().values():
        for file in [*known.files.values(), known.wheel.file]:
            assert len(file.sha256) == 64
            assert file.size > 0
        assert "==" in known.wheel.requirement


def test_whatever_of_others_is_loaded_comes_with_its_license():
    known = runtime.distributions()
    others = [known[name].read() for name in ("editor", "python", "figures")]
    text = licenses.notices(*others)

    for holder in ("FIameCaster", "Lea Verou", "Python Software Foundation", "NumPy Developers"):
        assert holder in text
    for wheel in (name for files in others for name in files if name.endswith(".whl")):
        assert " ".join(wheel.split("-")[:2]) in text
    (version,) = re.findall(r"/v([\d.]+)/", known["python"].files["pyodide.js"].mirrors[0])
    assert f"Pyodide {version}," in text
    assert "Mozilla Public License 2.0" in text
    assert licenses.notices({}) == "\n"


def test_a_wheel_without_a_license_is_an_error():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("none-1.dist-info/METADATA", "")

    with pytest.raises(ValueError, match=r"none-1-py3-none-any\.whl holds no license"):
        licenses.notices({"none-1-py3-none-any.whl": buffer.getvalue()})


def test_the_package_is_packed_alike_each_time_and_has_what_a_page_runs():
    first, more = bundle.package_parts(PYTHON)
    names, others = (
        set(zipfile.ZipFile(io.BytesIO(part.content)).namelist()) for part in (first, more)
    )

    assert [part.packed for part in (first, more)] == [
        part.packed for part in bundle.package_parts(PYTHON)
    ]
    assert first.sent < 590_000
    assert {"adam_edu/check/__init__.py", "adam_edu/live/runner.py"} <= names
    assert {"adam_edu/lab/__init__.py", "adam_edu/live/digits.csv.gz"} <= others
    assert not [name for name in names | others if name.startswith("adam_edu/torch")]
    results = {f"adam_edu/results/{path.name}" for path in bundle.PACKAGE.glob("results/*.json*")}
    assert results
    assert results <= others
    assert not names & others


def test_what_comes_first_is_all_that_a_verdict_imports(tmp_path):
    first, _ = bundle.package_parts(PYTHON)
    zipfile.ZipFile(io.BytesIO(first.content)).extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import adam_edu.check.exercises as e"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(e.__file__)"],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert done.stdout.startswith(str(tmp_path)), done.stderr


def test_bytes_are_within_their_budget():
    first, more = bundle.package_parts(PYTHON)
    verdict = sum(part.sent for part in [*bundle.runtime_parts(PYTHON), first])
    figures = runtime.distributions()["figures"].read()
    chapter = verdict + sum(part.sent for part in [*bundle.figure_parts(PYTHON, figures), more])

    assert verdict < 8.5e6
    assert chapter < 25e6


# A chapter's cells


def test_what_a_cell_lacks_is_seen_from_the_names_that_it_reads(tmp_path):
    path = notebook(
        tmp_path,
        ("setup-cell", "import sys"),
        (
            "",
            "import numpy as np, torch\nimport adam_edu as ae",
        ),
        ("", "def loss(w):\n    return torch.sum(w)\nstart = np.ones(3)"),
        ("", "w = torch.ones(3)\nsquares = [x * x for x in start]"),
        ("", "print(loss(start))"),
        ("", "for w in start:\n    print(w)"),
        ("", "print(squares, [w for w in squares])"),
        ("", "ae.torch.Adam"),
        ("", "from adam_edu.libraries import identify, port\nidentify(ae.rules.Adam())"),
        ("", "from adam_edu.check.in_place import in_place\nin_place(loss)"),
        ("", "from importlib.resources import files\nprint(files('adam_edu.torch'))"),
        ("", "print(files('adam_edu'))"),
    )
    cells_of = live_cells.of_notebook(path)

    lacks = ["", "", "Torch", "Torch", "", "", "Torch", "SciPy", "Torch", "Torch", ""]
    assert [cell.lacks for cell in cells_of] == lacks
    assert cells_of[2].runs == "\nsquares = [x * x for x in start]"
    assert [cell.offered for cell in cells_of] == [not what for what in lacks]
    assert live_cells.lacked(cells_of) == ["Torch", "SciPy"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["x = 1"], None),
        (["x = torch.ones(3)"], "The cells of this chapter need Torch, and cannot"),
        (
            ["x = 1", "x = torch.ones(scipy.e)", "optax.sgd"],
            "Cells that need Torch or Optax, which",
        ),
        (["x = 1", "optax.sgd", "torch.e", "scipy.e"], "need Optax, Torch or SciPy, which"),
    ],
)
def test_a_chapter_says_once_at_its_top_why_cells_cannot_be_run(tmp_path, cells, said):
    imports = "import torch, scipy, optax, numpy as np\n"
    known = live_cells.of_notebook(notebook(tmp_path, *[("", imports + text) for text in cells]))
    page = new_document("page")
    page += [nodes.paragraph(text="goal"), *(nodes.container(classes=["cell"]) for _ in cells)]

    sphinx.place_reason(known, page, "https://colab.example/page.ipynb")
    reasons = [(page.index(node), node.astext()) for node in page.findall(nodes.raw)]

    if said is None:
        assert reasons == []
        return
    ((place, text),) = reasons
    assert place == 1
    assert said in text
    assert 'href="https://colab.example/page.ipynb"' in text


def test_cells_run_in_turn_and_a_failed_import_alone(monkeypatch):
    monkeypatch.setattr(page_notebook.stand_ins, "install", lambda display: None)
    book = page_notebook.Notebook(dots=1)

    def ran(source, number=1):
        return json.loads(book.run(number, source))

    assert ran("import tensorflow, math\nx = math.pi\nprint(2)\nx")["outputs"] == [
        {"name": "stdout", "text": "2\n"},
        {"data": {"text/plain": "3.141592653589793"}},
    ]
    missing = ran("y = 1\ntensorflow.constant(x)", number=2)
    assert (missing["line"], missing["outputs"]) == (2, [])
    assert missing["error"].endswith(runner.NO_OTHER)
    assert "Cell 2, line 2" in missing["error"]
    (figure,) = ran("from matplotlib import pyplot as plt\nplt.plot([1, 2]);")["outputs"]
    assert figure["data"]["image/png"].startswith("iVBOR")
    assert ran("x = (")["line"] == 1
