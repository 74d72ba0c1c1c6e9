"""Draw the README's pictures from what is built: `python book/_tools/pictures.py`.

The live figure of the first page and a verdict of the checker, as Chromium shows them, into
`.github/pictures/`, with a palette so that they are small.
"""

import io
from pathlib import Path

from chromium import chromium
from PIL import Image

from adam_edu import check

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "_build/html/book/index.html"
OUT = ROOT / ".github/pictures"
COLOURS = 256
SHEET = ".adam-edu-check { width: 46rem; font: 16px/1.5 sans-serif } pre { font-size: 14px }"


def adam_step(x, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """Take a step of Adam, with a mistake that many make."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta1**t)
    return x - lr * m_hat / (v_hat**0.5 + eps), m, v


def save(picture: bytes, name: str) -> None:
    """Write a picture with as few colours as do."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    path = OUT / name
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} KB")


def main() -> None:
    """Draw both pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        page = browser.new_page(color_scheme="light", viewport={"width": 1280, "height": 900})
        page.goto(PAGE.as_uri())
        page.wait_for_load_state("networkidle")
        save(page.locator(".adam-edu-lab").first.screenshot(), "figure.png")
        verdict = check.adam_step(adam_step)._repr_html_()
        page.set_content(f"<style>{SHEET}</style>{verdict}")
        save(page.locator(".adam-edu-check").screenshot(), "verdict.png")


if __name__ == "__main__":
    main()
