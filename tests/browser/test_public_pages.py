"""The pages for everybody in a real browser: a theme without script, a claim."""

import pytest
from playwright.sync_api import expect

from tests.browser.looking import shot
from tests.browser.test_campaign import desk
from tests.coordination.booking.conftest import make_world

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_theme_needs_no_javascript(browser, live_server, db):
    page = browser.new_context(java_script_enabled=False, base_url=live_server.url).new_page()
    page.goto("/campaigns/")
    page.get_by_role("button", name="Dark", exact=True).click()
    assert page.url.endswith("/campaigns/")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.context.close()


def test_a_seat_is_claimed_by_a_button_and_all_see_it(browser, live_server):
    world = make_world()
    address = f"/campaigns/{world.campaign.slug}/"
    chile, hawaii = desk(browser, live_server, "chile"), desk(browser, live_server, "hawaii")
    for page in (chile, hawaii):
        page.goto(address)
    chile.get_by_label("1 m at chile").check()
    chile.get_by_role("button", name="Claim the chosen seats for chile").click()
    expect(chile.get_by_text("Held: the telescopes are yours")).to_be_visible()
    expect(chile.get_by_role("row").filter(has_text="1 m at chile")).to_contain_text("held")

    hawaii.get_by_label("1 m at hawaii").press("Space")  # by keyboard alone
    hawaii.keyboard.press("Tab")
    hawaii.get_by_role("button", name="Claim the chosen seats for hawaii").press("Enter")
    expect(hawaii.get_by_text("Confirmed: the telescopes are booked")).to_be_visible()
    shot(hawaii, "campaign-claimed")

    stranger = browser.new_page(base_url=live_server.url)
    stranger.goto(address)
    expect(stranger.get_by_role("row").filter(has_text="1 m at chile")).to_contain_text("confirmed")
    expect(stranger.get_by_role("checkbox")).to_have_count(0)
    stranger.keyboard.press("Tab")
    expect(stranger.get_by_role("link", name="Skip to the content")).to_be_focused()
    for page in (chile, hawaii, stranger):
        page.close()


def test_the_later_of_two_is_told_what_is_in_the_way(browser, live_server):
    world = make_world()
    late = desk(browser, live_server, "chile")
    late.goto(f"/campaigns/{world.campaign.slug}/")
    late.get_by_label("1 m at chile").check()
    world.claim("chile")  # by a colleague, meanwhile
    late.get_by_role("button", name="Claim the chosen seats for chile").click()
    alert = late.get_by_role("alert")
    expect(alert).to_contain_text("Not claimed.")
    expect(alert).to_contain_text(f"to {world.slot.ends_at:%Y-%m-%dT%H:%M:%SZ}")
    shot(late, "campaign-conflict")
    late.close()
