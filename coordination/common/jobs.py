"""Scheduled work: one run of a job at a time, and a record of each.

A room registers its jobs in `AppConfig.ready`; Celery (`jobs.run`), beat and `manage.py job` run them by name. A run
that found nothing to do is no news: the next one takes over its record, so that however often they come there is one.
"""

import datetime as dt
import json
import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django_celery_beat.models import PeriodicTask

from . import clock, sources
from .models import RunRecord
from .providers.errors import Offline, SourceError
from .runs import close_killed

logger = logging.getLogger(__name__)

MOST_FINDINGS = 200  # in one run record; `failed` in its counts tells how many there were
WATCH = "requeue_jobs"  # the job that asks what was lost; nobody asks after it, it comes every five minutes
LOST_AFTER = dt.timedelta(minutes=10)  # without a sign of it: it may have waited behind long work
LOST_UNTIL = dt.timedelta(days=7)  # what nobody could run for so long is left to the schedule


@dataclass
class Run:
    """What a job says of itself while it works."""

    fetched: int = 0
    changed: int = 0
    failed: int = 0
    more: dict[str, int] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""

    def count(self, name: str, by: int = 1) -> None:
        self.more[name] = self.more.get(name, 0) + by

    def find(self, subject: object, why: object, candidates: Collection[str] = ()) -> None:
        """Note an object of which nothing could be taken, and why; `candidates` that its designation may mean."""
        self.failed += 1
        if len(self.findings) < MOST_FINDINGS:
            found: dict[str, Any] = {"object": str(subject)[:100], "why": str(why)[:500]}
            self.findings.append(found | ({"candidates": list(candidates)[:50]} if candidates else {}))

    def counts(self) -> dict[str, int]:
        return {"fetched": self.fetched, "changed": self.changed, "failed": self.failed, **self.more}


@dataclass(frozen=True)
class Job:
    """`run` fills in what it did; it may be killed at any point and run again. `sources`: which providers it asks."""

    name: str
    title: str
    run: Callable[[Run], None]
    sources: tuple[str, ...] = ()


_jobs: dict[str, Job] = {}


def register(name: str, title: str, run: Callable[[Run], None], *sources: str) -> None:
    _jobs[name] = Job(name, title, run, sources)


def registered() -> list[Job]:
    return [_jobs[name] for name in sorted(_jobs)]


def run_job(name: str) -> RunRecord | None:
    """Run a job now; its record, or None where another process is at it. A provider that does not answer, or is
    switched off, is said in the record; what nobody foresaw is raised too. Raises KeyError for a job that is not
    registered.
    """
    job = _jobs[name]
    with _alone(name) as is_alone:
        if not is_alone:
            return None
        if job.sources:
            sources.ensure_rows()
        return _recorded(job)


def _recorded(job: Job) -> RunRecord:
    record, run = _begun(job.name), Run()
    try:
        job.run(run)
        record.state = RunRecord.State.SUCCEEDED
    except Offline as error:
        record.state, run.message = RunRecord.State.OFFLINE, str(error)
    except SourceError as error:
        record.state, run.message = RunRecord.State.FAILED, str(error)
    except BaseException as error:
        record.state, run.message = RunRecord.State.FAILED, f"{type(error).__name__}: {error}"
        raise
    finally:
        record.ended_at, record.counts, record.findings = clock.now(), run.counts(), run.findings
        record.message = run.message[:2000]
        record.save()
    return record


def _begun(name: str) -> RunRecord:
    last = RunRecord.objects.filter(job=name).order_by("-started_at", "-pk").first()
    if last is None or not last.found_nothing:
        record = RunRecord.objects.create(job=name)
        close_killed(record)
        return record
    last.state, last.started_at, last.ended_at = RunRecord.State.RUNNING, clock.now(), None
    last.save(update_fields=["state", "started_at", "ended_at"])
    return last


def lost() -> list[str]:
    """Jobs whose last turn came to nothing: killed while they ran, or queued by beat and never begun, as after a broker
    was emptied. Without them a weekly job would wait for the next week.
    """
    watched = sorted(set(_jobs) - {WATCH})
    return [name for name in watched if _was_killed(name) or _never_began(name)]


def _was_killed(name: str) -> bool:
    if not RunRecord.objects.filter(job=name, state=RunRecord.State.RUNNING).exists():
        return False
    with _alone(name) as is_alone:  # whoever is at it holds the lock
        return is_alone


def _never_began(name: str) -> bool:
    now = clock.now()
    queued = PeriodicTask.objects.filter(
        task="jobs.run", args=json.dumps([name]), enabled=True, total_run_count__gt=0,
        last_run_at__range=(now - LOST_UNTIL, now - LOST_AFTER),
    ).order_by("-last_run_at").first()  # fmt: skip
    if queued is None or queued.last_run_at is None:
        return False
    return not RunRecord.objects.filter(job=name, started_at__gte=queued.last_run_at).exists()


@contextmanager
def _alone(name: str) -> Iterator[bool]:
    """Whether nobody else runs the job; held by the connection, so that a killed worker lets go of it."""
    key = f"job.{name}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [key])
        (is_alone,) = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [key])
