"""Whether a built book can still be used: what it was made from, to the bit."""

import inputs
import pytest


@pytest.fixture
def tree(tmp_path, monkeypatch):
    (tmp_path / "book/__pycache__").mkdir(parents=True)
    (tmp_path / "book/page.md").write_text("a page")
    (tmp_path / "_toc.yml").write_text("root: page")
    monkeypatch.setattr(inputs, "ROOT", tmp_path)
    monkeypatch.setattr(inputs, "READ", ["_toc.yml", "book"])
    return tmp_path


def test_every_change_of_what_is_read_is_noticed(tree, monkeypatch):
    seen = [inputs.inputs()]
    (tree / "book/page.md").write_text("a Page")
    seen.append(inputs.inputs())
    (tree / "book/page.md").rename(tree / "book/other.md")
    seen.append(inputs.inputs())
    (tree / "_toc.yml").write_text("root: other")
    seen.append(inputs.inputs())
    monkeypatch.setenv("ADAM_EDU_PYODIDE", str(tree))
    seen.append(inputs.inputs())
    monkeypatch.setattr(inputs, "distributions", lambda path: [])
    seen.append(inputs.inputs())

    assert len(set(seen)) == len(seen)


def test_what_is_not_read_makes_no_difference(tree):
    before = inputs.inputs()
    (tree / "book/__pycache__/page.pyc").write_bytes(b"compiled")
    (tree / "tests").mkdir()
    (tree / "tests/test_page.py").write_text("")

    assert inputs.inputs() == before
