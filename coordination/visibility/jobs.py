"""Scheduled work of visibility: the horizon rolls, and what was lost of a computation is queued again."""

import datetime as dt

from django.conf import settings

from coordination.common import jobs, retention
from coordination.common.jobs import Run

from . import computations, planning, storage


def register() -> None:
    jobs.register("plan_windows", "windows of new nights, and of what has changed", plan_windows)
    jobs.register("requeue_windows", "parts of computations that were lost with a worker or the broker", requeue)
    retention.register("windows", remove_old_nights)
    retention.register("window computations", computations.remove_expired)


def plan_windows(run: Run) -> None:
    """Write down what is stale, and queue it. While a computation is under way nothing is planned."""
    computation = planning.plan()
    if computation is not None and not computation.overtaken:
        run.count("chunks", computation.chunks.count())


def requeue(run: Run) -> None:
    run.count("chunks", planning.sweep())
    run.count("parts", computations.sweep())


def remove_old_nights(now: dt.datetime) -> int:
    """Partitions, a night each."""
    return len(storage.drop_partitions_before(now.date() - dt.timedelta(days=settings.WINDOW_RETENTION_DAYS)))
