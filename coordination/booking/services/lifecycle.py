"""What follows for a slot when its claims, or the time, have changed. Every function here holds the slot's lock."""

from collections.abc import Iterable

from coordination.common import clock, states
from coordination.common.problems import ConflictError
from observatories.people import Principal

from ..models import Booking, Claim, Seat, Slot
from ..quorum import Quorum, quorum_of
from .telling import claim_event, holders_and_lead, participants, slot_event

NO_REPLACEMENT = "no replacement was found"


def active_bookings(slot: Slot) -> list[Booking]:
    """The bookings that hold seats of the slot, with telescopes and their observatories. One query."""
    held = Booking.objects.active().filter(claim__slot=slot).select_related("telescope__observatory", "seat")
    return list(held.order_by("telescope_id", "observe_from"))


def settle(slot: Slot, *, actor: Principal | None = None) -> Quorum:
    """Bring the slot's state in line with what is claimed: confirm it, seek a replacement, or give it up."""
    bookings = active_bookings(slot)
    quorum = quorum_of(slot, bookings)
    if slot.state == Slot.State.OPEN and quorum.holds:
        states.move([slot], Slot.State.CONFIRMED, Slot.TRANSITIONS, actor=actor)
        _confirm(slot, bookings, actor)
        slot_event(
            "slot.confirmed", slot, told=holders_and_lead(slot), actor=actor,
            title="Confirmed: {target}", text=f"The quorum is there: {quorum.text}.",
        )  # fmt: skip
    elif slot.state == Slot.State.CONFIRMED:
        _confirm(slot, bookings, actor)
        if quorum.holds and slot.needs_replacement:
            states.change([slot], needs_replacement=False, actor=actor)
            slot_event(
                "slot.replaced", slot, told=holders_and_lead(slot), actor=actor,
                title="Replacement found: {target}", text=f"The quorum holds again: {quorum.text}.",
            )  # fmt: skip
        elif not quorum.holds and clock.now() >= slot.replacement_deadline:
            cancel(slot, f"below its quorum after the replacement deadline: {quorum.text}", actor=actor)
        elif not quorum.holds and not slot.needs_replacement:
            states.change([slot], needs_replacement=True, actor=actor)
            slot_event(
                "slot.needs_replacement", slot, told=_participants_and_holders(slot), actor=actor,
                title="Replacement wanted: {target}",
                text=f"Below its quorum: {quorum.text}. Without a replacement by "
                f"{slot.replacement_deadline:%Y-%m-%d %H:%M} UTC it is cancelled.",
            )  # fmt: skip
    return quorum


def _participants_and_holders(slot: Slot) -> set[int]:
    return holders_and_lead(slot) | set(participants(slot))


def _confirm(slot: Slot, bookings: Iterable[Booking], actor: Principal | None) -> None:
    """Held claims of a confirmed slot, and their bookings, become confirmed."""
    claims = list(slot.claims.filter(state=Claim.State.HELD))
    if not claims:
        return
    held = [booking for booking in bookings if booking.state == Booking.State.HELD]
    states.move(claims, Claim.State.CONFIRMED, Claim.TRANSITIONS, actor=actor)
    states.move(held, Booking.State.CONFIRMED, Booking.TRANSITIONS, actor=actor)
    for claim in claims:
        claim_event("claim.confirmed", claim, slot, actor=actor)


def release(slot: Slot, claims: list[Claim], to: str, *, actor: Principal | None, reason: str) -> None:
    """End claims (released or withdrawn) and free their telescopes."""
    bookings = list(Booking.objects.active().filter(claim__in=claims))
    states.move(claims, to, Claim.TRANSITIONS, actor=actor, reason=reason)
    states.move(bookings, Booking.State.RELEASED, Booking.TRANSITIONS, actor=actor, reason=reason)
    for claim in claims:
        claim_event(f"claim.{to}", claim, slot, actor=actor)


def expire(slot: Slot) -> None:
    """Its deadline passed without quorum: every hold is released."""
    told = holders_and_lead(slot)
    states.move([slot], Slot.State.EXPIRED, Slot.TRANSITIONS)
    release(slot, _active_claims(slot), Claim.State.RELEASED, actor=None, reason="the slot expired")
    text = f"Not enough seats were claimed by {slot.claim_deadline:%Y-%m-%d %H:%M} UTC. All telescopes are free again."
    slot_event("slot.expired", slot, told=told, title="Expired: {target}", text=text)


def cancel(slot: Slot, reason: str, *, actor: Principal | None = None) -> None:
    """Give it up; all holders are told."""
    told = holders_and_lead(slot) if slot.state != Slot.State.DRAFT else ()
    states.move([slot], Slot.State.CANCELLED, Slot.TRANSITIONS, actor=actor, reason=reason)
    release(slot, _active_claims(slot), Claim.State.RELEASED, actor=actor, reason="the slot was cancelled")
    slot_event(
        "slot.cancelled", slot, told=told, actor=actor, reason=reason,
        title="Cancelled: {target}", text=f"Reason: {reason}. All telescopes are free again.",
    )  # fmt: skip


def lapse(slot: Slot) -> ConflictError | None:
    """Expire a slot whose deadline passed without quorum, and cancel one that found no replacement in time, where the
    sweeper has not come yet; the refusal of what was asked, which is to be returned so that the end stands.
    """
    now = clock.now()
    if slot.state == Slot.State.OPEN and now >= slot.claim_deadline:
        expire(slot)
    elif slot.state == Slot.State.CONFIRMED and slot.needs_replacement and now >= slot.replacement_deadline:
        cancel(slot, NO_REPLACEMENT)
    else:
        return None
    return ConflictError(f"The slot is {slot.state}.", field="slot", value=slot.pk, state=slot.state)


def require_not_begun(slot: Slot, advice: str) -> None:
    """Raises ConflictError for a confirmed slot whose time has come, whether or not the sweeper said so yet."""
    due = slot.state == Slot.State.CONFIRMED and clock.now() >= slot.starts_at
    if due or slot.state == Slot.State.IN_PROGRESS:
        raise ConflictError(f"The observation has begun: {advice}.", field="slot", value=slot.pk, state=slot.state)


def start(slot: Slot) -> None:
    """Its time has come. Who still waits for a place waits in vain."""
    states.move([slot], Slot.State.IN_PROGRESS, Slot.TRANSITIONS)
    waiting = list(slot.claims.filter(state=Claim.State.WAITING))
    release(slot, waiting, Claim.State.RELEASED, actor=None, reason="no place became free")
    slot_event("slot.started", slot)


def complete(slot: Slot, *, actor: Principal | None = None) -> None:
    """It is over. What nobody reported on is done without a result."""
    bookings = active_bookings(slot)
    states.move([slot], Slot.State.COMPLETED, Slot.TRANSITIONS, actor=actor)
    states.move(bookings, Booking.State.DONE, Booking.TRANSITIONS, actor=actor)
    claims = list(slot.claims.filter(state=Claim.State.CONFIRMED))
    states.move(claims, Claim.State.DONE, Claim.TRANSITIONS, actor=actor)
    for claim in claims:
        claim_event("claim.done", claim, slot, actor=actor)
    slot_event(
        "slot.completed", slot, told=holders_and_lead(slot) | {claim.organisation_id for claim in claims}, actor=actor,
        title="Completed: {target}", text="",
    )  # fmt: skip


def _active_claims(slot: Slot) -> list[Claim]:
    return list(slot.claims.filter(state__in=Claim.ACTIVE))


def seats_of(claims: Iterable[Claim]) -> dict[int, list[Seat]]:
    """By claim, the seats that it takes or waits for. One query."""
    found: dict[int, list[Seat]] = {claim.pk: [] for claim in claims}
    seats = Seat.objects.filter(claimed_seats__claim__in=list(found)).values_list("claimed_seats__claim_id", "pk")
    rows = Seat.objects.in_bulk({pk for _, pk in seats})
    for claim_id, pk in seats:
        if claim_id in found:
            found[claim_id].append(rows[pk])
    return found
