"""The licenses of what the pages load of others, as one text beside it."""

import io
import re
import zipfile
from importlib.resources import files

FILE = "licenses.txt"
# In a wheel, by the names that packages give it.
IN_WHEEL = re.compile(r"[^/]+\.dist-info/(?:.*/)?(?:LICEN[CS]E|COPYING|NOTICE)[^/]*")


def notices(*distributions: dict[str, bytes]) -> str:
    """Return the licenses of distributions: those that their wheels hold, and those kept here.

    An empty one, which a build has not, is left out.
    """
    parts = []
    for distribution in distributions:
        if "pyodide.js" in distribution:
            parts.append(_kept("python.txt"))
        if "prism/languages/python.js" in distribution:
            parts.append(_kept("editor.txt"))
        for name, content in sorted(distribution.items()):
            if name.endswith(".whl"):
                parts.append(_of_wheel(name, content))
    return f"\n\n{'=' * 72}\n\n".join(part.strip() for part in parts) + "\n"


def _kept(name: str) -> str:
    return files(__package__).joinpath("licenses", name).read_text(encoding="utf-8")


def _of_wheel(name: str, content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        texts = [
            archive.read(member).decode("utf-8", "replace")
            for member in archive.namelist()
            if IN_WHEEL.fullmatch(member)
        ]
    if not texts:
        raise ValueError(f"{name} holds no license: keep it in live/licenses, and name it here")
    project, version, *_ = name.split("-")
    return "\n\n".join([f"{project} {version}", *(text.strip() for text in texts)])
