"""The service's own jobs: what was lost on the way to a worker is queued again, what is old is removed."""

from django.core.cache import cache

from . import clock, following, idempotency, jobs, retention
from .jobs import Run
from .models import EventFailure


def register() -> None:
    jobs.register("clean_up", "what is old, by the retention rule", retention.clean_up)
    jobs.register("read_events", "readers of events that were not woken, or failed", read_events)
    jobs.register(jobs.WATCH, "jobs that were lost with their worker or the broker", requeue_jobs)
    retention.register_journal()
    retention.register("answers kept for retries", idempotency.remove_old_answers)


def read_events(run: Run) -> None:
    """Wake the readers that are behind: the task that should have done so may be lost."""
    from .tasks import follow_events

    cache.delete(following.WAKING)
    for reader in following.behind():
        follow_events.apply_async((reader,), expires=60)
        run.changed += 1
    for failure in EventFailure.objects.filter(retry_at__lte=clock.now()).select_related("event"):
        run.find(f"{failure.reader}: {failure.event}", failure.error)


def requeue_jobs(run: Run) -> None:
    from .tasks import run_job

    for name in jobs.lost():
        run_job.apply_async((name,), expires=240)  # the next run asks again
        run.changed += 1
