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
    {"base", "moments", "trees"},
    {"data", "matrix_rules", "problems", "reading", "rules", "schedules"},
    {"edits", "forms", "lines"},
