"""The page's Python in Firefox. Nothing drives that browser: the page posts what it shows."""

import json
import re
import shutil
import subprocess
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest
from live_pages import ASKED, CELLS, Host, folder, page_of  # noqa: F401 - fixtures

pytestmark = [pytest.mark.browser, pytest.mark.pages]

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
DRIVER = Path(__file__).with_name("live_firefox.js")
CHAPTER = "library-adams"
(EXERCISE,) = (one for one in ASKED["bias-correction"] if one.name == "adam_step")
MISTAKE = re.sub(r"beta2\s*\*\*\s*t", "beta1**t", EXERCISE.solution)
PATIENCE = 600  # s: two starts on a busy machine
# No first page, and nobody but this machine is asked for anything.
SETTINGS = {
    "app.normandy.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "termsofuse.bypassNotification": True,
}


class Listening(Host):
    """Serve pages, some of them made here, and take in what a page says."""

    def __init__(self, *args, made, said, **options):
        self.made, self.said = made, said
        super().__init__(*args, asked=[], **options)

    def do_GET(self):
        if self.path not in self.made:
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(self.path))
        self.end_headers()
        self.wfile.write(self.made[self.path].encode())

    def do_POST(self):
        self.said.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()


@pytest.fixture(scope="module")
def said(folder, tmp_path_factory):  # noqa: F811
    """Return what the page says in Firefox."""
    if FIREFOX is None:
        pytest.skip("no Firefox: apt-get install firefox-esr")
    page = page_of([EXERCISE], '<script type="module" src="driver.js"></script>', CELLS[CHAPTER])
    texts = json.dumps([MISTAKE, EXERCISE.solution])
    made = {
        f"/cells-{CHAPTER}.html": page,
        "/driver.js": f"const TEXTS = {texts};\n{DRIVER.read_text(encoding='utf-8')}",
    }
    profile = tmp_path_factory.mktemp("firefox")
    settings = (f'user_pref("{key}", {json.dumps(value)});\n' for key, value in SETTINGS.items())
    (profile / "user.js").write_text("".join(settings))
    told = Queue()
    handler = partial(Listening, directory=folder, made=made, said=told)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/cells-{CHAPTER}.html"
        command = [FIREFOX, "--headless", "--no-remote", "--profile", profile, address]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as firefox:
            try:
                return told.get(timeout=PATIENCE)
            except Empty:
                firefox.terminate()
                pytest.fail(f"Firefox says nothing: {firefox.communicate()[1][-2000:]}")
            finally:
                firefox.terminate()
                server.shutdown()


def test_the_stub_a_mistake_and_the_solution_get_their_verdicts(said):
    stub, mistake, solution = said["verdicts"]

    assert "Firefox" in said["browser"]
    assert "not written yet" in stub
    assert "corrected with beta1" in mistake
    assert "adam_step: right" in solution
    assert said["editor"]


def test_a_cell_runs(said):
    assert "def step" in said["output"]


def test_an_endless_loop_is_stopped(said):
    assert said["stopped"] < 2000


def test_what_was_loaded_is_kept(said):
    assert [url for url in said["kept"] if url.endswith("numpy.zip.gz")]
