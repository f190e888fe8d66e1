"""Moving a slot as a whole: within the campaign's tolerance at once, farther only when every holder accepts."""

import datetime as dt
from collections.abc import Mapping

from django.db import connection

from coordination.common import clock, states
from coordination.common.problems import ConflictError, DomainError
from observatories.models import Telescope
from observatories.people import Principal

from ..models import Claim, Seat, Slot
from . import lifecycle
from .lifecycle import active_bookings
from .locking import LockSetChangedError, in_transaction, lock_telescopes
from .periods import Period, first_obstacle
from .slots import coordinated_slot, visible_slot
from .telling import holders_and_lead, period_text, slot_event

_MINUTE = dt.timedelta(minutes=1)


def telescope_ids_of(slot_id: int) -> set[int]:
    """Telescopes with a seat in the slot; to be locked before the slot."""
    return set(Seat.objects.filter(slot_id=slot_id).values_list("telescope_id", flat=True))


def free_after(slot: Slot, telescopes: Mapping[int, Telescope], shift: dt.timedelta) -> bool:
    """Whether the telescopes that are held would be free of other bookings and of closures after the shift.

    `telescopes` are those that are locked. Raises LockSetChangedError where one was claimed after they were read.
    """
    held = active_bookings(slot)
    if {booking.telescope_id for booking in held} - set(telescopes):
        raise LockSetChangedError
    periods = [
        Period(
            telescopes[booking.telescope_id],
            booking.observe_from + shift,
            booking.observe_until + shift,
            booking.starts_at + shift,
            booking.ends_at + shift,
        )
        for booking in held
    ]
    return first_obstacle(periods, besides=[booking.pk for booking in held]) is None


def shift_slot(
    slot: Slot,
    telescopes: Mapping[int, Telescope],
    shift: dt.timedelta,
    *,
    reason: str,
    moved_arcsec: float | None = None,
    actor: Principal | None = None,
) -> None:
    """Move the slot with all its seats and bookings; the holders get old and new times. Under the locks of both."""
    before = period_text(slot.starts_at, slot.ends_at)
    seats, bookings = list(slot.seats.all()), active_bookings(slot)
    for seat in seats:
        seat.observe_from, seat.observe_until = seat.observe_from + shift, seat.observe_until + shift
    for booking in bookings:
        for field in ("observe_from", "observe_until", "starts_at", "ends_at"):
            setattr(booking, field, getattr(booking, field) + shift)
    Seat.objects.bulk_update(seats, ["observe_from", "observe_until"])
    with connection.cursor() as cursor:  # bookings of one telescope move through each other
        cursor.execute("SET CONSTRAINTS booking_no_overlap DEFERRED")
        states.save(bookings, ["observe_from", "observe_until", "starts_at", "ends_at"], actor=actor, reason=reason)
        cursor.execute("SET CONSTRAINTS booking_no_overlap IMMEDIATE")
    states.change(
        [slot],
        actor=actor,
        reason=reason,
        starts_at=slot.starts_at + shift,
        ends_at=slot.ends_at + shift,
        room_starts_at=min(slot.room_starts_at, slot.starts_at + shift),
        room_ends_at=max(slot.room_ends_at, slot.ends_at + shift),
        replacement_deadline=min(slot.replacement_deadline, slot.starts_at + shift),
        claim_deadline=min(slot.claim_deadline, slot.starts_at + shift),
        needs_review=False,
        review_reason="",
        proposed_shift_s=None,
    )
    states.change(list(slot.claims.filter(accepts_shift=True)), accepts_shift=False, actor=actor)
    sky = "" if moved_arcsec is None else f" On the sky it moves by {moved_arcsec:.0f} arcsec."
    slot_event(
        "slot.moved", slot, told=holders_and_lead(slot), actor=actor,
        shift_s=shift.total_seconds(), moved_arcsec=moved_arcsec,
        title=f"Moved by {shift / _MINUTE:+.1f} min: {{target}}",
        text=f"{reason} Old times: {before}. New times: {period_text(slot.starts_at, slot.ends_at)}.{sky}",
    )  # fmt: skip


@in_transaction
def propose_shift(slot_id: int, *, shift_s: float | None = None, actor: Principal | None = None) -> Slot:
    """Ask the holders to accept a shift: the one that the re-check found, or another. With no holder it is made at
    once.

    Raises ConflictError where a telescope would not be free.
    """
    visible_slot(slot_id, actor)
    locked = lock_telescopes(telescope_ids_of(slot_id))
    slot = coordinated_slot(slot_id, actor)
    shift_s = slot.proposed_shift_s if shift_s is None else shift_s
    if shift_s is None:
        raise DomainError("No shift is given, and none was found.", field="shift_s", expected="seconds, later positive")
    if not abs(shift_s) <= 86400.0:
        raise DomainError("A shift is a day at most.", field="shift_s", value=shift_s, expected="-86400 to 86400")
    shift = dt.timedelta(seconds=shift_s)
    _require_possible(slot, locked, shift)
    states.change([slot], proposed_shift_s=shift_s, actor=actor)
    states.change(list(slot.claims.filter(accepts_shift=True)), accepts_shift=False, actor=actor)
    slot_event(
        "slot.shift_proposed", slot, told=holders_and_lead(slot), actor=actor, shift_s=shift_s,
        title=f"Shift by {shift / _MINUTE:+.1f} min proposed: {{target}}",
        text=f"New times: {period_text(slot.starts_at + shift, slot.ends_at + shift)}. It needs your word.",
    )  # fmt: skip
    carry_out_if_accepted(slot, locked, actor)
    return slot


def carry_out_if_accepted(slot: Slot, telescopes: Mapping[int, Telescope], actor: Principal | None) -> None:
    """Make the proposed shift once every claim that holds a telescope has accepted it. Under the locks of both."""
    if slot.proposed_shift_s is None or slot.claims.filter(state__in=Claim.HOLDING, accepts_shift=False).exists():
        return
    shift = dt.timedelta(seconds=slot.proposed_shift_s)
    _require_possible(slot, telescopes, shift)
    shift_slot(slot, telescopes, shift, reason="All holders accepted.", actor=actor)


@in_transaction
def dismiss_review(slot_id: int, *, actor: Principal | None = None) -> Slot:
    """Leave the slot as it is."""
    slot = coordinated_slot(slot_id, actor)
    if not slot.needs_review and slot.proposed_shift_s is None:
        raise ConflictError("There is nothing to review.", field="slot", value=slot.pk)
    states.change([slot], needs_review=False, review_reason="", proposed_shift_s=None, actor=actor)
    states.change(list(slot.claims.filter(accepts_shift=True)), accepts_shift=False, actor=actor)
    slot_event(
        "slot.review_dismissed", slot, told=holders_and_lead(slot), actor=actor,
        title="Stays as it is: {target}", text="The coordinator keeps the times.",
    )  # fmt: skip
    return slot


def require_movable(slot: Slot) -> None:
    """Raises ConflictError for a slot that is over or has begun."""
    lifecycle.require_not_begun(slot, "it no longer moves")
    if slot.state not in Slot.CLAIMABLE:
        raise ConflictError(f"The slot is {slot.state}.", field="slot", value=slot.pk, state=slot.state)


def _require_possible(slot: Slot, telescopes: Mapping[int, Telescope], shift: dt.timedelta) -> None:
    require_movable(slot)
    if slot.starts_at + shift <= clock.now():
        raise ConflictError("The slot would begin in the past.", field="shift_s", value=shift.total_seconds())
    if not free_after(slot, telescopes, shift):
        raise ConflictError(
            "A telescope of the slot is otherwise booked or closed at the new time.", field="shift_s",
            value=shift.total_seconds(),
        )  # fmt: skip
