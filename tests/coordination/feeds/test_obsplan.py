"""Planned observations as ivoa.obsplan, read as clients of the Virtual Observatory read them."""

import datetime as dt
import json

import numpy as np
import pytest
from django.test import Client
from pyvo.dal import DALQuery

from coordination.booking.models import Booking, Slot
from coordination.booking.services import cancel_slot
from coordination.campaigns.models import Campaign, Participation
from coordination.common import clock
from coordination.feeds.dali import to_mjd
from observatories.models import Membership, Observatory, User
from targets.models import Target
from tests.coordination.booking.conftest import make_seats, make_slot

from .vo import read, rows, session, statuses

URL = "/vo/obsplan/"

# ObsLocTAP 1.0, section 3: name, unit, and whether it is never null.
STANDARD = (
    ("t_planning", "d", True), ("target_name", "", False), ("obs_id", "", True), ("obs_collection", "", False),
    ("s_ra", "deg", False), ("s_dec", "deg", False), ("s_fov", "deg", False), ("s_region", "", False),
    ("s_resolution", "arcsec", False), ("t_min", "d", False), ("t_max", "d", False), ("t_exptime", "s", False),
    ("t_resolution", "s", False), ("em_min", "m", False), ("em_max", "m", False), ("em_res_power", "", False),
    ("o_ucd", "", False), ("pol_states", "", False), ("pol_xel", "", False), ("facility_name", "", True),
    ("instrument_name", "", False), ("t_plan_exptime", "s", False), ("category", "", True), ("priority", "", True),
    ("execution_status", "", True), ("tracking_type", "", True),
)  # fmt: skip


@pytest.fixture
def plan(world):
    Slot.objects.update(middle_ra_deg=123.4, middle_dec_deg=-5.6)
    return world


def ask(client, **query) -> list[dict]:
    answer = client.get(URL, query)
    assert answer.status_code == 200, answer.content
    return answer.json()["rows"]


def status_of(client, slot) -> dict[str, str]:
    """By telescope."""
    found = ask(client, TIME="0/99999")
    return {
        row["facility_name"].partition(",")[0].removeprefix("1 m at "): row["execution_status"]
        for row in found
        if row["obs_id"].startswith(f"slot-{slot.pk}/")
    }


@pytest.mark.django_db
class TestColumns:
    def test_all_26_are_there_with_their_units(self, client, plan):
        votable = read(client.get(URL, {"RESPONSEFORMAT": "votable"}).content)
        table = votable.get_first_table()
        assert [(field.name, str(field.unit or "")) for field in table.fields] == [
            (name, unit) for name, unit, _ in STANDARD
        ]
        assert len(STANDARD) == 26
        assert table.utype == "ivo://ivoa.net/std/ObsLocTAP#table-1.0"
        assert statuses(votable) == ["OK"]
        told = client.get(URL).json()
        assert [column["name"] for column in told["columns"]] == [name for name, _, _ in STANDARD]
        assert all(list(row) == [name for name, _, _ in STANDARD] for row in told["rows"])

    def test_a_published_slot_is_a_row_for_each_seat(self, client, plan):
        found = ask(client)
        assert len(found) == 4
        row = next(row for row in found if row["facility_name"].startswith("1 m at chile"))
        assert row["obs_id"] == f"slot-{plan.slot.pk}/seat-{plan.seats['chile'].pk}"
        assert row["target_name"] == "2026 AB1"
        assert row["obs_collection"] == "Ranging of 2026 AB1"
        assert (row["s_ra"], row["s_dec"]) == (123.4, -5.6)
        assert row["s_fov"] == pytest.approx(0.5 * 2**0.5, abs=1e-4)
        assert row["t_min"] == pytest.approx(to_mjd(plan.slot.starts_at), abs=1e-8)
        assert row["t_max"] == pytest.approx(to_mjd(plan.slot.ends_at), abs=1e-8)
        assert row["t_plan_exptime"] == 1800.0
        assert row["t_exptime"] is None
        assert (row["category"], row["priority"]) == ("Coordinated", 1)
        assert row["tracking_type"] == "Solar-system-object-tracking"
        assert row["execution_status"] == "Planned"
        assert row["t_planning"] == pytest.approx(to_mjd(clock.now()), abs=0.01)

    def test_both_forms_say_the_same(self, client, plan):
        plan.claim("chile")
        plan.claim("hawaii")
        told = ask(client)
        votable = read(client.get(URL, {"RESPONSEFORMAT": "application/x-votable+xml"}).content)
        for row, other in zip(told, rows(votable), strict=True):
            for name, value in row.items():
                there = other[name]
                if value is None:
                    assert np.ma.is_masked(there) or there == "" or np.isnan(there), name
                elif isinstance(value, float):
                    assert there == pytest.approx(value, abs=1e-9)
                else:
                    assert there == value

    def test_names_in_any_script_arrive(self, client, plan):
        Observatory.objects.filter(telescopes=plan.telescopes["chile"]).update(name="Cañada ★")
        votable = read(client.get(URL, {"RESPONSEFORMAT": "votable"}).content)
        assert "1 m at chile, Cañada ★" in {row["facility_name"] for row in rows(votable)}

    def test_what_the_standard_wants_is_never_null(self, client, plan):
        plan.claim("chile")
        plan.claim("hawaii")
        for row in ask(client):
            assert all(row[name] is not None for name, _, never_null in STANDARD if never_null)
            if row["execution_status"] == "Scheduled":
                assert row["t_exptime"] == 1800.0
                assert row["priority"] == 2


@pytest.mark.django_db
class TestStatus:
    def test_it_follows_the_slot_and_its_bookings(self, client, plan):
        assert set(status_of(client, plan.slot).values()) == {"Planned"}
        plan.claim("chile")
        assert status_of(client, plan.slot)["chile"] == "Planned"
        plan.claim("hawaii")
        assert status_of(client, plan.slot) == {
            "chile": "Scheduled", "hawaii": "Scheduled", "canary": "Planned", "australia": "Planned"
        }  # fmt: skip
        Booking.objects.filter(telescope=plan.telescopes["chile"]).update(state="done", result="observed")
        Booking.objects.filter(telescope=plan.telescopes["hawaii"]).update(state="failed", result="failed_weather")
        Slot.objects.update(state="completed")
        assert status_of(client, plan.slot) == {
            "chile": "Performed", "hawaii": "Aborted", "canary": "Unscheduled", "australia": "Unscheduled"
        }  # fmt: skip

    def test_a_cancelled_slot_is_unscheduled_and_its_planning_time_moves(self, client, plan, time_machine):
        plan.claim("chile")
        plan.claim("hawaii")
        before = ask(client)
        later = clock.now() + dt.timedelta(hours=1)
        time_machine.move_to(later, tick=False)
        cancel_slot(plan.slot.pk, reason="clouds", actor=plan.lead)
        assert set(status_of(client, plan.slot).values()) == {"Unscheduled"}
        for old, new in zip(before, ask(client), strict=True):
            assert new["obs_id"] == old["obs_id"]
            assert new["t_planning"] == pytest.approx(to_mjd(later), abs=1e-6)
            assert new["t_planning"] > old["t_planning"]


@pytest.mark.django_db
class TestWhoSeesWhat:
    def test_of_a_hidden_target_only_period_and_facility_are_told(self, client, plan):
        Target.objects.update(visibility=Target.Visibility.CAMPAIGN)
        content = client.get(URL).content
        assert b"2026 AB1" not in content
        for row in json.loads(content)["rows"]:
            assert {row[name] for name in ("target_name", "s_ra", "s_dec", "obs_collection")} == {None}
            assert row["facility_name"]
            assert row["t_max"] > row["t_min"]
        as_votable = client.get(URL, {"RESPONSEFORMAT": "votable"}).content
        assert b"2026 AB1" not in as_votable
        assert all(np.ma.is_masked(row["s_ra"]) or np.isnan(row["s_ra"]) for row in rows(read(as_votable)))
        taking_part = Client()
        taking_part.force_login(plan.people["canary"])
        assert {row["target_name"] for row in ask(taking_part)} == {"2026 AB1"}

    def test_signed_in_targets_are_named_to_whoever_is_signed_in(self, client, signed_in_client, plan):
        Target.objects.update(visibility=Target.Visibility.SIGNED_IN)
        assert {row["target_name"] for row in ask(client)} == {None}
        assert {row["target_name"] for row in ask(signed_in_client)} == {"2026 AB1"}

    def test_campaigns_of_participants_are_theirs(self, client, signed_in_client, plan):
        Campaign.objects.update(visibility=Campaign.Visibility.PARTICIPANTS)
        assert ask(client) == ask(signed_in_client) == []
        day = f"{URL}{plan.slot.starts_at:%Y-%m-%d}.json"
        assert client.get(day).json()["rows"] == []
        invited = User.objects.create_user("invited")
        organisation = plan.organisations["hawaii"]
        Membership.objects.create(user=invited, organisation=organisation, role="member")
        taking_part = Client()
        taking_part.force_login(invited)
        assert len(ask(taking_part)) == 4
        # A file is the same for everybody: shared caches keep it.
        assert taking_part.get(day).json()["rows"] == []

    def test_drafts_are_for_those_who_joined(self, client, plan):
        Slot.objects.update(state="draft")
        assert ask(client) == []
        person = Client()
        person.force_login(plan.people["hawaii"])
        assert {row["execution_status"] for row in ask(person)} == {"Planned"}
        Participation.objects.update(state="invited")
        assert ask(person) == []

    def test_local_use_is_in_no_plan(self, client, plan):
        from coordination.booking.services import book_telescope

        book_telescope(
            plan.telescopes["chile"].pk,
            observe_from=plan.slot.starts_at + dt.timedelta(hours=3),
            observe_until=plan.slot.starts_at + dt.timedelta(hours=4),
            purpose="nobody's business",
            actor=plan.people["chile"],
        )
        assert len(ask(client)) == 4


@pytest.mark.django_db
class TestQuestions:
    def test_time_facility_and_status_choose(self, client, plan):
        Observatory.objects.filter(telescopes=plan.telescopes["chile"]).update(mpc_code="W84")
        later = make_slot(plan.campaign, plan.target, plan.slot.starts_at + dt.timedelta(days=2))
        make_seats(later, plan.telescopes)
        assert len(ask(client)) == 8
        start = to_mjd(plan.slot.starts_at)
        assert len(ask(client, TIME=f"{start}/{start + 1}")) == 4
        assert len(ask(client, TIME=f"/{start + 1}")) == 4
        assert len(ask(client, time=f"{start + 1}/")) == 4
        assert len(ask(client, FACILITY="w84")) == 2
        assert len(ask(client, FACILITY=["w84", "1 m at hawaii"])) == 4
        plan.claim("chile")
        plan.claim("hawaii")
        assert len(ask(client, EXECUTION_STATUS="scheduled")) == 2
        assert len(ask(client, EXECUTION_STATUS=["Scheduled", "Planned"])) == 8

    def test_without_a_time_it_begins_now(self, client, plan, time_machine):
        time_machine.move_to(plan.slot.ends_at + dt.timedelta(seconds=1))
        assert ask(client) == []
        assert len(ask(client, TIME="0/99999")) == 4

    def test_more_than_maxrec_is_an_overflow(self, client, plan):
        told = client.get(URL, {"MAXREC": 3}).json()
        assert (told["query_status"], len(told["rows"])) == ("OVERFLOW", 3)
        votable = read(client.get(URL, {"MAXREC": 3, "RESPONSEFORMAT": "votable"}).content)
        assert (statuses(votable), len(rows(votable))) == (["OVERFLOW"], 3)
        assert client.get(URL, {"MAXREC": 4}).json()["query_status"] == "OK"
        assert client.get(URL, {"MAXREC": 0}).json()["rows"] == []

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ({"EXECUTION_STATUS": "maybe"}, "Planned, Scheduled"),
            ({"FACILITY": "nowhere"}, "nowhere"),
            ({"TIME": "x/y"}, "TIME"),
            ({"MAXREC": "many"}, "MAXREC"),
            ({"QUERY": "SELECT * FROM ivoa.obsplan"}, "not a parameter"),
        ],
    )
    def test_refusals_say_why_in_the_form_asked_for(self, client, plan, query, told):
        answer = client.get(URL, {**query, "RESPONSEFORMAT": "json"})
        assert (answer.status_code, answer.json()["query_status"]) == (400, "ERROR")
        assert told in answer.json()["message"]
        answer = client.get(URL, {**query, "RESPONSEFORMAT": "votable"})
        votable = read(answer.content)
        assert (answer.status_code, statuses(votable)) == (400, ["ERROR"])
        assert told in votable.resources[0].infos[0].content

    def test_the_number_of_queries_does_not_grow(self, client, plan, django_assert_num_queries):
        for k in range(10):
            make_seats(
                make_slot(plan.campaign, plan.target, plan.slot.starts_at + dt.timedelta(hours=k + 1)), plan.telescopes
            )
        for most in (1, 100):
            with django_assert_num_queries(1):
                client.get(URL, {"MAXREC": most})

    def test_pyvo_reads_it(self, client, plan):
        query = DALQuery(f"http://testserver{URL}", session=session(client), RESPONSEFORMAT="votable")
        found = query.execute()
        assert len(found) == 4
        assert found.fieldname_with_utype("Provenance.ObsConfig.Facility.name") == "facility_name"
        assert set(found["execution_status"]) == {"Planned"}


@pytest.mark.django_db
class TestDays:
    def test_a_file_holds_what_lies_in_its_day(self, client, plan):
        starts = dt.datetime(2031, 1, 5, 23, 45, tzinfo=dt.UTC)
        slot = make_slot(plan.campaign, plan.target, starts)
        make_seats(slot, plan.telescopes)
        for day, expected in (("2031-01-04", 0), ("2031-01-05", 4), ("2031-01-06", 4), ("2031-01-07", 0)):
            assert len(client.get(f"{URL}{day}.json").json()["rows"]) == expected
            answer = client.get(f"{URL}{day}.xml")
            assert answer["Content-Type"] == "application/x-votable+xml"
            assert len(rows(read(answer.content))) == expected

    def test_it_is_sent_again_only_when_it_has_changed(self, client, plan):
        for ending in ("json", "xml"):
            path = f"{URL}{plan.slot.starts_at:%Y-%m-%d}.{ending}"
            first = client.get(path)
            assert "public" in first["Cache-Control"]
            assert "Cookie" not in first.get("Vary", "")
            assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
        cancel_slot(plan.slot.pk, reason="clouds", actor=plan.lead)
        again = client.get(path, headers={"If-None-Match": first["ETag"]})
        assert again.status_code == 200

    @pytest.mark.parametrize(
        "name", ["2026-13-01.json", "2026-02-30.xml", "2026-11-24.csv", "9999-12-31.json", "x.xml"]
    )
    def test_days_that_are_none_are_not_found(self, client, name):
        assert client.get(f"{URL}{name}").status_code == 404
