"""What stands around the book: workflows, addresses, previews, the printed book."""

import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from urllib.parse import urlparse
from xml.etree import ElementTree

import pytest
import yaml
from address import changes, released
from conftest import ROOT, table_of_contents

import adam_edu

pytestmark = pytest.mark.pages

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
REPOSITORY = CONFIG["repository"]["url"]
OWNER, NAME = urlparse(REPOSITORY).path.strip("/").split("/")
PAGES = f"https://{OWNER}.github.io/{NAME}/"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
OURS = {"README.md", "CITATION.cff", "pyproject.toml", "_config.yml", "Makefile"}
FOLDERS = ("book", "src", "tests", "benchmarks", ".github")
TEXT = {".md", ".py", ".ipynb", ".yml", ".toml", ".cff", ".html", ".js", ".css", ".bib", ".txt"}


def our_files():
    """Return the text files of the project, with none of what was built or installed."""
    for path in ROOT.iterdir():
        if path.is_file() and (path.suffix in TEXT or path.name == "Makefile"):
            yield path
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in TEXT and "__pycache__" not in path.parts and path.is_file():
                yield path


def addresses_in(text):
    """Return the addresses in a text that can only mean this repository or its pages."""
    found = re.findall(r"https?://(?:www\.)?github\.com/([\w.-]+)/([\w-]+)", text)
    own = {
        f"https://github.com/{owner}/{name}"
        for owner, name in found
        if owner == OWNER or name == NAME
    }
    return own | set(re.findall(rf"https?://[\w-]+\.github\.io/{NAME}/?", text))


def test_every_copy_of_the_address_is_that_of_the_configuration():
    wrong, holders = {}, set()
    for path in our_files():
        found = addresses_in(path.read_text(encoding="utf-8"))
        name = str(path.relative_to(ROOT))
        holders |= {name} if found else set()
        odd = {one for one in found if one not in (REPOSITORY, PAGES, PAGES.rstrip("/"))}
        if odd:
            wrong[name] = odd

    assert wrong == {}
    assert {"README.md", "CITATION.cff", "pyproject.toml", "book/_setup_cell.py"} <= holders


def test_a_wrong_copy_is_noticed():
    elsewhere = f"see https://github.com/someone/{NAME}/issues and https://github.com/{OWNER}/adam"

    assert addresses_in(elsewhere) == {
        f"https://github.com/someone/{NAME}",
        f"https://github.com/{OWNER}/adam",
    }


# Workflows


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request):
    return yaml.safe_load(request.param.read_text(encoding="utf-8"))


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_actions_are_pinned_by_commit():
    for path in WORKFLOWS:
        used = re.findall(r"uses: *(.*)", path.read_text(encoding="utf-8"))
        assert used
        for one in used:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one


def test_one_version_of_each_action():
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    pins = set(re.findall(r"uses: *([\w-]+/[\w-]+)@([0-9a-f]{40})", text))

    assert len(pins) == len({name for name, _ in pins})


def test_workflows_call_targets_that_exist(workflow):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE))
    called = re.findall(r"\bmake (\w+)", "\n".join(step.get("run", "") for step in steps(workflow)))

    assert set(called) <= targets


def test_workflows_may_do_no_more_than_they_need(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        writes = {k for k, v in job.get("permissions", {}).items() if v == "write"}
        assert writes <= {"pages", "id-token", "issues"}
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False


def test_shell_steps_are_sound(workflow):
    for step in steps(workflow):
        script = re.sub(r"\$\{\{.*?\}\}", "x", step.get("run", "true"))
        checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
        assert checked.returncode == 0, checked.stderr


def test_every_supported_python_is_tested():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = [c.rsplit(" ", 1)[1] for c in project["classifiers"] if ":: 3." in c]
    jobs = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())["jobs"]

    assert jobs["everything"]["strategy"]["matrix"]["python"] == supported
    assert project["requires-python"] == f">={supported[0]}"


def test_only_the_main_branch_is_deployed():
    deploy = yaml.safe_load((ROOT / ".github/workflows/book.yml").read_text())["jobs"]["deploy"]

    assert "refs/heads/main" in deploy["if"]
    assert deploy["needs"] == "build"


def test_issue_templates_ask_something():
    forms = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
    names = [form.stem for form in forms]

    assert names == ["config", "mistake", "not-understood"]
    for form in forms[1:]:
        content = yaml.safe_load(form.read_text(encoding="utf-8"))
        ids = [field["id"] for field in content["body"]]
        assert {"name", "description", "body"} <= set(content)
        assert len(ids) == len(set(ids))
        assert ids[0] == "page"


# Pages


class Head(HTMLParser):
    """What a page's head says, and where the page leads."""

    def __init__(self):
        super().__init__()
        self.meta, self.links, self.assets = {}, [], []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "meta" and ("property" in given or "name" in given):
            self.meta[given.get("property") or given["name"]] = given.get("content")
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag in ("link", "script", "img"):
            self.assets.append(given.get("href") or given.get("src") or "")


def head_of(path):
    head = Head()
    head.feed(path.read_text(encoding="utf-8"))
    return head


@pytest.mark.parametrize("name", table_of_contents())
def test_page_has_a_preview(html, name):
    head = head_of(html / f"{name}.html")
    image = head.meta["og:image"].removeprefix(PAGES)

    assert head.meta["og:title"]
    assert len(head.meta.get("og:description", "")) > 40 or "/api/" in f"/{name}"
    assert head.meta["og:url"] == f"{PAGES}{name}.html"
    assert (html / image).read_bytes().startswith((b"\x89PNG", b"\xff\xd8"))
    assert f"{REPOSITORY}/issues/new?template=mistake.yml&page={name.replace('/', '%2F')}" in (
        head.links
    )


@pytest.fixture
def copied(tmp_path):
    """Return a repository of the files that hold this one's address or its version."""
    for path in our_files():
        text = path.read_text(encoding="utf-8")
        if addresses_in(text) or re.search("^__version__ = ", text, re.MULTILINE):
            there = tmp_path / path.relative_to(ROOT)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, there)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_the_address_can_be_set(copied):
    found = changes(copied, "https://github.com/ada/optimizers.git")
    for path, text in found.items():
        path.write_text(text, encoding="utf-8")

    assert len(found) > 30
    assert not any(addresses_in(text) for text in found.values())
    setup = (copied / "book/_setup_cell.py").read_text(encoding="utf-8")
    assert "git+https://github.com/ada/optimizers" in setup
    assert changes(copied, "https://github.com/ada/optimizers") == {}


# What installs the package: a requirement of it, whatever stands behind the address.
INSTALLED = re.compile(rf"git\+{re.escape(REPOSITORY)}([^\s\"\\]*)")


def test_whatever_installs_the_package_installs_the_release_that_it_was_written_with():
    found = {
        path.relative_to(ROOT).as_posix(): set(INSTALLED.findall(text))
        for path in our_files()
        if (text := path.read_text(encoding="utf-8")) and INSTALLED.search(text)
    }
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))

    assert {"README.md", "book/_setup_cell.py", "book/teaching.md"} <= found.keys()
    assert set().union(*found.values()) == {f"@v{adam_edu.__version__}"}
    assert citation["version"] == adam_edu.__version__


def test_the_release_can_be_set(copied):
    found = released(copied, "7.11.0")
    names = {path.relative_to(copied).as_posix() for path in found}
    setup = found[copied / "book/_setup_cell.py"]

    assert len(found) > 30
    assert {"README.md", "CITATION.cff", "src/adam_edu/__init__.py"} <= names
    assert f"git+{REPOSITORY}@v7.11.0" in setup
    assert "\nversion: 7.11.0\n" in found[copied / "CITATION.cff"]
    assert '\n__version__ = "7.11.0"\n' in found[copied / "src/adam_edu/__init__.py"]
    assert not any(f"@v{adam_edu.__version__}" in text for text in found.values())


@pytest.mark.parametrize("version", ["", "v1.2.3", "1.2", "1.2.3rc1", "next"])
def test_what_is_no_release_is_refused(version):
    with pytest.raises(ValueError, match="is no version such as"):
        released(ROOT, version)


@pytest.mark.parametrize("url", ["", "ada/adam", "https://github.com/ada", "https://a.b/ada/adam"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="is no address such as"):
        changes(ROOT, url)


def test_sitemap_lists_every_page(html):
    root = ElementTree.parse(html / "sitemap.xml").getroot()
    listed = {element.text for element in root.iter() if element.tag.endswith("loc")}

    assert listed >= {f"{PAGES}{name}.html" for name in table_of_contents()}
    assert all((html / one.removeprefix(PAGES)).exists() for one in listed)


def test_the_page_for_a_lost_address_works_from_anywhere(html):
    head = head_of(html / "404.html")
    prefix = urlparse(PAGES).path

    own = [one for one in head.assets + head.links if not re.match(r"https:|#|$|data:", one)]
    assert len(own) > 20
    for address in own:
        assert address.startswith(prefix), address
        assert (html / address.removeprefix(prefix).partition("?")[0].partition("#")[0]).exists()


def test_logo_is_a_small_picture(html):
    logo = html / "_static/logo.svg"

    assert ElementTree.parse(logo).getroot().tag.endswith("svg")
    assert logo.stat().st_size < 4000
    assert 'rel="icon"' in (html / "book/index.html").read_text(encoding="utf-8")


@pytest.mark.browser
def test_the_book_is_printed_with_formulas_and_pictures(html, browser, tmp_path):
    pypdf = pytest.importorskip("pypdf")
    out = tmp_path / "book.pdf"
    command = [sys.executable, "-W", "error", ROOT / "book/_tools/pdf.py"]
    chosen = ["book/index", "book/bias-correction"]
    done = subprocess.run(
        [*command, "--html", html, "--output", out, *chosen], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

    book = pypdf.PdfReader(out)
    text = "\n".join(page.extract_text() for page in book.pages)
    titles = [item["/Title"] for item in book.outline if not isinstance(item, list)]

    assert titles[0] == book.metadata.title == CONFIG["title"]
    assert "Rosenbrock, 300 steps:" in text  # the still picture of the live figure
    assert "\\frac" not in text
    assert "$$" not in text


def test_the_shared_description_says_what_the_site_is(html):
    said = head_of(html / "book/index.html").meta

    assert said["description"] == said["og:description"]
    assert re.match(r"A free course on Adam, .*\.$", said["description"])
