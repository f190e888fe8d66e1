"""`dev.py screenshots`: pictures of the pages for docs/, from what runs in this checkout (`dev.py run`, beside it).

Nothing is written to the database: pages are looked at as anybody sees them. Needs Chromium (Debian: apt-get install
chromium). Run by the interpreter of .venv.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
WIDE, PHONE = (1280, 860), (390, 844)
MOST_BYTES, COLOURS = 150_000, 128


def main() -> int:
    url = ROOT / ".neo" / "run.url"
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return _fail("Chromium is not installed (Debian: apt-get install chromium)")
    if not url.exists():
        return _fail("nothing runs in this checkout: start python3 dev.py run in another terminal first")
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(base_url=url.read_text(), locale="en-GB", color_scheme="light")
        for name, address, theme, size in _pictures(page):
            page.context.add_cookies([{"name": "theme", "value": theme, "url": url.read_text()}])
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.goto(address, wait_until="networkidle")
            taken = _small(page.screenshot())
            (FOLDER / f"{name}.png").write_bytes(taken)
            print(f"{name}.png  {len(taken) / 1000:.0f} kB")
        browser.close()
    return 0


def _pictures(page) -> list[tuple[str, str, str, tuple[int, int]]]:  # type: ignore[no-untyped-def]
    """Name, address, theme and size of each; the target, campaign and telescope are those that the pages lead to."""
    campaign = _first(page, "/campaigns/", r'href="(/campaigns/[^/"?#]+/)"')
    target = _first(page, campaign, r'href="(/targets/[^"?#]+/)"')
    telescope = _first(page, "/observatories/", r'href="(/telescopes/\d+/)"')
    return [
        ("home", "/", "light", WIDE),
        ("targets", "/targets/", "light", WIDE),
        ("target", target, "light", WIDE),
        ("campaigns", "/campaigns/", "light", WIDE),
        ("campaign", f"{campaign}#coverage", "light", WIDE),
        ("observatories", "/observatories/", "light", WIDE),
        ("telescope", telescope, "light", WIDE),
        ("sign-in", "/sign-in/", "light", WIDE),
        ("home-dark", "/", "dark", WIDE),
        ("telescope-night", telescope, "night", WIDE),
        ("campaign-phone", campaign, "light", PHONE),
    ]


def _first(page, address: str, pattern: str) -> str:  # type: ignore[no-untyped-def]
    found = re.search(pattern, page.request.get(address).text())
    if found is None:
        sys.exit(f"{address} leads nowhere: the demonstration data are not there")
    return found[1]


def _small(picture: bytes) -> bytes:
    """With fewer colours, as the pages have few; fewer still where it stays too big."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    colours = COLOURS
    while True:
        packed = io.BytesIO()
        image.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        if packed.tell() <= MOST_BYTES or colours <= 16:
            return packed.getvalue()
        colours //= 2


def _fail(told: str) -> int:
    print(f"dev.py screenshots: {told}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
