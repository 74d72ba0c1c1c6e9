"""`import adam_edu` needs NumPy alone, and is quick."""

import os
import subprocess
import sys
from resource import RUSAGE_CHILDREN, getrusage

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


def test_the_native_loop_is_loaded_when_it_pays():
    code = (
        "import sys, numpy as np, adam_edu as ae; x = np.ones({}); "
        "ae.Optimizer(ae.RULES['SGD'](), x).step(x.copy()); print('adam_edu.native' in sys.modules)"
    )
    assert [python(code.format(size)).strip() for size in (1000, 100_000)] == ["False", "True"]


def test_an_exercise_is_read_without_the_others():
    found = python("from adam_edu import check; check.adam_step; import sys; print(*sys.modules)")
    rooms = [name for name in found.split() if name.startswith("adam_edu.check.exercises.")]
    assert rooms == ["adam_edu.check.exercises.steps"]


def test_import_takes_little_more_than_numpys():
    def seconds(module):  # of the processor, by a clock of microseconds
        begin = getrusage(RUSAGE_CHILDREN)
        python(f"import {module}")
        end = getrusage(RUSAGE_CHILDREN)
        return end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime

    # A busy machine only ever adds, and it slows both: the least of some runs in turn is what an
    # import costs, and where that machine is slow, NumPy's own import says by how much.
    runs = [(seconds("adam_edu"), seconds("numpy")) for _ in range(9)]
    ours, numpys = (min(side) for side in zip(*runs, strict=True))
    assert ours - numpys < max(0.15, numpys)
