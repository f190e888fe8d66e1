"""A partner's system does with a token what its scopes say, and it is recorded under its name."""

import datetime as dt

import pytest
import time_machine
from rest_framework.test import APIClient

from coordination.booking.models import Booking, Claim
from coordination.common import clock
from coordination.common.models import Event
from coordination.partners.services import create_token

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def system(world):
    """A client with a token of an organisation."""

    def system(slug: str, *scopes: str) -> APIClient:
        _, text = create_token(world.organisations[slug].pk, name="night robot", scopes=scopes)
        client = APIClient(enforce_csrf_checks=True)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        return client

    return system


def claim_of(world, slug: str) -> dict:
    return {"slot": world.slot.pk, "organisation": slug, "seats": [world.seats[slug].pk]}


def test_a_system_finds_a_seat_claims_it_and_withdraws(world, system):
    robot = system("canary", "read", "claim")
    [slot] = robot.get("/api/v1/slots/", {"claimable": "true"}).json()["results"]
    assert slot["id"] == world.slot.pk
    made = robot.post("/api/v1/claims/", claim_of(world, "canary"), format="json")
    assert made.status_code == 201, made.content
    claim = Claim.objects.get()
    event = Event.objects.filter(kind="claim.held").get()
    assert (claim.created_by, event.actor) == (None, None)
    assert event.system.startswith("canary: night robot (neo_")
    assert claim.history.first().history_change_reason == event.system
    assert robot.post(f"/api/v1/claims/{claim.pk}/withdraw/", {}, format="json").status_code == 200


def test_a_system_claims_for_its_own_organisation_only(world, system):
    answer = system("canary", "read", "claim").post("/api/v1/claims/", claim_of(world, "hawaii"), format="json")
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("claims/", "claim"),
        ("bookings/", "claim"),
        ("bookings/1/result/", "report"),
        ("slots/", "manage"),
        ("campaigns/", "manage"),
        ("grants/", "manage"),
        ("closures/", "manage"),
        ("webhooks/", "manage"),
    ],
)
def test_each_action_needs_its_scope_and_says_which(world, system, path, scope):
    others = {"read", "claim", "manage", "report"} - {scope}
    answer = system("chile", *others).post(f"/api/v1/{path}", {}, format="json")
    assert (answer.status_code, answer.json()["needed_scope"]) == (403, scope)
    assert system("chile", scope).post(f"/api/v1/{path}", {}, format="json").status_code in (400, 404)


def test_a_system_that_manages_closes_a_telescope_and_one_that_reports_tells_a_result(world, system):
    begin = clock.now() + 48 * HOUR
    closure = {
        "telescope": world.telescopes["chile"].pk, "reason": "coating",
        "starts_at": begin.isoformat(), "ends_at": (begin + HOUR).isoformat(),
    }  # fmt: skip
    assert system("chile", "manage").post("/api/v1/closures/", closure, format="json").status_code == 201
    world.claim("chile")
    booking = Booking.objects.get()
    Booking.objects.update(state=Booking.State.DONE)
    with time_machine.travel(booking.observe_until + HOUR):
        path = f"/api/v1/bookings/{booking.pk}/result/"
        told = system("chile", "report").post(path, {"result": "observed"}, format="json")
    assert told.status_code == 200, told.content
    booking.refresh_from_db()
    assert booking.result == "observed"
