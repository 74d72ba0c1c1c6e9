"""A Sphinx extension of this book: the atlas of other libraries' optimizers, as one table.

The directive ``atlas`` sets the record of :mod:`adam_edu.libraries.atlas`. The table can be read as
it is; a script of a few lines lets it be sorted and filtered.
"""

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

from adam_edu.libraries.atlas import IDENTIFIED, KIN, READ, RECORD, Row, atlas

SCRIPT = "atlas.js"
COLUMNS = (
    *("Library", "Optimizer", "Computes", "ε added", "α", "β₁", "β₂", "ε", "Weight decay"),
    *("First step for 10⁻⁷, over α", "What surprises", "Measured"),
)


class Atlas(Directive):
    """All rows of the record."""

    def run(self) -> list[nodes.Node]:
        """Return the table, and what the script makes a field and a list of."""
        env = self.state.document.settings.env
        env.note_dependency(str(files("adam_edu").joinpath("results", RECORD)))
        repository = env.config.html_theme_options.get("repository_url", "").rstrip("/")
        return [nodes.raw("", table(atlas(), repository), format="html")]


def table(rows: list[Row], repository: str) -> str:
    """Return the atlas as HTML."""
    found = {row.kin for row in rows}
    families = [kin for kin in (*KIN, "other") if kin in found]
    options = "".join(f"<option>{escape(kin)}</option>" for kin in ("all", *families))
    # Its place is there before the script is, and so is that of each button: nothing moves.
    head = "".join(
        f'<th scope="col"><button type="button">{escape(name)}</button></th>' for name in COLUMNS
    )
    ordered = sorted(rows, key=lambda row: row.library.lower())
    first = {row.library: row for row in reversed(ordered)}
    body = "\n".join(line(row, repository, row is first[row.library]) for row in ordered)
    libraries = len(first)
    return f"""
<form class="atlas-tools">
<label>Filter <input type="search" placeholder="such as: torch epsilon hat"></label>
<label>Family <select>{options}</select></label>
<output>{len(rows)} optimizers of {libraries} libraries</output>
</form>
<div class="pst-scrollable-table-container">
<table class="table atlas" aria-label="optimizers">
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody></table></div>"""


def line(row: Row, repository: str, is_first: bool) -> str:
    """Return a row of the table; the first of a library can be linked to."""
    mark = f' id="atlas-{escape(row.library.lower().replace(" ", "-"))}"' if is_first else ""
    name = f'<th scope="row">{escape(row.library)} <small>{escape(row.version)}</small></th>'
    cells = "".join(f"<td>{cell}</td>" for cell in cells_of(row, repository))
    return f'<tr{mark} data-kin="{escape(row.kin)}">{name}{cells}</tr>'


def cells_of(row: Row, repository: str) -> Iterator[str]:
    """Yield what stands in the columns after the first."""
    yield f'<code><span class="pre">{escape(row.optimizer)}</span></code>'
    yield escape(f"{row.explained} ({row.words})" if row.explained else row.words)
    yield escape(row.epsilon)
    for name in ("lr", "beta1", "beta2", "eps"):
        yield number(row.default(name))
    yield decay(row)
    step = row.step(1e-7)
    yield "" if step is None else f"{step:.3g}"
    notes = "".join(f"<li>{escape(note)}</li>" for note in row.notes)
    more = f"<details><summary>more</summary><ul>{notes}</ul></details>" if notes else ""
    yield escape(row.surprise) + more
    yield made(row, repository)


def number(value: float | None) -> str:
    """Return a default as short as it is: 1e-8."""
    return "" if value is None else f"{value:.6g}".replace("e-0", "e-")


def decay(row: Row) -> str:
    """Return how strong a row's weight decay is, and of which kind."""
    strength = row.settings.get("weight_decay")
    return f"{number(strength)} {row.decay}" if strength else ""


def made(row: Row, repository: str) -> str:
    """Return when and how a row was measured, with a link to its program or its source."""
    if row.how == IDENTIFIED:
        where = f"{repository}/tree/main/atlas/{row.program}"
        how = f'<a href="{escape(where)}">by its program</a>'
    elif row.how == READ:
        how = f'<a href="{escape(row.source)}">read in its source</a>'
    else:
        how = escape(row.how)
    needs = f"; needs {escape(row.needs)}" if row.needs else ""
    return f"{row.date} {how}{needs}"


def add_script(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load the script where the table is."""
    if 'class="table atlas' in context.get("body", ""):
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app: Any) -> dict[str, bool]:
    """Connect the extension."""
    app.add_directive("atlas", Atlas)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
