"""Claims that wait for a free place, tried in order when one may have come."""

from coordination.common import states
from coordination.common.problems import ConflictError
from observatories.models import Telescope

from ..models import Booking, Claim, ClaimedSeat, Slot
from .hours import require_hours
from .lifecycle import seats_of
from .locking import LockSetChangedError
from .periods import occupied, require_free, sharing_setup
from .telling import claim_event


def telescope_ids(slot_id: int) -> set[int]:
    """Telescopes that waiting claims of a slot would take; to be locked before the slot."""
    wanted = ClaimedSeat.objects.filter(claim__slot_id=slot_id, claim__state=Claim.State.WAITING)
    return set(wanted.values_list("seat__telescope_id", flat=True))


def promote(slot: Slot, locked: dict[int, Telescope]) -> None:
    """Give free places to waiting claims, first come first served. One whose telescope is taken is skipped and told.

    `locked`: the telescopes of the waiting claims. Raises LockSetChangedError where a claim came after they were read.
    """
    from .claims import book_seats

    claims = list(slot.claims.filter(state=Claim.State.WAITING).select_related("organisation"))
    if not claims:
        return
    seats = seats_of(claims)
    if {seat.telescope_id for found in seats.values() for seat in found} - set(locked):
        raise LockSetChangedError
    for claim in claims:
        taken = Booking.objects.active().filter(claim__slot=slot).count()
        if slot.capacity is not None and taken + len(seats[claim.pk]) > slot.capacity:
            continue  # a smaller one behind it may fit
        periods = sharing_setup(
            occupied(locked[seat.telescope_id], seat.observe_from, seat.observe_until) for seat in seats[claim.pk]
        )
        try:
            require_free(periods, {claim.organisation_id})
            require_hours(slot.campaign, claim.organisation_id, periods)
        except ConflictError as conflict:
            claim_event(
                "claim.skipped", claim, slot, told=[claim.organisation_id],
                title="A place became free, but not for you: {target}", text=conflict.detail,
            )  # fmt: skip
            continue
        states.move([claim], Claim.State.HELD, Claim.TRANSITIONS)
        book_seats(claim, slot, seats[claim.pk], periods, None)
        claim_event(
            "claim.held", claim, slot, told=[claim.organisation_id],
            title="A place became free: {target}", text="Your waiting claim now holds its telescopes.",
        )  # fmt: skip
