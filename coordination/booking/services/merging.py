"""Slots and bookings of a target that turned out to be another one."""

from coordination.common import states

from ..models import Booking, Seat, Slot
from .locking import lock_telescopes

_REASON = "two targets turned out to be one object"


def concerned_by(target_id: int) -> dict[str, int]:
    """How many slots and bookings are of a target."""
    return {
        "slots": Slot.objects.filter(target_id=target_id).count(),
        "bookings": Booking.objects.filter(target_id=target_id).count(),
    }


def repoint_target(kept_id: int, merged_id: int) -> None:
    """Move slots and bookings from one target to another, with their history, inside the caller's transaction. Their
    times stay; slots are re-checked against the orbit that is current then.
    """
    seats = Seat.objects.filter(slot__target_id=merged_id).values_list("telescope_id", flat=True)
    booked = Booking.objects.filter(target_id=merged_id).values_list("telescope_id", flat=True)
    lock_telescopes([*seats, *booked])
    slots = Slot.objects.select_for_update(of=("self",)).filter(target_id=merged_id).order_by("pk")
    states.change(list(slots), target_id=kept_id, reason=_REASON)
    bookings = Booking.objects.select_for_update(of=("self",)).filter(target_id=merged_id).order_by("pk")
    states.change(list(bookings), target_id=kept_id, reason=_REASON)
