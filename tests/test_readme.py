"""What the README shows must run, and be what the Makefile does."""

import re

import numpy as np
from conftest import ROOT

README = (ROOT / "README.md").read_text()


def test_example_does_what_its_comment_says():
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (promised,) = re.findall(r"about \[(.*?)\]", example)
    names = {}

    exec(example, names)

    np.testing.assert_allclose(names["x"], [float(x) for x in promised.split(",")], rtol=1e-4)


def test_commands_without_make_are_those_of_the_makefile():
    recipes = (ROOT / "Makefile").read_text().replace("$(BIN)", ".venv/bin")
    recipes = recipes.replace("--quiet ", "").replace("--maxprocesses 8 ", "")
    recipes = recipes.replace("$(PINS)", "-r requirements.txt").replace("\t@", "\t")
    recipes = re.sub(r" \|\| \{.*", "", recipes)  # what is said when a recipe fails
    commands = re.findall(r"^\.venv/bin/.*$", README, re.MULTILINE)

    assert len(commands) == 4
    assert [command for command in commands if f"\t{command}\n" not in recipes] == []
