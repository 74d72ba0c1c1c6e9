"""The exercises on the page, in a real browser: written, checked, stopped, kept, damaged."""

import ast
import base64
import json
import re
import zlib

import live_cells
import pytest
from live_pages import ASKED, CELLS, SLOW, Exercise, folder, site  # noqa: F401 - fixtures
from page_weight import until

from adam_edu.live import runner

pytestmark = [pytest.mark.browser, pytest.mark.pages]

ADAM = "def adam_step(x, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):\n    {}\n"
PAGE = "bias-correction"


@pytest.fixture(scope="module")
def context(browser, site):  # noqa: F811
    # Playwright sees no request that a service worker answers; test_live_offline.py has one.
    context = browser.new_context(viewport={"width": 1000, "height": 900}, service_workers="block")
    context.set_default_timeout(SLOW)
    yield context
    context.close()


def complaint(message):
    """Return what a message of the console complains of: nothing, or one text."""
    own = message.text == "Service Worker registration blocked by Playwright"
    return [] if own or message.type not in ("error", "warning") else [message.text]


@pytest.fixture
def open_page(context, site):  # noqa: F811
    address, _ = site
    pages, complaints = [], []

    def opened(name=PAGE, complains=False, python=True, fragment=""):
        page = context.new_page()
        pages.append(page)
        if not python:  # it never comes: what is typed would start it
            page.route("**/list.json", lambda route: None)
        if complains:
            page.goto(f"{address}{name}.html")
            return page
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.extend(complaint(message)))
        page.goto(f"{address}{name}.html{fragment}")
        return page

    yield opened
    for page in pages:
        page.close()
    context.new_page().goto(f"{address}icon.svg")
    context.pages[-1].evaluate("localStorage.clear()")
    context.pages[-1].close()
    assert complaints == [], complaints


def mistaken(source):
    """Return a solution with another operator, its first number one more, or twice its result."""
    tree = ast.parse(source)
    swapped = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult}
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and type(node.op) in swapped:
            node.op = swapped[type(node.op)]()
            return ast.unparse(tree)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            node.value += 1
            return ast.unparse(tree)
    return source.replace("return ", "return 2 * ", 1)


@pytest.mark.parametrize("each", [1, pytest.param(3, marks=pytest.mark.nightly)])
def test_every_exercise_says_what_python_says(open_page, folder, each):  # noqa: F811
    """Its stub, its solution or a mistake: each card has the words of the checker here."""
    every = [(stem, one) for stem, found in ASKED.items() for one in found if not one.torch]
    page = open_page()
    exercise = Exercise(page, "adam_step")
    exercise.check()
    wrong = []
    for number, (stem, one) in enumerate(every):
        texts = (one.stub, one.solution, mistaken(one.solution))
        for text in [texts[(number + k) % 3] for k in range(each)]:
            found = page.evaluate(
                """async ([app, wish]) => {
                  const { engine } = await import(`./_static/live/${app}/engine.js`);
                  return engine.check(wish);
                }""",
                [app(folder), {"source": text, "name": one.name, "before": one.before}],
            )
            here = json.loads(runner.verdict(text, one.name, one.before))
            if (found["ok"], found["html"], found["error"]) != (
                here["ok"],
                here["html"],
                here["error"],
            ):
                wrong.append((stem, one.name, found, here))
    assert wrong == []
    assert found["heap"] <= 64 * 2**20


def app(folder):  # noqa: F811
    return next(path.name for path in (folder / "_static/live").glob("app-*"))


def test_a_mistake_is_named_and_a_solution_is_marked(open_page):
    page = open_page()
    exercise = Exercise(page, "adam_step")
    assert "MB, once" in exercise.note.inner_text()
    right = next(one for one in ASKED[PAGE] if one.name == "adam_step").solution
    wrong = re.sub(r"beta2\s*\*\*\s*t", "beta1**t", right)
    assert wrong != right

    exercise.write(wrong)
    assert "not right yet" in exercise.check()
    exercise.write(right)
    assert "adam_step: right" in exercise.check()
    assert page.locator(".live-solved").first.inner_text() == f"1/{len(ASKED[PAGE])}"


def test_an_endless_loop_is_stopped_and_python_comes_back(open_page):
    page = open_page()
    exercise = Exercise(page, "adam_step")
    exercise.check()
    exercise.write("while True:\n    pass\n")
    exercise.button("Check").click()
    # Meanwhile another tab has its own Python, and the mark of what is solved there stands here.
    twin = Exercise(open_page(), "adam_step")
    twin.field.wait_for()  # open, since it has the first tab's text
    twin.field.fill(next(one for one in ASKED[PAGE] if one.name == "adam_step").solution)
    assert "adam_step: right" in twin.check()
    page.locator(".live-solved").first.get_by_text(f"1/{len(ASKED[PAGE])}").wait_for()
    began = page.evaluate("performance.now()")
    exercise.button("Stop").click()
    exercise.note.get_by_text("Stopped.").wait_for()
    assert page.evaluate("performance.now()") - began < 2000

    exercise.write("input('x')\n")
    assert runner.NO_KEYBOARD in exercise.check()
    assert exercise.cell.locator(".live-named").count() == 1
    exercise.write("import numpy as np\nnp.ones(10**8)\n")
    assert "MemoryError" in exercise.check()
    exercise.write(ADAM.format("raise ValueError('<img src=x onerror=alert(1)>')"))
    exercise.check()
    assert exercise.verdict.locator("img").count() == 0


REMEMBERED = """async ([mark, other]) => {
  const shelf = await caches.open("adam-edu memory");
  const [request] = await shelf.keys();
  if (!request) return null;
  const found = await shelf.match(request);
  if (!mark) return found.headers.get("X-Mark") ?? "new";
  const content = other ? new Uint8Array(other) : new Uint8Array(await found.arrayBuffer());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const sha = [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const headers = { "X-SHA-256": sha, "X-Mark": mark };
  await shelf.put(request, new Response(content, { headers }));
  return mark;
}"""


def test_a_later_visit_starts_where_python_had_started(open_page):
    """And starts it anew where what is remembered is of another Python, or damaged."""

    def visited():
        page = open_page()
        assert "not written yet" in Exercise(page, "adam_step").check()
        return page

    page = visited()
    until(page, f"async () => (await ({REMEMBERED})([])) !== null")
    page.evaluate(REMEMBERED, ["first"])
    page = visited()
    page.wait_for_timeout(4000)  # longer than it waits before it remembers
    assert page.evaluate(REMEMBERED, []) == "first"
    # Two that wake from one memory draw other numbers; compiled libraries are where they were.
    text = "import random\nimport numpy as np\nprint(random.random(), np.random.rand(), "
    text += "np.linalg.inv([[0, 2], [1, 0]]).tolist())\n"
    drawn = []
    for one in (page, visited()):
        exercise = Exercise(one, "adam_step")
        exercise.write(text)
        drawn.append(
            re.search(r"(0\.\d+) (0\.\d+) \[\[0.0, 1.0\], \[0.5, 0.0\]\]", exercise.check())
        )
        exercise.button("Back to the beginning").click()
    assert not set(drawn[0].groups()) & set(drawn[1].groups())
    page.evaluate(REMEMBERED, ["foreign", 4096])
    page = visited()
    until(page, f"async () => (await ({REMEMBERED})([])) === 'new'")


def test_a_text_is_kept_with_a_way_back(open_page):
    page, other = open_page(python=False), open_page(python=False)
    exercise, twin = Exercise(page, "first_step"), Exercise(other, "first_step")
    twin.button("Write here").click()
    twin.field.press("Escape")
    exercise.write("# mine\n")
    page.wait_for_timeout(500)
    other.wait_for_function("() => document.querySelector('textarea').value === '# mine\\n'")

    page.reload()
    exercise.field.wait_for()
    assert exercise.field.input_value() == "# mine\n"
    exercise.button("Back to the beginning").click()
    assert exercise.field.input_value() == ASKED[PAGE][0].stub
    exercise.button("Undo: my text again").click()
    assert exercise.field.input_value() == "# mine\n"


def test_a_text_written_last_is_kept_when_the_page_is_left(open_page):
    page = open_page(python=False)
    exercise = Exercise(page, "first_step")
    exercise.write("# in a hurry\n")
    page.reload()
    exercise.field.wait_for()

    assert exercise.field.input_value() == "# in a hurry\n"


def test_a_full_storage_is_said(open_page):
    page = open_page(python=False)
    page.evaluate(
        "() => { Storage.prototype.setItem = () => { throw new DOMException('full'); }; }"
    )
    exercise = Exercise(page, "first_step")
    exercise.write("# mine\n")

    exercise.cell.get_by_text("no room to keep").wait_for()


def test_work_is_exported_imported_and_wiped(open_page, tmp_path):
    page = open_page(python=False)
    Exercise(page, "first_step").write("# mine\n")
    page.wait_for_timeout(500)
    page.locator(".live-work button").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    path = tmp_path / "work.json"
    download.value.save_as(path)
    kept = json.loads(path.read_text())
    assert kept["exercises"] == {f"{PAGE}/first_step": {"text": "# mine\n", "solved": False}}

    page.get_by_role("button", name="Wipe").click()
    page.get_by_role("button", name="Wipe it: I am sure").click()
    assert page.evaluate("localStorage.length") == 0
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_text("1 exercises imported").wait_for()
    assert page.evaluate(f"localStorage['adam-edu:text:{PAGE}/first_step']") == "# mine\n"

    for wrong in (
        "no",
        "{}",
        '{"adam-edu": 1, "exercises": {"a/b": {"text": "", "solved": true}}}',
    ):
        path.write_text(wrong)
        page.locator("input[type=file]").set_input_files(path)
        said = page.locator(".live-work .live-note")
        said.get_by_text(re.compile("not one that was exported|no exercise a/b")).wait_for()


# Links with a text in them


def fragment(text, name="first_step"):
    """Return the fragment of a link, made of a text or of bytes as the page makes it."""
    packed = zlib.compress(text.encode() if isinstance(text, str) else text, wbits=-15)
    code = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return f"#write={name}&text={code}"


def test_a_link_brings_a_text_that_is_not_run(open_page, site):  # noqa: F811
    text = "# x ← ½x, from a teacher\ndef first_step(g, lr=1e-3, eps=1e-8):\n    return g\n"
    page = open_page(python=False, fragment=fragment(text))
    exercise = Exercise(page, "first_step")
    exercise.cell.get_by_text("This text came with the link").wait_for()
    assert exercise.field.input_value() == text
    assert page.evaluate("localStorage.length") == 0
    assert not exercise.verdict.inner_text()
    assert not [path for path in site[1][-20:] if "list.json" in path]

    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    exercise.button("Copy link").click()
    exercise.cell.get_by_text("Copied").wait_for()
    copied = page.evaluate("window.copied")
    assert copied.startswith(f"{site[0]}{PAGE}.html#write=first_step&text=")
    page = open_page(python=False, fragment=copied.removeprefix(f"{site[0]}{PAGE}.html"))
    exercise = Exercise(page, "first_step")
    exercise.cell.get_by_text("This text came with the link").wait_for()
    assert exercise.field.input_value() == text


def test_a_link_asks_before_it_replaces_what_the_reader_wrote(open_page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(python=False)
    exercise = Exercise(page, "first_step")
    exercise.write("# mine\n")
    page.evaluate(f"location.hash = '{fragment('# yours')}'")
    exercise.button("Take the link's text").wait_for()
    assert exercise.field.input_value() == "# mine\n"
    assert page.evaluate("document.activeElement.textContent") == "Take the link's text"
    assert axe.run(page).response["violations"] == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert exercise.field.input_value() == "# mine\n"

    page.reload()
    exercise.button("Take the link's text").press("Enter")
    assert exercise.field.input_value() == "# yours"
    exercise.button("Undo: my text again").click()
    assert exercise.field.input_value() == "# mine\n"


def test_what_is_no_text_of_a_link_is_refused(open_page):
    page = open_page(python=False)
    exercise = Exercise(page, "first_step")
    for wrong, said in (
        (fragment("x" * 20_001), "at most 20000 characters"),
        (fragment(b"\xff\xfe"), "damaged, or was cut short"),
        (fragment("a = 1  # \u202e seen backwards"), "cannot be seen"),
        (fragment("x" * 10_000_000), "at most 20000 characters"),
        (fragment("a\0b"), "cannot be seen"),
        ("#write=first_step&text=no!", "damaged, or was cut short"),
    ):
        page.evaluate("wrong => { location.hash = wrong; }", wrong)
        exercise.cell.get_by_text(said).wait_for()
    assert exercise.field.input_value() == ASKED[PAGE][0].stub


def test_by_keyboard_alone(open_page):
    page = open_page()
    exercise = Exercise(page, "first_step")
    exercise.button("Write here").focus()
    page.keyboard.press("Enter")
    exercise.field.wait_for()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("def first_step(g, lr=1e-3, eps=1e-8):\nreturn 1")
    assert exercise.field.input_value().endswith(":\n    return 1")
    page.keyboard.press("Tab")
    assert exercise.field.input_value().startswith("def")
    page.keyboard.press("ControlOrMeta+Z")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Check"
    page.keyboard.press("Enter")
    exercise.verdict.get_by_text("not right yet").wait_for(timeout=SLOW)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_barrier_is_found_and_nothing_is_wider_than_a_phone(open_page, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(python=False)
    page.set_viewport_size({"width": 375, "height": 800})
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    exercise = Exercise(page, "adam_step")
    exercise.write(ADAM.format("return x, m, v" + "  # long" * 30))

    assert axe.run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_nothing_is_loaded_before_the_first_click(open_page, site, folder):  # noqa: F811
    assert (folder / "_static/live.js").stat().st_size <= 10_000
    _, asked = site
    before = len(asked)
    page = open_page("momentum")
    page.wait_for_load_state("networkidle")

    assert not [path for path in asked[before:] if "_static/live/" in path]


def test_a_damaged_file_is_refused(context, open_page, folder):  # noqa: F811
    page = open_page()
    page.route("**/numpy.zip.gz", lambda route: route.fulfill(body=b"not NumPy"))
    exercise = Exercise(page, "first_step")
    exercise.button("Check").click()

    exercise.note.get_by_text("numpy.zip.gz is damaged").wait_for(timeout=SLOW)


def test_a_page_from_a_disk_says_how_to_serve_it(browser, folder):  # noqa: F811
    page = browser.new_page()
    page.goto((folder / f"{PAGE}.html").as_uri())
    exercise = Exercise(page, "first_step")
    exercise.button("Check").click()

    assert "make serve" in exercise.note.inner_text()
    page.close()


def test_without_the_editor_there_is_a_plain_field(open_page, folder):  # noqa: F811
    page = open_page(complains=True, python=False)
    page.route("**/live/editor-*/**", lambda route: route.abort())
    exercise = Exercise(page, "first_step")
    exercise.button("Write here").click()
    exercise.cell.locator(".live-plain").wait_for()
    exercise.field.press("ControlOrMeta+A")
    page.keyboard.type("def first_step(g, lr=1e-3, eps=1e-8):\n")
    page.keyboard.press("Tab")
    assert exercise.field.input_value().endswith(":\n" + " " * 8)
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Check"


# A chapter's cells


def test_cells_give_what_is_stored(open_page, folder):  # noqa: F811
    """Of a chapter that needs Torch, what does without it; live_cells.py runs all."""
    page = open_page("cells-corrections")
    chapter = CELLS["corrections"]

    assert live_cells.run(page, app(folder), chapter) == {}
    assert sum(bool(cell.lacks) for cell in chapter) == 2


def test_a_cell_is_run_edited_stopped_and_set_back(open_page):
    page = open_page("cells-library-adams")
    first = page.locator(".cell:has(> [data-cell='1'])")
    assert "MB, once" in page.locator(".live-cell .live-note").first.inner_text()
    first.get_by_role("button", name="Run").click()
    output = first.locator(".live-output")
    output.get_by_text("def step").first.wait_for(timeout=2 * SLOW)
    assert first.get_by_text("stored").is_hidden()

    first.get_by_role("button", name="Edit").click()
    first.locator("textarea").fill("while True:\n    pass\n")
    first.get_by_role("button", name="Run").click()
    first.get_by_text("Running").wait_for()
    first.get_by_role("button", name="Stop").click()
    first.get_by_text("Stopped.").wait_for()

    first.get_by_role("button", name="Reset").click()
    assert first.get_by_text("stored").is_visible()
    assert first.locator("textarea").count() == 0
