"""The compiled loop: what it is handed, what it refuses, and where it is kept."""

import ctypes
import os
import subprocess
import sys
from multiprocessing import get_context

import numpy as np
import pytest

from adam_edu import RULES
from adam_edu.lines import lines_of
from adam_edu.native import Loop, NotCompiled, Outcome, library, loop
from adam_edu.native.loop import FIT, LOOK, ONLY_LOOK

SGD = lines_of(RULES["SGD"])
CODE = 'extern "C" int answer() { return 42; }\n'


def call(found, columns, numbers, flags=0, threads=1):
    """Call a loop for arrays that are side by side in memory."""
    arrays = [array for column in columns for array in column]
    sizes = [array.size for array in columns[0]]
    return found(
        (ctypes.c_int64 * len(sizes))(*sizes),
        (ctypes.c_int64 * len(arrays))(*(array.ctypes.data for array in arrays)),
        numbers,
        sum(sizes),
        threads=threads,
        flags=flags,
    )


@pytest.fixture(scope="module")
def sgd():
    return loop(SGD, ("float32", "float32"))


def pair(size=8):
    return np.zeros(size, np.float32), np.ones(size, np.float32)


# What it does and refuses


@pytest.mark.parametrize("threads", [1, 3])
def test_several_arrays_are_one_step(sgd, threads):
    xs = [np.zeros(n, np.float32) for n in (3, 0, 300_000, 1, 200_001)]
    gs = [np.arange(x.size, dtype=np.float32) for x in xs]
    assert call(sgd, [xs, gs], [0.5], threads=threads) is Outcome.TAKEN
    for x, g in zip(xs, gs, strict=True):
        np.testing.assert_array_equal(x, -0.5 * g)


def test_memory_that_two_arrays_share_is_left_alone(sgd):
    memory, (_, g) = np.zeros(12, np.float32), pair()
    for columns in ([[memory[:8], memory[4:]], [g, g]], [[memory[:8]], [memory[4:]]]):
        assert call(sgd, columns, [0.5]) is Outcome.UNFIT
        assert not memory.any()
    # Two gradients may be one: they are only read. Neighbors share nothing.
    assert call(sgd, [[memory[:6], memory[6:]], [g[:6], g[:6]]], [0.5]) is Outcome.TAKEN


def test_memory_at_an_odd_place_or_nowhere_is_left_alone(sgd):
    x, g = pair()
    odd = np.zeros(33, np.uint8)[1:].view(np.float32)
    assert call(sgd, [[odd], [g]], [0.5]) is Outcome.UNFIT
    sizes, nowhere = (ctypes.c_int64 * 1)(8), (ctypes.c_int64 * 2)(x.ctypes.data, 0)
    assert sgd(sizes, nowhere, [0.5], 8, threads=1) is Outcome.UNFIT
    assert not odd.any()
    assert not x.any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("size", [1, 5, 1000, 300_000])
def test_a_gradient_that_is_not_finite_is_found_wherever_it_stands(sgd, size, bad):
    for i in {0, size // 3, size - 1}:
        x, g = pair(size)
        assert call(sgd, [[x], [g]], [0.0], LOOK, threads=2) is Outcome.TAKEN
        g[i] = bad
        assert call(sgd, [[x], [g]], [0.5], LOOK, threads=2) is Outcome.NOT_FINITE
        assert call(sgd, [[x], [g]], [0.5], ONLY_LOOK) is Outcome.NOT_FINITE
        assert not x.any()


def test_the_largest_and_smallest_numbers_are_finite(sgd):
    x, g = pair(4)
    about = np.finfo(np.float32)
    g[:] = about.max, about.min, about.smallest_subnormal, -0.0
    assert call(sgd, [[x], [g]], [0.5], ONLY_LOOK) is Outcome.TAKEN
    assert not x.any()
    assert call(sgd, [[x], [g]], [0.5], LOOK | FIT) is Outcome.TAKEN
    np.testing.assert_array_equal(x, -0.5 * g)


@pytest.mark.parametrize(("count", "numbers"), [(1, [0.5]), (2, []), (2, [0.5, 1.0])])
def test_a_table_of_another_length_is_refused(sgd, count, numbers):
    x, g = pair()
    addresses = (ctypes.c_int64 * count)(*[x.ctypes.data, g.ctypes.data][:count])
    with pytest.raises(ValueError, match="1 arrays have 2 addresses and 1 numbers"):
        sgd((ctypes.c_int64 * 1)(8), addresses, numbers, 8, threads=1)


# Where it is kept


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Keep libraries in an empty folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(library.sys, "platform", "linux")
    library._folder.cache_clear()
    yield tmp_path / "adam-edu" / "native"
    library._folder.cache_clear()


def built(monkeypatch):
    """Return a list that grows by one at each compilation."""
    seen, compile_it = [], library._compile

    def counted(*args):
        seen.append(args)
        compile_it(*args)

    monkeypatch.setattr(library, "_compile", counted)
    return seen


def test_a_library_is_compiled_once_and_kept_whole(cache, monkeypatch):
    seen = built(monkeypatch)
    assert [library.load(CODE).answer() for _ in range(3)] == [42] * 3
    assert len(seen) == 1
    assert [path.suffix for path in cache.iterdir()] == [".so"]
    assert cache.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("contents", [b"", b"no library", "half"])
def test_a_damaged_or_foreign_library_is_made_again(cache, monkeypatch, contents):
    library.load(CODE)
    (path,) = cache.iterdir()
    whole = path.read_bytes()
    path.unlink()  # not over it: this process has it in memory
    path.write_bytes(whole[: len(whole) // 2] if contents == "half" else contents)
    seen = built(monkeypatch)
    assert library.load(CODE).answer() == 42
    assert len(seen) == 1
    assert [p.read_bytes() == whole for p in cache.iterdir()] == [True]


def test_another_source_is_another_library(cache):
    assert library.load(CODE).answer() == 42
    assert library.load(CODE.replace("42", "43")).answer() == 43
    assert len(list(cache.iterdir())) == 2


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs Unix permissions")
def test_a_folder_that_others_may_write_to_is_made_private_or_left(cache, monkeypatch):
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    assert library._folder() == cache
    assert cache.stat().st_mode & 0o077 == 0
    library._folder.cache_clear()
    monkeypatch.setattr(os, "getuid", lambda: -1)  # it is somebody else's
    assert cache not in library._folder().parents
    assert library._folder() != cache
    assert library.load(CODE).answer() == 42
    assert not list(cache.iterdir())


def load_and_answer(_):
    return library.load(CODE).answer()


def test_two_processes_at_once(cache):
    with get_context("spawn").Pool(2) as pool:
        assert pool.map(load_and_answer, range(2)) == [42, 42]
    assert [p for p in cache.iterdir() if p.suffix != ".so"] == []


def test_a_compiler_that_fails_says_why(cache):
    with pytest.raises(NotCompiled, match=r"failed: .*error"):
        library.load("this is no C++")


def test_a_compiler_that_hangs_is_stopped(cache, tmp_path, monkeypatch):
    script = tmp_path / "slow"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    script.chmod(0o755)
    monkeypatch.setattr(library, "_compiler", lambda: str(script))
    monkeypatch.setattr(library, "TIMEOUT", 0.2)
    with pytest.raises(NotCompiled, match=r"took more than 0\.2 s"):
        library.load(CODE)


def test_it_knows_neither_numpy_nor_torch():
    code = """
import sys
sys.modules["torch"] = sys.modules["sympy"] = None  # whoever imports them fails
import adam_edu.native.loop
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_a_loop(name):
    for dtype in ("float32", "float64"):
        lines = lines_of(RULES[name])
        assert isinstance(loop(lines, (dtype,) * len(lines.arrays)), Loop)
