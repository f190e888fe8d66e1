"""A dry run tells what would come of a request and every reason why not, and changes nothing."""

import pytest

from coordination.booking.models import Booking, Claim, Seat, Slot
from coordination.booking.services import book_telescope
from coordination.campaigns.models import Campaign, Participation
from coordination.common import clock
from coordination.common.models import KeptAnswer
from observatories.models import Telescope
from observatories.services import add_closure

from .api import Api
from .conftest import HOUR, MINUTE
from .test_api_walls import state_of_everything, text


@pytest.fixture
def canary(world):
    return Api(world.people["canary"])


@pytest.fixture
def unchanged(world, django_capture_on_commit_callbacks):
    """That nothing is changed, no event written and no task queued by what is done inside."""
    before = state_of_everything() + repr(list(Seat.objects.order_by("pk").values()))
    with django_capture_on_commit_callbacks() as callbacks:
        yield
    assert callbacks == []
    assert state_of_everything() + repr(list(Seat.objects.order_by("pk").values())) == before


def test_a_claim_that_would_confirm_its_slot_says_so(world, canary, request):
    world.claim("chile")
    request.getfixturevalue("unchanged")
    body = {"slot": world.slot.pk, "seats": [world.seats["canary"].pk], "note": "clear"}
    told = canary.post("claims/?dry_run=true", body)
    assert (told["dry_run"], told["refusals"]) == (True, [])
    would = told["would"]
    assert (would["id"], would["state"], would["slot_state"], would["note"]) == (
        None,
        "confirmed",
        "confirmed",
        "clear",
    )
    assert [seat["id"] for seat in would["seats"]] == [world.seats["canary"].pk]


def test_what_would_be_done_is_what_is_done(world, canary):
    body = {"slot": world.slot.pk, "seats": [world.seats["canary"].pk]}
    would = canary.post("claims/?dry_run=true", body)["would"]
    done = canary.post("claims/?dry_run=false", body, 201)
    given = ("id", "created_at")
    assert {k: v for k, v in done.items() if k not in given} == {k: v for k, v in would.items() if k not in given}


def test_every_reason_is_told_for_every_seat(world, canary, request):
    """Of a slot past its deadline: a telescope closed and booked, one that is another's, and too many hours."""
    start, seats = world.slot.starts_at, world.seats
    telescope = world.telescopes["canary"]
    add_closure(telescope_id=telescope.pk, starts_at=start, ends_at=start + 5 * MINUTE, reason="mirror")
    Booking.objects.create(
        telescope=telescope, organisation=world.organisations["canary"], state="held",
        observe_from=start + 10 * MINUTE, observe_until=start + 20 * MINUTE,
        starts_at=start + 10 * MINUTE, ends_at=start + 20 * MINUTE,
    )  # fmt: skip
    Telescope.objects.filter(pk=world.telescopes["hawaii"].pk).update(state="commissioning")
    Participation.objects.filter(organisation=world.organisations["canary"]).update(hour_limit_h=0.25)
    Campaign.objects.update(hour_limit_h=0.5)
    Slot.objects.filter(pk=world.slot.pk).update(claim_deadline=clock.now() - HOUR, min_sites=1, capacity=2)
    request.getfixturevalue("unchanged")
    body = {"slot": world.slot.pk, "seats": [seats["canary"].pk, seats["hawaii"].pk]}
    told = canary.post("claims/?dry_run=true", body)
    assert told["would"] is None
    found = {(refusal["code"], refusal["seat"]) for refusal in told["refusals"]}
    assert found == {
        ("deadline-passed", None), ("closed", seats["canary"].pk), ("booked", seats["canary"].pk),
        ("not-yours", seats["hawaii"].pk), ("telescope-not-active", seats["hawaii"].pk), ("hour-limit", None),
    }  # fmt: skip
    assert len(told["refusals"]) == 7  # the hours of the organisation, and those of the campaign
    assert {refusal["status"] for refusal in told["refusals"]} == {403, 409}
    booked = next(refusal for refusal in told["refusals"] if refusal["code"] == "booked")
    assert (booked["telescope"], booked["conflict"]["holder"]) == (telescope.pk, "canary")


def test_who_has_not_joined_and_what_is_full_is_told_with_the_rest(world, canary, request):
    world.claim("chile")
    Slot.objects.filter(pk=world.slot.pk).update(min_sites=1, capacity=1)
    Participation.objects.filter(organisation=world.organisations["canary"]).update(state="declined")
    request.getfixturevalue("unchanged")
    body = {"slot": world.slot.pk, "seats": [world.seats["canary"].pk], "organisation": "canary"}
    told = canary.post("claims/?dry_run=true", body)
    assert [refusal["code"] for refusal in told["refusals"]] == ["not-joined", "full"]


def test_what_is_no_proper_request_is_refused_as_ever(world, canary, unchanged):
    canary.post("claims/?dry_run=true", {"slot": world.slot.pk, "seats": [999_999]}, 400)
    canary.post("claims/?dry_run=true", {"slot": 999_999, "seats": [1]}, 404)
    canary.post("claims/?dry_run=maybe", {"slot": world.slot.pk, "seats": [world.seats["canary"].pk]}, 400)
    canary.post("claims/?dry_run=true", {"slot": world.slot.pk, "seats": [1], "organisation": "chile"}, 403)
    canary.post(f"slots/{world.slot.pk}/publish/?dry_run=true", {}, 400)


def test_a_booking_is_rehearsed_with_all_that_is_in_its_way(world, canary, request):
    telescope, start = world.telescopes["canary"].pk, world.slot.starts_at
    body = {"telescope": telescope, "observe_from": text(start), "observe_until": text(start + HOUR)}
    would = canary.post("bookings/?dry_run=true", body)["would"]
    assert (would["id"], would["state"]) == (None, "confirmed")
    for begin in (10, 40):
        at = start + begin * MINUTE
        book_telescope(telescope, observe_from=at, observe_until=at + 5 * MINUTE)
    request.getfixturevalue("unchanged")
    told = canary.post("bookings/?dry_run=true", body)
    assert [refusal["code"] for refusal in told["refusals"]] == ["booked", "booked"]


def test_a_proposal_tells_every_reason_why_there_can_be_none(world, request):
    Campaign.objects.update(ends_at=clock.now() + MINUTE, state="completed")
    Telescope.objects.update(state="retired")
    request.getfixturevalue("unchanged")
    told = Api(world.lead).post(f"campaigns/{world.campaign.slug}/propose-slots/?dry_run=true", {})
    assert [refusal["code"] for refusal in told["refusals"]] == ["campaign-not-open", "no-telescope", "period-over"]


def test_a_key_is_not_used_up_by_a_dry_run(world):
    body = {"slot": world.slot.pk, "seats": [world.seats["canary"].pk]}
    client = Api(world.people["canary"]).client
    given = {"content_type": "application/json", "headers": {"Idempotency-Key": "k"}}
    assert client.post("/api/v1/claims/?dry_run=true", body, **given).status_code == 200
    assert not KeptAnswer.objects.exists()
    assert client.post("/api/v1/claims/", body, **given).status_code == 201
    assert Claim.objects.count() == 1
