"""Set the repository's address, or its release, wherever it stands.

`python book/_tools/address.py URL` sets the address. Set-up cells install the package from it,
pages link to it and offer notebooks of it in Colab. The one that is there is read from
`_config.yml`.

`python book/_tools/address.py --release 0.2.0` sets the version: of the package, of its citation,
and behind the address wherever something installs from it, so that a reader's chapter gets the
package that it was written with. Its tag must be there when the pages are.

Every file that git knows is changed, or none.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlparse

import yaml

ROOT = Path(__file__).parents[2]
URL = re.compile(r"https://github\.com/[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
RELEASE = re.compile(r"\d+\.\d+\.\d+")
# Where the version itself stands, and what is before it there.
VERSION = {
    "src/adam_edu/__init__.py": '__version__ = "',
    "CITATION.cff": "\nversion: ",
}


def pages_of(url: str) -> str:
    """Return where GitHub serves a repository's pages.

    >>> pages_of("https://github.com/ada/adam")
    'https://ada.github.io/adam'
    """
    owner, name = urlparse(url).path.strip("/").split("/")
    return f"https://{owner}.github.io/{name}"


def changes(root: Path, url: str) -> dict[Path, str]:
    """Return the files of a repository that hold its address, with the new one in it.

    Raises
    ------
    ValueError
        If the new address is none of a repository on GitHub.
    """
    url = url.rstrip("/").removesuffix(".git")
    if not URL.fullmatch(url):
        raise ValueError(f"{url!r} is no address such as https://github.com/NAME/REPOSITORY")
    old = address_of(root)
    new = {old: url, pages_of(old): pages_of(url)}
    # By the path alone, as in an address of Colab's; an owner's name alone stays what it is.
    new |= {f"/github{urlparse(old).path}/": f"/github{urlparse(url).path}/"}
    places = re.compile("|".join(rf"{re.escape(one)}(?![\w-])" for one in new))
    return changed(root, lambda name, text: places.sub(lambda match: new[match[0]], text))


def released(root: Path, version: str) -> dict[Path, str]:
    """Return the files of a repository that name its release, with the new one in them.

    Raises
    ------
    ValueError
        If the version is none such as 0.2.0.
    """
    if not RELEASE.fullmatch(version):
        raise ValueError(f"{version!r} is no version such as 0.2.0")
    installed = re.compile(rf"({re.escape(address_of(root))}@v){RELEASE.pattern}")

    def named(name: str, text: str) -> str:
        if before := VERSION.get(name):
            text = re.sub(f"({before}){RELEASE.pattern}", rf"\g<1>{version}", text)
        return installed.sub(rf"\g<1>{version}", text)

    return changed(root, named)


def address_of(root: Path) -> str:
    """Return the address that a repository's configuration has."""
    return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def changed(root: Path, change: Callable[[str, str], str]) -> dict[Path, str]:
    """Return the files whose text changes, with what `change` makes of each name and text."""
    return {root / name: new for name, text in texts(root) if (new := change(name, text)) != text}


def texts(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every file that git knows."""
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z"], capture_output=True, check=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        try:
            yield name, (root / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def main() -> int:
    """Change the files, and name them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("url", nargs="?", help="such as https://github.com/NAME/REPOSITORY")
    what.add_argument("--release", metavar="VERSION", help="such as 0.2.0")
    options = parser.parse_args()
    try:
        found = changes(ROOT, options.url) if options.url else released(ROOT, options.release)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for path, text in found.items():
        path.write_text(text, encoding="utf-8", newline="\n")
        print(path.relative_to(ROOT))
    print(f"{len(found)} files changed" if found else "it stands there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
