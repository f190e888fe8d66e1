"""Organisations are walls: what another may see and do by the API, and how refusals look."""

import datetime as dt
import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from coordination.booking.models import Booking, Claim, Slot, TelescopeGrant
from coordination.booking.services import book_telescope, grant_telescope
from coordination.campaigns.models import Campaign, Participation
from coordination.common.models import Event
from observatories.models import Closure, Membership
from observatories.services import add_closure
from targets.models import Designation, Target

from .api import Api, fields
from .conftest import HOUR, MINUTE, make_organisation, make_seats, make_slot


def text(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


@pytest.fixture
def outsider(world) -> Api:
    """A scheduler of an organisation that takes part in nothing."""
    _, person = make_organisation("elsewhere")
    return Api(person)


@pytest.fixture
def secret(world) -> dict[str, int]:
    """A campaign for participants only, on a target that only they may know of, with something of every kind in it."""
    Target.objects.filter(pk=world.target.pk).update(visibility="campaign")
    Designation.objects.create(target=world.target, text="2026 AB1", key="2026AB1", kind="provisional")
    Campaign.objects.filter(pk=world.campaign.pk).update(visibility="participants")
    chile, start = world.telescopes["chile"].pk, world.slot.starts_at + 5 * HOUR
    claim = world.claim("chile")
    booking = book_telescope(
        chile, observe_from=start, observe_until=start + HOUR, hold=True, target_id=world.target.pk, actor=world.lead
    )
    closure = add_closure(telescope_id=chile, starts_at=start + 2 * HOUR, ends_at=start + 3 * HOUR, reason="secret")
    grant = grant_telescope(
        chile, world.organisations["hawaii"].pk, starts_at=start, ends_at=start + HOUR, campaign_id=world.campaign.pk
    )
    draft = make_slot(world.campaign, world.target, world.slot.starts_at + 9 * HOUR, state="draft")
    seats = make_seats(draft, {"chile": world.telescopes["chile"]})
    return {
        "slot": world.slot.pk, "claim": claim.pk, "booking": booking.pk, "closure": closure.pk, "grant": grant.pk,
        "draft": draft.pk, "seat": seats["chile"].pk, "telescope": chile, "campaign": world.campaign.slug,
    }  # fmt: skip


def every_write(world, it):
    """Method, address and a body that would be accepted from whose it is."""
    now = world.slot.starts_at + 20 * HOUR
    period = {"observe_from": text(now), "observe_until": text(now + HOUR)}
    span = {"starts_at": text(now), "ends_at": text(now + HOUR)}
    campaign, slot = f"campaigns/{it['campaign']}", f"slots/{it['slot']}"
    booking, claim = f"bookings/{it['booking']}", f"claims/{it['claim']}"
    return [
        ("patch", f"{campaign}/", {"title": "mine"}),
        ("post", f"{campaign}/open/", {}),
        ("post", f"{campaign}/close/", {}),
        ("post", f"{campaign}/complete/", {}),
        ("post", f"{campaign}/cancel/", {"reason": "why not"}),
        ("post", f"{campaign}/invitations/", {"organisation": "elsewhere"}),
        ("post", f"{campaign}/answer/", {"organisation": "elsewhere", "join": True}),
        ("post", f"{campaign}/answer/", {"organisation": "chile", "join": False}),
        ("post", f"{campaign}/targets/", {"designation": "2026 AB1"}),
        ("delete", f"{campaign}/targets/2026 AB1/", None),
        ("post", f"{campaign}/propose-slots/", {}),
        ("post", f"{campaign}/rapid-response/", {}),
        ("post", "slots/", {"campaign": it["campaign"], "target": "2026 AB1", **span}),
        ("patch", f"{slot}/", {"notes": "mine"}),
        ("post", f"slots/{it['draft']}/publish/", {}),
        ("post", f"{slot}/cancel/", {"reason": "why not"}),
        ("post", f"{slot}/complete/", {}),
        ("post", f"{slot}/propose-shift/", {"shift_s": 60}),
        ("post", f"{slot}/dismiss-review/", {}),
        ("delete", f"slots/{it['draft']}/seats/{it['seat']}/", None),
        ("post", "claims/", {"slot": it["slot"], "organisation": "elsewhere", "seats": [world.seats["canary"].pk]}),
        ("post", "claims/", {"slot": it["slot"], "organisation": "canary", "seats": [world.seats["canary"].pk]}),
        ("post", "claims/", {"slot": it["slot"], "seats": [world.seats["canary"].pk]}),
        ("post", f"{claim}/withdraw/", {}),
        ("post", f"{claim}/accept-shift/", {}),
        ("post", "bookings/", {"telescope": it["telescope"], **period}),
        ("post", f"{booking}/confirm/", {}),
        ("post", f"{booking}/release/", {}),
        ("post", f"{booking}/move/", period),
        ("post", f"{booking}/result/", {"result": "observed"}),
        ("post", "grants/", {"telescope": it["telescope"], "organisation": "elsewhere", **span}),
        ("delete", f"grants/{it['grant']}/", None),
        ("post", "closures/", {"telescope": it["telescope"], "reason": "mine", **span}),
        ("delete", f"closures/{it['closure']}/", None),
    ]


ADDRESSES = (
    "campaigns/{campaign}/", "slots/{slot}/", "slots/{draft}/", "claims/{claim}/", "bookings/{booking}/",
    "grants/{grant}/", "closures/{closure}/",
)  # fmt: skip
LISTS = ("campaigns/", "slots/", "claims/", "bookings/", "grants/", "closures/")


def state_of_everything() -> str:
    models = (Campaign, Participation, Slot, Claim, Booking, TelescopeGrant, Closure, Event)
    return repr([list(model.objects.order_by("pk").values()) for model in models])


def test_another_organisation_sees_and_changes_nothing(world, secret, outsider):
    before = state_of_everything()
    for address in ADDRESSES:
        outsider.get(address.format(**secret), 404)
    for address in LISTS:
        assert outsider.get(address)["results"] == []
    outsider.get(f"telescopes/{secret['telescope']}/occupied/", 403)
    assert outsider.get("slots/", claimable="true")["results"] == []
    for method, path, body in every_write(world, secret):
        answer = outsider.call(method, path, body)
        # 400: a campaign or target in the body that one may not know of is none; 403: a telescope that is another's.
        assert answer.status_code in (400, 403, 404), (method, path, answer.content)
        if (
            path.startswith(("campaigns/", "slots/", "claims/", "bookings/", "grants/", "closures/"))
            and path.count("/") > 1
        ):
            assert answer.status_code == 404 or "2026 AB1" in json.dumps(body), (method, path, answer.content)
        told = answer.content.decode().replace(json.dumps("2026 AB1"), "")  # what was asked may be repeated
        assert "Ranging of" not in told
        assert "secret" not in told
    assert state_of_everything() == before


def test_anonymous_callers_sign_in_before_they_write_or_read_what_is_somebodys(world, secret):
    before, nobody = state_of_everything(), Api()
    for method, path, body in every_write(world, secret):
        answer = nobody.call(method, path, body, 401)
        assert answer.json()["type"].endswith(":not-signed-in"), path
    for address in LISTS[2:]:
        assert nobody.get(address, 401)["type"].endswith(":not-signed-in")
    assert nobody.get("slots/", 401, claimable="true")["type"].endswith(":not-signed-in")
    for address in LISTS[:2]:
        assert nobody.get(address)["results"] == []
    assert state_of_everything() == before


def test_members_read_but_do_not_write(world, secret):
    Membership.objects.filter(user=world.people["chile"]).update(role="member")
    before, member = state_of_everything(), Api(world.people["chile"])
    for address in ADDRESSES:
        member.get(address.format(**secret))
    for method, path, body in every_write(world, secret):
        if body and body.get("organisation") == "elsewhere":
            continue  # no such organisation here
        assert member.call(method, path, body).status_code in (403, 409), path
    assert state_of_everything() == before


def test_a_target_of_signed_in_people_is_hidden_from_the_public_with_its_slots(world):
    Target.objects.filter(pk=world.target.pk).update(visibility="signed_in")
    assert Api().get("slots/")["results"] == []
    Api().get(f"slots/{world.slot.pk}/", 404)
    campaign = Api().get(f"campaigns/{world.campaign.slug}/")
    assert (campaign["targets"], campaign["slots"]) == ([], {})
    assert Api(world.people["hawaii"]).get("slots/")["results"][0]["target"]["designation"] == "2026 AB1"
    assert Api().get("slots/", 400, target="2026 AB1")["errors"][0]["field"] == "target"


def test_the_operator_of_a_granted_telescope_sees_when_it_is_booked_but_no_target_it_may_not_know_of(world):
    Target.objects.filter(pk=world.target.pk).update(visibility="campaign")
    TelescopeGrant.objects.create(
        telescope=world.telescopes["hawaii"], organisation=world.organisations["canary"],
        starts_at=world.slot.starts_at, ends_at=world.slot.ends_at,
    )  # fmt: skip
    body = {"slot": world.slot.pk, "organisation": "canary", "seats": [world.seats["hawaii"].pk]}
    claim = Api(world.people["canary"]).post("claims/", body, 201)
    assert claim["target"]["designation"] == "2026 AB1"
    Participation.objects.filter(organisation=world.organisations["hawaii"]).update(state="declined")
    operator = Api(world.people["hawaii"])
    (booking,) = operator.get("bookings/")["results"]
    assert (booking["target"], booking["organisation"]["slug"]) == (None, "canary")
    operator.get(f"claims/{claim['id']}/", 404)


def test_participants_see_all_claims_and_others_only_the_states_of_seats(world, outsider):
    world.claim("chile", note="clear")
    assert [each["organisation"]["slug"] for each in Api(world.people["hawaii"]).get("claims/")["results"]] == ["chile"]
    seen = outsider.get(f"slots/{world.slot.pk}/")
    assert seen["claims"] == []
    assert "held" in {seat["state"] for seat in seen["seats"]}
    assert {seat["why_not"]["code"] for seat in seen["seats"]} == {"not-joined"}


def test_occupied_times_are_plain_intervals(world, secret):
    (occupied,) = [Api(world.people["canary"]).get(f"telescopes/{secret['telescope']}/occupied/")["occupied"]]
    assert [set(each) for each in occupied] == [{"starts_at", "ends_at"}] * 3
    assert occupied[0]["ends_at"] == text(world.slot.ends_at)
    after = text(world.slot.ends_at + HOUR)
    rest = Api(world.people["canary"]).get(f"telescopes/{secret['telescope']}/occupied/", after=after)["occupied"]
    assert rest == occupied[1:]
    Api(world.people["canary"]).get("telescopes/999999/occupied/", 404)
    wrong = Api(world.people["canary"]).get(
        f"telescopes/{secret['telescope']}/occupied/", 400, after="2026-01-01T00:00"
    )
    assert fields(wrong) == {"after"}
    assert "zone" in wrong["detail"]


def test_a_conflict_gives_the_interval_and_a_closed_slot_its_state(world):
    canary = Api(world.people["canary"])
    body = {"slot": world.slot.pk, "seats": [world.seats["canary"].pk]}
    canary.post("claims/", body, 201)
    again = canary.post("claims/", body, 409)
    assert (again["code"], again["conflict"]["holder"]) == ("booked", "canary")
    assert again["conflict"]["ends_at"] == text(world.slot.ends_at)
    booked = {
        "telescope": world.telescopes["canary"].pk, "observe_from": text(world.slot.starts_at - MINUTE),
        "observe_until": text(world.slot.ends_at),
    }  # fmt: skip
    assert canary.post("bookings/", booked, 409)["conflict"]["kind"] == "booking"
    Slot.objects.filter(pk=world.slot.pk).update(state="cancelled")
    over = canary.post("claims/", body, 409)
    assert (over["code"], over["state"]) == ("slot-not-open", "cancelled")


def test_who_schedules_for_several_participants_says_for_which(world):
    Membership.objects.create(
        user=world.people["chile"], organisation=world.organisations["canary"], role=Membership.Role.SCHEDULER
    )
    refused = Api(world.people["chile"]).post(
        "claims/", {"slot": world.slot.pk, "seats": [world.seats["chile"].pk]}, 400
    )
    assert refused["errors"] == [
        {"field": "organisation", "detail": "Say for which organisation.", "expected": "canary, chile"}
    ]


BAD = [
    ("claims/", {"slot": 1, "seats": [1], "sits": 2}, "sits"),
    ("claims/", {"slot": "1", "seats": [1]}, "slot"),
    ("claims/", {"slot": True, "seats": [1]}, "slot"),
    ("claims/", {"slot": 10**30, "seats": [1]}, "slot"),
    ("claims/", {"slot": 1, "seats": {"0": 1}}, "seats"),
    ("claims/", {"slot": 1, "seats": [1, 1]}, "seats"),
    ("claims/", {"slot": 1, "seats": [[1]]}, "seats.0"),
    ("claims/", {"slot": 1, "seats": [1], "allow_waiting": "yes"}, "allow_waiting"),
    ("claims/", {"slot": 1, "seats": [1], "note": "nul \x00"}, "note"),
    ("claims/", {"seats": [1]}, "slot"),
    ("bookings/", {"telescope": 1, "observe_from": "2026-12-01T20:00:00", "observe_until": 5}, "observe_from"),
    ("bookings/", {"telescope": 1, "observe_from": "0001-01-01T00:00:00Z", "observe_until": None}, "observe_from"),
    ("bookings/", {"telescope": 1, "observe_from": "9999-12-31T23:59:59-12:00", "observe_until": ""}, "observe_from"),
    ("closures/", {"telescope": 1, "starts_at": "2026-12-01T20:00", "ends_at": "x", "reason": ""}, "reason"),
    ("grants/", {"telescope": 1, "organisation": 5, "starts_at": [], "ends_at": {}}, "organisation"),
    ("campaigns/", {"kind": "party", "min_baseline_km": True}, "min_baseline_km"),
    ("campaigns/", {"kind": "party", "min_sites": 2.5}, "min_sites"),
    ("slots/", {"campaign": "x\x00", "target": None}, "campaign"),
]


@pytest.mark.parametrize(("path", "body", "field"), BAD)
def test_bad_bodies_are_refused_by_field(world, path, body, field):
    refused = Api(world.people["chile"]).post(path, body, 400)
    assert field in fields(refused)


@pytest.mark.parametrize(
    "raw",
    [b"[]", b"null", b"5", b'"x"', b"{", b"\xff\xfe", b'{"slot": NaN}', b'{"slot": 1e999, "seats": [1]}', b"\x00"],
)
def test_what_is_no_proper_body_is_refused(world, raw):
    client = Client()
    client.force_login(world.people["chile"])
    answer = client.post("/api/v1/claims/", raw, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    form = client.post("/api/v1/claims/", {"slot": 1})
    assert (form.status_code, form["Content-Type"]) == (415, "application/problem+json")


def test_a_naive_time_is_shown_with_what_is_expected(world):
    body = {"telescope": world.telescopes["chile"].pk, "observe_from": "2026-12-01T20:00:00"}
    body["observe_until"] = "2026-12-01T21:00:00Z"
    (error,) = Api(world.people["chile"]).post("bookings/", body, 400)["errors"]
    assert (error["field"], error["value"]) == ("observe_from", "2026-12-01T20:00:00")
    assert "2026-11-22T18:00:00Z" in error["expected"]


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("slots/", {"campaign": "nothing"}, "campaign"),
        ("slots/", {"claimable": "maybe"}, "claimable"),
        ("slots/", {"telescope": "1e40"}, "telescope"),
        ("slots/", {"after": "2026-12-01T20:00:00"}, "after"),
        ("slots/", {"organisation": "nobody"}, "organisation"),
        ("slots/", {"cursor": "WyJ4IiwieSJd"}, "cursor"),
        ("claims/", {"slot": "999999"}, "slot"),
        ("claims/", {"stat": "held"}, "stat"),
        ("bookings/", {"state": "lost"}, "state"),
        ("closures/", {"telescope": "0"}, "telescope"),
    ],
)
def test_bad_parameters_are_refused_by_name(world, path, query, field):
    assert field in fields(Api(world.people["chile"]).get(path, 400, **query))


def test_pages_and_filters_of_slots_in_a_fixed_number_of_queries(world, django_assert_num_queries):
    for k in range(5):
        make_seats(make_slot(world.campaign, world.target, world.slot.starts_at + (k + 1) * HOUR), world.telescopes)
    world.claim("chile")
    chile = Api(world.people["chile"])
    seen, page = [], chile.get("slots/", limit=2)
    while page["next"]:
        seen += page["results"]
        page = chile.client.get(page["next"]).json()
    seen += page["results"]
    assert [slot["id"] for slot in seen] == list(Slot.objects.order_by("starts_at", "pk").values_list("pk", flat=True))
    telescope = world.telescopes["chile"].pk
    query = {"campaign": world.campaign.slug, "target": "2026 AB1", "organisation": "chile", "telescope": telescope}
    Designation.objects.create(target=world.target, text="2026 AB1", key="2026AB1", kind="provisional")
    assert len(chile.get("slots/", **query)["results"]) == 6
    for limit in (1, 6):
        with django_assert_num_queries(17):
            chile.get("slots/", limit=limit)


@pytest.mark.parametrize("path", LISTS)
def test_a_page_costs_the_same_whatever_its_length(world, path):
    chile = Api(world.people["chile"])
    counts = []
    for slug in ("chile", "canary", "australia"):
        world.claim(slug)
        with CaptureQueriesContext(connection) as captured:
            assert chile.get(path)["results"] or path in ("grants/", "closures/")
        counts.append(len(captured))
    assert counts[0] == counts[-1] <= 20
