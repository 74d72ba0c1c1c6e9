"""The chapters as files: none left out, outputs stored and stable, figures described.

Their outputs are compared by nbval; here is also what shows that nbval does compare them.
"""

import importlib
import os
import re
import subprocess
import sys

import fresh_kernel
import nbformat
import pytest
from conftest import ROOT, notebooks, table_of_contents

pytestmark = pytest.mark.pages

SETUP_CELL = (ROOT / "book/_setup_cell.py").read_text().rstrip("\n")
NOTEBOOKS = notebooks()


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_figure(cell):
    return any(
        kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {})
    )


def nbval(*paths):
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:xdist"]
    # Where CI or BUILD_NUMBER is set, pytest repeats each failure whole in its summary.
    here = {"PYTHONPATH": str(ROOT / "src"), "CI": "", "BUILD_NUMBER": ""}
    return subprocess.run(
        [*command, "-c", ROOT / "pyproject.toml", *paths],
        env=os.environ | here,
        capture_output=True,
        text=True,
    )


def test_toc_and_files_agree():
    listed = set(table_of_contents())
    there = {
        str(path.relative_to(ROOT).with_suffix(""))
        for pattern in ("*.ipynb", "*.md")
        for path in (ROOT / "book").rglob(pattern)
        if not any(part.startswith((".", "_")) for part in path.relative_to(ROOT).parts)
    }

    assert listed == there


def test_nbval_collects_every_notebook_of_the_toc():
    collected = nbval("--collect-only", "-q", ROOT / "book").stdout

    assert set(re.findall(r"^(\S+\.ipynb)::", collected, re.MULTILINE)) == {
        str(path.relative_to(ROOT)) for path in NOTEBOOKS
    }


def test_nbval_notices_a_change(tmp_path):
    sources = {
        "same": "print(1 + 1)",
        "changed": "print(2 + 1)",
        "broken": "print(1 + 1); raise ValueError('broken')",
    }
    for name, source in sources.items():
        cell = nbformat.v4.new_code_cell(source, execution_count=1)
        cell.outputs = [nbformat.v4.new_output("stream", text="2\n")]
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / f"{name}.ipynb")

    found = nbval(*(tmp_path / f"{name}.ipynb" for name in sources))

    assert found.returncode == 1
    assert "2 failed, 1 passed" in found.stdout
    said = re.sub(r"\x1b\[\d+m", "", found.stdout)
    assert re.findall(r"^Input:\n(.*)", said, re.MULTILINE) == [
        sources["changed"],
        sources["broken"],
    ]
    assert "mismatch" in found.stdout
    assert "ValueError" in found.stdout


PRODUCTS = """
import hashlib, numpy as np, threadpoolctl, torch
from numpy._core._multiarray_umath import __cpu_features__
wide = [name for name in ("X86_V3", "X86_V4") if __cpu_features__[name]]
kinds = [one["architecture"] for one in threadpoolctl.threadpool_info() if "architecture" in one]
left, right = np.random.default_rng(0).standard_normal((2, 64, 97))
found = [*(left @ right.T), left @ right[0], np.array([x @ y for x, y in zip(left, right)])]
digest = hashlib.sha256(b"".join(one.tobytes() for one in found)).hexdigest()
print("".join(wide) or "-", torch.backends.cpu.get_cpu_capability(), *kinds, digest)
"""


@pytest.mark.skipif(not fresh_kernel.processor(), reason="kinds have names on x86-64 only")
def test_notebooks_are_compared_as_other_processors_compute(monkeypatch):
    """Each kind is taken for what it is called, and its sums end in other digits."""
    digests = set()
    for kind in fresh_kernel.CORES:
        monkeypatch.setenv(fresh_kernel.CORE, kind)
        environment = os.environ | fresh_kernel.processor()
        command = [sys.executable, "-c", PRODUCTS]
        said = subprocess.check_output(command, env=environment, text=True).split()
        numpys, torchs, *kinds, digest = said
        digests.add(digest)
        assert set(kinds) == {kind}
        assert (numpys, torchs) == (("-", "DEFAULT") if kind == "Nehalem" else ("X86_V3", "AVX2"))

    assert len(digests) == len(fresh_kernel.CORES)
    monkeypatch.delenv(fresh_kernel.CORE)
    assert fresh_kernel.processor()[fresh_kernel.CORE] == fresh_kernel.USUAL


def test_a_changed_number_in_a_chapter_fails(tmp_path):
    """In the first cell that prints one; what comes after it is left out."""
    path = NOTEBOOKS[0]
    notebook = nbformat.read(path, as_version=4)
    number, output = next(
        (number, output)
        for number, cell in enumerate(code_cells(notebook))
        for output in cell.outputs
        if output.output_type == "stream" and re.search(r"\d", output.text)
    )
    digit = re.search(r"\d", output.text)
    other = str((int(digit[0]) + 1) % 10)
    output.text = output.text[: digit.start()] + other + output.text[digit.end() :]
    notebook.cells = [*code_cells(notebook)[: number + 1]]
    copy = tmp_path / path.name
    nbformat.write(notebook, copy)

    changed = nbval(copy)

    assert changed.returncode == 1
    assert f"Cell {number}: Cell outputs differ" in changed.stdout


def test_setup_cell_is_the_same_everywhere(notebook):
    first, *others = code_cells(notebook)

    assert first.source == SETUP_CELL
    assert first.outputs == []
    assert "hide-input" in first.metadata.tags
    assert not any("pip install" in cell.source for cell in others)


def test_every_cell_was_run_in_order(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook) if cell.source.strip()]

    assert counts == list(range(1, len(counts) + 1))


def test_outputs_are_sound(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", output.get("text")
            assert not re.search(r"\bat 0x[0-9a-f]+", str(output)), cell.source


def test_nothing_is_dead_on_the_page(notebook):
    assert not any(re.search(r"\binteract\(", cell.source) for cell in code_cells(notebook))


def test_every_figure_is_described(notebook):
    for cell in filter(is_figure, code_cells(notebook)):
        shown = cell.metadata.get("mystnb", {})
        assert shown.get("image", {}).get("alt"), f"no alt text: {cell.source}"
        assert shown.get("figure", {}).get("caption"), f"no caption: {cell.source}"
        assert shown["figure"].get("name"), f"no name to refer to: {cell.source}"


def test_metadata_do_not_tell_the_machine(notebook):
    stored = dict(notebook.metadata)
    inputs = stored.pop("adam_edu", {"inputs": "0" * 16})  # what the outputs were made from

    assert stored == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert list(inputs) == ["inputs"]
    assert re.fullmatch("[0-9a-f]{16}", inputs["inputs"])


# How much they print


def test_printed_numbers_are_counted_where_a_reader_meets_them(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book/_tools")
    counted = importlib.import_module("printed").counted

    def cell(text, source="print(x)", tags=(), **data):
        one = nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})
        one.outputs = [nbformat.v4.new_output("stream", text=text)]
        if data:
            one.outputs.append(nbformat.v4.new_output("display_data", data=data))
        return one

    cells = [
        cell("beta2 0.999: −1,000 of m_1, 13% to 2.5e-3\n"),
        cell("no number\n", **{"image/png": "", "text/plain": "<Figure size 480x310>"}),
        cell("12\n", tags=["solution"]),
        cell("1 - 2\n", source="print(inspect.getsource(Adam))"),
    ]

    assert counted(nbformat.v4.new_notebook(cells=cells)) == (4, 1)


# Running them again, as `make notebooks` does


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Return the tool, on a book of two notebooks and a package of three modules."""
    monkeypatch.syspath_prepend(ROOT / "book/_tools")
    tool = importlib.reload(importlib.import_module("notebooks"))
    package = tmp_path / "src/adam_edu"
    (package / "results").mkdir(parents=True)
    (package / "__init__.py").write_text("from .base import Rule\n")
    (package / "base.py").write_text("class Rule: ...\n")
    (package / "rules.py").write_text(
        "from .base import Rule\nclass Adam(Rule):\n    beta = 1\nclass Lion(Rule):\n    beta = 2\n"
    )
    (package / "plots.py").write_text("def panels(): ...\n")
    (package / "results/mlp-curves.json").write_text("[1]")
    (tmp_path / "requirements.txt").write_text("numpy==1.0  # pinned\n")
    book = tmp_path / "book"
    book.mkdir()
    for name, sources in {
        "adam": ["from adam_edu.rules import Adam", "print(1)"],
        "drawn": ["import adam_edu as ae", "%matplotlib inline\nae.plots", "print('mlp-curves')"],
    }.items():
        cells = [nbformat.v4.new_markdown_cell("# Title"), *map(nbformat.v4.new_code_cell, sources)]
        notebook = nbformat.v4.new_notebook(cells=cells)
        monkeypatch.setattr(tool, "PACKAGE", package)
        monkeypatch.setattr(tool, "PINS", tmp_path / "requirements.txt")
        monkeypatch.setattr(tool, "BOOK", book)
        tool.put_setup_cell(notebook)
        tool.make_deterministic(notebook)
        nbformat.write(notebook, book / f"{name}.ipynb")

    def stale():
        for cached in (tool.parsed, tool.imports_of, tool.unparsed):
            cached.cache_clear()
        return {path.stem for path in book.glob("*.ipynb") if tool.is_stale(path)}

    tool.stale = stale
    return tool


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("src/adam_edu/rules.py", "beta = 1", "beta = 3", {"adam"}),
        ("src/adam_edu/rules.py", "beta = 2", "beta = 3", set()),  # no notebook names Lion
        ("src/adam_edu/plots.py", "...", "return 1", {"drawn"}),
        ("src/adam_edu/base.py", "...", "x = 1", {"adam", "drawn"}),
        ("src/adam_edu/base.py", "...", "...  # a comment", set()),
        ("src/adam_edu/results/mlp-curves.json", "1", "2", {"drawn"}),
        ("requirements.txt", "1.0", "1.1", {"adam", "drawn"}),
        ("requirements.txt", "pinned", "still pinned", set()),
        ("book/adam.ipynb", "print(1)", "print(2)", {"adam"}),
        ("book/adam.ipynb", "# Title", "# Another title", set()),
    ],
)
def test_only_what_could_have_changed_is_run_again(tool, tmp_path, file, old, new, expected):
    assert tool.stale() == set()
    path = tmp_path / file
    text = path.read_text()
    assert text.count(old) == 1

    path.write_text(text.replace(old, new))

    assert tool.stale() == expected


def test_what_moved_is_shown(tool):
    def notebook(text):
        cell = nbformat.v4.new_code_cell("print(x)  # of\nmore")
        cell.outputs = [nbformat.v4.new_output("stream", text=text)]
        return nbformat.v4.new_notebook(cells=[cell])

    moved = tool.difference(notebook("loss 0.5\n"), notebook("loss 0.7\n"), "a.ipynb")

    assert moved.splitlines() == [
        "--- a.ipynb (stored)",
        "+++ a.ipynb (now)",
        "@@ -1,2 +1,2 @@",
        " [cell 0] print(x)  # of",
        "-  loss 0.5",
        "+  loss 0.7",
    ]
    assert tool.difference(notebook("same"), notebook("same"), "a.ipynb") == ""
