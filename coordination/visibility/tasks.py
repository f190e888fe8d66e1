"""The legs: Celery tasks that take ids and call services. They may run twice, late or not at all without harm."""

from celery import shared_task

from . import computations, planning


@shared_task(name="visibility.compute_chunk")
def compute_chunk(chunk_id: int) -> None:
    planning.run_chunk(chunk_id)


@shared_task(name="visibility.compute_part")
def compute_part(part_id: int) -> None:
    computations.run_part(part_id)
