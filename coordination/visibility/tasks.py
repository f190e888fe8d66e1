"""The legs: Celery tasks that take ids and call services. They may run twice, late or not at all without harm."""

import datetime as dt

from celery import shared_task
from django.conf import settings

from coordination.common import clock

from . import computations, planning, storage


@shared_task(name="visibility.compute_chunk")
def compute_chunk(chunk_id: int) -> None:
    planning.run_chunk(chunk_id)


@shared_task(name="visibility.plan")
def plan() -> None:
    """Roll the horizon and catch up with what has changed."""
    planning.plan()


@shared_task(name="visibility.sweep")
def sweep() -> None:
    planning.sweep()


@shared_task(name="visibility.drop_old_windows")
def drop_old_windows() -> None:
    storage.drop_partitions_before(clock.now().date() - dt.timedelta(days=settings.WINDOW_RETENTION_DAYS))


@shared_task(name="visibility.compute_part")
def compute_part(part_id: int) -> None:
    computations.run_part(part_id)


@shared_task(name="visibility.sweep_computations")
def sweep_computations() -> None:
    computations.sweep()


@shared_task(name="visibility.drop_expired_computations")
def drop_expired_computations() -> None:
    computations.drop_expired()
