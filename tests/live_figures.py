"""Try every control of the live figures on a page, in the page: what a reader's hand would do."""

import os

from playwright.sync_api import Page

# Notes when the first figure has painted something, from the start of the navigation.
WATCH = """
  const look = () => {
    const canvas = document.querySelector(".adam-edu-lab")?.shadowRoot?.querySelector("canvas");
    if (canvas?.width > 300) window.alive = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
"""

# Each slider goes to both ends, each choice to another option; something painted must change. The
# speed of playing is not to be seen in a picture, nor is the place where a gradient is drawn, nor
# the optimizer that a button would add.
TRY_ALL = """
async () => {
  const frame = () => new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(done));
  });
  const sheet = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const painted = (root) => {
    let hash = 0;
    for (const canvas of root.querySelectorAll("canvas:not(.glyph)")) {
      if (!canvas.width || !canvas.height) continue;
      Object.assign(sheet.canvas, { width: canvas.width, height: canvas.height });
      sheet.drawImage(canvas, 0, 0);
      const { data } = sheet.getImageData(0, 0, canvas.width, canvas.height);
      const words = new Uint32Array(data.buffer);
      for (let i = 0; i < words.length; i += 1) hash = (Math.imul(hash, 31) + words[i]) | 0;
    }
    return hash;
  };
  const dead = [];
  let tried = 0;
  for (const [number, host] of document.querySelectorAll(".adam-edu-lab").entries()) {
    const root = host.shadowRoot;
    if (!root) { dead.push(`figure ${number + 1}: not alive`); continue; }
    const find = (key) => root.querySelector(`[data-key="${CSS.escape(key)}"]`);
    await frame();
    const keys = [...root.querySelectorAll("input[type=range], select")].map((c) => c.dataset.key);
    for (const key of keys.filter((one) => !["place", "speed", "add"].includes(one))) {
      const before = painted(root);
      const control = find(key);
      const values = control.tagName === "SELECT"
        ? [[...control.options].map((o) => o.value).filter((v) => v !== control.value).at(-1)]
        : [control.min, control.max];
      let moved = false;
      for (const value of values) {
        const now = find(key);
        now.value = value;
        now.dispatchEvent(new Event(now.tagName === "SELECT" ? "change" : "input"));
        await frame();
        moved ||= painted(root) !== before;
      }
      tried += 1;
      if (!moved) dead.push(`figure ${number + 1}: ${key}`);
      find("reset").click();
      await frame();
    }
  }
  return { dead, tried };
}
"""


def try_controls(page: Page) -> tuple[list[str], int]:
    """Return the controls that change nothing, and how many were tried."""
    result = page.evaluate(TRY_ALL)
    return result["dead"], result["tried"]


def milliseconds(limit: float) -> float:
    """Return a limit for this machine as busy as it is: what waits for a core takes longer."""
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 1.0
    return limit * max(1.0, busy / (os.cpu_count() or 1))
