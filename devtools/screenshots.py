"""`dev.py screenshots`: pictures of the pages for docs/, from what runs in this checkout (`dev.py run`, beside it).

Pages are looked at as anybody sees them, those of staff as an administrator; forms are not sent. Needs Chromium
(Debian: apt-get install chromium). Run by the interpreter of .venv.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
WIDE, PHONE = (1280, 860), (390, 844)
COLOURS = 256


@dataclass(frozen=True)
class Picture:
    """A page to look at. `typed`: what is put into fields of a form, by their ids, and the button pressed then."""

    name: str
    address: str
    theme: str = "light"
    size: tuple[int, int] = WIDE
    language: str = "en"
    typed: dict[str, str] = field(default_factory=dict)
    button: str = ""


def main() -> int:
    url = ROOT / ".neo" / "run.url"
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return _fail("Chromium is not installed (Debian: apt-get install chromium)")
    if not url.exists():
        return _fail("nothing runs in this checkout: start python3 dev.py run in another terminal first")
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    with _session() as session, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        anybody, staff = (browser.new_page(base_url=url.read_text(), locale="en-GB") for _ in range(2))
        staff.context.add_cookies([{"name": "sessionid", "value": session, "url": url.read_text()}])
        for page, pictures in ((anybody, _pictures(anybody)), (staff, _pictures_of_staff(anybody, staff))):
            for picture in pictures:
                _take(page, picture, url.read_text())
        browser.close()
    return 0


def _take(page: Page, picture: Picture, url: str) -> None:
    cookies = {"theme": picture.theme, "django_language": picture.language}
    page.context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    page.emulate_media(color_scheme="dark" if picture.theme == "dark" else "light")  # which the administration follows
    page.set_viewport_size({"width": picture.size[0], "height": picture.size[1]})
    page.goto(picture.address, wait_until="networkidle")
    for name, value in picture.typed.items():
        page.locator(f"#{name}").fill(value)
    if picture.button:
        page.get_by_role("button", name=picture.button, exact=True).click()
        page.wait_for_load_state("networkidle")
    taken = _small(page.screenshot())
    (FOLDER / f"{picture.name}.png").write_bytes(taken)
    print(f"{picture.name}.png  {len(taken) / 1000:.0f} kB")


def _pictures(page: Page) -> list[Picture]:
    """For everybody; the target, campaign and telescope are those that the pages lead to."""
    campaign = _first(page, "/campaigns/", r'href="(/campaigns/[^/"?#]+/)"')
    target = _first(page, campaign, r'href="(/targets/[^"?#]+/)"')
    telescope = _first(page, "/observatories/", r'href="(/telescopes/\d+/)"')
    return [
        Picture("home", "/"),
        Picture("home-dark", "/", theme="dark"),
        Picture("home-french", "/", language="fr"),
        Picture("targets", "/targets/"),
        Picture("target", target),
        Picture("target-night", target, theme="night"),
        Picture("campaigns", "/campaigns/"),
        Picture("campaign", f"{campaign}#coverage"),
        Picture("campaign-phone", campaign, size=PHONE),
        Picture("observatories", "/observatories/"),
        Picture("telescope", telescope),
        Picture("telescope-night", telescope, theme="night"),
        Picture("sign-in", "/sign-in/"),
    ]


def _pictures_of_staff(page: Page, staff: Page) -> list[Picture]:
    """The desk; the same telescope. A form is filled in and looked at, and not sent."""
    pk = _first(page, "/observatories/", r'href="/telescopes/(\d+)/"')
    tonight = f"/admin/desk/tonight/{pk}/"
    book = _first(staff, tonight, r'href="(/admin/booking/booking/add/\?[^"]*target=[^"]*)"')
    campaign = _first(staff, "/admin/campaigns/campaign/", r"/admin/campaigns/campaign/(\d+)/change/")
    apophis = _first(staff, "/admin/targets/target/?q=99942", r"/admin/targets/target/(\d+)/change/")
    horizon = {"id_points": "0, 15\n60, 35\n90, 40\n150, 22\n200, 18\n270, 30\n320, 12"}
    return [
        Picture("tonight", tonight),
        Picture("tonight-dark", tonight, theme="dark"),
        Picture("tonight-phone", tonight, size=PHONE),
        Picture("booking", unescape(book)),
        Picture("calendar", f"/admin/desk/calendar/?telescope={pk}"),
        Picture("closures", f"/admin/desk/closures/?telescope={pk}"),
        Picture("desk-campaign", f"/admin/desk/campaigns/{campaign}/"),
        Picture("orbits", f"/admin/desk/targets/{apophis}/orbits/"),
        Picture("horizon", f"/admin/desk/telescopes/{pk}/horizon/", typed=horizon, button="Preview"),
        Picture("plan", f"/dome/telescopes/{pk}/"),
        Picture("account", "/account/"),
    ]


@contextmanager
def _session() -> Iterator[str]:
    """Of an administrator, while the pictures are taken: the one row that is written, and removed again."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "coordination.settings"}
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from observatories.models import User

    person = User.objects.filter(is_superuser=True, is_active=True, second_factor_at=None).first()
    if person is None:
        sys.exit("There is no administrator here: python3 dev.py manage createsuperuser")
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(person.pk), person.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.create()
    try:
        yield str(session.session_key)
    finally:
        session.delete()


def _first(page: Page, address: str, pattern: str) -> str:
    found = re.search(pattern, page.request.get(address).text())
    if found is None:
        sys.exit(f"{address} leads nowhere: the demonstration data are not there")
    return found[1]


def _small(picture: bytes) -> bytes:
    """With the colours that are most frequent, as pages have few: areas keep theirs, edges of letters the nearest."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    counted: list[tuple[int, Any]] = image.getcolors(image.width * image.height) or []
    frequent = [colour for _, colour in sorted(counted, reverse=True)[:COLOURS]]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in frequent for part in colour])
    packed = io.BytesIO()
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def _fail(told: str) -> int:
    print(f"dev.py screenshots: {told}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
