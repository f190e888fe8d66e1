"""The legs of this room. Everything they do follows from what is in the database, so they may run twice, late or not
at all without harm.
"""

from celery import shared_task

from .services import advance_slots, expire_slots, mark_disturbed, recheck_slots


@shared_task(name="booking.sweep")
def sweep() -> None:
    """Expire, begin, cancel and complete slots; flag what closures disturb."""
    mark_disturbed()
    expire_slots()
    advance_slots()


@shared_task(name="booking.recheck")
def recheck() -> None:
    """Hold slots against the current orbits of their targets."""
    recheck_slots()
