"""Whatever is done in whatever order, what must never break holds after each step."""

import itertools
from typing import Any

import time_machine
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from coordination.booking.models import Booking, Claim, Slot
from coordination.booking.quorum import quorum_of
from coordination.booking.services import (
    accept_shift,
    advance_slots,
    book_telescope,
    cancel_campaign,
    cancel_slot,
    claim_seats,
    complete_slot,
    confirm_booking,
    expire_slots,
    mark_disturbed,
    move_booking,
    propose_shift,
    publish_slot,
    release_booking,
    report_result,
    update_slot,
    withdraw_claim,
)
from coordination.booking.services.lifecycle import active_bookings
from coordination.campaigns.models import Campaign
from coordination.common import clock
from coordination.common.models import Event
from coordination.common.problems import DomainError
from observatories.models import Closure
from observatories.services import add_closure, remove_closure

from .conftest import HOUR, MINUTE, PLACES, make_seats, make_slot, make_world

NAMES = [name for name, _, _ in PLACES]
PICK = st.integers(0, 5)
EVENTS = {
    Slot: {"open": "published", "confirmed": "confirmed", "expired": "expired", "cancelled": "cancelled",
           "in_progress": "started", "completed": "completed"},
    Claim: {state: state for state in Claim.State.values},
}  # fmt: skip


class Coordination(RuleBasedStateMachine):
    """Four organisations and three slots that overlap, one of them a draft, one with room for two."""

    @initialize()
    def begin(self) -> None:
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.travel = time_machine.travel(clock.now().replace(microsecond=0), tick=False)
        self.traveller = self.travel.start()
        self.world = make_world()
        start = self.world.slot.starts_at
        fields: dict[str, Any]
        for later, fields in ((10 * MINUTE, {"capacity": 2}), (2 * HOUR, {"state": "draft"})):
            make_seats(
                make_slot(self.world.campaign, self.world.target, start + later, **fields), self.world.telescopes
            )
        self.slots = list(Slot.objects.order_by("pk").values_list("pk", flat=True))

    def teardown(self) -> None:
        if hasattr(self, "travel"):
            self.travel.stop()
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    def ask(self, service: Any, *arguments: Any, **named: Any) -> None:
        """Refusals are fine, with nothing changed; anything else that is raised is not."""
        before, refusal = self._everything(), None
        try:
            service(*arguments, **named)
        except DomainError as error:
            refusal = error
        if refusal is not None and refusal.extra.get("state") not in ("expired", "cancelled"):
            assert self._everything() == before, refusal

    @staticmethod
    def _everything() -> list[Any]:
        states = [list(model.objects.order_by("pk").values_list("pk", "state")) for model in (Slot, Claim, Booking)]
        return [*states, Event.objects.count()]

    def slot(self, k: int) -> int:
        return self.slots[k % len(self.slots)]

    def some(self, rows: Any, k: int) -> Any:
        found = list(rows.order_by("pk"))
        return found[k % len(found)] if found else None

    @rule(k=PICK, name=st.sampled_from(NAMES), waits=st.booleans())
    def claim(self, k: int, name: str, waits: bool) -> None:
        seat = Slot.objects.get(pk=self.slot(k)).seats.get(telescope=self.world.telescopes[name])
        organisation = self.world.organisations[name].pk
        self.ask(claim_seats, self.slot(k), organisation, seat_ids=[seat.pk], allow_waiting=waits)

    @rule(k=PICK)
    def withdraw(self, k: int) -> None:
        if (claim := self.some(Claim.objects.filter(state__in=Claim.ACTIVE), k)) is not None:
            self.ask(withdraw_claim, claim.pk)

    @rule(k=PICK)
    def publish(self, k: int) -> None:
        self.ask(publish_slot, self.slot(k))

    @rule(k=PICK, change=st.sampled_from([
        {"capacity": 3}, {"capacity": None}, {"min_sites": 1}, {"min_sites": 2}, {"min_sites": 3}, {"notes": "x"},
    ]))  # fmt: skip
    def update(self, k: int, change: dict[str, Any]) -> None:
        self.ask(update_slot, self.slot(k), **change)

    @rule(k=PICK, hours=st.integers(1, 30))
    def extend(self, k: int, hours: int) -> None:
        self.ask(update_slot, self.slot(k), claim_deadline=clock.now() + hours * HOUR)

    @rule(minutes=st.sampled_from([5, 30, 360, 720]), swept=st.booleans())
    def time_goes_on(self, minutes: int, swept: bool) -> None:
        self.traveller.move_to(clock.now() + minutes * MINUTE)
        if swept:
            self.sweep()

    @rule()
    def sweep(self) -> None:
        mark_disturbed()
        expire_slots()
        advance_slots()

    @rule(name=st.sampled_from(NAMES), minutes=st.integers(-60, 200), hold=st.booleans())
    def book(self, name: str, minutes: int, hold: bool) -> None:
        start = Slot.objects.get(pk=self.slots[0]).starts_at + minutes * MINUTE
        telescope = self.world.telescopes[name].pk
        self.ask(book_telescope, telescope, observe_from=start, observe_until=start + 20 * MINUTE, hold=hold)

    @rule(k=PICK, minutes=st.integers(-60, 200))
    def move(self, k: int, minutes: int) -> None:
        if (booking := self.some(Booking.objects.filter(claim=None), k)) is not None:
            start = booking.observe_from + minutes * MINUTE
            self.ask(move_booking, booking.pk, observe_from=start, observe_until=start + 20 * MINUTE)

    @rule(k=PICK, service=st.sampled_from([confirm_booking, release_booking]))
    def confirm_or_release(self, k: int, service: Any) -> None:
        if (booking := self.some(Booking.objects.all(), k)) is not None:
            self.ask(service, booking.pk)

    @rule(name=st.sampled_from(NAMES), minutes=st.integers(-60, 200))
    def close(self, name: str, minutes: int) -> None:
        start = Slot.objects.get(pk=self.slots[0]).starts_at + minutes * MINUTE
        add_closure(
            telescope_id=self.world.telescopes[name].pk, starts_at=start, ends_at=start + 10 * MINUTE, reason="x"
        )

    @rule(k=PICK)
    def open_again(self, k: int) -> None:
        if (closure := self.some(Closure.objects.all(), k)) is not None:
            remove_closure(closure.pk)

    @rule(k=PICK, result=st.sampled_from(Booking.Result.values))
    def report(self, k: int, result: str) -> None:
        if (booking := self.some(Booking.objects.all(), k)) is not None:
            self.ask(report_result, booking.pk, result=result)

    @rule(k=PICK, minutes=st.integers(-90, 90))
    def propose(self, k: int, minutes: int) -> None:
        self.ask(propose_shift, self.slot(k), shift_s=60.0 * minutes)

    @rule(k=PICK)
    def accept(self, k: int) -> None:
        if (claim := self.some(Claim.objects.filter(slot__proposed_shift_s__isnull=False), k)) is not None:
            self.ask(accept_shift, claim.pk)

    @rule(k=PICK)
    def complete(self, k: int) -> None:
        self.ask(complete_slot, self.slot(k))

    @rule(k=PICK, sure=st.integers(0, 3))
    def cancel(self, k: int, sure: int) -> None:
        if sure == 0:
            self.ask(cancel_slot, self.slot(k), reason="x")

    @rule(sure=st.integers(0, 9))
    def give_up(self, sure: int) -> None:
        if sure == 0:
            self.ask(cancel_campaign, self.world.campaign.pk, reason="x")

    @invariant()
    def no_telescope_is_booked_twice(self) -> None:
        rows = list(Booking.objects.active().order_by("telescope_id", "starts_at"))
        for one, other in itertools.pairwise(rows):
            assert one.telescope_id != other.telescope_id or one.ends_at <= other.starts_at

    @invariant()
    def claims_hold_exactly_their_seats(self) -> None:
        for claim in Claim.objects.all():
            active = [booking for booking in claim.bookings.all() if booking.state in Booking.ACTIVE]
            seats = set(claim.claimed_seats.values_list("seat_id", flat=True))
            if claim.state not in Claim.HOLDING:
                assert active == [], claim
                continue
            reported = claim.bookings.filter(state__in=("done", "failed"))
            booked = [booking.seat_id for booking in [*active, *reported]]
            assert sorted(booked) == sorted(seats)
            assert {booking.state for booking in active} <= {claim.state}
            for booking in active:
                assert (booking.observe_from, booking.observe_until) == (
                    booking.seat.observe_from, booking.seat.observe_until,
                )  # fmt: skip

    @invariant()
    def a_confirmed_slot_has_its_quorum_or_says_so(self) -> None:
        for slot in Slot.objects.all():
            bookings = active_bookings(slot)
            if slot.state == "confirmed" and clock.now() < slot.starts_at:
                assert quorum_of(slot, bookings).holds != slot.needs_replacement
            if slot.state in ("draft", "expired", "cancelled", "completed"):
                assert bookings == []
            if slot.capacity is not None:
                assert len(bookings) <= slot.capacity
        if hasattr(self, "world") and Campaign.objects.get().state == "cancelled":
            assert not Slot.objects.filter(state__in=("draft", *Slot.LIVE)).exists()

    @invariant()
    def every_change_of_state_is_in_the_tables_and_told_once(self) -> None:
        for model in (Slot, Claim, Booking):
            for row in model.objects.all():
                changes = _changes(row)
                for before, after in itertools.pairwise(changes):
                    assert after in model.TRANSITIONS[before], (row, changes)
                if changes:
                    assert changes[-1] == row.state
                if model is Booking:
                    continue
                known, name = EVENTS[model], model._meta.model_name
                expected = [f"{name}.{known[state]}" for state in changes if state in known]
                if model is Slot:  # made by the test
                    expected = [f"slot.{known[state]}" for state in changes[1:] if state in known]
                kinds = [f"{name}.{kind}" for kind in known.values()]
                told = Event.objects.filter(subject=f"{name}:{row.pk}", kind__in=kinds).order_by("pk")
                assert list(told.values_list("kind", flat=True)) == expected, (row, changes)


def _changes(row: Any) -> list[str]:
    """The states of a row by its history, which begins where a service made or first changed it."""
    rows = list(row.history.order_by("history_id").values_list("state", flat=True))
    return [state for k, state in enumerate(rows) if k == 0 or rows[k - 1] != state]


def test_no_sequence_of_services_breaks_what_must_hold(db):
    """Each example in a transaction that is rolled back."""
    run_state_machine_as_test(
        Coordination,
        settings=settings(max_examples=20, stateful_step_count=25, suppress_health_check=list(HealthCheck)),
    )
