"""The pages for everybody in a real browser: colours, a telephone, accessibility, a claim."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from coordination.visibility.models import VisibilityWindow
from tests.browser.test_campaign import desk, shot
from tests.coordination.booking.conftest import make_world

pytestmark = pytest.mark.django_db(transaction=True)

FIRST_VISIT_BYTES = 500_000


def serious(page: Page, *rules: str) -> list[str]:
    """What axe-core finds, by all rules or by some, that keeps people from using the page."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0].get('failureSummary', '')[:300]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def test_pages_in_every_theme_and_width(page, windows):
    """Nothing serious for axe, no scrolling sideways, at most 500 kB; one test, as windows take their time."""
    world = make_world()
    world.claim("chile")
    telescope = VisibilityWindow.objects.filter(target=windows["Ivar"]).values_list("telescope", flat=True)[0]
    addresses = {
        "home": "/", "target": "/targets/1627/", "target-one-site": f"/targets/1627/?telescope={telescope}",
        "targets": "/targets/", "campaigns": "/campaigns/", "campaign": f"/campaigns/{world.campaign.slug}/",
        "observatories": "/observatories/", "telescope": f"/telescopes/{telescope}/", "not-found": "/targets/Ivarr/",
        "sign-in": "/sign-in/",
    }  # fmt: skip
    for name, address in addresses.items():
        weights: list[int] = []
        page.on("response", lambda response, weights=weights: weights.append(len(response.body())))
        page.set_viewport_size({"width": 1600, "height": 900})
        page.goto(address, wait_until="networkidle")
        assert sum(weights) <= FIRST_VISIT_BYTES, name
        for theme, button in (("light", "Light"), ("dark", "Dark"), ("night", "Red, for the dark dome")):
            page.get_by_role("button", name=button, exact=True).click()
            expect(page.locator("html")).to_have_attribute("data-theme", theme)
            rules = () if theme == "light" else ("color-contrast",)  # the others do not depend on colours
            assert serious(page, *rules) == [], (name, theme)
            shot(page, f"{name}-{theme}")
        for width in (360, 768, 1600):
            page.set_viewport_size({"width": width, "height": 740})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            if width == 360:
                assert serious(page) == [], (name, width)
                shot(page, f"{name}-phone")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "night")  # remembered, without a flash


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
