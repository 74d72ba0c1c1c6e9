"""Set the repository's address wherever it stands: `python book/_tools/address.py URL`.

Set-up cells install the package from it, pages link to it and offer notebooks of it in Colab. The
one that is there is read from `_config.yml`; every file that git knows is changed, or none.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlparse

import yaml

ROOT = Path(__file__).parents[2]
URL = re.compile(r"https://github\.com/[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")


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
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    old = config["repository"]["url"]
    new = {old: url, pages_of(old): pages_of(url)}
    # By the path alone, as in an address of Colab's; an owner's name alone stays what it is.
    new |= {f"/github{urlparse(old).path}/": f"/github{urlparse(url).path}/"}
    places = re.compile("|".join(rf"{re.escape(one)}(?![\w-])" for one in new))
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z"], capture_output=True, check=True, text=True
    )
    found = {}
    for name in filter(None, listed.stdout.split("\0")):
        try:
            text = (root / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        changed = places.sub(lambda match: new[match[0]], text)
        if changed != text:
            found[root / name] = changed
    return found


def main() -> int:
    """Change the files, and name them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="such as https://github.com/NAME/REPOSITORY")
    try:
        found = changes(ROOT, parser.parse_args().url)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for path, text in found.items():
        path.write_text(text, encoding="utf-8", newline="\n")
        print(path.relative_to(ROOT))
    print(f"{len(found)} files hold the address" if found else "the address stands there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
