"""A real browser on a real server."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.network import catalogue, network, well_placed, windows

__all__ = ["catalogue", "network", "well_placed", "windows"]

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

# Playwright's own event loop runs in the test's thread; the database is asked from there between its calls only.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, live_server) -> Iterator[Page]:
    """A page on the live server that has asked nobody else and met no error when the test is over."""
    strangers: list[str] = []
    errors: list[str] = []
    page = browser.new_page(base_url=live_server.url)

    def note(request: Request) -> None:
        if not request.url.startswith((live_server.url, "data:", "blob:")):
            strangers.append(request.url)

    def forget_blocked(request: Request) -> None:
        if request.failure == "csp" and request.url in strangers:
            strangers.remove(request.url)  # the page's own policy kept it from leaving the browser

    page.on("request", note)
    page.on("requestfailed", forget_blocked)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert strangers == []
    assert errors == []
