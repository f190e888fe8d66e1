"""Local use of telescopes, results, closures, and what time brings about."""

import datetime as dt

import pytest
import time_machine

from coordination.booking.models import Booking, Claim, Slot
from coordination.booking.seats import with_state
from coordination.booking.services import (
    advance_slots,
    book_telescope,
    cancel_campaign,
    cancel_slot,
    complete_campaign,
    complete_slot,
    confirm_booking,
    expire_slots,
    mark_disturbed,
    move_booking,
    publish_slot,
    release_booking,
    report_result,
    update_slot,
    withdraw_claim,
)
from coordination.campaigns.services import close_campaign
from coordination.common import clock
from coordination.common.problems import ConflictError, DomainError, ForbiddenError, UnknownError
from observatories.services import add_closure, remove_closure

from .conftest import HOUR, MINUTE, active_bookings, events_of, make_seats, make_slot, told


@pytest.fixture
def booked(world) -> Booking:
    start = world.slot.starts_at + 5 * HOUR
    return book_telescope(
        world.telescopes["chile"].pk, observe_from=start, observe_until=start + HOUR, purpose="engineering",
        actor=world.people["chile"],
    )  # fmt: skip


def test_staff_hold_confirm_move_and_release_their_own_telescope(world):
    start, person = world.slot.starts_at + 5 * HOUR, world.people["chile"]
    booking = book_telescope(
        world.telescopes["chile"].pk, observe_from=start, observe_until=start + HOUR, hold=True, actor=person
    )
    assert booking.state == "held"
    assert confirm_booking(booking.pk, actor=person).state == "confirmed"
    moved = move_booking(booking.pk, observe_from=start + HOUR, observe_until=start + 2 * HOUR, actor=person)
    assert moved.starts_at == start + HOUR - dt.timedelta(seconds=180)
    assert release_booking(booking.pk, reason="clouds", actor=person).state == "released"
    assert [event.kind for event in events_of("booking.created") + events_of("booking.moved")]
    assert booking.history.count() == 4


def test_local_bookings_do_not_overlap_each_other_or_claims(world, booked):
    with pytest.raises(ConflictError) as refusal:
        book_telescope(
            world.telescopes["chile"].pk, observe_from=booked.observe_from + MINUTE,
            observe_until=booked.observe_until, actor=world.people["chile"],
        )  # fmt: skip
    assert refusal.value.extra["conflict"]["booking"] == booked.pk
    world.claim("chile")
    with pytest.raises(ConflictError):
        move_booking(booked.pk, observe_from=world.slot.starts_at, observe_until=world.slot.ends_at)
    booked.refresh_from_db()
    assert booked.observe_from > world.slot.ends_at


def test_a_booking_may_move_over_its_own_old_time(booked):
    moved = move_booking(
        booked.pk, observe_from=booked.observe_from + MINUTE, observe_until=booked.observe_until + MINUTE
    )
    assert moved.observe_from == booked.observe_from + MINUTE


def test_others_neither_see_nor_touch_a_booking(world, booked):
    with pytest.raises(UnknownError):
        release_booking(booked.pk, actor=world.people["canary"])
    with pytest.raises(ForbiddenError):
        book_telescope(
            world.telescopes["chile"].pk, observe_from=booked.observe_until + HOUR,
            observe_until=booked.observe_until + 2 * HOUR, actor=world.people["canary"],
        )  # fmt: skip


def test_a_claims_booking_is_freed_by_its_claim_only(world):
    claim = world.claim("chile")
    booking = claim.bookings.get()
    with pytest.raises(ConflictError, match=f"claim {claim.pk}"):
        release_booking(booking.pk, actor=world.people["chile"])
    with pytest.raises(ConflictError):
        move_booking(booking.pk, observe_from=clock.now() + HOUR, observe_until=clock.now() + 2 * HOUR)


@pytest.mark.parametrize("field", ["observe_from", "observe_until"])
def test_naive_times_and_ends_before_starts_are_refused_by_field(world, field):
    now = clock.now()
    given = {"observe_from": now + HOUR, "observe_until": now + 2 * HOUR}
    with pytest.raises(DomainError) as refusal:
        book_telescope(world.telescopes["chile"].pk, **given | {field: given[field].replace(tzinfo=None)})
    assert refusal.value.field == field
    with pytest.raises(DomainError) as refusal:
        book_telescope(world.telescopes["chile"].pk, observe_from=now + HOUR, observe_until=now + HOUR)
    assert refusal.value.field == "observe_until"


def test_a_closure_disturbs_what_is_booked_and_its_end_undoes_that(world):
    world.claim("chile")
    closure = add_closure(
        telescope_id=world.telescopes["chile"].pk, starts_at=world.slot.starts_at - HOUR,
        ends_at=world.slot.starts_at + MINUTE, reason="secret",
    )  # fmt: skip
    assert mark_disturbed() == 1
    assert mark_disturbed() == 0
    assert active_bookings(world)[0].disturbed
    assert told("booking.disturbed") == {"chile"}
    assert "secret" not in str(events_of("booking.disturbed")[0].payload)
    remove_closure(closure.pk)
    assert mark_disturbed() == 1
    assert not active_bookings(world)[0].disturbed


def test_time_expires_begins_and_completes(world):
    late = make_slot(world.campaign, world.target, world.slot.starts_at + 2 * HOUR)
    world.claim("chile"), world.claim("canary")
    with time_machine.travel(late.claim_deadline, tick=False):
        assert expire_slots() == 1
        late.refresh_from_db()
        assert late.state == "expired"
    with time_machine.travel(world.slot.starts_at, tick=False):
        assert advance_slots() == 1
        assert world.reload().state == "in_progress"
        with pytest.raises(ConflictError, match="begun"):
            withdraw_claim(Claim.objects.first().pk)
    first, second = active_bookings(world)
    with time_machine.travel(world.slot.ends_at + MINUTE, tick=False):
        assert advance_slots() == 0  # nobody has reported yet
        report_result(first.pk, result="observed", actor=first.claim.created_by)
        report_result(second.pk, result="failed_weather", note="fog", actor=second.claim.created_by)
    assert world.reload().state == "completed"
    assert set(Claim.objects.values_list("state", flat=True)) == {"done"}
    assert set(Booking.objects.values_list("state", "result")) == {("done", "observed"), ("failed", "failed_weather")}
    assert told("booking.result") == {"chile"}


def test_without_reports_a_slot_completes_after_a_week_or_by_its_coordinator(world):
    world.claim("chile"), world.claim("canary")
    with time_machine.travel(world.slot.starts_at, tick=False):
        advance_slots()
        with pytest.raises(ConflictError, match="ends at"):
            complete_slot(world.slot.pk, actor=world.lead)
    with time_machine.travel(world.slot.ends_at + 7 * 24 * HOUR, tick=False):
        assert advance_slots() == 1
    assert world.reload().state == "completed"


def test_without_a_replacement_a_slot_is_cancelled_at_the_deadline(world):
    world.claim("chile")
    withdraw_claim(world.claim("canary").pk)
    with time_machine.travel(world.slot.replacement_deadline - MINUTE, tick=False):
        assert advance_slots() == 0
    with time_machine.travel(world.slot.replacement_deadline, tick=False):
        assert advance_slots() == 1
    assert world.reload().state == "cancelled"
    assert told("slot.cancelled") == {"chile"}


def test_a_result_waits_for_the_observation_and_may_be_corrected(world, booked):
    with pytest.raises(ConflictError, match="begins"):
        report_result(booked.pk, result="observed")
    with pytest.raises(DomainError, match="no result"):
        report_result(booked.pk, result="good")
    with time_machine.travel(booked.observe_from, tick=False):
        report_result(booked.pk, result="observed")
        report_result(booked.pk, result="failed_technical", note="the shutter")
    booked.refresh_from_db()
    assert (booked.state, booked.result) == ("failed", "failed_technical")


def test_after_the_first_claim_a_slot_only_gets_easier(world):
    slot, lead = world.slot, world.lead
    update_slot(slot.pk, min_sites=3, actor=lead)
    world.claim("chile")
    for change in (
        {"min_sites": 4}, {"capacity": 3}, {"claim_deadline": slot.claim_deadline - HOUR}, {"kind": "open"},
        {"min_baseline_km": 100.0}, {"replacement_deadline": slot.replacement_deadline + HOUR},
    ):  # fmt: skip
        with pytest.raises(ConflictError) as refusal:
            update_slot(slot.pk, actor=lead, **change)
        assert refusal.value.field == next(iter(change))
    update_slot(slot.pk, claim_deadline=slot.claim_deadline + HOUR, notes="bring a filter", actor=lead)
    world.claim("canary")
    assert world.reload().state == "open"
    update_slot(slot.pk, min_sites=2, actor=lead)
    assert world.reload().state == "confirmed"


def test_only_the_coordinator_edits_and_publishes(world):
    draft = make_slot(world.campaign, world.target, world.slot.starts_at + 4 * HOUR, state="draft")
    with pytest.raises(ConflictError, match="no seats"):
        publish_slot(draft.pk, actor=world.lead)
    make_seats(draft, world.telescopes)
    for service in (publish_slot, lambda pk, actor: update_slot(pk, notes="x", actor=actor)):
        with pytest.raises(ForbiddenError):
            service(draft.pk, actor=world.people["canary"])
    assert publish_slot(draft.pk, actor=world.lead).state == "open"
    assert told("slot.published") == {"chile", "canary", "australia", "hawaii"}
    with pytest.raises(ConflictError):
        publish_slot(draft.pk, actor=world.lead)


def test_cancelling_a_slot_or_its_campaign_frees_everybody(world):
    other = make_slot(world.campaign, world.target, world.slot.starts_at + 3 * HOUR)
    world.claim("chile"), world.claim("canary")
    cancel_slot(other.pk, reason="not needed", actor=world.lead)
    with pytest.raises(ForbiddenError):
        cancel_campaign(world.campaign.pk, reason="x", actor=world.people["canary"])
    cancel_campaign(world.campaign.pk, reason="lost interest", actor=world.lead)
    world.campaign.refresh_from_db()
    assert (world.campaign.state, world.reload().state) == ("cancelled", "cancelled")
    assert active_bookings(world) == []
    assert told("campaign.cancelled") == {"chile", "canary", "australia", "hawaii"}


def test_a_campaign_with_live_slots_is_not_completed(world):
    close_campaign(world.campaign.pk, actor=world.lead)
    with pytest.raises(ConflictError, match="still open"):
        complete_campaign(world.campaign.pk, actor=world.lead)
    Slot.objects.update(state="expired")
    assert complete_campaign(world.campaign.pk, actor=world.lead).state == "completed"


def test_the_state_of_a_seat_follows_from_what_is_booked(world, django_assert_num_queries):
    Slot.objects.filter(pk=world.slot.pk).update(capacity=2)
    world.claim("chile"), world.claim("canary"), world.claim("australia", allow_waiting=True)
    book_telescope(
        world.telescopes["hawaii"].pk, observe_from=world.slot.starts_at - HOUR,
        observe_until=world.slot.starts_at - MINUTE,
    )  # fmt: skip
    with django_assert_num_queries(1):
        found = {seat.telescope_id: seat.state for seat in with_state(world.slot.seats.all())}
    assert [found[world.telescopes[slug].pk] for slug in ("chile", "canary", "australia", "hawaii")] == [
        "confirmed", "confirmed", "waiting", "blocked",
    ]  # fmt: skip
