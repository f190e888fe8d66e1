"""A whole campaign by the API, with real telescopes, a real asteroid and the sky as it will be."""

import datetime as dt

import pytest
import time_machine

from coordination.booking.services import advance_slots
from observatories.models import Organisation, User
from tests.network import catalogue, network

from .api import Api
from .conftest import MINUTE, make_organisation

__all__ = ["catalogue", "network"]
NOW = dt.datetime(2027, 1, 30, 12, tzinfo=dt.UTC)


@pytest.fixture
def people(catalogue, network) -> dict[str, Api]:
    """Somebody signed in for each of four organisations with a telescope."""
    found = {}
    for telescope in network[:4]:
        slug = telescope.name[-3:].lower()
        telescope.organisation, person = make_organisation(slug)
        telescope.save()
        with time_machine.travel(NOW, tick=False):
            found[slug] = Api(person)
    return found


def instant(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_from_the_draft_to_the_completed_campaign(people):
    lead, others = people["w84"], [slug for slug in people if slug != "w84"]
    with time_machine.travel(NOW, tick=False):
        made = lead.post(
            "campaigns/",
            {
                "title": "Ganymed", "slug": "ganymed", "aim": "Its distance.", "kind": "ranging",
                "lead_organisation": "w84", "starts_at": instant(NOW), "ends_at": instant(NOW + dt.timedelta(days=6)),
                "visibility": "participants",
            },
            201,
        )  # fmt: skip
        assert made["state"] == "draft"
        assert made["requirements"]["min_baseline_km"] == 3000.0  # as close-approach ranging needs it
        assert lead.patch("campaigns/ganymed/", {"observation_count": 2})["requirements"]["observation_count"] == 2
        for slug in others:
            people[slug].get("campaigns/ganymed/", 404)
            invited = lead.post("campaigns/ganymed/invitations/", {"organisation": slug}, 201)
            assert invited["state"] == "invited"
            joined = people[slug].post("campaigns/ganymed/answer/", {"organisation": slug, "join": True})
            assert joined["state"] == "joined"
        lead.post("campaigns/ganymed/open/", status=409)
        lead.post("campaigns/ganymed/targets/", {"designation": "Ganymed"}, 201)
        assert lead.post("campaigns/ganymed/open/")["state"] == "open"

        would = lead.post("campaigns/ganymed/propose-slots/?dry_run=true", {"target": "1036", "count": 1})
        assert lead.get("slots/")["results"] == []
        drafts = lead.post("campaigns/ganymed/propose-slots/", {"target": "1036", "count": 1}, 201)["slots"]
        (slot,) = drafts
        given = ("id", "seats")
        assert would["refusals"] == []
        assert [{k: v for k, v in each.items() if k not in given} for each in would["would"]["slots"]] == [
            {k: v for k, v in slot.items() if k not in given}
        ]
        seats = {seat["telescope"]["organisation"]: seat for seat in slot["seats"]}
        assert len(seats) >= 2
        assert "sites at once" in slot["reason"]
        address = f"slots/{slot['id']}/"
        assert lead.get("slots/", claimable="true")["results"] == []
        assert lead.post(f"{address}publish/")["state"] == "open"

        first, second = list(seats)[:2]
        (offered,) = people[first].get("slots/", claimable="true")["results"]
        mine = next(seat for seat in offered["seats"] if seat["claimable"])
        assert mine["claimable_by"] == [first]
        foreign = next(seat for seat in offered["seats"] if seat["id"] == seats[second]["id"])
        assert foreign["why_not"]["code"] == "not-yours"

        claim = people[first].post("claims/", {"slot": slot["id"], "seats": [mine["id"]]}, 201)
        assert claim["state"] == "held"
        other = people[second].post("claims/", {"slot": slot["id"], "seats": [seats[second]["id"]]}, 201)
        assert other["state"] == "confirmed"
        seen = people[first].get(address)
        assert (seen["state"], seen["quorum"]["there"]["holds"]) == ("confirmed", True)
        assert {each["organisation"]["slug"] for each in seen["claims"]} == {first, second}

        people[first].post(f"claims/{other['id']}/withdraw/", status=403)
        assert people[second].post(f"claims/{other['id']}/withdraw/", {"reason": "clouds"})["state"] == "withdrawn"
        seen = lead.get(address)
        assert (seen["state"], seen["needs_replacement"]) == ("confirmed", True)
        # The place is free again; whoever has a telescope there may replace it.
        again = people[second].post("claims/", {"slot": slot["id"], "seats": [seats[second]["id"]]}, 201)
        assert again["state"] == "confirmed"
        assert lead.get(address)["needs_replacement"] is False
        assert lead.get("campaigns/ganymed/")["slots"] == {"confirmed": 1}

    ends_at = dt.datetime.fromisoformat(slot["ends_at"])
    with time_machine.travel(ends_at - MINUTE, tick=False):
        advance_slots()
        again_signed_in = {slug: Api(User.objects.get(username=slug)) for slug in people}
        for slug in (first, second):
            (booking,) = again_signed_in[slug].get("bookings/", state="confirmed")["results"]
            assert booking["target"]["name"] == "Ganymed"
            told = {"result": "observed", "note": "as planned"}
            assert again_signed_in[slug].post(f"bookings/{booking['id']}/result/", told)["state"] == "done"
    with time_machine.travel(ends_at + MINUTE, tick=False):
        advance_slots()
        lead = Api(User.objects.get(username="w84"))
        assert lead.get(address)["state"] == "completed"
        lead.post("campaigns/ganymed/complete/", status=409)  # it is still open
        assert lead.post("campaigns/ganymed/close/")["state"] == "closed"
        assert lead.post("campaigns/ganymed/complete/")["state"] == "completed"
    assert Organisation.objects.filter(slug__in=people).count() == 4


def test_rapid_response_publishes_open_slots_which_are_claimed_by_telescope(people):
    lead = people["w84"]
    with time_machine.travel(NOW, tick=False):
        lead.post(
            "campaigns/",
            {
                "title": "New", "slug": "new", "aim": "Confirm it.", "kind": "rapid_response",
                "lead_organisation": "w84", "starts_at": instant(NOW), "ends_at": instant(NOW + dt.timedelta(days=2)),
            },
            201,
        )  # fmt: skip
        lead.post("campaigns/new/targets/", {"designation": "Ganymed"}, 201)
        lead.post("campaigns/new/rapid-response/", status=409)
        lead.post("campaigns/new/open/")
        slots = lead.post("campaigns/new/rapid-response/", {"hours": 24}, 201)["slots"]
        assert {(slot["state"], slot["kind"]) for slot in slots} == {("open", "open")}
        (seat,) = slots[0]["seats"]
        assert (seat["id"], seat["telescope"]["organisation"]) == (None, "w84")
        assert seat["why_not"]["code"] == "window-unknown"  # nothing is stored yet; a claim computes it
        body = {"slot": slots[0]["id"], "telescopes": [seat["telescope"]["id"]]}
        assert lead.post("claims/", body, 201)["state"] == "confirmed"
        assert lead.get(f"slots/{slots[0]['id']}/")["seats"][0]["why_not"]["code"] == "booked"
