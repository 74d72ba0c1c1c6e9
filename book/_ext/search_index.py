"""A Sphinx extension of this book: what its search looks through, section by section.

It writes `_static/search-sections.js`: every section, reader's question, term of the glossary, row
of the table of symptoms, class and function, with its title, its first sentences, and the stems of
its other words. A script, and not data to fetch, so that the search works from a disk.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import snowballstemmer
from docutils import nodes
from sphinx import addnodes

SYNONYMS = Path(__file__).with_name("synonyms.txt")
SUBJECTS = Path(__file__).with_name("subjects.txt")
OUTPUT = "_static/search-sections.js"
SHOWN = 170, 60  # characters that a reader can be shown, of prose, and of code and asides
SELDOM = 0.5  # what weighs less is seldom looked for
COMMON = 0.06  # a word that is in more than this share of all entries tells none from the others
STEM = cache(snowballstemmer.stemmer("porter").stemWord)

# How much a hit of a kind counts. What answers in a line comes first, a list of links last.
WEIGHTS = {
    "question": 1.3, "symptom": 1.3, "term": 1.2, "page": 1.2, "section": 1.0, "module": 0.4,
    "code": 0.2,
}  # fmt: skip
ASIDES = {"Exercises": 0.3, "Quiz": 0.2, "To read further": 0.2, "Not answered here": 0.3}
LISTS = {"book/learning-goals": 0.2, "book/bibliography": 0.7}
IN_LISTS = {"your-exercises": 1.0}

# Not prose: cells of code with what they print, formulas on lines of their own, answers.
SILENT = {
    "comment", "image", "literal_block", "math_block", "raw", "solution_node", "substitution_node",
    "target", "title",
}  # fmt: skip

GREEK = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "eta",
    "lambda",
    "mu",
    "rho",
    "sigma",
    "theta",
]
TEX = {f"\\{name}": letter for name, letter in zip(GREEK, "αβγδεηλμρσθ", strict=True)}
TEX |= {r"\varepsilon": "ε", r"\infty": "∞", r"\sqrt": "√", r"\cdot": "·", r"\ast": "*"}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass
class Entry:
    """What can be found: where it is, what it is called, what it says.

    Attributes
    ----------
    page : name of the document
    anchor : id of the element on the page; empty for the page's top
    kind : a key of ``WEIGHTS``
    weight : factor on the score of a hit
    about : what a page says of itself below its title; searched, and not shown
    subjects : other words for what it is about; searched, and not shown
    """

    page: str
    anchor: str
    kind: str
    title: str
    text: str = ""
    weight: float = 1.0
    about: str = ""
    subjects: list[str] = field(default_factory=list)


def entries(page: str, doctree: nodes.document) -> Iterator[Entry]:
    """Yield what can be found on a page, from its top to its end."""
    # What is in an exercise is a section too, without a title.
    sections = [one for one in doctree.findall(nodes.section) if isinstance(one[0], nodes.title)]
    for section in sections:
        yield section_entry(page, section, is_page=section is sections[0])
    for row in doctree.findall(nodes.row):
        yield from symptom(page, row)
    for item in doctree.findall(nodes.definition_list_item):
        yield from term(page, item)
    for described in doctree.findall(addnodes.desc):
        yield from signature(page, described)


def section_entry(page: str, section: nodes.section, *, is_page: bool) -> Entry:
    """Return a section with its own text, without that of the sections in it."""
    label = section["ids"][-1]  # a label of the author's, where there is one
    title = re.sub(r" \(\d+(, \d+)*\)$", "", words_of(section[0]))
    kind = "page" if is_page else "question" if re.fullmatch(r"q-\d+", label) else "section"
    if page.startswith("book/api/"):
        kind = "module"
    weight = WEIGHTS[kind] * ASIDES.get(title, 1.0) * IN_LISTS.get(label, LISTS.get(page, 1.0))
    inside = [
        child for child in section.children if not isinstance(child, nodes.section | nodes.title)
    ]
    text = " ".join(filter(None, (plain(child) for child in inside if not is_subtitle(child))))
    about = " ".join(plain(child) for child in inside if is_subtitle(child))
    anchor = "" if is_page else label
    return Entry(page, anchor, kind, title, text, weight, about, exercises(section))


def exercises(section: nodes.section) -> list[str]:
    """Return the names of the functions that a section of exercises asks for."""
    code = [] if section[0].astext() != "Exercises" else section.findall(nodes.literal_block)
    names = [name for block in code for name in re.findall(r"\bcheck\.(\w+)\(", block.astext())]
    return list(dict.fromkeys(names))


def symptom(page: str, row: nodes.row) -> Iterator[Entry]:
    """Yield a row of a table that begins with what the reader sees."""
    table = ancestor(row, nodes.table)
    head = next(table.findall(nodes.thead), None)
    if head is None or head is row.parent or plain(next(head.findall(nodes.entry))) != "You see":
        return
    title, *rest = (plain(cell) for cell in row.children)
    label = ancestor(row, nodes.section)["ids"][-1]
    yield Entry(page, label, "symptom", title, ": ".join(rest), WEIGHTS["symptom"])


def term(page: str, item: nodes.definition_list_item) -> Iterator[Entry]:
    """Yield a term of the glossary with its definition."""
    for name in item.findall(nodes.term):
        if name["ids"] and name["ids"][0].startswith("term-"):
            definition = " ".join(plain(one) for one in item.findall(nodes.definition))
            yield Entry(page, name["ids"][0], "term", words_of(name), definition, WEIGHTS["term"])


def signature(page: str, described: addnodes.desc) -> Iterator[Entry]:
    """Yield a class or a function with the first paragraph of its docstring."""
    head = described[0]
    if described["objtype"] not in ("class", "function") or not head["ids"]:
        return
    content = described[-1]
    said = (plain(one) for one in content.children if isinstance(one, nodes.paragraph))
    first = next((text for text in said if not text.startswith("Bases: ")), "")
    name = head["fullname"].rsplit(".", 1)[-1]
    yield Entry(page, head["ids"][0], "code", name, first, WEIGHTS["code"])


def words_of(node: nodes.Element) -> str:
    """Return the words of a title or a term: what ``plain`` says of all that is in it."""
    return " ".join("".join(text for child in node.children for text in pieces(child)).split())


def ancestor(node: nodes.Node, kind: type[nodes.Element]) -> nodes.Element:
    """Return the nearest node above of a kind."""
    while not isinstance(node, kind):
        node = node.parent
    return node


def is_subtitle(node: nodes.Node) -> bool:
    """Say whether a paragraph is emphasis and nothing else, as the line of times below a title."""
    return isinstance(node, nodes.paragraph) and all(
        isinstance(child, nodes.emphasis) for child in node.children if child.astext().strip()
    )


def plain(node: nodes.Node) -> str:
    """Return a node's words as one line: no block of code, no TeX, no keys of citations."""
    text = " ".join(" ".join(pieces(node)).split())
    return re.sub(r":,", ":", re.sub(r"\s+([.,;:!?)])", r"\1", text))


def pieces(node: nodes.Node) -> Iterator[str]:
    """Yield the texts in a node that are prose; those of a paragraph in one piece."""
    if isinstance(node, nodes.Text):
        yield node.astext()
    elif isinstance(node, nodes.math):
        yield symbols(node.astext())
    elif isinstance(node, nodes.row):
        yield "; ".join(filter(None, (plain(cell) for cell in node.children))) + "."
    elif isinstance(node, nodes.Element) and node.get("refdomain") == "cite":
        yield citation(node)
    elif isinstance(node, nodes.Element) and node.get("reftype") in ("eq", "numref"):
        yield ""
    elif isinstance(node, nodes.Element) and not is_silent(node):
        inside = [text for child in node.children for text in pieces(child)]
        yield from ["".join(inside)] if isinstance(node, nodes.TextElement) else inside


def is_silent(node: nodes.Element) -> bool:
    """Say whether a node is no prose."""
    return type(node).__name__ in SILENT or "cell" in node.get("classes", ())


def citation(node: nodes.Element) -> str:
    """Return a work that a sentence names as Kingma (2015), and one in brackets as nothing."""
    key = re.match(r"([a-z]+)(\d{4})", node.astext())
    return f"{key[1].capitalize()} ({key[2]})" if key and node["reftype"] == "t" else ""


def symbols(tex: str) -> str:
    r"""Return a short formula as one reads it, ``\beta_2`` as β₂, and a long one as nothing."""
    text = re.sub(r"\\(hat|tilde|bar|mathbf|mathrm|text)\b|[{}]|\\[,;!: ]|~", "", tex)
    for name, letter in TEX.items():
        text = re.sub(re.escape(name) + r"(?![a-zA-Z])", letter, text)
    text = re.sub(r"_(\d)", lambda found: found[1].translate(SUBSCRIPTS), text)
    return "" if "\\" in text else text


def shown(entry: Entry) -> str:
    """Return the first sentences of an entry's text, two or three lines, of code and asides one."""
    limit = SHOWN[entry.weight < SELDOM]
    if len(entry.text) <= limit:
        return entry.text
    return entry.text[:limit].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"


def stems(text: str) -> set[str]:
    """Return the stems of a text's words; of "over-fitting" its parts' and its own."""
    found = re.findall(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", re.sub(r"['’](s\b)?", "", text.lower()))
    parts = {part for word in found for part in (re.sub("[-_]", "", word), *re.split("[-_]", word))}
    return {STEM(part) for part in parts if len(part) > 1}


def rest(found: list[Entry]) -> list[str]:
    """Return for each entry the stems that it does not show, but for those of most entries."""
    of_all = [stems(f"{entry.text} {entry.about}") for entry in found]
    count = Counter(stem for own in of_all for stem in own)
    return [
        " ".join(sorted(s for s in own - stems(shown(entry)) if count[s] <= COMMON * len(found)))
        for entry, own in zip(found, of_all, strict=True)
    ]


def lines(path: Path) -> list[str]:
    """Return the lines of a list that say something."""
    read = path.read_text(encoding="utf-8").splitlines()
    return [line for line in read if line and not line.startswith("#")]


def words(listed: str) -> list[str]:
    """Return what stands between commas."""
    return [word.strip() for word in listed.split(",")]


def add_subjects(found: list[Entry]) -> None:
    """Give entries the subjects of the list.

    Raises
    ------
    ValueError
        If the list names a section that is not there.
    """
    places = {(entry.page, entry.anchor): entry for entry in reversed(found)}
    for line in lines(SUBJECTS):
        place, _, listed = line.partition(":")
        page, _, anchor = place.partition("#")
        if (f"book/{page}", anchor) not in places:
            raise ValueError(f"{SUBJECTS.name} names a section that is not in the book: {place}")
        places[f"book/{page}", anchor].subjects += words(listed)


def write_sections(app: Any, error: Exception | None) -> None:
    """Write what the search needs."""
    if error is not None or app.builder.format != "html":
        return
    pages = sorted(app.env.found_docs)
    found = [entry for page in pages for entry in entries(page, app.env.get_doctree(page))]
    add_subjects(found)
    data = {
        "pages": [
            [app.builder.get_target_uri(page), words_of(app.env.titles[page])] for page in pages
        ],
        "sections": [
            [
                pages.index(entry.page), entry.anchor, entry.kind, round(entry.weight, 2),
                entry.title, shown(entry), more, entry.subjects,
            ]
            for entry, more in zip(found, rest(found), strict=True)
        ],
        "synonyms": [words(line) for line in lines(SYNONYMS)],
    }  # fmt: skip
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    (Path(app.outdir) / OUTPUT).write_text(f"window.bookSections={text};\n", encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension."""
    app.add_js_file("search.js", loading_method="defer")
    app.connect("build-finished", write_sections)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
