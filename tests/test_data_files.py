"""Files are downloaded whole and verified, or not at all: against a server that misbehaves."""

import errno
import gzip
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from data_server import (
    cut_off,
    endless,
    good,
    hang_up,
    in_turn,
    serve,
    slow,
    stalled,
    status,
)
from hypothesis import given, strategies as st

from adam_edu.data import DataError, files
from adam_edu.data.files import File

CONTENT = bytes(range(256)) * 1000
OTHER = bytes(reversed(CONTENT))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SOURCE = Path(__file__).parents[1] / "src"


@pytest.fixture
def server():
    with serve() as running:
        yield running


@pytest.fixture
def cache(cache, monkeypatch):
    """An empty cache, and half a second of patience."""
    monkeypatch.setattr(files, "TIMEOUT", 0.5)
    return cache


def file_at(*mirrors, gzipped=False):
    return File("folder/file.bin", len(CONTENT), SHA256, mirrors, gzipped)


def kept_in(folder):
    """Return the names of all files below a folder but the locks."""
    return [path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_a_file_is_downloaded_once(server, cache, capsys):
    file = file_at(server.url("/good", good(CONTENT)))
    assert files.read(file) == CONTENT
    assert files.read(file) == CONTENT
    assert server.requests["/good"] == 1
    assert kept_in(cache) == ["file.bin"]
    assert "file.bin: 100%" in capsys.readouterr().err


BAD = {
    "cut off": cut_off(CONTENT, 1000),
    "cut off, and said to be whole": good(CONTENT[:1000]),
    "empty": good(b""),
    "other content of the same length": good(OTHER),
    "an error page": good(b"<html>Please log in</html>"),
    "one byte more": good(CONTENT + b"!"),
    "endless": endless,
    "stalled": stalled(CONTENT, 1000, seconds=1.5),
    "gone": status(404),
    "forbidden": status(403),
    "broken": status(500),
    "hung up": hang_up,
}


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD)
def test_after_a_bad_mirror_comes_the_next(server, cache, answer):
    file = file_at(server.url("/bad", answer), server.url("/good", good(CONTENT)))
    assert files.read(file) == CONTENT
    assert server.requests == {"/bad": 1, "/good": 1}
    assert kept_in(cache) == ["file.bin"]


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD)
def test_with_bad_mirrors_alone_nothing_stays(server, cache, answer):
    with pytest.raises(DataError, match="could not download") as error:
        files.read(file_at(server.url("/bad", answer)))
    assert files.LOCAL_COPY in str(error.value)
    assert "\n" not in str(error.value)
    assert kept_in(cache) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("cut off", "cut off"),
        ("other content of the same length", "corrupted, or another file"),
        ("endless", "larger than the published file"),
        ("stalled", "no answer"),
        ("gone", "status 404"),
        ("hung up", "no connection"),
    ],
)
def test_the_message_says_what_each_mirror_did(server, cache, answer, words):
    with pytest.raises(DataError, match=words):
        files.read(file_at(server.url("/bad", BAD[answer])))


def test_without_a_network_one_sentence_says_what_to_do(cache):
    with serve() as gone:
        url = gone.url("/file")
    with pytest.raises(DataError) as error:
        files.read(file_at(url))
    host = url.split("/")[2]
    assert str(error.value) == (
        f"could not download file.bin ({host}: no connection): check the network and try again, "
        "or set ADAM_EDU_DATA to a folder that has folder/file.bin"
    )


def test_a_download_that_was_cut_off_starts_anew_the_next_time(server, cache):
    answer = in_turn(cut_off(CONTENT, 100_000), good(CONTENT))
    file = file_at(server.url("/file", answer))
    with pytest.raises(DataError):
        files.read(file)
    assert files.read(file) == CONTENT


@pytest.mark.parametrize("damaged", [CONTENT[:-1], OTHER, b"", CONTENT + b"!"])
def test_a_damaged_file_in_the_cache_is_replaced(server, cache, damaged):
    file = file_at(server.url("/good", good(CONTENT)))
    files.read(file)
    (cache / file.path).write_bytes(damaged)
    assert files.read(file) == CONTENT
    assert (cache / file.path).read_bytes() == CONTENT


def test_a_damaged_file_in_the_cache_goes_even_without_a_network(cache):
    file = file_at()
    (cache / "folder").mkdir(parents=True)
    (cache / file.path).write_bytes(OTHER)
    with pytest.raises(DataError):
        files.read(file)
    assert kept_in(cache) == []


@pytest.mark.parametrize(
    "raw",
    [gzip.compress(CONTENT, 1), gzip.compress(CONTENT, 9), CONTENT],
    ids=["quick", "small", "unpacked by the server"],
)
def test_any_compression_of_the_content_will_do(server, cache, raw):
    file = file_at(server.url("/file", good(raw)), gzipped=True)
    assert files.read(file) == CONTENT
    assert files.read(file) == CONTENT


@pytest.mark.parametrize(
    "raw",
    [
        gzip.compress(CONTENT)[:-100],
        gzip.compress(OTHER),
        gzip.compress(bytes(100_000_000)),
        b"\x1f\x8b" + CONTENT,
    ],
    ids=["cut off", "other content", "a bomb", "not gzip"],
)
def test_a_bad_gzip_file_is_refused(server, cache, raw):
    with pytest.raises(DataError):
        files.read(file_at(server.url("/file", good(raw)), gzipped=True))
    assert kept_in(cache) == []


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(place, change):
    raw = bytearray(CONTENT)
    raw[place] ^= change
    with pytest.raises(ValueError, match="corrupted"):
        file_at().content(bytes(raw))


def test_the_local_copy_comes_first_and_is_only_read(server, cache, tmp_path, monkeypatch):
    monkeypatch.setenv(files.LOCAL_COPY, str(tmp_path / "local"))
    file = file_at(server.url("/good", good(CONTENT)))
    local = tmp_path / "local" / file.path
    local.parent.mkdir(parents=True)
    local.write_bytes(CONTENT)
    assert files.read(file) == CONTENT
    assert not cache.exists()
    local.write_bytes(OTHER)
    with pytest.raises(DataError, match=r"file\.bin cannot be used .* unset ADAM_EDU_DATA"):
        files.read(file)
    assert local.read_bytes() == OTHER
    assert not server.requests


def test_what_the_local_copy_lacks_is_downloaded(server, cache, tmp_path, monkeypatch):
    monkeypatch.setenv(files.LOCAL_COPY, str(tmp_path))
    assert files.read(file_at(server.url("/good", good(CONTENT)))) == CONTENT


def test_a_cache_that_cannot_be_made_gives_one_sentence(server, cache):
    cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot keep file.bin in .* allow writing there") as error:
        files.read(file_at(server.url("/good", good(CONTENT))))
    assert "\n" not in str(error.value)


def test_a_read_only_cache_gives_one_sentence(server, cache, monkeypatch):
    def read_only(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(DataError, match=r"cannot keep file.bin in .*\(Read-only file system\)"):
        files.read(file_at(server.url("/good", good(CONTENT))))


def test_a_read_only_cache_that_has_the_file_is_enough(server, cache, monkeypatch):
    file = file_at(server.url("/good", good(CONTENT)))
    files.read(file)
    monkeypatch.setattr(Path, "mkdir", None)
    monkeypatch.setattr("filelock.FileLock", None)
    assert files.read(file) == CONTENT


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_gives_one_sentence_and_nothing_stays(server, cache):
    file = file_at(server.url("/good", good(CONTENT)))
    (cache / "folder").mkdir(parents=True)
    (cache / "folder/file.bin.part").symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"cannot keep file.bin .*\(No space left on device\)"):
        files.read(file)
    assert list((cache / "folder").glob("file.bin*")) == []


def start_reader(cache, file):
    """Start another process that reads the file and prints the length of what it has."""
    program = f"""
import pooch
from pathlib import Path
pooch.os_cache = lambda project: Path({str(cache)!r})
from adam_edu.data import files
print(len(files.read(files.{file!r})))
"""
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_at_once_download_once_and_all_have_the_file(server, cache):
    file = file_at(server.url("/slow", slow(CONTENT, seconds=2)))
    readers = [start_reader(cache, file) for _ in range(3)]
    outputs = [reader.communicate(timeout=30) for reader in readers]
    assert [out for out, _ in outputs] == [f"{len(CONTENT)}\n"] * 3, outputs
    assert server.requests["/slow"] == 1
    assert kept_in(cache) == ["file.bin"]


def test_a_process_killed_in_a_download_harms_no_other(server, cache):
    answer = in_turn(stalled(CONTENT, 100_000, seconds=20), good(CONTENT))
    file = file_at(server.url("/file", answer))
    reader = start_reader(cache, file)
    part = cache / "folder/file.bin.part"
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    reader.send_signal(signal.SIGKILL)
    reader.communicate()
    assert part.exists()
    assert files.read(file) == CONTENT
    assert kept_in(cache) == ["file.bin"]
