"""Every sentence of the chapters that compares has its evidence, named in ``comparisons.toml``.

A sentence that is new or changed is not in that file, and fails until somebody has said what shows
it. So does one whose evidence is gone from the chapter, or has fewer than ten seeds.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

import nbformat
import pytest
from conftest import notebooks

from adam_edu import RULES, evidence

CHAPTERS = {path.stem: path for path in notebooks()}
EVIDENCE = tomllib.loads(Path(__file__).with_name("comparisons.toml").read_text(encoding="utf-8"))

COMPARES = re.compile(
    r"\b(?:faster|slower|better|worse|ahead|behind|beats?|beaten|wins?|won|loses?|outperform\w*"
    r"|overtak\w+|lowest|lower|higher|level with|catch(?:es)? up|as good|as well|first place|leads?"
    r"|(?:end|stay|lie|reach|is|are)s? (?:clearly |a little )?(?:above|below)|alike|helps?|no order"
    r"|costs? (?:nothing|something|a)|no gain)\b",
    re.IGNORECASE,
)
OF_WHAT = re.compile(
    rf"\b(?:{'|'.join(RULES)}|Muon|LAMB|Schedule-free|L-BFGS|momentum|optimizers?|cosine|warm-up"
    r"|penalty|uncorrected|losse?s?|error|accuracy|seeds?|images|texts|runs?)\b"
)
SEEDS = re.compile(r"(?:on \d+ of|no order seen on) (\d+) seeds")
# What is no statement of the chapter: exercises and what is folded away, quotations, formulas.
ASIDE = re.compile(
    r"^(`{3,}|:{3,})\{?(?:exercise|solution|dropdown|glossary|code|python).*?^\1\s*$"
    r'|"[^"]{1,400}"|\$\$.*?\$\$',
    re.DOTALL | re.MULTILINE,
)
CITED = re.compile(r"\{cite")
ELSEWHERE = re.compile(r"\]\((?:[\w-]+\.ipynb)?#?[\w-]*\)")
FEW = re.compile(
    r"\b(?:one|two|three|five|few|both|small) (?:[\w-]+ )?(?:run|seed|start|batch|network)s?\b"
    r"|\bone (?:run|seed)'s\b|\bspreads? (?:touch|overlap)",
    re.IGNORECASE,
)
CHANCE = re.compile(r"rng|seed|random|train\(|\bsample")


def sentences(text: str) -> list[str]:
    """Return the sentences of a cell that compare, each on one line."""
    found = []
    for paragraph in re.split(
        r"\n\s*\n|\n(?=[-*|] |#|:::)", ASIDE.sub(lambda match: match[0][:1], text)
    ):
        flat = " ".join(paragraph.split())
        found += re.split(r"(?:(?<=[.!?:])|(?<=[.!?]\)))\s+(?=[A-Z*(\[{$])", flat)
    return [
        one
        for one in found
        if COMPARES.search(one)
        and OF_WHAT.search(one)
        and not one.endswith("?")
        and not CITED.search(one)
    ]


@cache
def cells(chapter: str) -> list:
    return nbformat.read(CHAPTERS[chapter], as_version=4).cells


@cache
def comparing(chapter: str) -> dict[str, str]:
    """Return the chapter's comparing sentences, up to its exercises, and the cell of each."""
    found = {}
    for cell in cells(chapter)[1:]:
        if cell.cell_type != "markdown" or "class: predict" in cell.source:
            continue
        found |= dict.fromkeys(sentences(cell.source.partition("## Exercises")[0]), cell.source)
        if "## Exercises" in cell.source:
            break
    return found


def outputs(chapter: str) -> list[tuple[str, str]]:
    """Return source and printed text of the chapter's code cells."""
    return [
        (cell.source, "".join(output.get("text", "") for output in cell.outputs))
        for cell in cells(chapter)
        if cell.cell_type == "code"
    ]


def captions(chapter: str) -> list[str]:
    return [
        cell.metadata.mystnb.figure.caption
        for cell in cells(chapter)
        if "figure" in cell.metadata.get("mystnb", {})
    ]


def objection(chapter: str, kind: str, what: str, sentence: str, beside: str) -> str | None:
    """Say why something is no evidence for a sentence, which stands in the cell ``beside``."""
    match kind:
        case "seeds":  # a line that the chapter prints
            printed = [text for _, text in outputs(chapter) if what in text]
            counts = [int(n) for text in printed for n in SEEDS.findall(text)]
            if not counts:
                return f"no cell prints {what!r} with a count of seeds"
            return None if min(counts) >= evidence.FEWEST else f"{min(counts)} seeds"
        case "exact":  # a line of code: what it computes has no chance in it
            codes = [code for code, _ in outputs(chapter) if what in code]
            if not codes:
                return f"no cell has the code {what!r}"
            return "there is chance in it" if all(map(CHANCE.search, codes)) else None
        case "record":  # a recorded run, whose seeds the chapter states
            found = any(f'"{what}"' in code for code, _ in outputs(chapter))
            return None if found else f"the chapter does not load {what!r}"
        case "few":  # the cell, or the caption of a figure, says how little it is
            said = [beside, *captions(chapter)]
            there = any(what in text for text in said) and FEW.search(what)
            return None if there else "nothing beside it says so"
        case "printed":  # a count or a bound that the chapter prints, and no order of two
            return None if any(what in text for _, text in outputs(chapter)) else "not printed"
        case "cites":
            return None if what in beside and CITED.search(beside) else "no source beside it"
        case "elsewhere":
            return None if ELSEWHERE.search(sentence + what) and what in beside else "no link"
        case "none":  # no statement about a result, for the reason given
            return None if len(what.split()) > 1 else "no reason given"
    return f"{kind!r} is no kind of evidence"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_comparison_has_its_evidence(chapter):
    there = comparing(chapter)
    listed = {
        sentence: (kind, what)
        for entry in EVIDENCE.get(chapter, [])
        for kind, what in entry.items()
        if kind != "sentences"
        for sentence in entry["sentences"]
    }

    assert sorted(there.keys() - listed.keys()) == [], "what shows it? see tests/comparisons.toml"
    assert sorted(listed.keys() - there.keys()) == [], "no longer in the chapter"
    problems = {
        sentence: problem
        for sentence, (kind, what) in listed.items()
        if (problem := objection(chapter, kind, what, sentence, there[sentence]))
    }
    assert problems == {}


def test_every_entry_has_one_kind_of_evidence_and_no_sentence_two():
    for chapter, entries in EVIDENCE.items():
        assert chapter in CHAPTERS
        assert all(len(entry) == 2 and entry["sentences"] for entry in entries)
        every = [sentence for entry in entries for sentence in entry["sentences"]]
        assert len(every) == len(set(every))


@pytest.mark.parametrize(
    ("kind", "what", "problem"),
    [
        ("seeds", "a line that nobody prints", "no cell prints"),
        ("exact", "evidence.tune(", "there is chance in it"),
        ("record", "no-such-record", "does not load"),
        ("few", "three seeds, says nobody", "nothing beside it"),
        ("printed", "a line that nobody prints", "not printed"),
        ("cites", "Bottou", "no source"),
        ("elsewhere", "", "no link"),
        ("none", "obvious", "no reason"),
        ("taste", "it is so", "no kind"),
    ],
)
def test_what_is_no_evidence_is_refused(kind, what, problem):
    assert problem in objection("schedules", kind, what, "Adam is faster.", "Adam is faster.")


def test_a_sentence_that_compares_is_found():
    text = "## A\n\nAdam is faster than\nSGD. (The loss ends below Nesterov's.) Is Adam better?\n"

    assert sentences(text) == ["Adam is faster than SGD.", "(The loss ends below Nesterov's.)"]


@pytest.mark.parametrize(("seeds", "problem"), [(3, "3 seeds"), (10, None)])
def test_three_seeds_are_no_evidence(monkeypatch, seeds, problem):
    printed = f"Adam against SGD: lower on {seeds} of {seeds} seeds"
    monkeypatch.setitem(globals(), "outputs", lambda chapter: [("", printed)])

    assert objection("schedules", "seeds", "Adam against SGD", "Adam is faster.", "") == problem
