"""The second visit, without a network: what was loaded once is there, and never an old build."""

import json
import os
import shutil

import pytest
from live_pages import ASKED, SLOW, Exercise, folder, served  # noqa: F401 - fixtures
from page_weight import until

pytestmark = [pytest.mark.browser, pytest.mark.pages]

PAGE = "bias-correction"
KEPT = """async () => {
  const names = (await caches.keys()).filter((name) => name !== "adam-edu memory");
  const found = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return found.flat().map(({ url }) => url);
}"""


# How long a file is when what is kept of it is damaged, when it is asked for again, and after that.
DAMAGED = """async (address) => {
  const length = async (cache) =>
    (await (await fetch(address, { cache })).arrayBuffer()).byteLength;
  const [name] = (await caches.keys()).filter((name) => name !== "adam-edu memory");
  await (await caches.open(name)).put(address, new Response("broken"));
  const found = [await length("default"), await length("reload")];
  for (let tries = 0; tries < 100 && found[0] === (await length("default")); tries += 1) {
    await new Promise((done) => setTimeout(done, 50));
  }
  return [...found, await length("default")];
}"""


@pytest.fixture
def context(browser):
    context = browser.new_context()
    context.set_default_timeout(SLOW)
    yield context
    context.close()


def kept(page, ends):
    """Wait until the browser keeps a file whose name ends so; return all that it keeps."""
    until(page, f"async (ends) => (await ({KEPT})()).some((url) => url.endsWith(ends))", ends)
    return page.evaluate(KEPT)


def rebuilt(folder, new):  # noqa: F811
    """Copy the pages as a later build has them: other words, other scripts, the same Python."""
    shutil.copytree(folder, new, copy_function=os.link)
    (old,) = (new / "_static/live").glob("app-*")
    old.rename(old.with_name("app-00000000"))
    for name in ("_static/live.js", "service-worker.js", f"{PAGE}.html"):
        text = (new / name).read_text(encoding="utf-8")
        (new / name).unlink()
        changed = text.replace(old.name, "app-00000000").replace("<h1>Exercises", "<h1>Rewritten")
        assert changed != text
        (new / name).write_text(changed, encoding="utf-8")


def test_the_second_visit_needs_no_network_and_a_new_build_is_seen(
    context,
    folder,  # noqa: F811
    tmp_path,
):
    """From a folder of its host, as the book has one on GitHub."""
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with served(folder.parent) as (root, _):
        address = f"{root}{folder.name}/{PAGE}.html"
        page.goto(address)
        assert page.evaluate(KEPT) == []
        assert "not written yet" in Exercise(page, "adam_step").check()
        kept(page, f"{PAGE}.html")
        before = kept(page, "/numpy.zip.gz")

    context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.reload()
    exercise = Exercise(page, "adam_step")
    exercise.write(next(one for one in ASKED[PAGE] if one.name == "adam_step").solution)
    assert "adam_step: right" in exercise.check()
    assert exercise.cell.locator(".live-plain").count() == 0
    page.close()

    rebuilt(folder, tmp_path / folder.name)
    with served(tmp_path, int(root.rsplit(":")[-1].strip("/"))):
        page = context.new_page()
        page.goto(address)
        assert page.locator("h1").inner_text() == "Rewritten"
        page.evaluate("() => navigator.serviceWorker.ready.then((found) => found.update())")
        page.close()
        page = context.new_page()
        page.goto(address)
        until(page, f"async () => !(await ({KEPT})()).some((u) => /app-[^0]/.test(u))")
        after = page.evaluate(KEPT)
        (numpy,) = [url for url in after if url.endswith("numpy.zip.gz")]
        broken, whole, then = page.evaluate(DAMAGED, numpy)
    assert broken == len("broken") < whole == then
    assert [url for url in before if "/python-" in url] == [u for u in after if "/python-" in u]
    assert complaints == []


KEEP = """async ([app, files]) => {
  const { keepOffline } = await import(`./_static/live/${app}/offline.js`);
  const from = new URL(`./_static/live/${app}/`, location.href);
  await keepOffline(files.map((file) => new URL(file, from).href));
}"""


def test_a_full_storage_and_a_refusal_leave_all_as_it_was(context, folder):  # noqa: F811
    app = next((folder / "_static/live").glob("app-*")).name
    parts = json.loads((folder / "_static/live" / app / "list.json").read_text())["list"]
    numpy = next(part["name"] for part in parts if "numpy" in part["name"])
    complaints = []
    with served(folder) as (root, _):
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{root}{PAGE}.html")
        page.evaluate(
            "() => { navigator.serviceWorker.register = () => Promise.reject(new Error('no')); }"
        )
        page.evaluate(KEEP, [app, [numpy]])
        assert page.evaluate("navigator.serviceWorker.getRegistrations()") == []

        page.reload()
        quota = {"origin": root.strip("/"), "quotaSize": 100_000}
        context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
        page.evaluate(KEEP, [app, [numpy, "list.json"]])
        page.wait_for_function("navigator.serviceWorker.controller")
        kept(page, "list.json")
        page.reload()
        size = page.evaluate(
            "async (at) => (await (await fetch(at)).arrayBuffer()).byteLength",
            f"_static/live/{app}/{numpy}",
        )
        assert size == (folder / "_static/live" / app / numpy).stat().st_size
        assert not [url for url in page.evaluate(KEPT) if url.endswith("numpy.zip.gz")]
    assert complaints == []
