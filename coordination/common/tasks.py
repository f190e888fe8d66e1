"""The legs of the readers of events, and of all jobs."""

from celery import shared_task
from django.core.cache import cache

from . import following, jobs


@shared_task(name="events.follow")
def follow_events(reader: str) -> None:
    following.follow(reader)


@shared_task(name="events.wake_readers")
def wake_readers() -> None:
    """When an event has committed. The job `read_events` is behind it."""
    cache.delete(following.WAKING)
    for reader in following.readers():
        follow_events.apply_async((reader,), expires=60)


@shared_task(name="jobs.run")
def run_job(name: str) -> None:
    """Does nothing where the job is being run already."""
    jobs.run_job(name)
