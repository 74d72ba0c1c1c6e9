"""The package's files import one way: no circle, and no room from a floor above its own."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest
from conftest import ROOT

PACKAGE = ROOT / "src" / "adam_edu"

# The lowest first. A file may import from floors below its own, and from its own room: its folder,
# or the file itself where it has none.
FLOORS = [
    {"arguments", "names", "ops"},
    {"averaging", "base", "looks", "moments", "trees"},
    {"data", "matrix_rules", "problems", "reading", "recent_rules", "schedules"},
    {"rules"},
    {"brackets", "edits", "forms", "lines"},
    {"differences", "program"},
    {"wrongs"},
    {"native"},
    {"array_blocks"},
    {"array_calls"},
    {"array_step"},
    {"array_checks"},
    {"descent", "recorded"},
    {"adam_edu"},
    {"claims", "evidence", "plots", "symbolic", "theory", "torch"},
    {"check", "experiments", "family", "flow", "lab", "libraries"},
    {"cards", "live"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def modules(package=PACKAGE):
    """Return the source of each file of a package by its dotted name, without the package's own."""
    found = {}
    for path in package.rglob("*.py"):
        *folders, name = path.relative_to(package).with_suffix("").parts
        parts = folders if name == "__init__" else [*folders, name]
        found[".".join(parts) or package.name] = (path.read_text(encoding="utf-8"), folders)
    return found


def imports(package=PACKAGE):
    """Return, for each file, those of the package that it imports, wherever the import stands."""
    sources = modules(package)
    arrows = {}
    for name, (source, folders) in sources.items():
        wanted = []
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                wanted += [alias.name.split(".") for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                above = len(folders) + 1 - node.level
                start = [package.name, *folders[:above]] if node.level else []
                base = [*start, *(node.module or "").split(".")]
                wanted += [[*base, alias.name] for alias in node.names]
        arrows[name] = {found for parts in wanted if (found := nearest(parts, sources, package))}
        arrows[name].discard(name)
    return arrows


def nearest(parts, sources, package):
    """Return the file that an imported name stands in, or None if it is not of this package."""
    first, *rest = [part for part in parts if part]
    if first != package.name:
        return None
    for end in range(len(rest), 0, -1):
        if ".".join(rest[:end]) in sources:
            return ".".join(rest[:end])
    return package.name


def circle(arrows):
    """Return the files of a circle, in order, or None."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def upward(arrows, floor):
    """Return the arrows between rooms that do not run down."""
    pairs = [(name, other) for name in arrows for other in arrows[name]]
    rooms = [(name.split(".")[0], other.split(".")[0]) for name, other in pairs]
    return [
        pair
        for pair, (room, other) in zip(pairs, rooms, strict=True)
        if room != other and floor[room] <= floor[other]
    ]


def test_no_circle_of_files():
    assert circle(imports()) is None


def test_every_room_has_its_floor():
    assert {name.split(".")[0] for name in modules()} <= FLOOR.keys()


def test_no_arrow_runs_up():
    assert upward(imports(), FLOOR) == []


# The tests see what they look for


@pytest.fixture
def house(tmp_path):
    def build(**files):
        for name, source in files.items():
            path = tmp_path / "house" / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return imports(tmp_path / "house")

    return build


@pytest.mark.parametrize(
    "source",
    [
        "from .roof import tile",
        "from . import roof",
        "import house.roof",
        "from house.roof import tile",
        "def build():\n    from .roof import tile",
    ],
)
def test_an_arrow_up_and_a_circle_are_seen_in_any_form(house, source):
    arrows = house(cellar=source, roof="from .cellar import coal")

    assert upward(arrows, {"cellar": 0, "roof": 1}) == [("cellar", "roof")]
    assert set(circle(arrows)) == {"cellar", "roof"}


def test_a_circle_within_a_room_is_seen(house):
    arrows = house(room__a="from .b import b", room__b="from ..room import a")

    assert upward(arrows, {"room": 0}) == []
    assert set(circle(arrows)) == {"room.a", "room.b"}
