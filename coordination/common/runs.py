"""Run records around a piece of scheduled work."""

from collections.abc import Iterator
from contextlib import contextmanager

from . import clock
from .models import RunRecord

KILLED = "It ended without a word: its process was killed, or lost its connection."


def close_killed(record: RunRecord) -> None:
    """Close the records of earlier runs that never ended. To be called where no other run of the job can be at work;
    one that only waits for its turn says itself how it went when it ends.
    """
    earlier = RunRecord.objects.filter(job=record.job, state=RunRecord.State.RUNNING, pk__lt=record.pk)
    earlier.update(state=RunRecord.State.FAILED, ended_at=clock.now(), message=KILLED)


@contextmanager
def recorded(job: str) -> Iterator[RunRecord]:
    """Keep a run record of the block, which fills `counts` and `message`; an exception marks it failed."""
    record = RunRecord.objects.create(job=job)
    try:
        yield record
    except BaseException as error:
        record.state = RunRecord.State.FAILED
        record.message = f"{type(error).__name__}: {error}"[:2000]
        raise
    else:
        record.state = RunRecord.State.SUCCEEDED
    finally:
        record.ended_at = clock.now()
        record.save()
