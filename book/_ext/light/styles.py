"""One style sheet for the whole book, with the rules that a page may need and no others.

A rule stays if each class, id, element and attribute of its selector occurs in a built page, or in
a script that may add it later. What a page never says cannot be styled.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import tinycss2
from tinycss2.ast import Node

NESTED = {"media", "supports", "layer", "container"}
ALTERNATIVES = {"is", "where", "has", "matches", "-webkit-any", "-moz-any"}
WORD = re.compile(r"-?[A-Za-z_][\w-]*")
VARIABLE = re.compile(r"var\(\s*(--[\w-]+)|[\"'](--[\w-]+)[\"']")
QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`")


@dataclass
class Names:
    """What pages say that a selector can ask for."""

    classes: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)  # custom properties that somebody reads

    def read_page(self, text: str) -> None:
        """Add what a page says, with what its own scripts may add to it."""
        _Reader(self).feed(text)
        self.variables.update(variables(text))

    def read_script(self, text: str) -> None:
        """Add the words between quotation marks: names of classes, attributes, or neither."""
        for literal in QUOTED.findall(text):
            words = WORD.findall(literal)
            self.classes.update(words)
            self.ids.update(words)
            self.tags.update(words)
            self.attributes.update(words)
        self.variables.update(variables(text))
        # element.dataset.theme is the attribute data-theme.
        for name in re.findall(r"\bdataset\.(\w+)", text):
            self.attributes.add("data-" + re.sub(r"[A-Z]", lambda m: "-" + m[0].lower(), name))


class _Reader(HTMLParser):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names = names
        self.in_script = False

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.in_script = tag == "script"
        self.names.tags.add(tag)
        for name, value in attributes:
            self.names.attributes.add(name)
            if name == "class":
                self.names.classes.update((value or "").split())
            if name == "id":
                self.names.ids.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.in_script = False

    def handle_data(self, data: str) -> None:
        if self.in_script:
            self.names.read_script(data)
            # Some of it is HTML, written into the page.
            for literal in re.findall(r"`([^`]*<[^`]*)`", data):
                self.names.read_page(literal)


def split(tokens: Iterable[Node]) -> Iterator[list[Node]]:
    """Give the selectors of a list that commas divide."""
    part: list[Node] = []
    for token in tokens:
        if token.type == "literal" and token.value == ",":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def possible(selector: list[Node], names: Names) -> bool:
    """Say whether a selector can select anything."""
    before = ""
    for token in selector:
        mark = before
        before = token.value if token.type == "literal" else ""
        if token.type == "ident":
            if mark == ".":
                known = token.value in names.classes
            elif mark == ":":  # a state, or a part of an element
                known = True
            else:
                known = token.lower_value in names.tags
        elif token.type == "hash":
            known = token.value in names.ids
        elif token.type == "[] block":
            known = _attribute(token.content, names)
        elif token.type == "function" and token.lower_name in ALTERNATIVES:
            known = any(possible(part, names) for part in split(token.arguments))
        else:
            known = True
        if not known:
            return False
    return True


def _attribute(tokens: list[Node], names: Names) -> bool:
    found = [token for token in tokens if token.type in ("ident", "string")]
    if not found or found[0].lower_value not in {one.lower() for one in names.attributes}:
        return False
    if found[0].lower_value == "class" and len(found) > 1:
        return any(found[1].value in one for one in names.classes)
    return True


@dataclass
class Block:
    """A rule that stays: what stands before the brace, and what stands in it."""

    head: str
    values: list[tuple[str, str]] = field(default_factory=list)  # property, value
    inner: list["Block"] = field(default_factory=list)
    raw: str = ""  # frames of an animation

    def reads(self) -> set[str]:
        """Return the custom properties that its values read."""
        return {
            name
            for own, value in self.values
            if not own.startswith("--")
            for name in variables(value)
        }.union(variables(self.raw), *(block.reads() for block in self.inner))

    def definitions(self) -> Iterator[tuple[str, str]]:
        """Give the custom properties that it sets."""
        yield from (one for one in self.values if one[0].startswith("--"))
        for block in self.inner:
            yield from block.definitions()

    def text(self, read: set[str]) -> str:
        """Return the rule as text, with the custom properties that somebody reads."""
        kept = [f"{a}:{b}" for a, b in self.values if not a.startswith("--") or a in read]
        body = ";".join(kept) + "".join(block.text(read) for block in self.inner) + self.raw
        return f"{self.head}{{{body}}}" if body else ""


def variables(text: str) -> set[str]:
    """Return the custom properties that a text reads."""
    return {a or b for a, b in VARIABLE.findall(text)}


def written(blocks: list[Block], names: Names) -> str:
    """Return the text of rules, less the custom properties that nobody reads.

    Read by a page, a script or a rule, or by a property that is read.
    """
    read = names.variables.union(*(block.reads() for block in blocks))
    sets = [one for block in blocks for one in block.definitions()]
    while more := {x for own, value in sets if own in read for x in variables(value)} - read:
        read |= more
    return "".join(block.text(read) for block in blocks)


def prune(rules: list[Node], names: Names) -> list[Block]:
    """Return the rules that a page may need."""
    return [block for rule in rules if (block := _kept(rule, names))]


def _kept(rule: Node, names: Names) -> Block | None:
    if rule.type == "qualified-rule":
        kept = [part for part in split(rule.prelude) if possible(part, names)]
        return Block(",".join(map(short, kept)), declarations(rule.content)) if kept else None
    if rule.type != "at-rule" or rule.content is None:
        return None  # an import, which is followed, or a character set
    head = f"@{rule.at_keyword} {short(rule.prelude)}".rstrip()
    if rule.lower_at_keyword in NESTED:
        return Block(head, inner=prune(parse(rule.content), names))
    if "keyframes" in rule.lower_at_keyword:
        return Block(head, raw=short(rule.content))
    return Block(head, declarations(rule.content))


def parse(source: Any) -> list[Node]:
    """Return the rules of a style sheet, or of a block in one."""
    if isinstance(source, str):
        return tinycss2.parse_stylesheet(source, skip_comments=True, skip_whitespace=True)
    return tinycss2.parse_rule_list(source, skip_comments=True, skip_whitespace=True)


def declarations(content: list[Node]) -> list[tuple[str, str]]:
    """Return the properties of a block with their values."""
    found = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    return [
        (one.name, short(one.value) + ("!important" if one.important else ""))
        for one in found
        if one.type == "declaration"
    ]


def short(tokens: list[Node]) -> str:
    """Return tokens as text, without comments and with single spaces."""
    kept = [token for token in tokens if token.type != "comment"]
    return re.sub(r"\s+", " ", tinycss2.serialize(kept)).strip()


def moved(tokens: Iterable[Node], old: str, new: str) -> None:
    """Let relative addresses in tokens lead, from the new folder, to where they led before."""
    for token in tokens:
        if token.type == "url":
            _move(token, old, new)
        elif token.type == "function" and token.lower_name == "url":
            for argument in token.arguments:
                if argument.type == "string":
                    _move(argument, old, new)
        for inside in ("content", "arguments", "prelude", "value"):
            below = getattr(token, inside, None)
            if isinstance(below, list):
                moved(below, old, new)


def _move(token: Node, old: str, new: str) -> None:
    if re.match(r"[a-z][a-z+.-]*:|[/#]", token.value, re.IGNORECASE):
        return
    token.value = posixpath.relpath(posixpath.join(old, token.value), new)
    token.representation = f'"{token.value}"' if token.type == "string" else f"url({token.value})"


def sheet(path: Path, folder: Path) -> list[Node]:
    """Return the rules of a file, those that it imports before them, for a sheet in ``folder``."""
    imported, own = [], []
    for rule in parse(path.read_text(encoding="utf-8")):
        if rule.type == "at-rule" and rule.lower_at_keyword == "import":
            (address,) = (one.value for one in rule.prelude if one.type in ("string", "url"))
            imported += sheet((path.parent / address).resolve(), folder)
        else:
            own.append(rule)
    moved(own, path.parent.as_posix(), folder.as_posix())
    return imported + own
