"""Calendars under secret addresses: what stands in them, for whom, and how clients fetch them."""

import datetime as dt
import hashlib
import logging

import pytest
from django.test import Client
from icalendar import Calendar

from coordination.booking.models import Booking, Slot
from coordination.booking.services import book_telescope, cancel_slot, release_booking, withdraw_claim
from coordination.campaigns.models import Campaign, CampaignTarget, Participation
from coordination.common import clock
from coordination.common.models import Event
from coordination.common.problems import ConflictError, DomainError, ForbiddenError, UnknownError
from coordination.common.secrecy import HideSecrets
from coordination.feeds.models import CalendarFeed
from coordination.feeds.services import create_calendar, revoke_calendar
from observatories.models import Closure, Membership, Organisation, User
from observatories.services import add_closure
from targets.models import Target
from tests.coordination.booking.conftest import make_slot, make_telescope

HOUR = dt.timedelta(hours=1)


def make(world, slug: str, kind: str, **of) -> str:
    _, path = create_calendar(world.organisations[slug].pk, kind, actor=world.people[slug], **of)
    return path


def fetch(path: str, **headers):
    return Client().get(path, **headers)


def events(path: str) -> dict[str, dict]:
    """What a client reads, by UID without the host."""
    answer = fetch(path)
    assert answer.status_code == 200
    calendar = Calendar.from_ical(answer.content)
    assert not calendar.errors
    found = {str(event["UID"]).partition("@")[0]: event for event in calendar.walk("VEVENT")}
    assert all(not event.errors for event in found.values())
    return found


@pytest.fixture
def local(world) -> Booking:
    return book_telescope(
        world.telescopes["chile"].pk,
        observe_from=world.slot.starts_at + 3 * HOUR,
        observe_until=world.slot.starts_at + 4 * HOUR,
        purpose="flat fields, twilight; and\nmore",
        actor=world.people["chile"],
    )


class TestWhatStandsInThem:
    def test_a_campaign_has_its_slots(self, world):
        path = make(world, "canary", "campaign", campaign_id=world.campaign.pk)
        (event,) = events(path).values()
        assert event["UID"] == f"slot-{world.slot.pk}@testserver"
        assert event["DTSTART"].dt == world.slot.starts_at
        assert event["DTEND"].dt == world.slot.ends_at
        assert event["STATUS"] == "TENTATIVE"
        assert "2026 AB1" in event["SUMMARY"]
        assert event["URL"] == f"http://testserver/admin/booking/slot/{world.slot.pk}/change/"
        assert "1 m at chile" in event["DESCRIPTION"]
        assert "not claimed" in event["DESCRIPTION"]
        world.claim("chile")
        world.claim("hawaii")
        (event,) = events(path).values()
        assert event["STATUS"] == "CONFIRMED"
        assert "confirmed by Institute of Hawaii" in event["DESCRIPTION"]

    def test_a_telescope_has_its_bookings_and_closures(self, world, local):
        world.claim("chile")
        closure = add_closure(
            telescope_id=world.telescopes["chile"].pk,
            starts_at=world.slot.starts_at + 10 * HOUR,
            ends_at=world.slot.starts_at + 20 * HOUR,
            reason="mirror; coating, long",
            actor=world.people["chile"],
        )
        book_telescope(
            world.telescopes["canary"].pk,
            observe_from=world.slot.starts_at,
            observe_until=world.slot.ends_at,
            purpose="another's",
            actor=world.people["canary"],
        )
        found = events(make(world, "chile", "telescope", telescope_id=world.telescopes["chile"].pk))
        claimed = Booking.objects.get(claim__isnull=False)
        assert set(found) == {f"booking-{local.pk}", f"booking-{claimed.pk}", f"closure-{closure.pk}"}
        held = found[f"booking-{claimed.pk}"]
        assert (held["STATUS"], held["DTSTART"].dt, held["DTEND"].dt) == (
            "TENTATIVE", claimed.starts_at, claimed.ends_at
        )  # fmt: skip
        assert "2026 AB1" in held["SUMMARY"]
        assert "Ranging of 2026 AB1" in held["DESCRIPTION"]
        assert (held["GEO"].latitude, held["GEO"].longitude) == (-24.6, -70.4)
        assert held["LOCATION"] == "1 m at chile, Chile"
        used = found[f"booking-{local.pk}"]
        assert used["STATUS"] == "CONFIRMED"
        assert "flat fields, twilight; and\nmore" in used["SUMMARY"]
        shut = found[f"closure-{closure.pk}"]
        assert shut["SUMMARY"] == "1 m at chile closed: mirror; coating, long"
        assert shut["STATUS"] == "CONFIRMED"

    def test_an_organisation_has_its_telescopes_and_what_it_books_elsewhere(self, world, local):
        other = make_telescope(world.organisations["chile"], "second", -70.4, -24.6)
        away = Booking.objects.create(
            telescope=world.telescopes["hawaii"],
            organisation=world.organisations["chile"],
            state="confirmed",
            observe_from=world.slot.starts_at,
            observe_until=world.slot.ends_at,
            starts_at=world.slot.starts_at,
            ends_at=world.slot.ends_at,
        )
        closure = Closure.objects.create(
            telescope=other, starts_at=world.slot.starts_at, ends_at=world.slot.ends_at, reason="dome"
        )
        Closure.objects.create(
            telescope=world.telescopes["hawaii"],
            starts_at=world.slot.starts_at + 30 * HOUR,
            ends_at=world.slot.ends_at + 30 * HOUR,
            reason="another's",
        )
        found = events(make(world, "chile", "organisation"))
        assert set(found) == {f"booking-{local.pk}", f"booking-{away.pk}", f"closure-{closure.pk}"}

    def test_an_observatory_has_only_ones_own_telescopes_there(self, world, local):
        place = world.telescopes["chile"].observatory
        neighbour = make_telescope(world.organisations["canary"], "neighbour", -70.4, -24.6)
        type(neighbour).objects.filter(pk=neighbour.pk).update(observatory=place)
        book_telescope(
            neighbour.pk,
            observe_from=world.slot.starts_at,
            observe_until=world.slot.ends_at,
            purpose="the neighbour's",
            actor=world.people["canary"],
        )
        found = events(make(world, "chile", "observatory", observatory_id=place.pk))
        assert set(found) == {f"booking-{local.pk}"}

    def test_it_reaches_thirty_days_back_and_ahead_without_end(self, world):
        now = clock.now()
        for days in (-40, -31, -29, 300):
            slot = make_slot(world.campaign, world.target, now + dt.timedelta(days=days))
        found = events(make(world, "chile", "campaign", campaign_id=world.campaign.pk))
        assert len(found) == 3
        assert f"slot-{slot.pk}" in found


class TestChanges:
    def test_the_sequence_goes_up_with_every_change_and_the_uid_stays(self, world):
        path = make(world, "chile", "campaign", campaign_id=world.campaign.pk)
        (first,) = events(path).values()
        claim = world.claim("chile")
        (second,) = events(path).values()
        withdraw_claim(claim.pk, actor=world.people["chile"])
        (third,) = events(path).values()
        cancel_slot(world.slot.pk, reason="clouds", actor=world.lead)
        (fourth,) = events(path).values()
        assert first["UID"] == second["UID"] == fourth["UID"]
        assert first["SEQUENCE"] < second["SEQUENCE"] < third["SEQUENCE"] < fourth["SEQUENCE"]
        assert first["LAST-MODIFIED"].dt <= second["LAST-MODIFIED"].dt <= fourth["LAST-MODIFIED"].dt
        assert fourth["STATUS"] == "CANCELLED"
        assert fourth["DTSTAMP"].dt == fourth["LAST-MODIFIED"].dt

    def test_what_was_cancelled_long_ago_is_no_longer_told(self, world):
        path = make(world, "chile", "campaign", campaign_id=world.campaign.pk)
        cancel_slot(world.slot.pk, reason="clouds", actor=world.lead)
        assert len(events(path)) == 1
        long_ago = clock.now() - dt.timedelta(days=31)
        Slot.history.model.objects.update(history_date=long_ago)
        assert events(path) == {}

    def test_a_released_booking_is_cancelled(self, world, local):
        path = make(world, "chile", "telescope", telescope_id=world.telescopes["chile"].pk)
        before = events(path)[f"booking-{local.pk}"]
        release_booking(local.pk, actor=world.people["chile"])
        after = events(path)[f"booking-{local.pk}"]
        assert (before["STATUS"], after["STATUS"]) == ("CONFIRMED", "CANCELLED")
        assert after["SEQUENCE"] > before["SEQUENCE"]


class TestFormat:
    def test_lines_end_with_crlf_and_are_folded_at_75_octets(self, world):
        world.slot.notes = "Ünïcode ★ " * 40 + "\r\nBEGIN:VEVENT\x0b; a, b\\"
        world.slot.save()
        content = fetch(make(world, "chile", "campaign", campaign_id=world.campaign.pk)).content
        assert content.endswith(b"END:VCALENDAR\r\n")
        assert b"\n" not in content.replace(b"\r\n", b"")
        assert b"\r" not in content.replace(b"\r\n", b"")
        assert max(len(line) for line in content.split(b"\r\n")) <= 75
        assert content.count(b"\r\nBEGIN:VEVENT\r\n") == 1
        content.decode("utf-8")
        (event,) = Calendar.from_ical(content).walk("VEVENT")
        assert event["DESCRIPTION"].endswith("\nBEGIN:VEVENT ; a, b\\")

    def test_the_calendar_says_what_it_is_and_how_often_to_look(self, world):
        path = make(world, "chile", "organisation")
        answer = fetch(path)
        assert answer["Content-Type"] == "text/calendar; charset=utf-8"
        assert "private" in answer["Cache-Control"]
        calendar = Calendar.from_ical(answer.content)
        assert calendar["VERSION"] == "2.0"
        assert calendar["PRODID"].startswith("-//")
        assert "METHOD" not in calendar
        assert calendar["X-WR-CALNAME"] == "Institute of Chile – NEO Coordination"
        assert b"REFRESH-INTERVAL;VALUE=DURATION:PT15M\r\n" in answer.content

    def test_the_service_is_named_by_its_public_address(self, world, settings):
        settings.PUBLIC_URL = "https://neo.example.org"
        (event,) = events(make(world, "chile", "campaign", campaign_id=world.campaign.pk)).values()
        assert event["UID"] == f"slot-{world.slot.pk}@neo.example.org"
        assert event["URL"].startswith("https://neo.example.org/admin/")


class TestWhoSeesWhat:
    def test_a_target_that_the_organisation_may_not_know_of_is_confidential(self, world):
        """A telescope booked by another organisation for a campaign in which its operator takes no part."""
        secret = Target.objects.create(designation="2026 XY9", visibility=Target.Visibility.CAMPAIGN)
        hidden = Campaign.objects.create(
            title="The 2026 XY9 question",
            slug="the-question",
            state=Campaign.State.OPEN,
            visibility=Campaign.Visibility.PARTICIPANTS,
            aim="Secret.",
            lead_organisation=world.organisations["canary"],
            starts_at=clock.now(),
            ends_at=clock.now() + 100 * HOUR,
        )
        CampaignTarget.objects.create(campaign=hidden, target=secret)
        Participation.objects.create(campaign=hidden, organisation=world.organisations["canary"], state="joined")
        slot = make_slot(hidden, secret, world.slot.starts_at + 5 * HOUR)
        slot.campaign_id, slot.target_id = hidden.pk, secret.pk
        telescopes = {"chile": world.telescopes["chile"]}
        world.campaign, world.target, world.slot = hidden, secret, slot
        from coordination.booking.services import claim_seats, grant_telescope
        from tests.coordination.booking.conftest import make_seats

        grant_telescope(
            telescopes["chile"].pk,
            world.organisations["canary"].pk,
            starts_at=clock.now(),
            ends_at=clock.now() + 100 * HOUR,
            actor=world.people["chile"],
        )
        seat = make_seats(slot, telescopes)["chile"]
        claim_seats(slot.pk, world.organisations["canary"].pk, seat_ids=[seat.pk], actor=world.people["canary"])

        path = make(world, "chile", "telescope", telescope_id=telescopes["chile"].pk)
        content = fetch(path).content.replace(b"\r\n ", b"").decode()
        assert "XY9" not in content
        assert "question" not in content
        (event,) = events(path).values()
        assert event["SUMMARY"].startswith("confidential: 1 m at chile")
        assert event["DTSTART"].dt == Booking.objects.get().starts_at
        (known,) = events(make(world, "canary", "organisation")).values()
        assert known["SUMMARY"].startswith("2026 XY9")
        assert "The 2026 XY9 question" in known["DESCRIPTION"]

    def test_slots_of_a_target_taken_out_of_the_campaign_are_not_in_it(self, world):
        Target.objects.filter(pk=world.target.pk).update(visibility=Target.Visibility.CAMPAIGN)
        path = make(world, "chile", "campaign", campaign_id=world.campaign.pk)
        assert len(events(path)) == 1
        CampaignTarget.objects.all().delete()
        assert events(path) == {}

    def test_it_no_longer_answers_when_the_organisation_has_left(self, world):
        path = make(world, "canary", "campaign", campaign_id=world.campaign.pk)
        assert fetch(path).status_code == 200
        Participation.objects.filter(organisation=world.organisations["canary"]).update(state="declined")
        assert fetch(path).status_code == 404

    def test_it_no_longer_answers_when_the_telescope_is_anothers(self, world):
        telescope = world.telescopes["chile"]
        path = make(world, "chile", "telescope", telescope_id=telescope.pk)
        place = make(world, "chile", "observatory", observatory_id=telescope.observatory_id)
        assert fetch(path).status_code == fetch(place).status_code == 200
        telescope.organisation = world.organisations["canary"]
        telescope.save()
        assert fetch(path).status_code == fetch(place).status_code == 404


class TestAddress:
    def test_only_a_hash_of_the_secret_is_kept(self, world):
        path = make(world, "chile", "organisation")
        secret = path.rpartition("/")[2].removesuffix(".ics")
        assert len(secret) >= 43
        feed = CalendarFeed.objects.get()
        assert feed.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
        assert secret.startswith(feed.prefix)
        kept = [*CalendarFeed.objects.values(), *CalendarFeed.history.values(), *Event.objects.values()]
        assert secret not in str(kept)
        assert {event["kind"] for event in Event.objects.values("kind")} == {"calendar.created"}

    def test_unknown_and_revoked_ones_look_alike(self, world):
        path = make(world, "chile", "organisation")
        assert fetch(path).status_code == 200
        revoke_calendar(CalendarFeed.objects.get().pk, actor=world.people["chile"])
        revoked, unknown = fetch(path), fetch("/feeds/calendar/" + "x" * 43 + ".ics")
        assert revoked.status_code == unknown.status_code == 404
        assert revoked.content == unknown.content
        assert dict(revoked.headers) == dict(unknown.headers)
        assert Event.objects.filter(kind="calendar.revoked").exists()
        with pytest.raises(ConflictError):
            revoke_calendar(CalendarFeed.objects.get().pk, actor=world.people["chile"])

    def test_the_secret_is_in_no_log(self, world, caplog):
        path = make(world, "chile", "organisation")
        secret = path.rpartition("/")[2].removesuffix(".ics")
        revoke_calendar(CalendarFeed.objects.get().pk)
        with caplog.at_level(logging.DEBUG):
            fetch(path)
        told = [record.getMessage() for record in caplog.records]
        assert any("/feeds/calendar/…" in line for line in told)
        assert not any(secret in line for line in told)

    def test_the_filter_knows_how_servers_log(self):
        class Atoms(dict):
            def __getitem__(self, key):
                return self.get(key, "-")

        line = "GET /feeds/calendar/abcSECRETdef.ics?x=1 HTTP/1.1"
        record = logging.LogRecord("gunicorn.access", 20, "", 0, "%(r)s %(a)s", None, None)
        record.args = Atoms(r=line)
        assert HideSecrets().filter(record)
        assert record.getMessage() == "GET /feeds/calendar/…?x=1 HTTP/1.1 -"
        record = logging.LogRecord("a", 20, "", 0, f"plain {line}", (), None)
        assert HideSecrets().filter(record)
        assert "SECRET" not in record.getMessage()

    def test_other_methods_are_refused(self, world):
        assert Client().post(make(world, "chile", "organisation")).status_code == 405


class TestConditionalReading:
    def test_what_has_not_changed_is_not_sent_again(self, world):
        path = make(world, "chile", "campaign", campaign_id=world.campaign.pk)
        first = fetch(path)
        tag, since = first["ETag"], first["Last-Modified"]
        same = fetch(path, headers={"If-None-Match": tag})
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", tag)
        assert "private" in same["Cache-Control"]
        assert fetch(path, headers={"If-Modified-Since": since}).status_code == 304
        world.claim("chile")
        assert fetch(path, headers={"If-None-Match": tag}).status_code == 200
        later = fetch(path, headers={"If-Modified-Since": since})
        assert later.status_code == 200
        assert later["Last-Modified"] != since
        assert fetch(path, headers={"If-Modified-Since": later["Last-Modified"]}).status_code == 304

    def test_head_answers_without_a_body(self, world):
        path = make(world, "chile", "organisation")
        answer = Client().head(path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer["ETag"] == fetch(path)["ETag"]

    def test_its_use_is_noted_once_a_minute(self, world, time_machine):
        path = make(world, "chile", "organisation")
        start = clock.now()
        for seconds in (0, 20, 70):
            time_machine.move_to(start + dt.timedelta(seconds=seconds), tick=False)
            fetch(path)
            used = CalendarFeed.objects.get().last_used_at
            assert used == start + dt.timedelta(seconds=0 if seconds == 20 else seconds)

    @pytest.mark.parametrize("kind", ["campaign", "organisation"])
    def test_the_number_of_queries_does_not_grow(self, world, django_assert_max_num_queries, kind):
        of = {"campaign_id": world.campaign.pk} if kind == "campaign" else {}
        path = make(world, "chile", kind, **of)
        for k in range(20):
            slot = make_slot(world.campaign, world.target, world.slot.starts_at + (k + 2) * HOUR)
            from tests.coordination.booking.conftest import make_seats

            seat = make_seats(slot, world.telescopes)["chile"]
            Booking.objects.create(
                telescope=seat.telescope,
                organisation=world.organisations["chile"],
                state="confirmed",
                observe_from=seat.observe_from,
                observe_until=seat.observe_until,
                starts_at=seat.observe_from,
                ends_at=seat.observe_until,
            )
        with django_assert_max_num_queries(5):
            answer = fetch(path)
        assert answer.content.count(b"BEGIN:VEVENT") >= 20


class TestWhoMayMakeThem:
    def test_members_without_a_role_may_not(self, world):
        person = User.objects.create_user("reader")
        Membership.objects.create(user=person, organisation=world.organisations["chile"], role="member")
        with pytest.raises(ForbiddenError):
            create_calendar(world.organisations["chile"].pk, "organisation", actor=person)
        feed, _ = create_calendar(world.organisations["chile"].pk, "organisation", actor=world.people["chile"])
        with pytest.raises(ForbiddenError):
            revoke_calendar(feed.pk, actor=person)

    def test_others_calendars_are_unknown(self, world):
        feed, _ = create_calendar(world.organisations["chile"].pk, "organisation", actor=world.people["chile"])
        with pytest.raises(UnknownError):
            revoke_calendar(feed.pk, actor=world.people["canary"])
        with pytest.raises(ForbiddenError):
            create_calendar(world.organisations["chile"].pk, "organisation", actor=world.people["canary"])

    def test_not_of_what_is_anothers(self, world):
        outside = Organisation.objects.create(name="Outside", slug="outside")
        person = User.objects.create_user("outside")
        Membership.objects.create(user=person, organisation=outside, role="manager")
        telescope = world.telescopes["chile"]
        for kind, of in (
            ("telescope", {"telescope_id": telescope.pk}),
            ("observatory", {"observatory_id": telescope.observatory_id}),
            ("campaign", {"campaign_id": world.campaign.pk}),
        ):
            with pytest.raises(ForbiddenError):
                create_calendar(outside.pk, kind, actor=person, **of)
        Campaign.objects.update(visibility="participants")
        with pytest.raises(DomainError, match="no such campaign"):
            create_calendar(outside.pk, "campaign", campaign_id=world.campaign.pk, actor=person)

    @pytest.mark.parametrize(
        ("kind", "of"),
        [
            ("organisation", {"telescope_id": 1}),
            ("telescope", {}),
            ("telescope", {"telescope_id": 999999}),
            ("observatory", {"observatory_id": 999999}),
            ("campaign", {"campaign_id": 1, "telescope_id": 1}),
            ("moon", {}),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, world, kind, of):
        with pytest.raises(DomainError):
            create_calendar(world.organisations["chile"].pk, kind, actor=world.people["chile"], **of)
        with pytest.raises(DomainError):
            create_calendar(999999, "organisation")


class TestAdmin:
    @pytest.fixture
    def client(self, world) -> Client:
        client = Client()
        client.force_login(world.people["chile"])
        return client

    def add(self, client, world, **given):
        data = {"organisation": world.organisations["chile"].pk, "kind": "organisation", **given}
        return client.post("/admin/feeds/calendarfeed/add/", data)

    def test_the_address_is_shown_once_and_works(self, client, world):
        answer = self.add(client, world, kind="telescope", telescope=world.telescopes["chile"].pk)
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        address = answer.context["address"]
        assert address in answer.content.decode()
        assert fetch(address.removeprefix("http://testserver")).status_code == 200
        secret = address.rpartition("/")[2].removesuffix(".ics")
        feed = CalendarFeed.objects.get()
        for page in ("", f"{feed.pk}/change/", f"{feed.pk}/history/"):
            shown = client.get(f"/admin/feeds/calendarfeed/{page}")
            assert shown.status_code == 200
            assert secret not in shown.content.decode()
        assert f"{feed.prefix}…" in client.get("/admin/feeds/calendarfeed/").content.decode()

    def test_a_refusal_is_shown(self, client, world):
        answer = self.add(client, world, kind="telescope")
        assert "A calendar is of one telescope, observatory or campaign" in answer.content.decode()
        assert not CalendarFeed.objects.exists()

    def test_only_ones_own_is_offered_and_accepted(self, client, world):
        page = client.get("/admin/feeds/calendarfeed/add/").content.decode()
        assert "1 m at chile" in page
        assert "1 m at canary" not in page
        assert "Institute of Canary" not in page
        self.add(client, world, organisation=world.organisations["canary"].pk)
        assert not CalendarFeed.objects.exists()

    def test_it_is_revoked_from_the_list(self, client, world):
        feed, path = create_calendar(world.organisations["chile"].pk, "organisation")
        other, _ = create_calendar(world.organisations["canary"].pk, "organisation")
        client.post(
            "/admin/feeds/calendarfeed/", {"action": "revoke", "_selected_action": [feed.pk, other.pk]}, follow=True
        )
        assert fetch(path).status_code == 404
        other.refresh_from_db()
        assert other.revoked_at is None
