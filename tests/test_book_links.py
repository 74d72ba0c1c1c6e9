"""The links within the built pages."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from conftest import table_of_contents

pytestmark = pytest.mark.pages


class Anchors(HTMLParser):
    """Collects what a page offers to link to, and what it links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list) -> None:
        given = dict(attributes)
        self.ids |= {given[key] for key in ("id", "name") if given.get(key)}
        self.links += [given[key] for key in ("href", "src") if given.get(key)]


def broken_links(html: Path) -> list[str]:
    """Return the links within the pages that lead to no file, or to no place in it."""
    # The theme keeps its templates in _static. In _modules are pages of source code, which link to
    # objects documented without an anchor and to modules without a page.
    files = (p for p in html.rglob("*.html") if not {"_static", "_modules"} & set(p.parts))
    pages = {path: Anchors(path) for path in files}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            if parts.path.startswith("/"):  # from the root of the site, as on the page for a 404
                _, _, below = parts.path.removeprefix("/").partition("/")
                target = html / unquote(below)
            else:
                target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            if target.is_dir():
                target /= "index.html"
            anchor = unquote(parts.fragment)
            if not target.exists() or (
                anchor and target in pages and anchor not in pages[target].ids
            ):
                broken.append(f"{path.relative_to(html)} -> {link}")
    return broken


def test_links_within_the_book_lead_somewhere(html):
    assert broken_links(html) == []


def to_the_book(page: Path) -> list[Path]:
    """Return the files of the book that a page of source links to; each has the book's menu."""
    links = (urlsplit(link) for link in Anchors(page).links)
    return [
        (page.parent / link.path).resolve()
        for link in links
        if not link.scheme and link.path.lstrip("./").startswith("book/")
    ]


def test_pages_of_source_have_the_menu_of_their_folder(html):
    pages = list((html / "_modules").rglob("*.html"))
    chapters = len([name for name in table_of_contents() if "/api/" not in name])

    assert len({page.parent for page in pages}) > 2
    for page in pages:
        found = to_the_book(page)
        assert len(set(found)) >= chapters
        assert [target for target in found if not target.exists()] == [], page


def test_a_broken_link_is_noticed(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="top"></h1><a href="#top"></a><a href="b.html#no"></a>'
    )
    (tmp_path / "b.html").write_text(
        '<a href="a.html#top"></a><img src="c.png"><a href="https://x.y">'
    )

    assert sorted(broken_links(tmp_path)) == ["a.html -> b.html#no", "b.html -> c.png"]
