"""Local use of a telescope by its staff, in the same table and under the same rule as claims; and results of both."""

import datetime as dt

from coordination.common import clock, preconditions, states
from coordination.common.actors import SYSTEM, actor_of, person_of
from coordination.common.problems import ConflictError, DomainError, ForbiddenError, UnknownError
from observatories.people import Principal, may_schedule, require_scheduler
from targets.models import Target

from ..models import Booking, Slot
from . import lifecycle
from .locking import LockSetChangedError, in_transaction, lock_slot, lock_telescopes
from .periods import occupied, require_free, require_interval, utc_text
from .telling import booking_event, period_text

LONGEST = dt.timedelta(days=31)


@in_transaction
def book_telescope(
    telescope_id: int,
    *,
    observe_from: dt.datetime,
    observe_until: dt.datetime,
    purpose: str = "",
    target_id: int | None = None,
    hold: bool = False,
    actor: Principal | None = None,
) -> Booking:
    """Occupy a telescope of one's own, with setup and slew before the observation; `hold`: not yet confirmed.

    Raises ConflictError with the other interval where it is closed or booked.
    """
    _require_length(observe_from, observe_until)
    telescope = lock_telescopes([telescope_id])[telescope_id]
    require_scheduler(actor, telescope.organisation)
    target = None
    if target_id is not None:
        target = Target.objects.visible_to(SYSTEM if actor is None else actor_of(actor)).filter(pk=target_id).first()
        if target is None:
            raise DomainError("There is no such target.", field="target", value=target_id)
    period = occupied(telescope, observe_from, observe_until)
    require_free([period], {telescope.organisation_id})
    booking = Booking(
        telescope=telescope,
        organisation_id=telescope.organisation_id,
        target=target,
        purpose=purpose,
        state=Booking.State.HELD if hold else Booking.State.CONFIRMED,
        observe_from=period.observe_from,
        observe_until=period.observe_until,
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        created_by=person_of(actor),
    )
    booking.clean_fields()
    states.create([booking], actor=actor)
    booking_event("booking.created", booking, actor=actor)
    return booking


@in_transaction
def confirm_booking(booking_id: int, *, actor: Principal | None = None) -> Booking:
    """A held local booking becomes confirmed."""
    booking = _lock_local(booking_id, actor)
    states.move([booking], Booking.State.CONFIRMED, Booking.TRANSITIONS, actor=actor)
    booking_event("booking.confirmed", booking, actor=actor)
    return booking


@in_transaction
def release_booking(booking_id: int, *, reason: str = "", actor: Principal | None = None) -> Booking:
    """Free the telescope. What belongs to a claim is freed by withdrawing the claim."""
    booking = _lock_local(booking_id, actor)
    states.move([booking], Booking.State.RELEASED, Booking.TRANSITIONS, actor=actor, reason=reason)
    booking_event("booking.released", booking, actor=actor)
    return booking


def _require_length(observe_from: dt.datetime, observe_until: dt.datetime) -> None:
    require_interval(observe_from, observe_until)
    if observe_until - observe_from > LONGEST:
        raise DomainError(
            "A booking is too long.", field="observe_until", value=utc_text(observe_until), expected="31 days at most"
        )


@in_transaction
def move_booking(
    booking_id: int,
    *,
    observe_from: dt.datetime,
    observe_until: dt.datetime,
    telescope_id: int | None = None,
    actor: Principal | None = None,
) -> Booking:
    """Give a local booking another time, or another telescope of the same organisation."""
    _require_length(observe_from, observe_until)
    seen = _local(booking_id, actor)
    locked = lock_telescopes({seen.telescope_id, telescope_id or seen.telescope_id})
    booking = _locked(booking_id)
    if booking.telescope_id not in locked:  # moved to another telescope meanwhile
        raise LockSetChangedError
    telescope = locked[telescope_id or booking.telescope_id]
    if booking.state not in Booking.ACTIVE:
        raise ConflictError(f"The booking is {booking.state}.", field="booking", value=booking.pk, state=booking.state)
    if telescope.organisation_id != booking.organisation_id:
        raise ForbiddenError(f"{telescope} belongs to {telescope.organisation}.", field="telescope", value=telescope.pk)
    period = occupied(telescope, observe_from, observe_until)
    require_free([period], {booking.organisation_id}, besides=[booking.pk])
    before = {"observe_from": utc_text(booking.observe_from), "observe_until": utc_text(booking.observe_until)}
    states.change(
        [booking],
        telescope=telescope,
        observe_from=period.observe_from,
        observe_until=period.observe_until,
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        disturbed=False,
        actor=actor,
    )
    booking_event("booking.moved", booking, actor=actor, before=before)
    return booking


@in_transaction
def report_result(booking_id: int, *, result: str, note: str = "", actor: Principal | None = None) -> Booking:
    """What came of a booking: observed, partly, failed and why, not attempted. May be corrected later.

    By the holder or the operator of the telescope, once the observation has begun. The slot is completed when it is
    over and everybody has reported.
    """
    if result not in Booking.Result.values:
        expected = ", ".join(Booking.Result.values)
        raise DomainError(f"{result!r} is no result.", field="result", value=result, expected=expected)
    seen = _visible(booking_id, actor)
    if actor is not None and not (may_schedule(actor, seen.telescope.organisation_id)):
        require_scheduler(actor, seen.organisation)
    slot = None if seen.claim is None else lock_slot(seen.claim.slot_id)
    booking = _locked(booking_id)
    if clock.now() < booking.observe_from:
        raise ConflictError(
            f"The observation begins at {utc_text(booking.observe_from)}.", field="booking", value=booking.pk
        )
    observed = result in (Booking.Result.OBSERVED, Booking.Result.PARTLY)
    state = Booking.State.DONE if observed else Booking.State.FAILED
    fields = {"result": result, "result_note": note, "result_at": clock.now()}
    if booking.state == state:
        states.change([booking], actor=actor, reason=note, **fields)
    else:
        states.move([booking], state, Booking.TRANSITIONS, actor=actor, reason=note, **fields)
    told = {slot.campaign.lead_organisation_id} if slot is not None else ()
    booking_event(
        "booking.result", booking, told=told, actor=actor, result=result,
        title=f"{seen.telescope}: {booking.get_result_display()}, {{target}}",
        text=f"{period_text(booking.observe_from, booking.observe_until)}. {note}".strip(),
    )  # fmt: skip
    if slot is not None and _is_over(slot):
        lifecycle.complete(slot, actor=actor)
    return booking


def _is_over(slot: Slot) -> bool:
    reported = not lifecycle.active_bookings(slot)
    return slot.state == Slot.State.IN_PROGRESS and clock.now() >= slot.ends_at and reported


def _lock_local(booking_id: int, actor: Principal | None) -> Booking:
    seen = _local(booking_id, actor)
    lock_telescopes([seen.telescope_id])
    return _locked(booking_id)


def _locked(booking_id: int) -> Booking:
    booking = Booking.objects.select_for_update(of=("self",)).get(pk=booking_id)
    preconditions.require(booking)
    return booking


def _local(booking_id: int, actor: Principal | None) -> Booking:
    """A booking by staff. Raises ConflictError for one that belongs to a claim."""
    booking = _visible(booking_id, actor)
    require_scheduler(actor, booking.organisation)
    if booking.claim is not None:
        raise ConflictError(
            f"The booking belongs to claim {booking.claim_id} on slot {booking.claim.slot_id}: withdraw the claim, or "
            "ask the coordinator of the campaign.",
            field="booking",
            value=booking.pk,
        )
    return booking


def _visible(booking_id: int, actor: Principal | None) -> Booking:
    visible = Booking.objects.visible_to(SYSTEM if actor is None else actor_of(actor))
    booking = visible.select_related("organisation", "telescope", "claim").filter(pk=booking_id).first()
    if booking is None:
        raise UnknownError(f"There is no booking {booking_id}.", field="booking", value=booking_id)
    return booking
