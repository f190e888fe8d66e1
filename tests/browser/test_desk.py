"""Staff at work: from tonight to a booking, conflicts, seats, closures, a telephone."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from coordination.booking.models import Booking
from coordination.booking.services import book_telescope, move_booking
from coordination.common import clock
from observatories.models import Closure, Membership, Telescope
from tests.browser.looking import serious, shot
from tests.coordination.booking.conftest import HOUR, make_organisation, make_slot, make_world
from tests.coordination.web.test_target_desk import called, version_of

pytestmark = pytest.mark.django_db(transaction=True)


def desk(browser, live_server, slug, **screen):
    """Somebody signed in, where signing in leads."""
    page = browser.new_page(base_url=live_server.url, viewport={"width": 1600, "height": 900}, **screen)
    page.goto("/sign-in/")
    page.get_by_label("Username").fill(slug)
    page.get_by_label("Password").fill("pass-for-tests")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/admin/desk/tonight/"))
    return page


def test_staff_book_from_tonight_see_conflicts_and_lose_a_race(browser, live_server, windows):
    organisation, person = make_organisation("planners")
    telescope = Telescope.objects.get(observatory__mpc_code="W84")
    Telescope.objects.filter(pk=telescope.pk).update(organisation=organisation)
    Membership.objects.filter(user=person).update(role=Membership.Role.MANAGER)
    page = desk(browser, live_server, "planners")
    page.goto(f"/admin/desk/tonight/{telescope.pk}/2027-02-01/")
    assert serious(page) == []
    parts = page.get_by_role("row").filter(has_text="Ivar").locator("details.desk-parts")
    parts.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(parts.get_by_text("urgency")).to_be_visible()
    shot(page, "tonight")
    row = page.get_by_role("row").filter(has_text="Ivar")
    row.get_by_role("link", name="Book for").click()
    expect(page.get_by_text("Free.", exact=True)).to_be_visible()
    shot(page, "tonight-book")
    typed = page.locator("#id_observe_from_1").input_value()

    # While one edits: the drawing follows, and dragging moves the period.
    bar = page.locator(".desk-drawing rect.chosen").last.bounding_box()
    page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    page.mouse.down()
    page.mouse.move(bar["x"] + bar["width"] / 2 - 40, bar["y"] + bar["height"] / 2, steps=4)
    page.mouse.up()
    expect(page.locator("#id_observe_from_1")).not_to_have_value(typed)
    page.locator("#id_observe_from_1").fill(typed)

    # Somebody is faster between the look and the button.
    start = dt.datetime.fromisoformat(page.locator("#id_observe_from_0").input_value() + "T" + typed + "+00:00")
    faster = book_telescope(telescope.pk, observe_from=start, observe_until=start + HOUR / 4, purpose="a comet")
    page.get_by_role("button", name="Book").click()
    expect(page.get_by_text(f"In the way: booking {faster.pk}")).to_be_visible()
    expect(page.get_by_text("In conflict.")).to_be_visible()
    shot(page, "tonight-race-lost")
    move_booking(faster.pk, observe_from=start + 30 * HOUR, observe_until=start + 31 * HOUR)
    page.get_by_role("button", name="Book").click()
    expect(page.get_by_text("The telescope is booked.")).to_be_visible()
    assert Booking.objects.filter(target=windows["Ivar"]).count() == 1
    page.goto(f"/admin/desk/tonight/{telescope.pk}/2027-02-01/")
    expect(page.locator(".desk-wide rect.taken").first).to_be_visible()
    shot(page, "tonight-booked")

    booked = page.url
    page.goto("/admin/desk/calendar/?date=2027-02-01")
    expect(page.get_by_role("cell", name="Ivar")).to_be_visible()
    calendar = page.url
    for name, address in (("tonight", booked), ("calendar", calendar)):
        page.set_viewport_size({"width": 1600, "height": 900})
        page.goto(address)
        shot(page, f"{name}-light")
        page.evaluate("document.documentElement.classList.add('dark')")
        assert serious(page, "color-contrast") == [], name
        shot(page, f"{name}-dark")
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
        shot(page, f"{name}-phone")
    page.close()


def test_a_seat_is_claimed_from_tonight(browser, live_server):
    world = make_world(begins_in=24 * HOUR)
    page = desk(browser, live_server, "chile")
    for _ in range(3):
        if page.get_by_role("link", name="Claim seat").count():
            break
        page.get_by_role("link", name="next →").click()
    page.get_by_role("link", name="Claim seat").first.click()
    expect(page.get_by_label("1 m at chile")).to_be_checked()
    page.get_by_role("button", name="Claim").click()
    expect(page.get_by_text("Held: the telescopes are yours").first).to_be_visible()
    assert world.slot.claims.count() == 1
    page.close()


def test_a_booking_is_moved_by_keys_and_by_dragging_and_a_conflict_puts_it_back(browser, live_server):
    world = make_world()
    telescope, noon = world.telescopes["chile"], clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
    start = noon + 54 * HOUR
    mine = book_telescope(telescope.pk, observe_from=start, observe_until=start + HOUR, purpose="flats")
    other = book_telescope(
        telescope.pk, observe_from=start + 4 * HOUR, observe_until=start + 5 * HOUR, purpose="a comet"
    )
    page = desk(browser, live_server, "chile")
    page.goto(f"/admin/desk/calendar/?date={noon:%Y-%m-%d}")
    bar = page.locator(".desk-wide").get_by_role("button", name=re.compile("^flats"))
    told = page.locator("#moving")
    assert serious(page) == []

    # Keys: each says where it would be; Escape puts it back, Enter opens the form filled in.
    bar.focus()
    page.keyboard.press("ArrowRight")
    expect(told).to_have_text(re.compile(f"{start + HOUR / 2:%Y-%m-%d %H:%M} to .* UTC, not moved yet"))
    page.keyboard.press("Escape")
    expect(told).to_contain_text("where it was")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    shot(page, "calendar-moving")
    page.keyboard.press("Enter")
    expect(page.locator("#id_observe_from_1")).to_have_value(f"{start - HOUR:%H:%M:%S}")
    page.get_by_role("button", name="Move").click()
    expect(page.get_by_text("The booking is moved.")).to_be_visible()
    mine.refresh_from_db()
    assert mine.observe_from == start - HOUR

    # Dropped where another is: its name is said, and the bar is back where it was.
    def drag(hours: float) -> None:
        box, frame = bar.bounding_box(), page.locator(".desk-wide rect.frame").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + hours * frame["width"] / (7 * 24), y, steps=5)
        page.mouse.up()

    page.goto(f"/admin/desk/calendar/?date={noon:%Y-%m-%d}")
    place = bar.bounding_box()
    drag(5.1)
    expect(told).to_contain_text("Not moved.")
    expect(told.get_by_role("link", name=f"booking {other.pk}")).to_be_visible()
    assert bar.bounding_box() == place
    assert serious(page) == []
    shot(page, "calendar-conflict")
    drag(24.1)
    expect(page.get_by_text("The booking is moved.")).to_be_visible()
    mine.refresh_from_db()
    assert mine.observe_from == start + 23 * HOUR
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.locator(".desk-narrow").get_by_role("button", name=re.compile("^flats"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

    # The campaign at the desk, in all its looks.
    for k, slug in enumerate(("chile", "canary")):
        world.claim(slug)
        make_slot(world.campaign, world.target, world.slot.starts_at + (k + 1) * 24 * HOUR, state="draft")
    page.goto(f"/admin/desk/campaigns/{world.campaign.pk}/")
    expect(page.get_by_role("link", name="Message to participants")).to_be_visible()
    for name, width, dark in (("light", 1600, False), ("dark", 1600, True), ("phone", 360, True)):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", dark)
        assert serious(page, *(["color-contrast"] if dark else [])) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        shot(page, f"desk-campaign-{name}")
    page.close()


def test_a_recurring_closure_shows_the_booking_that_it_falls_over(browser, live_server):
    world = make_world()
    start = (clock.now() + 30 * HOUR).replace(second=0, microsecond=0)
    booking = book_telescope(world.telescopes["chile"].pk, observe_from=start, observe_until=start + HOUR)
    page = desk(browser, live_server, "chile")
    page.goto(f"/admin/desk/closures/?telescope={world.telescopes['chile'].pk}")
    for name, instant in (("starts_at", start), ("ends_at", start + 2 * HOUR)):
        page.locator(f"#id_{name}_0").fill(f"{instant:%Y-%m-%d}")
        page.locator(f"#id_{name}_1").fill(f"{instant:%H:%M:%S}")
    page.get_by_label("Reason").fill("mirror wash")
    page.get_by_label("Again").select_option("every week")
    page.locator("#id_until").fill(f"{start + 15 * 24 * HOUR:%Y-%m-%d}")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("3 closures")).to_be_visible()
    expect(page.get_by_text("It falls over bookings:")).to_be_visible()
    shot(page, "closure")
    page.get_by_role("button", name="Close it").click()
    expect(page.get_by_text("3 closures are entered.")).to_be_visible()
    assert Closure.objects.count() == 3
    page.goto("/admin/desk/calendar/")
    expect(page.get_by_role("listitem").filter(has_text="mirror wash")).to_be_visible()
    assert booking.telescope.closures.count() == 3
    page.goto("/admin/desk/closures/")
    page.get_by_role("link", name="mirror wash").click()
    page.locator("#id_reason").fill("mirror wash and coating")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("stay as they were: 0, removed: 3, entered: 3")).to_be_visible()
    assert serious(page) == []
    shot(page, "recurring")
    telescope = world.telescopes["chile"]
    Membership.objects.filter(user=world.people["chile"]).update(role=Membership.Role.MANAGER)
    page.goto(f"/admin/desk/telescopes/{telescope.pk}/horizon/")
    page.locator("#id_points").fill("0, 15\n60, 35\n90, 40\n150, 22\n200, 18\n270, 30\n320, 12")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("path.mask")).to_be_visible()
    shot(page, "horizon")
    assert serious(page) == []
    page.locator("#id_points").fill("0, 15\n60, east")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Line 2: 'east' is no number of degrees.")).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, "horizon-phone")
    page.close()


def test_two_targets_are_merged_by_keyboard_after_a_look_at_their_orbits(browser, live_server):
    kept, gone = called("2030 KN1"), called("2030 KN2")
    for number in (1, 2, 3):
        version_of(kept, number, i_deg=8.0 + 2e-5 * number)
    version_of(gone, 4)
    _organisation, person = make_organisation("deciders")
    page = desk(browser, live_server, "deciders")
    type(person).objects.filter(pk=person.pk).update(is_superuser=True)
    looks = {
        "orbits": f"/admin/desk/targets/{kept.pk}/orbits/",
        "names": f"/admin/desk/targets/{kept.pk}/names/",
        "merge": f"/admin/desk/targets/{kept.pk}/merge/?other=2030+KN2",
    }
    for name, address in looks.items():
        page.set_viewport_size({"width": 1600, "height": 900})
        page.goto(address)
        for summary in page.locator("summary:visible").all():
            summary.click()
        assert serious(page) == [], name
        shot(page, f"target-{name}-light")
        page.evaluate("document.documentElement.classList.add('dark')")
        assert serious(page, "color-contrast") == [], name
        shot(page, f"target-{name}-dark")
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
        shot(page, f"target-{name}-phone")

    page.set_viewport_size({"width": 1600, "height": 900})
    page.goto(f"/admin/targets/target/{kept.pk}/change/")
    page.get_by_role("link", name="Merge").focus()
    page.keyboard.press("Enter")
    page.get_by_label("The other target").focus()
    page.keyboard.type("2030kn2")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Goes into it")).to_be_visible()
    page.get_by_label("Reason").focus()
    page.keyboard.type("MPEC 2026-W01")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Merge 2030 KN2 into 2030 KN1")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2030 KN1 is one target now.")).to_be_visible()
    assert kept.orbits.count() == 4
    page.close()
