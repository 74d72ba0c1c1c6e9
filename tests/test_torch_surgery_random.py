"""Random surgery on ours and on torch.optim, side by side, and under the address sanitizer."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import surgery_pairs
import torch
from libraries import torch_default_dtype
from surgery import KINDS

from adam_edu.torch.plan import Plan


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("sequences", [44, pytest.param(4000, marks=pytest.mark.nightly)])
def test_random_surgery(part, sequences):
    taken = refused = 0
    with torch_default_dtype(torch.float64):  # in which Torch keeps NAdam's product
        for seed in range(part, sequences, 4):
            kind = list(KINDS)[seed // 4 % len(KINDS)]
            counts = surgery_pairs.both(kind, seed, extra=surgery_pairs.OURS[part])
            taken, refused = taken + counts[0], refused + counts[1]
    assert taken > 5 * sequences / 4
    assert refused > 0.1 * sequences / 4


def test_random_surgery_finds_a_step_that_differs(monkeypatch):
    monkeypatch.setattr(Plan, "_unchanged", lambda *_: True)
    with torch_default_dtype(torch.float64), pytest.raises(surgery_pairs.Differs):
        surgery_pairs.both("momentum", 0, operations=50, only=("new_slot", "slot_deleted", "swap"))


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
import torch, surgery_pairs
from surgery import KINDS
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
for seed in range({count}):
    kind = list(KINDS)[seed % len(KINDS)]
    surgery_pairs.both(kind, seed, extra=surgery_pairs.OURS[2], only={operations!r})
print("survived")
"""


@pytest.mark.slow
def test_random_surgery_under_the_address_sanitizer(tmp_path):
    """The compiled loops, instrumented, meet no address that is not theirs."""
    compiler = shutil.which("g++")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs g++ on Linux")
    # The second as well: the sanitizer looks in it for what throws an error.
    libraries = [
        subprocess.check_output([compiler, f"-print-file-name={name}"], text=True).strip()
        for name in ("libasan.so", "libstdc++.so.6")
    ]
    if not all(Path(library).is_absolute() for library in libraries):
        pytest.skip("needs the library of the address sanitizer")
    wrapper = tmp_path / "c++"
    wrapper.write_text(f'#!/bin/sh\nunset LD_PRELOAD\nexec {compiler} "$@" -fsanitize=address\n')
    wrapper.chmod(0o755)
    environment = os.environ | {
        "CXX": str(wrapper),
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    # Torch reads at address 0 where a slot is on no device.
    operations = [name for name in surgery_pairs.OPERATIONS if name != "slot_elsewhere"]
    code = SCRIPT.format(tests=str(Path(__file__).parent), count=22, operations=operations)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == "survived", done.stderr[-3000:]
    assert not re.search("AddressSanitizer", done.stderr)
