"""Compile C++ to a shared library, and keep it for the next time.

What is kept is code that will run, so the folder is the user's own and no one else's to write to,
and a library's name has the hash of its contents in it: one that was cut short, or put there by
something else, is not loaded but made again. Files are moved into place whole, so that several
processes may build the same one at once.
"""

import atexit
import ctypes
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

TIMEOUT = 120  # seconds: a loop takes about one


class NotCompiled(RuntimeError):
    """Why there is no compiled loop."""


def load(code: str) -> ctypes.CDLL:
    """Return the library of this source: from the cache, or compiled into it, in about a second.

    Raises
    ------
    NotCompiled
        If there is no C++ compiler, or it fails.
    """
    compiler = _compiler()
    about = repr((code, compiler, _flags(), platform.platform()))
    key = hashlib.sha256(about.encode()).hexdigest()[:32]
    for folder in (_folder(), _folder_of_this_process()):
        if found := _kept(folder, key) or _built(folder, key, code, compiler):
            return found
    raise NotCompiled("no folder was found from which a compiled library can be loaded")


def _kept(folder: Path, key: str) -> ctypes.CDLL | None:
    for path in folder.glob(f"{key}-*.so"):
        try:
            if path.stem == f"{key}-{_digest(path)}":
                return ctypes.CDLL(str(path))
            path.unlink()
        except OSError:  # it is being replaced, or was made for another machine
            continue
    return None


def _built(folder: Path, key: str, code: str, compiler: str) -> ctypes.CDLL | None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        written, built = Path(scratch, "step.cpp"), Path(scratch, "step.so")
        written.write_text(code, encoding="utf-8")
        _compile(compiler, written, built)
        path = folder / f"{key}-{_digest(built)}.so"
        os.replace(built, path)
    try:
        return ctypes.CDLL(str(path))
    except OSError:  # the folder's file system forbids to run what is on it
        return None


def _compile(compiler: str, written: Path, built: Path) -> None:
    said = ""
    for flags in _flags():
        command = [compiler, *flags, "-o", str(built), str(written)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise NotCompiled(f"{compiler} took more than {TIMEOUT} s") from None
        if done.returncode == 0 and built.exists():
            return
        said = said or done.stderr
    lines = [line for line in said.splitlines() if "error" in line] or ["no message"]
    raise NotCompiled(f"{compiler} failed: {lines[0]}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


@cache
def _compiler() -> str:
    names = [os.environ["CXX"]] if os.environ.get("CXX") else ["c++", "g++", "clang++"]
    for name in names:
        if path := shutil.which(name):
            return path
    raise NotCompiled(f"no C++ compiler was found (looked for {', '.join(names)})")


@cache
def _flags() -> list[list[str]]:
    """Return the flags to try, best first: for this processor with threads, then plainer ones."""
    # Where memory sets the pace, 512-bit vectors gain nothing, and on some processors lose a tenth.
    march = ["-march=x86-64-v3"] if _has_avx2() else []
    precise = ["-fno-math-errno", "-fno-trapping-math"]
    common = ["-O3", *precise, "-std=c++17", "-fopenmp-simd", "-fPIC", "-shared"]
    return [[*common, *march, "-fopenmp"], [*common, "-fopenmp"], common]


def _has_avx2() -> bool:
    """Say whether this is an x86-64 processor of the third level, as far as can be known."""
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    flags = next((line.split() for line in about.splitlines() if line.startswith("flags")), [])
    return {"avx2", "fma", "bmi2", "f16c", "movbe"} <= set(flags)


@cache
def _folder() -> Path:
    """Return the folder of the user's own in which libraries are kept."""
    folder = _caches() / "adam-edu" / "native"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if _is_private(folder):
            with tempfile.TemporaryDirectory(dir=folder):
                return folder
    except OSError:
        pass
    return _folder_of_this_process()


@cache
def _folder_of_this_process() -> Path:
    made = tempfile.TemporaryDirectory(prefix="adam-edu-")
    atexit.register(made.cleanup)
    return Path(made.name)


def _caches() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _is_private(folder: Path) -> bool:
    """Say whether nobody else can put a library there, after closing it to others."""
    if not hasattr(os, "getuid"):  # Windows keeps a profile to its user
        return True
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        return False
    folder.chmod(0o700)
    return True
