"""The core of a campaign as people at four observatories do it, each in a browser."""

import pytest
from playwright.sync_api import Browser, Page, expect

from coordination.booking.models import Slot
from coordination.booking.services import book_telescope
from tests.browser.looking import shot
from tests.coordination.booking.conftest import MINUTE, make_world

pytestmark = pytest.mark.django_db(transaction=True)


def desk(browser: Browser, live_server, slug: str) -> Page:
    """Somebody signed in, on a screen of an office."""
    page = browser.new_page(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    page.goto("/admin/")
    page.get_by_label("Username").fill(slug)
    page.get_by_label("Password").fill("pass-for-tests")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.endswith("/admin/") and "login" not in url)
    return page


def claim(page: Page, slot: Slot, telescope: str) -> None:
    page.goto("/admin/booking/slot/?claimable=mine")
    page.get_by_role("row").filter(has_text=str(slot.target)).get_by_role("link").first.click()
    page.get_by_role("link", name="Claim seats").click()
    page.get_by_label(telescope).check()
    shot(page, f"claim-{telescope.split()[-1]}")
    page.get_by_role("button", name="Claim").click()


def test_published_claimed_by_three_confirmed_and_a_conflict_named(browser, live_server):
    world = make_world()
    Slot.objects.filter(pk=world.slot.pk).update(
        state="draft", min_sites=3, reason="4 sites at once, projected baseline 8,412 km (chile, canary, hawaii).",
        expected_yield={"sites": 4, "baseline_km": 8412, "parallax_arcsec": 149.0, "range_error_fraction": 0.002},
    )  # fmt: skip
    for telescope, zone in (
        ("chile", "America/Santiago"),
        ("canary", "Atlantic/Canary"),
        ("hawaii", "Pacific/Honolulu"),
    ):
        world.telescopes[telescope].observatory.time_zone = zone
        world.telescopes[telescope].observatory.save()

    lead = desk(browser, live_server, "chile")
    lead.goto(f"/admin/campaigns/campaign/{world.campaign.pk}/change/")
    shot(lead, "campaign")
    lead.get_by_role("link", name="UTC").first.click()
    expect(lead.get_by_text("A draft: only participants see it")).to_be_visible()
    shot(lead, "slot-draft")
    lead.get_by_role("link", name="Publish").click()
    shot(lead, "publish")
    lead.get_by_role("button", name="Publish").click()
    expect(lead.get_by_text("The slot is open to claims")).to_be_visible()

    for slug, state in (("chile", "Held"), ("canary", "Held"), ("australia", "Confirmed")):
        page = lead if slug == "chile" else desk(browser, live_server, slug)
        claim(page, world.slot, f"1 m at {slug}")
        expect(page.get_by_text(f"{state}: the telescopes are").first).to_be_visible()
    lead.reload()
    expect(lead.get_by_text("holds: 3 sites")).to_be_visible()
    shot(lead, "slot-confirmed")
    assert lead.evaluate("document.documentElement.scrollWidth") <= 1440

    # Hawaii's night assistant books the telescope while the scheduler still looks at the form.
    late = desk(browser, live_server, "hawaii")
    late.goto(f"/admin/booking/slot/{world.slot.pk}/claim/")
    late.get_by_label("1 m at hawaii").check()
    starts_at = world.slot.starts_at
    book_telescope(world.telescopes["hawaii"].pk, observe_from=starts_at, observe_until=starts_at + 10 * MINUTE)
    late.get_by_role("button", name="Claim").click()
    until = (starts_at + 10 * MINUTE).isoformat().replace("+00:00", "Z")
    expect(late.get_by_text(f"to {until}").first).to_be_visible()
    shot(late, "conflict")
    for model in ("slot", "claim", "booking", "telescopegrant"):
        lead.goto(f"/admin/booking/{model}/")
        shot(lead, f"list-{model}")
    lead.goto("/admin/booking/booking/add/")
    shot(lead, "book")
    lead.goto("/admin/campaigns/campaign/add/?kind=ranging")
    expect(lead.get_by_label("Length of an observation (min)")).to_have_value("20")
    shot(lead, "campaign-add")
