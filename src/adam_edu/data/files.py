"""Find a data set's files: the local copy, the cache, or a download; verified in every case.

What is returned is always bytes in memory whose SHA-256 is the expected one, and these very bytes
are parsed: no file can change between the check and its use.
"""

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

LOCAL_COPY = "ADAM_EDU_DATA"
TIMEOUT = 30.0
"""Seconds without a single byte after which a mirror is given up."""
CHUNK = 1 << 16


class DataError(OSError):
    """A data set could not be had; the message says why, and what to do."""


@dataclass(frozen=True)
class File:
    """A file that is known by its content.

    Attributes
    ----------
    path : of the file inside the local copy and the cache, such as ``"mnist/images.gz"``
    size : of the content, in bytes
    sha256 : of the content
    mirrors : complete URLs, tried in turn
    gzipped : whether the content is what the file unpacks to. Then any mirror's compression will
        do, and so will a server that unpacks the file on the way.
    """

    path: str
    size: int
    sha256: str
    mirrors: tuple[str, ...] = ()
    gzipped: bool = False

    @property
    def name(self) -> str:
        """Name of the file without its folder."""
        return Path(self.path).name

    def content(self, raw: bytes) -> bytes:
        """Return the content of a file that holds ``raw``.

        Raises
        ------
        ValueError
            If it is not the expected content; the message says in what way.
        """
        content = gunzip(raw, self.size) if self.gzipped else raw
        if len(content) < self.size:
            raise ValueError(f"{len(content)} bytes where {self.size} are expected: cut off")
        if len(content) > self.size or hashlib.sha256(content).hexdigest() != self.sha256:
            raise ValueError("not the published content: corrupted, or another file")
        return content


def gunzip(raw: bytes, size: int) -> bytes:
    """Unpack gzip, no further than one byte beyond ``size``; what is not gzip comes back as is.

    Raises
    ------
    ValueError
        If the packed stream is damaged.
    """
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            return packed.read(size + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"a damaged gzip file: {error}") from error


def cache_folder() -> Path:
    """Return the folder of downloaded files, such as ``~/.cache/adam-edu``."""
    import pooch

    return Path(pooch.os_cache("adam-edu"))


def local_path(file: File) -> Path | None:
    """Return where the local copy in ``ADAM_EDU_DATA`` has the file, None if it does not."""
    folder = os.environ.get(LOCAL_COPY)
    path = Path(folder, file.path) if folder else None
    return path if path and path.is_file() else None


def read(file: File) -> bytes:
    """Return the verified content from the local copy, the cache or else a mirror.

    The local copy is only read. A file in the cache that is damaged is deleted and downloaded
    again. Processes that want the same file at once wait for the first to download it.

    Raises
    ------
    DataError
        If no mirror can be reached or none has the right content, if the local copy is damaged,
        or if the cache cannot be written, for example on a full disk.
    """
    local = local_path(file)
    if local:
        return read_local(file, local)
    path = cache_folder() / file.path
    try:
        content = read_cached(file, path)
        if content is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            content = read_locked(file, path)
    except DataError:
        raise
    except OSError as error:
        raise DataError(
            f"cannot keep {file.name} in {path.parent} ({error.strerror or error}): make room or "
            f"allow writing there, or set {LOCAL_COPY} to a folder that has {file.path}"
        ) from error
    return content


def read_local(file: File, path: Path) -> bytes:
    """Return the verified content of a file of the local copy."""
    try:
        return file.content(path.read_bytes())
    except (ValueError, OSError) as error:
        raise DataError(
            f"{path} cannot be used ({error}): replace it with the published file, or "
            f"unset {LOCAL_COPY} to download it"
        ) from error


def read_cached(file: File, path: Path) -> bytes | None:
    """Return the verified content of a cached file; delete one that is damaged."""
    try:
        return file.content(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        path.unlink(missing_ok=True)
        return None


def read_locked(file: File, path: Path) -> bytes:
    """Download the file unless another process does so first; return its content."""
    from filelock import FileLock

    with FileLock(path.with_name(f".{path.name}.lock")):
        # Another process may have finished while this one waited.
        content = read_cached(file, path)
        return download(file, path) if content is None else content


def download(file: File, path: Path) -> bytes:
    """Download the file from the first mirror that has the right content."""
    from requests import RequestException

    part = path.with_name(f"{path.name}.part")
    failures = []
    for url in file.mirrors:
        try:
            stream(url, part, file)
            content = file.content(part.read_bytes())
            part.replace(path)
            return content
        except (RequestException, ValueError) as error:
            failures.append(f"{urlsplit(url).netloc}: {reason(error)}")
        finally:
            part.unlink(missing_ok=True)
    raise DataError(
        f"could not download {file.name} ({'; '.join(failures)}): check the network and try again, "
        f"or set {LOCAL_COPY} to a folder that has {file.path}"
    )


def stream(url: str, path: Path, file: File) -> None:
    """Download a URL to a path, with a progress bar, and no more bytes than the file can have."""
    import pooch
    from tqdm import tqdm

    with (
        path.open("wb") as out,
        tqdm(total=file.size, desc=file.name, unit="B", unit_scale=True) as bar,
    ):
        fetch: Callable[..., None] = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=CHUNK,
            timeout=TIMEOUT,
            # As it is on the server: a transparent compression would change the file.
            headers={"Accept-Encoding": "identity"},
        )
        fetch(url, Bounded(out, limit=file.size + (1 << 20)), None)


class Bounded:
    """A file to write to that refuses more than ``limit`` bytes."""

    def __init__(self, out: IO[bytes], limit: int) -> None:
        self.out = out
        self.left = limit

    def write(self, chunk: bytes) -> int:
        """Write a chunk; raise ValueError where it would be too much."""
        self.left -= len(chunk)
        if self.left < 0:
            raise ValueError("larger than the published file")
        return self.out.write(chunk)

    def flush(self) -> None:
        """Hand what is written to the operating system."""
        self.out.flush()


def reason(error: Exception) -> str:
    """Return in a few words why a mirror failed."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"no answer for {TIMEOUT:g} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut off"
    if isinstance(error, requests.ConnectionError):
        return "no answer" if "timed out" in str(error) else "no connection"
    return str(error)
