"""What the README shows must run, and be what the Makefile does."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from adam_edu import check

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


def test_it_says_what_the_course_is_in_the_words_of_the_first_page():
    opening = re.search(r"\n\n(A free course .*?)\n\n", README, re.DOTALL)[1]
    page = (ROOT / "book/index.md").read_text(encoding="utf-8")

    assert " ".join(opening.split()) in " ".join(page.split())


def test_its_pictures_are_there_small_and_described():
    pictures = re.findall(r'<img src="(.+?)"[^>]*\salt="([^"]{40,})"', README)

    assert [Path(name).stem for name, _ in pictures] == ["figure", "verdict"]
    for name, _ in pictures:
        picture = (ROOT / name).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 100_000


def test_the_verdict_is_what_the_checker_says():
    pytest.importorskip("playwright")
    pytest.importorskip("PIL")
    script = runpy.run_path(str(ROOT / "book/_tools/pictures.py"))
    said = str(check.adam_step(script["adam_step"]))
    alt = re.search(r'alt="A verdict: ([^"]+)"', README)[1]

    for sentence in alt.split(". ")[1:]:
        assert sentence.rstrip(".") in " ".join(said.split())
