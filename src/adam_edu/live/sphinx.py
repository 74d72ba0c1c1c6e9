"""A Sphinx extension: the exercises and the cells of a book, to be done and run on its pages.

List ``adam_edu.live.sphinx``. It takes Pyodide, Matplotlib and the editor from where
:mod:`adam_edu.live.runtime` finds them. Without Pyodide the pages are as they would be without this
extension, and the build says so in one line; without Matplotlib there are the exercises alone;
without the editor there is a plain field.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Any

try:
    from docutils import nodes
    from sphinx.errors import ExtensionError
    from sphinx.util import logging
except ModuleNotFoundError as error:
    wanted = "the book's pages need Sphinx: pip install adam-edu[book]"
    raise ModuleNotFoundError(wanted, name=error.name) from error

from . import bundle, cells, exercises, licenses, packed, runtime

log = logging.getLogger(__name__)
SCRIPTS = Path(__file__).with_name("js")
ON_EVERY_PAGE = "live.js"
SHEET = "live.css"
OFFLINE = "service-worker.js"  # beside the pages: it serves what lies below it
LICENSES = f"live/{licenses.FILE}"


@dataclass
class Live:
    """What one build puts on its pages."""

    asked: dict[str, list[exercises.Exercise]] = field(default_factory=dict)  # by page
    chapters: dict[str, list[cells.Cell]] = field(default_factory=dict)  # the same; may be empty
    settings: dict[str, Any] = field(default_factory=dict)  # of live.js; empty without Pyodide


def stamp(contents: dict[str, bytes]) -> str:
    """Return a short name for what files hold, by which a browser knows that they have changed."""
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()[:8]


def write(folder: Path, contents: dict[str, bytes]) -> None:
    """Write files under their names, with the folders that these have."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def prepare(app: Any, env: Any) -> None:
    """Find the exercises and the runtime, and write what the pages will load."""
    app.adam_edu_live = live = Live()
    if app.builder.format != "html":
        return
    try:
        for name in sorted(env.found_docs):
            path = Path(env.doc2path(name))
            if path.suffix == ".ipynb":
                live.chapters[name] = cells.of_notebook(path)
                if found := exercises.of_notebook(path):
                    live.asked[name] = found
    except ValueError as error:
        raise ExtensionError(str(error)) from error
    if not live.chapters:
        return
    known = runtime.distributions()
    try:
        python = known["python"].read()
    except runtime.NotThere as error:
        log.info("no Python on the pages: %s", error)
        live.chapters = {}
        return
    figures, editor = {}, {}
    try:
        figures = known["figures"].read()
    except runtime.NotThere as error:
        log.info("no cells to run on the pages, exercises alone: %s", error)
        live.chapters = {}
    try:
        editor = known["editor"].read()
    except runtime.NotThere as error:
        log.info("a plain field to write in on the pages: %s", error)
    live.settings = written(Path(app.outdir, "_static"), live, python, figures, editor)


def written(
    static: Path,
    live: Live,
    python: dict[str, bytes],
    figures: dict[str, bytes],
    editor: dict[str, bytes],
) -> dict[str, Any]:
    """Write all that the pages load; return what ``live.js`` is told of it."""
    others = bundle.runtime_parts(python)
    more = bundle.figure_parts(python, figures) if figures else []
    folder = _folder(static, "python", {part.file: part.packed for part in others + more})
    if editor:
        editor_folder = _folder(static, "editor", editor)
    notices = licenses.notices(editor, python, figures)
    write(static, {LICENSES: notices.encode()})
    own, chapters = bundle.package_parts(python)

    def listed(parts: list[bundle.Part], home: str = "") -> list[dict[str, Any]]:
        return [
            {
                "name": f"{home}{part.file}",
                "kind": part.kind,
                "bytes": part.sent,
                "sha256": part.sha256,
            }
            for part in parts
        ]

    home = f"../{folder}/"
    told: dict[str, Any] = {
        "info": packed.LOCK["info"],
        "home": home,
        "list": [*listed(others, home), *listed([own])],
        "more": [*listed(more, home), *listed([chapters])] if more else [],
    }
    app = {
        path.name: path.read_bytes()
        for path in SCRIPTS.iterdir()
        if path.name not in (ON_EVERY_PAGE, SHEET, OFFLINE)
    }
    app |= {own.file: own.packed, "list.json": json.dumps(told).encode()}
    if more:
        app[chapters.file] = chapters.packed
        for page, found in live.chapters.items():
            app[f"cells/{_last(page)}.json"] = _told(found)
    settings = {
        "app": _folder(static, "app", app),
        "editor": editor_folder if editor else "",
        "bytes": sum(part["bytes"] for part in told["list"]),
        "more": sum(part["bytes"] for part in told["more"]),
        "exercises": {
            _last(name): [one.name for one in found if not one.torch]
            for name, found in live.asked.items()
        },
    }
    script = (SCRIPTS / ON_EVERY_PAGE).read_text(encoding="utf-8")
    text = f"const LIVE = {json.dumps(settings, separators=(',', ':'))};\n{script}"
    write(static, {ON_EVERY_PAGE: text.encode(), SHEET: (SCRIPTS / SHEET).read_bytes()})
    folders = [name for name in (folder, settings["editor"], settings["app"]) if name]
    script = (SCRIPTS / OFFLINE).read_text(encoding="utf-8")
    write(static.parent, {OFFLINE: f"const FOLDERS = {json.dumps(folders)};\n{script}".encode()})
    return settings


def _folder(static: Path, name: str, contents: dict[str, bytes]) -> str:
    """Write files into a folder that is named after what they hold; return its name."""
    folder = f"{name}-{stamp(contents)}"
    write(static / "live" / folder, contents)
    return folder


def _told(found: list[cells.Cell]) -> bytes:
    return json.dumps([asdict(cell) for cell in found], separators=(",", ":")).encode()


def _last(page: str) -> str:
    return page.rpartition("/")[2]


def place(app: Any, doctree: nodes.document, page: str) -> None:
    """Put a place for each exercise behind its stub, and one behind each cell that can be run."""
    live: Live = app.adam_edu_live
    if not live.settings:
        return
    if known := live.chapters.get(page):
        place_cells(known, doctree, page)
        place_reason(known, doctree, colab(app, page))
    if page not in live.asked:
        return
    stubs = [
        cell
        for cell in doctree.findall(nodes.container)
        if "tag_stub" in cell["classes"] and exercises.CALL.search(code_of(cell))
    ]
    asked = live.asked[page]
    if len(stubs) != len(asked):
        raise ExtensionError(f"{page}: {len(asked)} checked stubs, and {len(stubs)} on the page")
    for cell, exercise in zip(stubs, asked, strict=True):
        html = needs_torch(exercise, colab(app, page)) if exercise.torch else place_of(exercise)
        put(cell, html)


def place_cells(known: list[cells.Cell], doctree: nodes.document, page: str) -> None:
    """Put a place behind the code of each cell that a reader may run."""
    there = {cell["cell_index"]: cell for cell in doctree.findall(_is_code)}
    for number, one in enumerate(known):
        if not one.offered:
            continue
        if one.index not in there:
            raise ExtensionError(f"{page}: cell {one.index} of its notebook is not on the page")
        put(there[one.index], f'<div class="live-cell" data-cell="{number}" hidden></div>')


def place_reason(known: list[cells.Cell], doctree: nodes.document, address: str) -> None:
    """Say once, where a chapter's code begins, why some of its cells cannot be run."""
    if not (what := cells.lacked(known)):
        return
    *some, last = what
    names = f"{', '.join(some)} or {last}" if some else last
    if any(cell.offered for cell in known):
        said = f"Cells that need {names}, which a page cannot load, cannot be run here"
    else:
        said = f"The cells of this chapter need {names}, and cannot be run here"
    text = (
        f'<p class="live-note live-reason">{said}. '
        f'<a href="{escape(address)}">Open the chapter in Colab</a> to run all of it.</p>'
    )
    first = next(one for one in doctree.findall(nodes.container) if "cell" in one["classes"])
    first.parent.insert(first.parent.index(first), nodes.raw("", text, format="html"))


def _is_code(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def put(cell: nodes.container, html: str) -> None:
    """Put HTML behind the code of a cell, which may be folded."""
    source = next(i for i, node in enumerate(cell.children) if _has_code(node))
    cell.insert(source + 1, nodes.raw("", html, format="html"))


def _has_code(node: nodes.Element) -> bool:
    return next(node.findall(nodes.literal_block), None) is not None


def code_of(cell: nodes.container) -> str:
    """Return the source of a cell of code."""
    block = next(cell.findall(nodes.literal_block), None)
    return block.astext() if block else ""


def place_of(exercise: exercises.Exercise) -> str:
    """Return the place of an exercise, with what its scripts need to know."""
    data = {"name": exercise.name, "stub": exercise.stub, "before": exercise.before}
    attributes = "".join(f' data-{key}="{escape(value)}"' for key, value in data.items())
    return f'<div class="live-exercise" hidden{attributes}></div>'


def needs_torch(exercise: exercises.Exercise, address: str) -> str:
    """Return what stands beside an exercise that a page cannot check."""
    return (
        '<p class="live-note">This exercise needs Torch, which a page cannot load. '
        f'<a href="{escape(address)}">Open the chapter in Colab</a>, or work in a terminal: '
        f"<code>adam-edu exercise start {exercise.name}</code>.</p>"
    )


def colab(app: Any, page: str) -> str:
    """Return the address of a notebook in Colab."""
    options = app.config.html_theme_options
    repository = options.get("repository_url", "").rstrip("/").removeprefix("https://github.com/")
    branch = options.get("repository_branch") or "main"
    return f"https://colab.research.google.com/github/{repository}/blob/{branch}/{page}.ipynb"


def add_script(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load the small script: on every page, since every page's menu shows what is solved.

    The footer says whose work it loads.
    """
    if app.adam_edu_live.settings:
        app.add_js_file(ON_EVERY_PAGE, loading_method="defer")
        address = escape(context["pathto"](f"_static/{LICENSES}", 1))
        context["theme_extra_footer"] = (
            f"{context.get('theme_extra_footer', '')}<p>Python and the editor on the pages: "
            f'<a rel="license" href="{address}">licenses of Pyodide, prism-code-editor and '
            "others</a>.</p>"
        )


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension."""
    app.add_css_file(SHEET)
    app.connect("env-updated", prepare)
    app.connect("doctree-resolved", place)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
