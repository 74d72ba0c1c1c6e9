"""`import adam_edu` needs NumPy alone, and is quick."""

import os
import subprocess
import sys
from statistics import median

from conftest import ROOT

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src")}


def python(code):
    done = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_import_pulls_in_numpy_alone():
    code = "import sys, {}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    ours, numpys = (set(python(code.format(name)).split()) for name in ("adam_edu", "numpy.random"))
    assert ours - numpys - set(sys.stdlib_module_names) == {"adam_edu"}


def test_import_takes_little_more_than_numpys():
    # Of the processor, and in turn, so that a busy machine slows both; the goal is 0.15 s, here
    # with room for noise.
    def seconds(module):
        begin = os.times()
        python(f"import {module}")
        end = os.times()
        return sum(end[2:4]) - sum(begin[2:4])  # of children

    pairs = [(seconds("adam_edu"), seconds("numpy")) for _ in range(7)]
    more = median(ours - numpys for ours, numpys in pairs)
    base = median(numpys for _, numpys in pairs)
    assert more < max(0.15, base)
