"""Pages as a person meets them."""

import pytest
from playwright.sync_api import expect

from observatories.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page) -> None:
    User.objects.create_superuser("admin", "admin@example.org", "a-long-enough-one")
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("a-long-enough-one")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.endswith("/admin/") and "login" not in url)


def test_the_first_page_shows_what_is_best_tonight(page, windows):
    page.goto("/")
    table = page.get_by_role("table")
    expect(table.get_by_role("link", name="1627 Ivar")).to_be_visible()
    expect(page.get_by_text("Only orbits that are good or fair")).to_be_visible()
    table.get_by_role("link", name="1627 Ivar").click()
    expect(page.get_by_role("heading", name="1627 Ivar")).to_be_visible()


def test_the_first_page_fits_a_telephone(page, windows):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_target_is_found_in_the_admin_by_its_packed_designation(page, windows):
    sign_in(page)
    page.goto("/admin/targets/target/?q=J29S00H")
    row = page.get_by_role("row").filter(has_text="Ivar")
    expect(row).to_have_count(1)
    row.get_by_role("link").first.click()
    expect(page.get_by_text("1929 SH").first).to_be_visible()


def test_windows_in_the_admin_are_in_utc_and_name_their_edges(page, windows):
    sign_in(page)
    page.goto("/admin/visibility/visibilitywindow/")
    first = page.get_by_role("row").nth(1)
    expect(first).to_contain_text("UTC")
    expect(first).to_contain_text("sun")


@pytest.mark.parametrize(("address", "landmark"), [("/api/v1/docs/", ".opblock"), ("/api/v1/redoc/", "[data-item-id]")])
def test_the_api_documentation_works_offline(page, address, landmark):
    page.goto(address)
    expect(page.locator(landmark).first).to_be_visible(timeout=60_000)  # ms: a busy machine draws the document slowly
