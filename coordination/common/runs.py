"""Run records around a piece of scheduled work."""

from collections.abc import Iterator
from contextlib import contextmanager

from . import clock
from .models import RunRecord


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
