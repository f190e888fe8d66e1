"""Two at once, on two connections: each pair in both orders, and whatever comes out is one of the orders."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from coordination.booking.models import Booking, Claim, Seat, Slot
from coordination.booking.services import (
    accept_shift,
    book_telescope,
    cancel_campaign,
    cancel_slot,
    claim_seats,
    claims,
    expire_slots,
    mark_disturbed,
    move_booking,
    propose_shift,
    proposing,
    publish_slot,
    withdraw_claim,
)
from coordination.booking.services.locking import in_transaction, lock_telescopes
from coordination.booking.services.placing import Placement, SeatPlan
from coordination.campaigns.models import Campaign, Participation
from coordination.common.problems import ConflictError, DomainError
from observatories.services import add_closure

from ..coordination.booking.conftest import HOUR, MINUTE, active_bookings, events_of, make_seats, make_slot
from .conftest import require_whole_claims

Service = Callable[[], Any]


class Side(threading.Thread):
    """A service on a connection of its own; held open before its commit where `until` is given."""

    def __init__(self, service: Service, until: threading.Event | None = None) -> None:
        super().__init__(daemon=True)
        self.service, self.until = service, until
        self.backend, self.done = threading.Event(), threading.Event()
        self.backend_pid = 0
        self.outcome: Any = None

    def run(self) -> None:
        try:
            connection.ensure_connection()
            self.backend_pid = connection.connection.info.backend_pid
            if self.until is None:
                self.backend.set()
                self.outcome = self._outcome()
            else:
                with transaction.atomic():
                    self.outcome = self._outcome()
                    self.backend.set()
                    self.until.wait(60.0)
        except BaseException as error:
            self.outcome = error
        finally:
            self.backend.set()
            connection.close()
            self.done.set()

    def _outcome(self) -> Any:
        try:
            return self.service()
        except DomainError as refusal:
            return refusal


def race(first: Service, second: Service) -> tuple[Any, Any]:
    """Run the first up to its commit, the second until it waits for the first or is through, then both to their ends;
    what they returned or refused.
    """
    commit = threading.Event()
    one, other = Side(first, commit), Side(second)
    one.start()
    assert one.backend.wait(60.0)
    other.start()
    assert other.backend.wait(60.0)
    try:
        with connection.cursor() as cursor:
            while not other.done.is_set():
                cursor.execute("SELECT %s = ANY(pg_blocking_pids(%s))", [one.backend_pid, other.backend_pid])
                if cursor.fetchone()[0]:
                    break
    finally:
        commit.set()
    for side in (one, other):
        side.join(60.0)
        assert side.done.is_set(), "it waits for ever"
        if isinstance(side.outcome, BaseException) and not isinstance(side.outcome, DomainError):
            raise side.outcome
    return one.outcome, other.outcome


@pytest.fixture(params=[False, True], ids=["first one", "the other one first"])
def either(request) -> Callable[[Service, Service], tuple[Any, Any]]:
    """A race in both orders; outcomes are given in the order of the arguments."""

    def run(one: Service, other: Service) -> tuple[Any, Any]:
        return race(other, one)[::-1] if request.param else race(one, other)

    run.reverse = request.param  # type: ignore[attr-defined]
    return run


def test_two_for_the_last_place(world, either):
    Slot.objects.filter(pk=world.slot.pk).update(capacity=2)
    world.claim("hawaii")
    outcomes = either(lambda: world.claim("chile"), lambda: world.claim("canary"))
    won = [each for each in outcomes if isinstance(each, Claim)]
    (lost,) = [each for each in outcomes if isinstance(each, ConflictError)]
    assert [claim.state for claim in won] == ["confirmed"]
    assert "full" in lost.detail
    assert len(active_bookings(world)) == 2
    require_whole_claims()


def test_two_for_the_same_seat(world, either):
    world.slot.campaign.participations.update(hour_limit_h=None)
    outcomes = either(lambda: world.claim("chile"), lambda: world.claim("chile"))
    (lost,) = [each for each in outcomes if isinstance(each, ConflictError)]
    assert lost.extra["conflict"]["ends_at"] == world.slot.ends_at.isoformat().replace("+00:00", "Z")
    assert Claim.objects.count() == 1
    require_whole_claims()


def test_a_claim_that_makes_the_quorum_in_time_goes_before_the_expiry(world):
    world.claim("chile")
    with time_machine.travel(world.slot.claim_deadline - MINUTE, tick=False) as traveller:

        def claim() -> Claim:
            made = world.claim("canary")
            traveller.move_to(world.slot.claim_deadline)  # it commits as the deadline passes
            return made

        claimed, expired = race(claim, expire_slots)
    assert (claimed.state, expired, world.reload().state) == ("confirmed", 0, "confirmed")
    require_whole_claims()


def test_a_claim_that_meets_the_expiry_is_refused(world):
    held = world.claim("chile")
    with time_machine.travel(world.slot.claim_deadline, tick=False):
        expired, refused = race(expire_slots, lambda: world.claim("canary"))
    held.refresh_from_db()
    assert (expired, refused.extra["state"], world.reload().state, held.state) == (1, "expired", "expired", "released")
    assert len(events_of("slot.expired")) == 1
    require_whole_claims()


def test_two_claims_that_meet_an_overdue_slot_expire_it_once(world):
    world.claim("chile")
    with time_machine.travel(world.slot.claim_deadline, tick=False):
        outcomes = race(lambda: world.claim("canary"), lambda: world.claim("hawaii"))
    assert {each.extra["state"] for each in outcomes} == {"expired"}
    assert len(events_of("slot.expired")) == 1
    require_whole_claims()


def test_a_withdrawal_against_the_claim_that_confirms(world, either):
    held = world.claim("chile")
    withdrawn, claimed = either(lambda: withdraw_claim(held.pk), lambda: world.claim("canary"))
    claimed.refresh_from_db()
    assert withdrawn.state == "withdrawn"
    expected = ("open", False, "held") if not either.reverse else ("confirmed", True, "confirmed")
    assert (world.reload().state, world.slot.needs_replacement, claimed.state) == expected
    require_whole_claims()


def test_a_claim_against_a_closure(world, either):
    telescope = world.telescopes["chile"]
    claimed, closure = either(
        lambda: world.claim("chile"),
        lambda: add_closure(
            telescope_id=telescope.pk, starts_at=world.slot.starts_at, ends_at=world.slot.ends_at, reason="coating"
        ),
    )
    assert closure.pk
    if either.reverse:
        assert claimed.extra["conflict"]["kind"] == "closure"
        assert mark_disturbed() == 0
    else:
        assert (claimed.state, mark_disturbed()) == ("held", 1)
    require_whole_claims()


def test_a_claim_against_local_use(world, either):
    chile, slot = world.telescopes["chile"].pk, world.slot
    outcomes = either(
        lambda: world.claim("chile"),
        lambda: book_telescope(chile, observe_from=slot.starts_at, observe_until=slot.ends_at),
    )
    (lost,) = [each for each in outcomes if isinstance(each, ConflictError)]
    assert lost.extra["conflict"]["telescope"] == chile
    assert Booking.objects.active().count() == 1


def test_two_withdrawals_of_one_claim(world, either):
    held = world.claim("chile")
    outcomes = either(lambda: withdraw_claim(held.pk), lambda: withdraw_claim(held.pk))
    assert {type(each) for each in outcomes} == {Claim, ConflictError}
    assert len(events_of("claim.withdrawn")) == 1
    require_whole_claims()


def test_two_withdrawals_give_a_waiting_claim_one_place(world, either):
    Slot.objects.filter(pk=world.slot.pk).update(capacity=2)
    first, second = world.claim("chile"), world.claim("canary")
    waiting = world.claim("australia", allow_waiting=True)
    either(lambda: withdraw_claim(first.pk), lambda: withdraw_claim(second.pk))
    waiting.refresh_from_db()
    assert (waiting.state, world.reload().needs_replacement) == ("confirmed", True)
    assert len(events_of("claim.held")) == 3
    require_whole_claims()


def test_a_withdrawal_sees_who_began_to_wait_meanwhile(world):
    Slot.objects.filter(pk=world.slot.pk).update(capacity=2)
    first, _ = world.claim("chile"), world.claim("canary")
    waiting, _ = race(lambda: world.claim("australia", allow_waiting=True), lambda: withdraw_claim(first.pk))
    waiting.refresh_from_db()
    assert waiting.state == "confirmed"
    require_whole_claims()


def test_publishing_against_cancelling(world, either):
    draft = make_slot(world.campaign, world.target, world.slot.starts_at + 4 * HOUR, state="draft")
    make_seats(draft, world.telescopes)
    published, cancelled = either(lambda: publish_slot(draft.pk), lambda: cancel_slot(draft.pk, reason="no"))
    draft.refresh_from_db()
    assert (draft.state, cancelled.state) == ("cancelled", "cancelled")
    assert isinstance(published, ConflictError) == either.reverse
    assert len(events_of("slot.cancelled")) == 1


def test_a_campaign_is_cancelled_with_the_slot_that_is_published_meanwhile(world, either):
    draft = make_slot(world.campaign, world.target, world.slot.starts_at + 4 * HOUR, state="draft")
    make_seats(draft, world.telescopes)
    either(lambda: publish_slot(draft.pk), lambda: cancel_campaign(world.campaign.pk, reason="no"))
    assert set(Slot.objects.values_list("state", flat=True)) == {"cancelled"}
    assert Campaign.objects.get().state == "cancelled"


def test_a_campaign_is_cancelled_with_the_draft_that_is_made_meanwhile(world, either, monkeypatch):
    monkeypatch.setattr(proposing, "geocentric_places", lambda target, instants: [(10.0, 5.0)] * len(instants))
    start = world.slot.starts_at + 4 * HOUR
    seat = SeatPlan(world.telescopes["chile"].pk, start, start + HOUR)
    place = Placement(start, start + HOUR, start, start + HOUR, (seat,), "here", {})
    made, _ = either(
        lambda: proposing.create_slots(world.campaign, world.target, [place], "listed", None),
        lambda: cancel_campaign(world.campaign.pk, reason="no"),
    )
    assert isinstance(made, ConflictError) == either.reverse
    assert set(Slot.objects.values_list("state", flat=True)) == {"cancelled"}


def test_a_claim_against_the_end_of_its_campaign(world, either):
    claimed, campaign = either(lambda: world.claim("chile"), lambda: cancel_campaign(world.campaign.pk, reason="no"))
    assert (campaign.state, world.reload().state) == ("cancelled", "cancelled")
    assert isinstance(claimed, ConflictError) == either.reverse
    assert active_bookings(world) == []
    require_whole_claims()


def test_a_shift_against_local_use_of_the_new_time(world, either):
    claim = world.claim("chile")
    propose_shift(world.slot.pk, shift_s=3600.0)
    new_start = world.slot.starts_at + HOUR
    chile = world.telescopes["chile"].pk
    outcomes = either(
        lambda: accept_shift(claim.pk),
        lambda: book_telescope(chile, observe_from=new_start, observe_until=new_start + HOUR),
    )
    (lost,) = [each for each in outcomes if isinstance(each, ConflictError)]
    assert lost is outcomes[0 if either.reverse else 1]
    assert world.reload().starts_at == new_start - (HOUR if either.reverse else dt.timedelta())
    require_whole_claims()


def test_a_claim_that_meets_a_shift_takes_the_new_time(world):
    _, claim = race(lambda: propose_shift(world.slot.pk, shift_s=3600.0), lambda: world.claim("chile"))
    booking, slot = claim.bookings.get(), world.reload()
    assert (booking.observe_from, booking.observe_until) == (slot.starts_at, slot.ends_at)
    require_whole_claims()


def open_slot(world, monkeypatch) -> Slot:
    """An open slot over which every telescope has a window: where windows are is not what is tested here."""
    slot = make_slot(world.campaign, world.target, world.slot.starts_at + 4 * HOUR, kind="open", capacity=2)
    monkeypatch.setattr(claims, "look_through_windows", lambda slot, new: None)
    return slot


def claim_open(world, slot: Slot, slug: str, **further) -> Claim:
    return claim_seats(
        slot.pk, world.organisations[slug].pk, telescope_ids=[world.telescopes[slug].pk], **further
    )  # fmt: skip


def test_a_shift_moves_the_telescope_that_joins_an_open_slot_meanwhile(world, monkeypatch):
    slot = open_slot(world, monkeypatch)
    claim, shifted = race(lambda: claim_open(world, slot, "chile"), lambda: propose_shift(slot.pk, shift_s=600.0))
    assert (shifted.proposed_shift_s, shifted.starts_at) == (600.0, slot.starts_at)
    accept_shift(claim.pk)
    assert claim.bookings.get().observe_from == slot.starts_at + 10 * MINUTE
    require_whole_claims()


def test_two_who_wait_for_one_telescope_of_an_open_slot_share_its_seat(world, monkeypatch):
    slot = open_slot(world, monkeypatch)
    claim_open(world, slot, "canary"), claim_open(world, slot, "hawaii")

    def wait() -> Claim:
        return claim_open(world, slot, "chile", allow_waiting=True)

    assert [claim.state for claim in race(wait, wait)] == ["waiting", "waiting"]
    assert Seat.objects.filter(slot=slot, telescope=world.telescopes["chile"]).count() == 1
    require_whole_claims()


@pytest.mark.parametrize("whose", ["organisation", "campaign"])
def test_two_claims_on_different_slots_for_the_last_hours(world, either, whose):
    if whose == "organisation":
        Participation.objects.update(hour_limit_h=0.75)
    else:
        Campaign.objects.update(hour_limit_h=0.75)
    other = make_slot(world.campaign, world.target, world.slot.starts_at + 3 * HOUR)
    seats = make_seats(other, world.telescopes)
    chile = world.organisations["chile"].pk
    outcomes = either(lambda: world.claim("chile"), lambda: claim_seats(other.pk, chile, seat_ids=[seats["chile"].pk]))
    (lost,) = [each for each in outcomes if isinstance(each, ConflictError)]
    assert f"{whose}'s limit" in lost.detail
    require_whole_claims()


def test_a_booking_stays_on_the_telescope_it_was_moved_to_meanwhile(world):
    start = world.slot.starts_at + 5 * HOUR
    twin = world.telescopes["canary"]
    type(twin).objects.filter(pk=twin.pk).update(organisation=world.organisations["chile"])
    booking = book_telescope(world.telescopes["chile"].pk, observe_from=start, observe_until=start + HOUR)
    race(
        lambda: move_booking(booking.pk, observe_from=start, observe_until=start + HOUR, telescope_id=twin.pk),
        lambda: move_booking(booking.pk, observe_from=start + HOUR, observe_until=start + 2 * HOUR),
    )
    booking.refresh_from_db()
    assert (booking.telescope_id, booking.observe_from) == (twin.pk, start + HOUR)


def test_a_service_that_a_deadlock_ended_runs_again(world):
    """Two lock the same telescopes, one after the other, in opposite order; PostgreSQL ends one of the two."""
    first, second = (world.telescopes[name].pk for name in ("chile", "canary"))
    both_hold_one, tries = threading.Barrier(2), []

    def lock_in_order(one: int, other: int) -> str:
        @in_transaction
        def service() -> str:
            tries.append(one)
            lock_telescopes([one])
            if len(tries) <= 2:
                both_hold_one.wait(60.0)
            lock_telescopes([other])
            return f"both, {one} first"

        return service()

    sides = [Side(lambda: lock_in_order(first, second)), Side(lambda: lock_in_order(second, first))]
    for side in sides:
        side.start()
    for side in sides:
        side.join(60.0)
    assert [side.outcome for side in sides] == [f"both, {first} first", f"both, {second} first"]
    assert len(tries) >= 3
