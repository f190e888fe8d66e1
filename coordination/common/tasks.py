"""The legs of the readers of events."""

from celery import shared_task

from . import following


@shared_task(name="events.follow")
def follow_events(reader: str) -> None:
    following.follow(reader)


@shared_task(name="events.sweep")
def sweep() -> None:
    """Wake every reader: the task that should have been queued when an event committed may be lost."""
    for reader in following.readers():
        follow_events.apply_async((reader,), expires=60)
