"""What time brings about: slots that expire, are given up, begin and end. Found in the database whenever somebody
looks, so that a worker that was down misses nothing.
"""

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from coordination.common import clock, states
from observatories.models import Closure

from ..models import Booking, Slot
from . import lifecycle
from .locking import in_transaction, lock_slot
from .telling import booking_event, period_text

State = Slot.State


def expire_slots() -> int:
    """Release what is held by slots whose deadline passed without quorum; their number."""
    return _each(Q(state=State.OPEN, claim_deadline__lte=clock.now()), lifecycle.expire)


def advance_slots() -> int:
    """Cancel confirmed slots that found no replacement, begin those whose time has come, complete those that are over;
    the number of changes.
    """
    now = clock.now()
    missing = Q(state=State.CONFIRMED, needs_replacement=True, replacement_deadline__lte=now)
    begun = Q(state=State.CONFIRMED, needs_replacement=False, starts_at__lte=now)
    reported = ~Exists(Booking.objects.active().filter(claim__slot=OuterRef("pk")))
    grace = dt.timedelta(days=settings.RESULT_GRACE_DAYS)
    over = Q(state=State.IN_PROGRESS, ends_at__lte=now) & (Q(reported) | Q(ends_at__lte=now - grace))
    drafts = Q(state=State.DRAFT, starts_at__lte=now)
    return (
        _each(missing, lambda slot: lifecycle.cancel(slot, lifecycle.NO_REPLACEMENT))
        + _each(begun, lifecycle.start)
        + _each(over, lifecycle.complete)
        + _each(drafts, lambda slot: lifecycle.cancel(slot, "its time passed before it was published"))
    )


def _each(condition: Q, change: Callable[[Slot], None]) -> int:
    """Change all slots of a condition, each in a transaction of its own and only if the condition still holds."""
    return sum(_one(pk, condition, change) for pk in Slot.objects.filter(condition).values_list("pk", flat=True))


@in_transaction
def _one(slot_id: int, condition: Q, change: Callable[[Slot], None]) -> int:
    slot = lock_slot(slot_id)
    if not Slot.objects.filter(condition, pk=slot_id).exists():
        return 0
    change(slot)
    return 1


@in_transaction
def mark_disturbed() -> int:
    """Flag bookings over which a closure falls, and take the flag from those that are free again; their number.

    The holders are told, but not the reason of the closure.
    """
    closed = Closure.objects.filter(
        telescope=OuterRef("telescope"), starts_at__lt=OuterRef("ends_at"), ends_at__gt=OuterRef("starts_at")
    )
    ahead = Booking.objects.active().filter(ends_at__gt=clock.now()).annotate(is_closed=Exists(closed))
    differs = Q(is_closed=True, disturbed=False) | Q(is_closed=False, disturbed=True)
    changed = ahead.filter(differs).select_for_update(of=("self",), skip_locked=True)
    bookings = list(changed.select_related("telescope"))
    newly = [booking for booking in bookings if not booking.disturbed]
    freed = [booking for booking in bookings if booking.disturbed]
    states.change(newly, disturbed=True)
    states.change(freed, disturbed=False)
    for booking in bookings:
        _tell_disturbed(booking)
    return len(bookings)


def _tell_disturbed(booking: Booking) -> None:
    name, when = booking.telescope, period_text(booking.observe_from, booking.observe_until)
    if booking.disturbed:
        title, text = f"Closed during your booking: {name}", f"A closure of {name} falls over {{target}}, {when}."
    else:
        title, text = f"No longer closed: {name}", f"{name} is open again for {{target}}, {when}."
    kind = "booking.disturbed" if booking.disturbed else "booking.undisturbed"
    told = {booking.organisation_id, booking.telescope.organisation_id}
    booking_event(kind, booking, told=told, title=title, text=text)
