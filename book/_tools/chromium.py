"""The browser that the tools print and draw with: Debian's, or Playwright's own."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium for a command, which ends with one line if there is none."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
        except Error:
            sys.exit("there is no Chromium; make browser installs it")
        yield browser
        browser.close()
