"""The legs of the readers of events, of kept answers, and of scheduled jobs."""

from celery import shared_task
from django.core.cache import cache

from . import following, idempotency, jobs


@shared_task(name="events.follow")
def follow_events(reader: str) -> None:
    following.follow(reader)


@shared_task(name="events.wake_readers")
def wake_readers() -> None:
    """When an event has committed; and every half minute, as the task that should have been queued may be lost."""
    cache.delete(following.WAKING)
    for reader in following.readers():
        follow_events.apply_async((reader,), expires=60)


@shared_task(name="api.drop_old_answers")
def drop_old_answers() -> None:
    idempotency.drop_old_answers()


@shared_task(name="jobs.run")
def run_job(name: str) -> None:
    """Does nothing where the job is being run already."""
    jobs.run_job(name)


@shared_task(name="jobs.sweep")
def sweep_jobs() -> None:
    """Queue again what was lost on the way to a worker, or with one."""
    for name in jobs.lost():
        run_job.apply_async((name,), expires=240)  # the next sweep asks again
