"""The examples in the package's docstrings are run."""

import doctest
import importlib
import pkgutil
import sys

import pytest

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
