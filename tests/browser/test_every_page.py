"""Every page of `tests/pages.py` in a real browser: colours, widths, weight, accessibility, and by keyboard."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Page as Tab
from playwright.sync_api import Request, expect

from tests.browser.looking import serious, shot
from tests.coordination.booking.conftest import make_world
from tests.pages import LIKE_ANOTHER, PAGES, VARIANTS, Page, Scene, make_scene

pytestmark = pytest.mark.django_db(transaction=True)

FIRST_VISIT_BYTES = 500_000
ONLY_FORMS_OF_DJANGO = {"book", "bookings"}  # whose scripts alone are heavier
MOST_TABS = 40  # of the keyboard, on one page
COLOURS = ("color-contrast",)  # the rules that depend on the theme
NARROW = ("scrollable-region-focusable", "nested-interactive", "label", "link-name", "button-name")  # and on the width


def themes(name: str, tab: Tab) -> Iterator[str]:
    """Puts the page into each of its themes. In the administration there are two, by a class."""
    if tab.locator("html[data-theme], .theme").count():
        for theme in ("light", "dark", "night"):
            tab.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            yield theme
    elif "/admin/" in tab.url:
        for theme in ("light", "dark"):
            tab.evaluate("is_dark => document.documentElement.classList.toggle('dark', is_dark)", theme == "dark")
            yield theme
    else:
        yield "light"


KEYBOARD = """() => {
  const words = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  const reachable = each => each.checkVisibility({ visibilityProperty: true }) && !each.disabled;
  window.all = [...document.querySelectorAll(words)].filter(reachable);
  window.expected = window.all.filter(each => each.tabIndex === 0 && each.type !== "radio");
  const start = document.documentElement;  // also where a field has the focus from the beginning
  start.tabIndex = -1;
  start.focus();
  start.removeAttribute("tabindex");
  window.focused = [];
  document.addEventListener("focusin", ({ target }) => {
    const style = getComputedStyle(target), box = target.getBoundingClientRect();
    const isOutlined = { auto: true, solid: parseFloat(style.outlineWidth) >= 2 }[style.outlineStyle];
    const isMarked = Boolean(isOutlined) || style.boxShadow !== "none";
    window.focused.push({ target, isMarked, isSeen: box.width * box.height > 0 });
  });
  return window.expected.length;
}"""
TOLD = """() => {
  const named = each => each.outerHTML.slice(0, 150);
  const reached = new Set(window.focused.map(each => each.target));
  return {
    "not in the order of the page": window.all.filter(each => each.tabIndex > 0).map(named),
    "not reached": window.expected.slice(0, window.focused.length - 2).filter(each => !reached.has(each)).map(named),
    "without a mark": window.focused.filter(each => !each.isMarked).map(each => named(each.target)),
    "not to be seen": window.focused.filter(each => !each.isSeen).map(each => named(each.target)),
  };
}"""


def by_keyboard(tab: Tab) -> dict[str, list[str]]:
    """What the key Tab does not reach in the order of the page, or reaches without a mark that can be seen."""
    for _ in range(min(tab.evaluate(KEYBOARD), MOST_TABS)):
        tab.keyboard.press("Tab")
    return {kind: found for kind, found in tab.evaluate(TOLD).items() if found}


def weight(tab: Tab, address: str) -> int:
    """Bytes of a first visit, which this is; text counts as compressed in the administration, whose frame is not ours:
    the middleware and whitenoise send it so.
    """
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(urlsplit(request.url).path)

    tab.on("request", note)
    answer = tab.goto(address, wait_until="load")
    tab.remove_listener("request", note)
    assert answer is not None
    is_desk = "/admin/" in tab.url
    files = [finders.find(path.removeprefix("/static/")) for path in asked if path.startswith("/static/")]
    loaded = [(answer.body(), is_desk)]
    loaded += [(Path(file).read_bytes(), is_desk and file.endswith((".css", ".js", ".svg"))) for file in files if file]
    return sum(len(gzip.compress(content) if is_text else content) for content, is_text in loaded)


def visit(tab: Tab, scene: Scene, name: str, page: Page, base: str, complain: Callable[[str], None]) -> None:
    client = page.client(scene)
    tab.context.clear_cookies()
    tab.context.add_cookies([{"name": key, "value": each.value, "url": base} for key, each in client.cookies.items()])
    tab.set_viewport_size({"width": 1600, "height": 900})
    weighs = weight(tab, page.address(scene))
    if weighs > FIRST_VISIT_BYTES and name not in ONLY_FORMS_OF_DJANGO:
        complain(f"{name} weighs {weighs} bytes")
    for theme in themes(name, tab):
        for told in serious(tab, *(() if theme == "light" else COLOURS)):
            complain(f"{name}, {theme}: {told}")
        shot(tab, f"{name.replace(':', '-')}-{theme}")
    for kind, found in by_keyboard(tab).items():
        complain(f"{name}, by keyboard, {kind}: {found}")
    for width in (768, 360):
        tab.set_viewport_size({"width": width, "height": 740})
        found = tab.evaluate("document.documentElement.scrollWidth")
        if found > width:
            complain(f"{name}: {found} pixels on a screen of {width}")
    for told in serious(tab, *NARROW):
        complain(f"{name}, telephone: {told}")
    shot(tab, f"{name.replace(':', '-')}-phone")


def test_every_page_in_every_theme_and_width_and_by_keyboard(page, live_server, windows, settings):
    """Nothing serious for axe, no scrolling sideways, at most 500 kB; one test, as windows take their time."""
    settings.EMAIL_URL = "smtp://mail.example.org"
    scene = make_scene(make_world(), windows)
    complaints: list[str] = []
    for name, each in (PAGES | VARIANTS).items():
        if name not in LIKE_ANOTHER:
            visit(page, scene, name, each, live_server.url, complaints.append)
    assert not complaints, "\n".join(complaints)
    page.goto("/")
    page.get_by_role("button", name="Red, for the dark dome", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "night")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "night")  # remembered, without a flash
