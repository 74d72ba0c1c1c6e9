"""Arrays that are kept once parsed: whole, or not used."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st

from adam_edu.data import parsed

ARRAYS = {"x": np.arange(100, dtype=np.uint8), "y": np.ones((2, 3))}


def kept_again():
    """Return the kept arrays, and whether they had to be parsed again."""
    parses = Counter()

    def parse():
        parses["x"] += 1
        return ARRAYS

    return parsed.kept("name", "key", parse), bool(parses)


def test_arrays_are_parsed_once(cache):
    assert kept_again()[1]
    arrays, again = kept_again()
    assert not again
    np.testing.assert_equal(arrays, ARRAYS)
    assert [path.name for path in (cache / "parsed").iterdir()] == ["name-key.npz"]


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_damaged_copy_is_never_used(tmp_path_factory, place, change):
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    parsed.write_arrays(path, ARRAYS)
    raw = bytearray(path.read_bytes())
    raw[int(place * len(raw))] ^= change
    path.write_bytes(raw)
    arrays = parsed.read_arrays(path)
    if arrays is not None:
        np.testing.assert_equal(arrays, ARRAYS)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_copy_that_is_cut_off_is_parsed_again(cache, share):
    kept_again()
    path = cache / "parsed/name-key.npz"
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    assert kept_again()[1]
    assert path.read_bytes() == raw


def test_nothing_is_unpickled(cache):
    path = cache / "parsed/name-key.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, x=np.array([{"an": "object"}], dtype=object))
    assert kept_again()[1]


def test_where_nothing_can_be_kept_a_warning_says_so(cache):
    cache.write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="name is parsed anew each time"):
        arrays, _ = kept_again()
    np.testing.assert_equal(arrays, ARRAYS)


def test_an_interrupted_write_leaves_nothing(cache, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kept_again()
    assert list((cache / "parsed").iterdir()) == []
