"""Deadlines that passed before the sweeper came, and reads that were overtaken."""

import datetime as dt

import pytest
import time_machine
from django.db import OperationalError, transaction

from coordination.booking.models import Slot
from coordination.booking.services import (
    accept_shift,
    book_telescope,
    claim_seats,
    grant_telescope,
    move_booking,
    propose_shift,
    report_result,
    update_slot,
    withdraw_claim,
)
from coordination.booking.services.locking import LockSetChangedError, in_transaction
from coordination.booking.services.periods import other_interval
from coordination.campaigns.models import Campaign, Participation
from coordination.campaigns.services import answer_invitation
from coordination.common import clock
from coordination.common.problems import ConflictError, DomainError
from observatories.models import Telescope

from .conftest import HOUR, MINUTE, active_bookings, events_of, make_seats


def twin_seat(world, slug: str):
    """A second telescope on the mountain of one that is there, of another organisation."""
    twin = Telescope.objects.create(
        observatory=world.telescopes["chile"].observatory, organisation=world.organisations[slug], name="twin",
        aperture_m=1, field_width_deg=1, field_height_deg=1, limiting_v_mag=20,
    )  # fmt: skip
    return make_seats(world.slot, {"twin": twin})["twin"]


def test_a_withdrawal_after_the_deadline_expires_the_slot_and_promotes_nobody(world):
    """One mountain fills the slot without making a quorum; who waits would make it, but the deadline has passed."""
    seat = twin_seat(world, "canary")
    Slot.objects.filter(pk=world.slot.pk).update(capacity=2)
    world.claim("chile")
    twin = claim_seats(world.slot.pk, world.organisations["canary"].pk, seat_ids=[seat.pk])
    waiting = world.claim("australia", allow_waiting=True)
    with time_machine.travel(world.slot.claim_deadline, tick=False):
        withdraw_claim(twin.pk, actor=world.people["canary"])
    twin.refresh_from_db(), waiting.refresh_from_db()
    assert (world.reload().state, twin.state, waiting.state) == ("expired", "withdrawn", "released")
    assert active_bookings(world) == []
    assert len(events_of("slot.expired")) == 1


def test_an_overdue_slot_is_not_revived_by_a_later_deadline(world):
    held = world.claim("chile")
    with time_machine.travel(world.slot.claim_deadline, tick=False), pytest.raises(ConflictError, match="expired"):
        update_slot(world.slot.pk, claim_deadline=world.slot.claim_deadline + HOUR, actor=world.lead)
    held.refresh_from_db()
    assert (world.reload().state, held.state) == ("expired", "released")


def test_a_slot_whose_time_has_come_is_neither_left_nor_edited_before_the_sweeper_came(world):
    first, second = world.claim("chile"), world.claim("canary")
    with time_machine.travel(world.slot.starts_at, tick=False):
        report_result(first.bookings.get().pk, result="observed")
        with pytest.raises(ConflictError, match="begun"):
            withdraw_claim(second.pk, actor=world.people["canary"])
        with pytest.raises(ConflictError, match="begun"):
            update_slot(world.slot.pk, notes="good seeing", actor=world.lead)
    assert world.reload().state == "confirmed"


def test_a_shift_is_not_carried_out_once_the_slot_has_begun_or_would_have(world):
    claim = world.claim("chile")
    other = world.claim("canary")
    propose_shift(world.slot.pk, shift_s=-1800.0, actor=world.lead)
    accept_shift(other.pk, actor=world.people["canary"])
    for late in (world.slot.starts_at - 10 * MINUTE, world.slot.starts_at):
        with time_machine.travel(late, tick=False), pytest.raises(ConflictError):
            accept_shift(claim.pk, actor=world.people["chile"])


def test_accepting_twice_is_one_change(world):
    claim = world.claim("chile")
    world.claim("canary")
    propose_shift(world.slot.pk, shift_s=600.0, actor=world.lead)
    accept_shift(claim.pk, actor=world.people["chile"])
    accept_shift(claim.pk, actor=world.people["chile"])
    assert len(events_of("claim.accepts_shift")) == 1


def test_an_organisation_that_is_not_there_is_refused_by_name(world):
    with pytest.raises(DomainError) as refusal:
        claim_seats(world.slot.pk, 999_999, seat_ids=[world.seats["chile"].pk], actor=world.lead)
    assert (refusal.value.status, refusal.value.field) == (400, "organisation")


def test_a_claim_that_could_never_fit_does_not_wait(world):
    Slot.objects.filter(pk=world.slot.pk).update(capacity=2)
    for slug in ("canary", "australia"):
        grant_telescope(
            world.telescopes[slug].pk, world.organisations["chile"].pk, starts_at=clock.now(),
            ends_at=clock.now() + 100 * HOUR,
        )  # fmt: skip
    seats = [world.seats[slug].pk for slug in ("chile", "canary", "australia")]
    with pytest.raises(DomainError) as refusal:
        claim_seats(world.slot.pk, world.organisations["chile"].pk, seat_ids=seats, allow_waiting=True)
    assert (refusal.value.status, refusal.value.field) == (400, "seats")


def test_a_moved_booking_is_no_longer_than_a_new_one(world):
    start = world.slot.starts_at + 5 * HOUR
    booking = book_telescope(world.telescopes["chile"].pk, observe_from=start, observe_until=start + HOUR)
    with pytest.raises(DomainError, match="too long"):
        move_booking(booking.pk, observe_from=start, observe_until=start + dt.timedelta(days=40))


def test_a_grant_does_not_tell_whether_a_hidden_campaign_is_there(world):
    Campaign.objects.filter(pk=world.campaign.pk).update(visibility="participants")
    Participation.objects.filter(organisation=world.organisations["hawaii"]).delete()
    with pytest.raises(DomainError) as refusal:
        grant_telescope(
            world.telescopes["hawaii"].pk, world.organisations["chile"].pk, starts_at=clock.now(),
            ends_at=clock.now() + HOUR, campaign_id=world.campaign.pk, actor=world.people["hawaii"],
        )  # fmt: skip
    assert refusal.value.field == "campaign"


def test_who_joins_does_not_raise_the_limit_it_was_invited_with(world):
    mine = Participation.objects.filter(organisation=world.organisations["hawaii"])
    for own, limit in ((8.0, 5.0), (2.0, 2.0), (None, 5.0)):
        mine.update(state="invited", hour_limit_h=5.0)
        answer_invitation(world.campaign.pk, world.organisations["hawaii"].pk, join=True, hour_limit_h=own)
        assert mine.get().hour_limit_h == limit


@pytest.mark.parametrize(
    "detail",
    [
        'Key (telescope_id, tstzrange(starts_at, ends_at, \'[)\'::text))=(7, ["2026-11-24 20:57:00+00","2026-11-24 '
        "21:30:00+00\")) conflicts with existing key (telescope_id, tstzrange(starts_at, ends_at, '[)'::text))=(7, "
        '["2026-11-24 21:00:00+00","2026-11-24 21:40:00.5+00")).',
        "Der Schlüssel »(telescope_id, tstzrange(starts_at, ends_at, '[)'::text))=(7, [\"2026-11-24 20:57:00+00\","
        '"2026-11-24 21:30:00+00"))« kollidiert mit vorhandenem Schlüssel »(telescope_id, tstzrange(starts_at, '
        'ends_at, \'[)\'::text))=(7, ["2026-11-24 21:00:00+00","2026-11-24 21:40:00.5+00"))«.',
    ],
)
def test_the_other_interval_is_read_in_any_language_of_the_database(detail):
    starts_at, ends_at = dt.datetime(2026, 11, 24, 21, tzinfo=dt.UTC), dt.datetime(2026, 11, 24, 21, 40, tzinfo=dt.UTC)
    assert other_interval(detail) == (7, starts_at, ends_at + dt.timedelta(milliseconds=500))


@pytest.mark.parametrize("inside", [False, True])
def test_a_service_starts_again_when_its_locks_were_too_few_also_inside_a_transaction(db, inside):
    tries = []

    @in_transaction
    def service() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise LockSetChangedError
        return "done"

    if inside:
        with transaction.atomic():
            assert service() == "done"
    else:
        assert service() == "done"
    assert len(tries) == 3


def test_after_too_many_tries_the_refusal_says_to_come_back(db):
    @in_transaction
    def service() -> None:
        raise LockSetChangedError

    with pytest.raises(ConflictError, match="again"):
        service()


def test_other_failures_of_the_database_are_not_tried_again(db):
    tries = []

    @in_transaction
    def service() -> None:
        tries.append(1)
        raise OperationalError("the disk is full")

    with pytest.raises(OperationalError):
        service()
    assert len(tries) == 1
