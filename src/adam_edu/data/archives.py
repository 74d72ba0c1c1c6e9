"""Read tar archives in memory: nothing is written to disk, so nothing can be written elsewhere."""

import bz2
import gzip
import io
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

CHUNK = 1 << 16


def open_xz(stream: io.BytesIO) -> Any:
    """Open an xz archive. The module is imported here, since a browser's Python may lack it."""
    import lzma

    return lzma.open(stream)


def damages() -> tuple[type[Exception], ...]:
    """Return what reading a damaged archive may raise."""
    lzma = sys.modules.get("lzma")
    of_xz = (lzma.LZMAError,) if lzma else ()
    return (tarfile.TarError, zlib.error, EOFError, OSError, *of_xz)


OPENERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\x00": open_xz,
    b"BZh": bz2.open,
}


def members(
    archive: bytes, wanted: Callable[[str], bool], limit: int
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the wanted files of a packed or plain tar archive, in its order.

    Parameters
    ----------
    archive : the archive, in memory
    wanted : says by its name whether a file is to be read
    limit : most bytes that the archive may unpack to, with its headers

    Raises
    ------
    ValueError
        If the archive is damaged or unpacks to more than ``limit``, or if any member is a link, a
        device, has an absolute name or one that leads out of the archive, or comes twice.

    Examples
    --------
    >>> buffer = io.BytesIO()
    >>> with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
    ...     member = tarfile.TarInfo("folder/hello.txt")
    ...     member.size = 5
    ...     tar.addfile(member, io.BytesIO(b"Hello"))
    >>> dict(members(buffer.getvalue(), lambda name: name.endswith(".txt"), limit=10_240))
    {'folder/hello.txt': b'Hello'}
    """
    seen = set()
    try:
        with unpacked(archive, limit) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                check(member)
                if not member.isfile() or not wanted(member.name):
                    continue
                if member.name in seen:
                    raise ValueError(f"the archive has {member.name!r} twice")
                seen.add(member.name)
                file = tar.extractfile(member)
                yield member.name, file.read() if file else b""
            # To the end, where the compressed formats have their checksums.
            while stream.read(CHUNK):
                pass
    except damages() as error:
        raise ValueError(f"a damaged archive: {error}") from error


def check(member: tarfile.TarInfo) -> None:
    """Raise ValueError unless the member is a plain file or folder inside the archive."""
    path = PurePosixPath(member.name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in member.name or "\0" in member.name:
        raise ValueError(f"the archive has a name that leads out of it: {member.name!r}")
    if not (member.isfile() or member.isdir()) or member.issparse():
        raise ValueError(f"the archive has {member.name!r}, which is neither a file nor a folder")


def unpacked(archive: bytes, limit: int) -> "BoundedReader":
    """Open an archive of any of the known compressions for reading, ``limit`` bytes at most."""
    buffer = io.BytesIO(archive)
    for magic, opener in OPENERS.items():
        if archive.startswith(magic):
            return BoundedReader(opener(buffer), limit)
    return BoundedReader(buffer, limit)


class BoundedReader(io.BufferedIOBase):
    """A stream that raises ValueError once more than ``limit`` bytes were read from it."""

    def __init__(self, stream: io.BufferedIOBase, limit: int) -> None:
        self.stream = stream
        self.left = limit

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to ``size`` bytes."""
        most = self.left + 1
        chunk = self.stream.read(most if size is None or size < 0 else min(size, most))
        self.left -= len(chunk)
        if self.left < 0:
            raise ValueError("the archive unpacks to more than it should")
        return chunk
