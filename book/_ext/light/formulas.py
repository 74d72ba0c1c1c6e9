"""Formulas, set as MathML when the book is built; each keeps its TeX, to be copied.

A formula that cannot be set is a warning of its page, and a warning is an error of the build.
"""

import re
from html import unescape
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

log = logging.getLogger(__name__)
converter = LatexToMathML(annotation=True, fancy_error=False)

ENVIRONMENT = re.compile(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.DOTALL)
# A formula within HTML that code made, marked as notebooks want it: the quizzes have them.
MARKED = re.compile(r'<span class="mathjax_process">\\\((.*?)\\\)</span>', re.DOTALL)
# A formula of a line, and the sign that it touches on either side.
INLINE = re.compile(
    r'((?:&\w+;|[^\s<>;–—-])?)((<span class="math[^>]*>)?<math>.*?</math>(?(3)</span>))'
    r"((?:&\w+;|[^\s<>&])?)",
    re.DOTALL,
)
NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[a-zA-Z]+;")  # such as a space that holds
SCRIPTS = {"msub", "msup", "msubsup"}
TALL = {"mfrac", "msqrt", "mtable", "munder", "munderover"}
BRACKETS = "()[]|‖"


def mathml(tex: str, display: bool = False) -> str:
    r"""Return a formula as a ``math`` element, with its TeX in it.

    Rows that stand in no environment are aligned, as Sphinx does it.

    Raises
    ------
    LatexError
        If the TeX is wrong, or has a command that is not known.
    """
    tex = tex.strip()
    if r"\\" in ENVIRONMENT.sub("", tex):
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    written = converter.convert_with_local_state(tex, displaystyle=display)
    found = ElementTree.fromstring(NAMED.sub(lambda one: unescape(one[0]), written))
    mend(found)
    return ElementTree.tostring(found, encoding="unicode")


def mend(formula: ElementTree.Element) -> None:
    """Put right what browsers, or the converter, would draw otherwise than TeX.

    Chromium leaves the room of the widest bracket beside each that may grow: around one line it
    keeps its size. Only a single prime has a form for its place at the top: a double one is two. A
    sign that begins a row after its first column stands between two things.
    """
    for element in formula.iter():
        if element.tag == "mo" and element.text == "″":
            element.text = "′′"
        if element.tag == "mrow" and len(element) > 1:
            ends = [base(element[0]), base(element[-1])]
            around = all(one.tag == "mo" and (one.text or "") in BRACKETS for one in ends)
            if around and not any(tall(child) for child in element[1:-1]):
                for one in ends:
                    one.set("stretchy", "false")
        if element.tag == "mtr":
            for cell in element[1:]:
                first = next((one for one in cell if one.tag != "mspace"), None)
                if first is not None and first.tag == "mo" and first.text in ("+", "−"):
                    first.set("form", "infix")


def tall(element: ElementTree.Element) -> bool:
    """Say whether an element is higher than a line."""
    if element.get("displaystyle") == "false":
        return False  # a small fraction
    return element.tag in TALL or any(tall(child) for child in element)


def base(element: ElementTree.Element) -> ElementTree.Element:
    """Return what an element's scripts stand on, or the element."""
    return element[0] if element.tag in SCRIPTS else element


def set_formula(tex: str, display: bool, location: Any) -> str:
    """Return a formula as MathML, or warn where it stands and return its TeX."""
    try:
        return mathml(tex, display)
    except LatexError as error:
        log.warning("a formula cannot be set: %s: %s", error, tex, location=location)
        return nodes.Text(tex).astext()


def visit_inline(self: Any, node: nodes.math) -> None:
    """Write a formula of a line."""
    self.body.append(self.starttag(node, "span", "", CLASS="math"))
    self.body.append(set_formula(node.astext(), False, node) + "</span>")
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    """Write a formula on lines of its own, with its number."""
    self.body.append(self.starttag(node, "div", "", CLASS="math"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    parts = [part for part in node.astext().split("\n\n") if part.strip()]
    formulas = "".join(set_formula(part, True, node) for part in parts)
    self.body.append(f'<div class="formula">{formulas}</div></div>\n')
    raise nodes.SkipNode


def joined(found: re.Match[str]) -> str:
    """Hold a formula and what it touches on one line: browsers would break before its full stop."""
    before, formula, _, after = found.groups()
    return f'<span class="joined">{found[0]}</span>' if before or after else formula


def set_marked(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Set the formulas that stand in HTML, and join all to the signs beside them."""
    body = MARKED.sub(
        lambda found: set_formula(unescape(found[1]), False, page), context.get("body", "")
    )
    context["body"] = INLINE.sub(joined, body)


def setup(app: Any) -> None:
    """Connect the renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("html-page-context", set_marked)
