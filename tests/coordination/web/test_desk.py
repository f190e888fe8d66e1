"""The desk of staff: tonight, the calendar, and forms that draw what is free."""

import datetime as dt
import re

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from coordination.booking.models import Booking
from coordination.booking.services import book_telescope
from coordination.common import clock, following
from coordination.visibility.models import VisibilityWindow
from coordination.visibility.priorities import ranked_targets
from observatories.models import Closure, Membership, Observatory, RecurringClosure, Telescope, User
from observatories.services import add_closure, add_closures
from observatories.services.recurring import Recurrence
from tests.coordination.booking.conftest import HOUR, MINUTE, events_of, make_seats, make_slot, told

NIGHT = dt.date(2027, 2, 1)


@pytest.fixture
def scheduler(network):
    person = User.objects.create_user("planner", "planner@example.org", "pass-for-tests", is_staff=True)
    Membership.objects.create(user=person, organisation=network[0].organisation, role=Membership.Role.SCHEDULER)
    return person


def tonight_of(telescope: Telescope, night: dt.date = NIGHT) -> str:
    return reverse("desk:night", args=[telescope.pk, str(night)])


def test_tonight_leads_to_a_filled_in_form_and_a_booking(windows, scheduler, signed_in, queries_of):
    """In one test, as the windows take a while: the page, its cost, a filled-in form, the booking on the bar."""
    client = signed_in(scheduler)
    telescope = Telescope.objects.get(observatory__mpc_code="W84")
    page = client.get(tonight_of(telescope))
    assert page.status_code == 200
    assert "Night of 2027-02-01" in page.text or "Tonight, 2027-02-01" in page.text
    assert "America/Santiago" in page.text
    rows = page.context["rows"]
    assert rows
    ranked = ranked_targets(NIGHT, telescope_id=telescope.pk, limit=None).results
    assert [row.target.pk for row in rows] == [each.target_id for each in ranked]
    assert all(window.telescope_id == telescope.pk and window.night == NIGHT for r in rows for window in r.windows)
    assert all(row.last_chance >= NIGHT for row in rows)
    assert page.text.count('<details class="desk-parts">') == len(rows)  # by keys and touch too, not only by pointing

    form = client.get(rows[0].book_address).context["form"]
    assert str(form["target"].value()) == str(rows[0].target.pk)
    start, end = (form.initial[name] for name in ("observe_from", "observe_until"))
    assert any(w.starts_at <= start and end <= w.ends_at for w in rows[0].windows)
    assert 5 * MINUTE <= end - start <= HOUR

    before = queries_of(client, tonight_of(telescope))
    book_telescope(telescope.pk, observe_from=start, observe_until=end, target_id=rows[0].target.pk, actor=scheduler)
    add_closure(
        telescope_id=telescope.pk, starts_at=end + HOUR, ends_at=end + 2 * HOUR, reason="mirror wash", actor=scheduler
    )
    page = client.get(tonight_of(telescope))
    assert "mirror wash" in page.text
    assert 'class="taken confirmed"' in page.text
    assert page.context["rows"][1].book_address != rows[0].book_address  # the time is taken
    VisibilityWindow.objects.exclude(target__in=[row.target.pk for row in rows[:1]]).delete()
    assert abs(queries_of(client, tonight_of(telescope)) - before) == 0
    assert before <= 45

    # A night that is over, one that is far away, no night at all.
    assert "This night is over" in client.get(tonight_of(telescope, dt.date(2027, 1, 2))).text
    assert client.get(tonight_of(telescope, dt.date(2027, 12, 2))).status_code == 200
    assert client.get(reverse("desk:night", args=[telescope.pk, "yesterday"])).status_code == 404
    assert client.get(tonight_of(telescope, dt.date(9000, 1, 1))).status_code == 200


def test_the_desk_is_for_staff_and_their_own_telescopes(world, signed_in, client):
    mine, others = world.telescopes["chile"], world.telescopes["hawaii"]
    assert client.get(reverse("desk:tonight"))["Location"].startswith("/admin/login/")
    chile = signed_in(world.people["chile"])
    assert chile.get(reverse("desk:tonight")).context["telescope"] == mine
    unknown = reverse("desk:tonight-of", args=[999999])
    assert chile.get(reverse("desk:tonight-of", args=[others.pk])).status_code == chile.get(unknown).status_code == 404
    assert chile.get(f"{reverse('desk:tonight')}?telescope={mine.pk}")["Location"].endswith(f"/{mine.pk}/")
    stranger = User.objects.create_user("nobody", "n@example.org", "pass-for-tests", is_staff=True)
    assert "no telescope yet" in signed_in(stranger).get(reverse("desk:tonight")).text


def test_a_member_reads_and_gets_no_buttons(world, signed_in):
    Membership.objects.filter(user=world.people["chile"]).update(role=Membership.Role.MEMBER)
    page = signed_in(world.people["chile"]).get(reverse("desk:tonight"))
    assert page.status_code == 200
    assert "Book other use" not in page.text
    assert "Only schedulers and managers" in page.text or "Claim seat" not in page.text


def test_a_seat_is_offered_with_the_claim_filled_in(world, signed_in):
    chile = signed_in(world.people["chile"])
    place = world.telescopes["chile"].observatory.place
    from coordination.visibility.almanac import night_of

    night = night_of(place, world.slot.starts_at)
    (seat,) = chile.get(tonight_of(world.telescopes["chile"], night)).context["seats"]
    form = chile.get(seat.address).context["form"]
    assert form["seats"].value() == [f"seat-{world.seats['chile'].pk}"]
    answer = chile.post(seat.address, {"seats": form["seats"].value()})
    assert answer.status_code == 302
    (seat,) = chile.get(tonight_of(world.telescopes["chile"], night)).context["seats"]
    assert (seat.offer.state, seat.address) == ("held", "")
    make_seats(make_slot(world.campaign, world.target, world.slot.starts_at + HOUR), world.telescopes)
    assert len(chile.get(tonight_of(world.telescopes["chile"], night)).context["seats"]) == 2


def timeline(client, telescope, start, end, **further):
    given = {"telescope": telescope.pk, "observe_from": start.isoformat(), "observe_until": end.isoformat()}
    return client.get(reverse("desk:timeline"), {**given, **further})


def test_the_form_says_what_is_in_the_way_while_it_is_filled_in(world, signed_in):
    telescope, chile = world.telescopes["chile"], signed_in(world.people["chile"])
    start = clock.now().replace(microsecond=0) + 48 * HOUR
    assert "<b>Free.</b>" in timeline(chile, telescope, start, start + HOUR).text
    booking = book_telescope(telescope.pk, observe_from=start, observe_until=start + HOUR, actor=world.people["chile"])
    met = timeline(chile, telescope, start + 30 * MINUTE, start + 2 * HOUR).text
    assert "In conflict." in met
    assert f"to {booking.ends_at:%Y-%m-%dT%H:%M:%S}Z" in met
    # setup and slew count, and the booking that is moved does not
    assert "In conflict." in timeline(chile, telescope, start + HOUR, start + 2 * HOUR).text
    assert "<b>Free.</b>" in timeline(chile, telescope, start, start + 2 * HOUR, besides=booking.pk).text
    assert "Choose a telescope" in timeline(chile, world.telescopes["hawaii"], start, start + HOUR).text
    assert "begins and ends" in timeline(chile, telescope, start, start).text
    picture = chile.get(
        reverse("desk:timeline-file"),
        {"telescope": telescope.pk, "observe_from": start.isoformat(), "observe_until": (start + HOUR).isoformat()},
    )
    assert picture["Content-Type"] == "image/svg+xml"


def test_a_conflict_is_a_form_error_that_names_the_other_booking(world, signed_in):
    telescope, chile = world.telescopes["chile"], signed_in(world.people["chile"])
    start = (clock.now() + 48 * HOUR).replace(microsecond=0, second=0)
    other = book_telescope(
        telescope.pk, observe_from=start, observe_until=start + HOUR, purpose="flat fields", actor=world.people["chile"]
    )
    address = reverse("admin:booking_booking_add")
    given = {"telescope": telescope.pk, "purpose": ""}
    for name, instant in (("observe_from", start), ("observe_until", start + HOUR)):
        given |= {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M:%S}"}
    answer = chile.post(address, given)
    assert answer.status_code == 200
    (error,) = answer.context["form"].errors["telescope"]
    assert f"booking {other.pk}</a> (flat fields, Institute of Chile)" in error
    assert re.search(r'data-timeline="/admin/desk/timeline/"', answer.text)
    assert "timeline.svg?telescope=" in answer.text  # as it was typed, for who runs no script
    assert Booking.objects.count() == 1


def test_the_calendar_shows_a_week_and_a_night_of_ones_telescopes(world, signed_in, queries_of):
    telescope, chile = world.telescopes["chile"], signed_in(world.people["chile"])
    start = (clock.now() + 30 * HOUR).replace(microsecond=0, second=0)
    booking = book_telescope(
        telescope.pk, observe_from=start, observe_until=start + HOUR, purpose="flat fields", actor=world.people["chile"]
    )
    address = reverse("desk:calendar")
    page = chile.get(address)
    assert "flat fields" in page.text
    assert [label for _, label in page.context["entries"][0].actions] == ["Move", "Release"]
    cost = queries_of(chile, address)
    book_telescope(telescope.pk, observe_from=start + 5 * HOUR, observe_until=start + 6 * HOUR, hold=True)
    add_closure(telescope_id=telescope.pk, starts_at=start, ends_at=start + HOUR, reason="dome")
    assert queries_of(chile, address) == cost
    assert "flat fields" in chile.get(address, {"view": "night", "date": f"{start - 12 * HOUR:%Y-%m-%d}"}).text
    assert "flat fields" not in chile.get(address, {"view": "night", "date": "2020-01-01"}).text
    assert "flat fields" not in signed_in(world.people["hawaii"]).get(address).text
    assert chile.get(address, {"telescope": world.telescopes["hawaii"].pk}).status_code == 404
    assert chile.get(address, {"date": "soon"}).status_code == 404
    (row,) = re.findall(r"<tr data-booking=.*?>", page.text)
    assert f'data-telescope="{telescope.pk}"' in row
    moved = chile.get(re.search(r'data-move="(.*?)"', row)[1], {"observe_from": f"{start + HOUR:%Y-%m-%dT%H:%M:%SZ}"})
    assert moved.context["form"].initial["observe_from"] == start + HOUR  # as it was dragged
    assert moved.context["form"].initial["observe_until"] == start + HOUR
    assert chile.get(booking_action := page.context["entries"][0].actions[0][0]).status_code == 200
    assert str(booking.pk) in booking_action


def test_bookings_are_changed_in_bulk_and_refusals_told_one_by_one(world, signed_in):
    telescope, chile = world.telescopes["chile"], signed_in(world.people["chile"])
    start = (clock.now() + 30 * HOUR).replace(microsecond=0, second=0)
    held = book_telescope(telescope.pk, observe_from=start, observe_until=start + HOUR, hold=True)
    firm = book_telescope(telescope.pk, observe_from=start + 2 * HOUR, observe_until=start + 3 * HOUR)
    others = book_telescope(world.telescopes["hawaii"].pk, observe_from=start, observe_until=start + HOUR, hold=True)

    def bulk(action: str, *bookings: Booking) -> str:
        given = {"action": action, "_selected_action": [each.pk for each in bookings], "index": 0}
        page = chile.post(reverse("admin:booking_booking_changelist"), given, follow=True)
        for each in bookings:
            each.refresh_from_db()
        return " ".join(str(message) for message in page.context["messages"])

    told = bulk("confirm_chosen", held, firm, others)
    assert "1 booking is changed." in told
    assert "1 m at chile" in told
    assert (held.state, firm.state, others.state) == ("confirmed", "confirmed", "held")
    assert bulk("release_chosen", held, firm, others) == "2 bookings are changed."
    assert (held.state, firm.state, others.state) == ("released", "released", "held")


def test_a_result_and_a_note_are_reported_for_all_that_are_chosen(world, signed_in):
    telescope, chile = world.telescopes["chile"], signed_in(world.people["chile"])
    start = (clock.now() + 30 * HOUR).replace(microsecond=0, second=0)
    early, late = (
        book_telescope(telescope.pk, observe_from=start + k * HOUR, observe_until=start + (k + 0.5) * HOUR)
        for k in (0, 2)
    )
    others = book_telescope(world.telescopes["hawaii"].pk, observe_from=start, observe_until=start + HOUR)
    chosen = [early.pk, late.pk, others.pk]
    address = reverse("admin:booking_booking_changelist") + "?state__exact=confirmed"
    asked = chile.post(address, {"action": "report_chosen", "_selected_action": chosen, "index": 0})
    assert "What came of them" in asked.text
    assert asked.context["form"].errors == {}
    hidden = re.findall(r'<input type="hidden" name="([a-z_]+)" value="(\w+)">', asked.text)
    sent: dict[str, list[str]] = {}
    for name, value in hidden:
        sent.setdefault(name, []).append(value)
    assert sent["_selected_action"] == [str(early.pk), str(late.pk)]  # another organisation's is none of ours
    wrong = chile.post(address, {**sent, "result": "eaten", "note": "by the dog"})
    assert "result" in wrong.context["form"].errors
    assert "by the dog" in wrong.text
    with time_machine.travel(start + HOUR, tick=False):
        page = chile.post(address, {**sent, "result": "failed_weather", "note": "cirrus"}, follow=True)
    told = " ".join(str(message) for message in page.context["messages"])
    assert "1 booking is changed." in told
    assert "The observation begins at" in told
    assert page.request["QUERY_STRING"] == "state__exact=confirmed"
    for each in (early, late, others):
        each.refresh_from_db()
    assert (early.state, early.result, early.result_note) == ("failed", "failed_weather", "cirrus")
    assert (late.state, others.state) == ("confirmed", "confirmed")


def test_a_horizon_is_previewed_imported_and_saved_by_managers(world, signed_in):
    telescope, chile = world.telescopes["chile"], signed_in(world.people["chile"])
    address = reverse("desk:horizon", args=[telescope.pk])
    assert "Managers of the operating organisation" in chile.get(address).text
    assert chile.post(address, {"points": "0,15", "save": "1"}).status_code == 403
    assert chile.get(reverse("desk:horizon", args=[world.telescopes["hawaii"].pk])).status_code == 404
    Membership.objects.filter(user=world.people["chile"]).update(role=Membership.Role.MANAGER)
    file = SimpleUploadedFile("dome.csv", b"az,alt\n0,15\n90,22\n")
    page = chile.post(address, {"points": "", "table": file, "preview": "1"})
    assert 'class="mask"' in page.text
    assert "90, 22" in page.text
    telescope.refresh_from_db()
    assert telescope.horizon_mask is None
    wrong = SimpleUploadedFile("dome.csv", b"az,alt\n0,15\n90,22,3\n")
    assert "Line 3 has 3 columns" in chile.post(address, {"table": wrong, "save": "1"}).text
    assert chile.post(address, {"points": "0,15\n90,22", "save": "1"}).status_code == 302
    telescope.refresh_from_db()
    assert telescope.horizon_mask == [[0.0, 15.0], [90.0, 22.0]]
    # The telescope's own page: limits yes, whose it is no.
    form = chile.get(reverse("admin:observatories_telescope_change", args=[telescope.pk])).context["adminform"].form
    assert "altitude_min_deg" in form.fields
    assert not {"organisation", "observatory", "is_demo"} & set(form.fields)
    others = chile.get(reverse("admin:observatories_telescope_change", args=[world.telescopes["hawaii"].pk]))
    assert others.context["has_change_permission"] is False


def test_an_observatory_comes_by_its_code(world, signed_in):
    chile = signed_in(world.people["chile"])
    address = reverse("desk:observatory")
    assert chile.get(address).status_code == 403
    Membership.objects.filter(user=world.people["chile"]).update(role=Membership.Role.MANAGER)
    assert "unknown observatory code" in chile.post(address, {"code": "ZZ9"}).text
    assert chile.post(address, {"code": "w84"}).status_code == 302
    assert Observatory.objects.filter(mpc_code="W84").exists()


def test_closing_is_for_schedulers_and_tells_what_it_falls_over(world, signed_in):
    telescope, chile = world.telescopes["chile"], signed_in(world.people["chile"])
    start = (clock.now() + 30 * HOUR).replace(microsecond=0, second=0)
    book_telescope(telescope.pk, observe_from=start, observe_until=start + HOUR)
    given = {"telescope": telescope.pk, "reason": "wash", "every_days": 0}
    for name, instant in (("starts_at", start), ("ends_at", start + HOUR)):
        given |= {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M:%S}"}
    address = reverse("desk:close")
    assert "It falls over bookings" in chile.post(address, {**given, "preview": "1"}).text
    assert not Closure.objects.exists()
    assert "until" in chile.post(address, {**given, "every_days": 7, "save": "1"}).context["form"].errors
    others = chile.post(address, {**given, "telescope": world.telescopes["hawaii"].pk, "save": "1"})
    assert "telescope" in others.context["form"].errors
    assert chile.post(address, {**given, "save": "1"}).status_code == 302
    assert Closure.objects.get().telescope == telescope
    Membership.objects.filter(user=world.people["chile"]).update(role=Membership.Role.MEMBER)
    assert chile.get(address).status_code == 403


def test_the_rest_of_a_recurring_closure_is_changed_and_removed(world, signed_in):
    telescope, chile = world.telescopes["chile"], signed_in(world.people["chile"])
    start = (clock.now() + 48 * HOUR).replace(microsecond=0, second=0)
    add_closures(
        telescope_id=telescope.pk, reason="wash",
        recurrence=Recurrence(start, start + HOUR, 7, (start + 15 * 24 * HOUR).date()),
    )  # fmt: skip
    second = start + 7 * 24 * HOUR
    booking = book_telescope(telescope.pk, observe_from=second + 2 * HOUR, observe_until=second + 3 * HOUR)
    address = reverse("desk:recurring", args=[RecurringClosure.objects.get().pk])
    listed = chile.get(reverse("desk:close"))
    assert address in listed.text
    assert "3 ahead" in listed.text
    assert address in chile.get(reverse("admin:observatories_closure_change", args=[Closure.objects.all()[0].pk])).text

    form = chile.get(address).context["form"]
    given = {"since": str(second.date()), "reason": "new gear", "every_days": 7, "until": form["until"].value()}
    for name, instant in (("starts_at", second), ("ends_at", second + 4 * HOUR)):
        given |= {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M:%S}"}
    preview = chile.post(address, {**given, "preview": "1"})
    assert "2 closures" in preview.text
    assert f"/booking/booking/{booking.pk}/" in preview.text
    assert Closure.objects.filter(reason="wash").count() == 3
    page = chile.post(address, {**given, "save": "1"}, follow=True)
    assert "stay as they were: 0, removed: 2, entered: 2" in page.text
    assert sorted(Closure.objects.values_list("reason", flat=True)) == ["new gear", "new gear", "wash"]
    following.follow("booking")
    booking.refresh_from_db()
    assert booking.disturbed
    early = chile.post(address, {**given, "since": str(second.date() + dt.timedelta(days=2)), "save": "1"})
    assert "starts_at" in early.context["form"].errors

    assert chile.post(address, {"rest-since": "soon", "remove": "1"}).context["leave"].errors
    removed = chile.post(address, {"rest-since": str(second.date()), "remove": "1"}, follow=True)
    assert "2 closures are removed." in removed.text
    assert Closure.objects.get().reason == "wash"
    following.follow("booking")
    booking.refresh_from_db()
    assert not booking.disturbed
    assert signed_in(world.people["hawaii"]).get(address).status_code == 404
    Membership.objects.filter(user=world.people["chile"]).update(role=Membership.Role.MEMBER)
    assert chile.get(address).status_code == 403


@pytest.mark.parametrize(
    ("model", "there"),
    [("telescope", "1 m at chile"), ("observatory", "Hawaii"), ("organisation", "Institute of Canary"),
     ("closure", "dome")],
)  # fmt: skip
def test_what_staff_may_see_of_observatories_is_exported(world, signed_in, model, there):
    start = clock.now()
    for slug, reason in (("chile", "dome"), ("hawaii", "hidden")):
        telescope = world.telescopes[slug]
        add_closure(telescope_id=telescope.pk, starts_at=start, ends_at=start + HOUR, reason=reason)
    address = reverse(f"admin:observatories_{model}_changelist")
    chile = signed_in(world.people["chile"])
    assert "export=csv" in chile.get(address).text
    rows = chile.get(address, {"export": "csv"})
    assert rows["Content-Type"].startswith("text/csv")
    told = rows.getvalue().decode()
    assert there in told
    assert "hidden" not in told
    assert len(chile.get(address, {"export": "csv", "q": "nothing like it"}).getvalue().splitlines()) == 1


def test_people_are_exported_by_administrators_only(world, signed_in, admin_client):
    address = reverse("admin:observatories_user_changelist")
    assert b"hawaii@example.org" in admin_client.get(address, {"export": "csv"}).getvalue()
    assert signed_in(world.people["chile"]).get(address, {"export": "csv"}).status_code == 403


def test_managers_are_led_to_the_import_of_an_observatory(world, signed_in):
    chile = signed_in(world.people["chile"])
    assert reverse("desk:observatory") not in chile.get(reverse("desk:calendar")).text
    Membership.objects.filter(user=world.people["chile"]).update(role=Membership.Role.MANAGER)
    assert reverse("desk:observatory") in chile.get(reverse("desk:calendar")).text


def test_a_list_is_exported_as_it_is_filtered(world, signed_in):
    telescope, chile = world.telescopes["chile"], signed_in(world.people["chile"])
    start = (clock.now() + 30 * HOUR).replace(microsecond=0, second=0)
    book_telescope(telescope.pk, observe_from=start, observe_until=start + HOUR, purpose="=cmd()", hold=True)
    book_telescope(telescope.pk, observe_from=start + 2 * HOUR, observe_until=start + 3 * HOUR, purpose="flats")
    book_telescope(world.telescopes["hawaii"].pk, observe_from=start, observe_until=start + HOUR, purpose="secret")
    address = reverse("admin:booking_booking_changelist")
    assert "export=csv" in chile.get(address).text
    rows = chile.get(address, {"export": "csv"})
    assert rows["Content-Type"].startswith("text/csv")
    text = rows.getvalue().decode()
    assert len(text.split("\r\n")) == 4  # a heading, two bookings, the end
    assert "'=cmd()" in text
    assert "secret" not in text
    held = chile.get(address, {"export": "csv", "state__exact": "held"}).getvalue().decode()
    assert "cmd" in held
    assert "flats" not in held


def test_the_coordinator_writes_to_all_who_take_part(world, signed_in):
    address = reverse("admin:campaigns_campaign_message", args=[world.campaign.pk])
    assert signed_in(world.people["hawaii"]).get(address).status_code == 403
    assert signed_in(world.people["chile"]).post(address, {"text": "Clouds: wait."}).status_code == 302
    assert told("campaign.message") == {"chile", "canary", "australia", "hawaii"}
    refused = signed_in(world.people["hawaii"]).post(address, {"text": "Mine."})
    assert "Only schedulers and managers of Institute of Chile" in str(refused.context["form"].errors)
    assert len(events_of("campaign.message")) == 1
