"""The pages' words, formulas and references."""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import latex_reader
import nbformat
import numpy as np
import pytest
import sympy
import times
from conftest import ROOT, notebooks, table_of_contents
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from pybtex.database import parse_file
from spellchecker import SpellChecker
from sympy.core.function import AppliedUndef

from adam_edu import RULES, symbolic

BOOK = ROOT / "book"
PAGES = [
    path
    for page in table_of_contents()
    for path in (ROOT / f"{page}.ipynb", ROOT / f"{page}.md")
    if path.exists()
]
CHAPTERS = notebooks()
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


@cache
def markdown(page: Path) -> list[str]:
    """Return the Markdown of a page: of a notebook, cell by cell, with captions and alt texts."""
    if page.suffix == ".md":
        return [page.read_text(encoding="utf-8")]
    found = []
    for cell in nbformat.read(page, as_version=4).cells:
        if cell.cell_type == "markdown":
            found.append(cell.source)
        shown = cell.metadata.get("mystnb", {})
        found += [shown.get("image", {}).get("alt", ""), shown.get("figure", {}).get("caption", "")]
    return found


# The first line, and the table that is made of the first lines


FIRST_LINE = re.compile(
    r"^# [^\n]+\n\n\*(?P<minutes>\d+) minutes to read, (?P<seconds>\d+) s to run[^.]*\.\s+"
    r"You\s+need\s+(?P<needs>.+?)\.\s+You\s+will\s+(?P<gives>.+?)\.\*$",
    re.DOTALL,
)


@every_chapter
def test_first_line_has_times_needs_and_gives(chapter):
    first = nbformat.read(chapter, as_version=4).cells[0].source

    assert FIRST_LINE.match(first), f"{chapter.name} begins: {first[:300]}"


@every_chapter
def test_the_minutes_are_what_is_there_to_read(chapter):
    notebook = nbformat.read(chapter, as_version=4)
    stated = int(FIRST_LINE.match(notebook.cells[0].source)["minutes"])

    # A word more or less need not be counted anew.
    assert abs(stated - times.minutes(notebook)) <= 1, "count anew: python book/_tools/times.py"


def test_minutes_are_of_words_shown_code_and_pictures():
    new = nbformat.v4
    picture = new.new_output("display_data", {"image/png": ""})
    read = [new.new_markdown_cell("word " * 460), new.new_code_cell("x = 1\n\n" * 24)]
    also = [new.new_code_cell("", outputs=[picture]) for _ in range(3)]
    not_read = [
        new.new_code_cell("x = 1\n" * 99, metadata={"tags": ["hide-input"]}),
        new.new_markdown_cell("## Exercises\n" + "word " * 999),
        new.new_code_cell("x = 1\n" * 99),
    ]

    assert times.minutes(new.new_notebook(cells=[*read, *also, *not_read])) == 2 + 2 + 1


def test_every_chapter_is_in_the_learning_goals():
    table = (BOOK / "learning-goals.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[[^\]]+\]\((\S+?)\) \| (\d+) \|", table, re.MULTILINE)
    expected = []
    for chapter in CHAPTERS:
        first = nbformat.read(chapter, as_version=4).cells[0].source
        expected.append((chapter.name, FIRST_LINE.match(first)["minutes"]))

    assert rows == expected, "write the table anew: python book/_tools/goals.py"


# Fences


MARKDOWN = MarkdownIt().use(colon_fence_plugin)


def unclosed(text: str) -> list[str]:
    """Return the first lines of the fences that no line of their own closes, at any depth."""
    lines, found = text.splitlines(), []
    for token in MARKDOWN.parse(text):
        if token.type not in ("fence", "colon_fence"):
            continue
        start, end = token.map
        if end - start < 2 or not lines[end - 1].strip().startswith(token.markup):
            found.append(lines[start])
        if token.info.strip().startswith("{"):  # a directive, which may hold others
            found += unclosed(token.content)
    return found


@every_page
def test_every_fence_closes(page):
    assert [line for text in markdown(page) for line in unclosed(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "```{solution} a\nIt has diverged. ```\n\n## Quiz\n",
        "```{solution} a\nIt is slow. ```\n\n```{exercise} b\nWhy?\n```\n",
        "````{exercise} a\n:::{dropdown} Hint\nLook.\n````\n",
        ":::{dropdown} a\n```python\nx = 1\n:::\n",
        "A hint.\n:::\n",
    ],
)
def test_a_fence_that_does_not_close_is_noticed(text):
    assert unclosed(text)


# Spelling


WORDS = BOOK / "_tools/words.txt"
NOT_PROSE = re.compile(
    r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`"
    r"|\{[a-z:]+\}"  # roles
    r"|(?<=\])\([^)]*\)"  # where a link leads
    r"|https?://\S+|<[^>]*>|^:\w+:.*$|^\([\w-]+\)=$|^%.*$",
    re.DOTALL | re.MULTILINE,
)
# Fenced blocks but for the directives that hold prose.
CODE = re.compile(r"^```(?!\{(?:exercise|solution|glossary))\S.*?^```$", re.DOTALL | re.MULTILINE)
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def words(text: str) -> set[str]:
    """Return the words of a text that a spell checker can judge: three letters or more."""
    text = CODE.sub("", text)
    text = re.sub(r"^(?:```|:::).*$", "", text, flags=re.MULTILINE)
    found = (
        word.replace("’", "'").removesuffix("'s") for word in WORD.findall(NOT_PROSE.sub(" ", text))
    )
    return {word for word in found if len(word) > 2}


@pytest.fixture(scope="module")
def speller():
    """Return a checker of American spelling that knows the words of the list as well."""
    checker = SpellChecker()
    known = WORDS.read_text(encoding="utf-8").split()
    checker.word_frequency.load_words(known)
    return checker


@every_page
def test_words_are_spelled_right(page, speller):
    unknown = sorted(
        {
            word
            for text in markdown(page)
            for word in words(text)
            # Capitals inside a word are a name of the code or of a library.
            if not re.search(r".[A-Z]", word) and word.lower() not in speller
        }
    )

    assert unknown == [], f"misspelled, or to be added to {WORDS.relative_to(ROOT)}"


def test_a_misspelled_word_is_noticed(speller):
    assert [word for word in words("The gradeint's *momentum*") if word.lower() not in speller] == [
        "gradeint"
    ]


def test_the_word_list_is_sorted_and_has_no_word_that_is_known_anyway():
    listed = WORDS.read_text(encoding="utf-8").split()

    plain = SpellChecker()
    assert listed == sorted(set(listed))
    assert [word for word in listed if word in plain] == []


# The bibliography


ENTRIES = parse_file(BOOK / "references.bib").entries


def cited() -> Counter:
    """Return how often each key is cited in the pages."""
    keys: Counter = Counter()
    for page in PAGES:
        for text in markdown(page):
            for group in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text):
                keys.update(key.strip() for key in group.split(","))
    return keys


def test_every_entry_is_cited():
    assert sorted(set(ENTRIES) - set(cited())) == []


@pytest.mark.parametrize("key", ENTRIES)
def test_every_entry_is_complete(key):
    entry = ENTRIES[key]

    assert entry.persons.get("author")
    assert {"title", "year"} <= set(entry.fields)
    assert {"doi", "eprint", "url"} & set(entry.fields), "no DOI, arXiv number or address"
    if "eprint" in entry.fields:
        assert entry.fields["archiveprefix"] == "arXiv"
        assert re.fullmatch(r"\d{4}\.\d{4,5}", entry.fields["eprint"])
    if "doi" in entry.fields:
        assert re.fullmatch(r"10\.\d{4,}/\S+", entry.fields["doi"])
    if "url" in entry.fields:
        assert urlsplit(entry.fields["url"]).scheme == "https"


def test_no_source_has_two_entries():
    marks = Counter(
        entry.fields[kind]
        for entry in ENTRIES.values()
        for kind in ("doi", "eprint", "url")
        if kind in entry.fields
    )

    assert [mark for mark, count in marks.items() if count > 1] == []


# Formulas


# What marks the formulas of no rule: the gradient at another point than x, which a cell beside it
# shows to be the rule; and a method that is set as an exercise, where the checker has the rule.
OTHER_FORMS = (r"\nabla f(x - \alpha\mu m)", r"\nabla f(y)", r"\min(\eta, s)")
DISPLAY = re.compile(r"\$\$(.*?)\$\$", re.DOTALL)
UPDATE = re.compile(r"(?<!bar )(?<!tilde )\b(?:x|theta_t) *&? *\\leftarrow")


def update_formulas(chapter: Path) -> list[str]:
    """Return the displayed formulas that say what x becomes."""
    text = "\n".join(markdown(chapter))
    found = [
        formula
        for formula in DISPLAY.findall(text)
        if UPDATE.search(formula) and not any(mark in formula for mark in OTHER_FORMS)
    ]
    return [part for formula in found for part in re.split(r"\\text\{or\}", formula)]


def read(formula: str) -> list[tuple]:
    """Read a formula's rows as those of a rule: without the index t, and with x for theta."""
    formula = re.sub(r"\\(begin|end)\{aligned\}", "", formula)
    formula = re.sub(r"\\theta(?=_)", "x", formula)
    formula = re.sub(
        r"(?<=[\w}])_(?:t|\{t-1\})(?![\w-])", "", formula.replace(r"\alpha_t", r"\eta")
    )
    formula = re.sub(r"^(?:\\qquad|\s)+|(?:\\qquad|[\s.,;])+$", "", formula)
    return latex_reader.rows(re.sub(r",(?=\s*\\qquad)", "", formula))


def same(one, other) -> bool:
    """Say whether two expressions agree at random points."""
    if (one - other).atoms(AppliedUndef):  # a scalar such as c_t, of whose meaning nothing is said
        return sympy.simplify(one - other) == 0
    symbols = sorted((one - other).free_symbols, key=str)
    rng = np.random.default_rng(0)
    points = rng.uniform(0.1, 0.9, (5, len(symbols)))
    return all(
        abs((one - other).subs(dict(zip(symbols, point, strict=True))).evalf()) < 1e-9
        for point in points
    )


@cache
def rows_of(rule: type) -> list[tuple]:
    """Return the rows of a rule's typeset formula."""
    return latex_reader.rows(symbolic.latex(rule))


def is_the_rule(formula: str, rule: type) -> bool:
    """Say whether each row of a formula is a row of the rule's own."""
    own = rows_of(rule)
    return all(
        any(left == own_left and same(right, own_right) for own_left, own_right in own)
        for left, right in read(formula)
    )


def is_adam_with_epsilon_hat(formula: str) -> bool:
    """Say whether a formula is the efficient form of the paper's section 2."""
    values = latex_reader.fold(read(formula))
    m, v, lr, beta1, beta2, eps, eps_hat, t = sympy.symbols("m v lr beta1 beta2 eps eps_hat t")
    found = values[sympy.Symbol("x")].subs(eps_hat, eps * sympy.sqrt(1 - beta2**t))
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return same(found, sympy.Symbol("x") - lr * m_hat / (sympy.sqrt(v_hat) + eps))


def known(formula: str) -> bool:
    if r"\hat\epsilon" in formula:
        return is_adam_with_epsilon_hat(formula)
    return any(is_the_rule(formula, rule) for rule in RULES.values())


@every_chapter
def test_update_formulas_are_those_of_the_rules(chapter):
    for formula in update_formulas(chapter):
        assert known(formula), formula


def test_chapters_do_have_update_formulas():
    with_one = {chapter.stem for chapter in CHAPTERS if update_formulas(chapter)}

    assert with_one >= {"gradient-descent", "momentum", "adagrad", "rmsprop-adadelta"}
    assert with_one >= {"bias-correction", "library-adams"}


@pytest.mark.parametrize(
    "wrong",
    [
        r"x \leftarrow x + \alpha g",
        r"m \leftarrow \mu m + g, \qquad x \leftarrow x - \alpha (1 - \mu) m.",
        r"s \leftarrow s + g, \qquad x \leftarrow x - \frac{\alpha\, g}{\sqrt{s} + \epsilon}",
        r"x \leftarrow x - \alpha\, \frac{\hat m_t}{\sqrt{\hat v_t + \epsilon}}",
        r"\alpha_t = \alpha\, \frac{1 - \beta_1^t}{\sqrt{1 - \beta_2^t}}, \qquad "
        r"x \leftarrow x - \alpha_t\, \frac{m_t}{\sqrt{v_t} + \hat\epsilon}",
    ],
)
def test_a_wrong_formula_is_noticed(wrong):
    assert not known(wrong)


def test_algorithm_1_line_by_line():
    text = "\n".join(markdown(BOOK / "adam-update.ipynb"))
    lines = re.findall(r"\$((?:m_t|v_t|\\hat m_t|\\hat v_t|\\theta_t) \\leftarrow [^$]+)\$", text)

    assert len(lines) >= 5
    for line in lines:
        assert is_the_rule(line, RULES["Adam"]), line


@every_chapter
def test_typeset_formulas_are_up_to_date(chapter):
    for cell in nbformat.read(chapter, as_version=4).cells:
        for output in cell.get("outputs", []):
            plain = output.get("data", {}).get("text/plain", "")
            if match := re.fullmatch(r"formula\((\w+)\)", plain):
                assert output.data["text/latex"].strip("$\n") == symbolic.latex(RULES[match[1]])
