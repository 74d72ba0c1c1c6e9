"""Hostile and damaged archives give one kind of error, and never a file outside."""

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings, strategies as st

from adam_edu.data.archives import members

PACKERS = {
    "plain": bytes,
    "gz": lambda tar: gzip.compress(tar, 1),
    "xz": lambda tar: lzma.compress(tar, preset=0),
    "bz2": lambda tar: bz2.compress(tar, 1),
}
LIMIT = 1 << 20


def tar_of(*entries, form=tarfile.PAX_FORMAT):
    """Return a tar archive of (name, content) and of ready TarInfo entries."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                tar.addfile(entry)
            else:
                name, content = entry
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def everything(archive, limit=LIMIT):
    return dict(members(archive, lambda name: True, limit))


NAMES = st.text("abc.", min_size=1, max_size=8).filter(lambda part: part not in {".", ".."})
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@given(st.dictionaries(PATHS, st.binary(max_size=2000), max_size=8), st.sampled_from(list(PACKERS)))
def test_what_goes_in_comes_out(contents, packer):
    assert everything(PACKERS[packer](tar_of(*contents.items()))) == contents


@given(
    st.lists(
        st.lists(st.sampled_from(["", ".", "..", "a", "C:", "~", "a\\b", "\\", "con", "é"])).map(
            "/".join
        ),
        max_size=4,
    )
)
def test_only_names_inside_the_archive_come_out(names):
    try:
        found = everything(tar_of(*((name, b"content") for name in names)))
    except ValueError:
        return
    for name in found:
        path = PurePosixPath(name.replace("\\", "/"))
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert ":" not in name


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../up", "a/../../up", "..", "..\\up", "a\\..\\..\\up", "C:\\x", "\\\\host\\x"],
)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_name_that_leads_out_is_refused_even_if_it_is_not_wanted(name, form):
    archive = tar_of(("good", b""), (name, b"bad"), form=form)
    with pytest.raises(ValueError, match="leads out"):
        list(members(archive, lambda name: name == "good", LIMIT))


def test_a_long_name_in_an_extended_header_is_checked_too():
    with pytest.raises(ValueError, match="leads out"):
        everything(tar_of(("../" + "long" * 100, b"bad")))


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.GNUTYPE_SPARSE,
    ],
)
@pytest.mark.parametrize("target", ["inside", "../outside", "/etc/passwd"])
def test_links_and_devices_are_refused(kind, target):
    member = tarfile.TarInfo("name")
    member.type = kind
    member.linkname = target
    with pytest.raises(ValueError, match="neither a file nor a folder"):
        everything(tar_of(("inside", b""), member))


def test_folders_are_passed_over():
    member = tarfile.TarInfo("folder")
    member.type = tarfile.DIRTYPE
    assert everything(tar_of(member, ("folder/file", b"x"))) == {"folder/file": b"x"}


def test_a_name_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="'a' twice"):
        everything(tar_of(("a", b"1"), ("a", b"2")))


@pytest.mark.parametrize("packer", PACKERS)
def test_an_archive_that_unpacks_to_too_much_is_refused(packer):
    archive = PACKERS[packer](tar_of(("zeros", bytes(4 * LIMIT))))
    for wanted in (lambda name: True, lambda name: False):
        with pytest.raises(ValueError, match="more than it should"):
            list(members(archive, wanted, LIMIT))


def test_a_header_that_promises_too_much_is_refused():
    extended = tarfile.TarInfo("name")
    extended.pax_headers = {"comment": "x" * 2 * LIMIT}
    with pytest.raises(ValueError, match="more than it should"):
        everything(gzip.compress(tar_of(extended)))


def test_as_much_as_the_limit_is_allowed():
    archive = tar_of(("a", b"x"))
    assert everything(archive, len(archive)) == {"a": b"x"}
    with pytest.raises(ValueError, match="more than it should"):
        everything(archive, len(archive) - 1)


CONTENTS = {f"folder/{number}": bytes([number]) * 700 for number in range(8)}


@pytest.mark.parametrize("packer", [name for name in PACKERS if name != "plain"])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_packed_archive_that_is_cut_off_is_refused(packer, share):
    archive = PACKERS[packer](tar_of(*CONTENTS.items()))
    with pytest.raises(ValueError, match="archive"):
        everything(archive[: int(share * len(archive))])


@settings(max_examples=300)
@given(
    st.sampled_from(list(PACKERS)),
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4
    ),
)
def test_a_damaged_archive_raises_value_error_or_does_no_harm(packer, changes):
    archive = bytearray(PACKERS[packer](tar_of(*CONTENTS.items())))
    for share, change in changes:
        archive[int(share * len(archive))] ^= change
    try:
        found = everything(bytes(archive))
    except ValueError:
        return
    assert all(isinstance(content, bytes) for content in found.values())


@given(st.binary(max_size=2000))
def test_what_is_no_archive_is_refused(noise):
    try:
        assert everything(noise) == {}
    except ValueError:
        return
