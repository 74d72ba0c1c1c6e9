"""The examples in the package's docstrings are run, and their sections hold what they promise."""

import ast
import doctest
import importlib
import pkgutil
import re
import sys

import pytest
from conftest import ROOT

import adam_edu

# A module that runs its command on import.
SKIPPED = {"adam_edu.__main__"}
MODULES = sorted(
    {"adam_edu"}
    | {module.name for module in pkgutil.walk_packages(adam_edu.__path__, "adam_edu.")} - SKIPPED
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0, f"run: {sys.executable} -m doctest -v {name}"


SECTION = re.compile(r"^(?:Parameters|Returns|Yields|Raises|Attributes)\n-+\n", re.MULTILINE)


def test_nothing_but_its_entries_stands_in_a_section():
    """A sentence after them would be one more entry: an exception of that name, on the page."""
    astray = []
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                continue
            for section in SECTION.split(ast.get_docstring(node) or "")[1:]:
                own = re.split(r"\n\n(?=[A-Z][a-z]+\n-)", section.rstrip())[0]
                astray += [f"{path.name}: {one}" for one in re.findall(r"\n\n(?! )(.*)", own)]

    assert astray == []
