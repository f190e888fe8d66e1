"""What is kept for how long (docs/jobs.md has the rule), and the job that removes what is older."""

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.db.models import F, Min, Q, Window
from django.db.models.functions import RowNumber

from . import clock
from .jobs import Run
from .models import Event, EventCursor, QuarantinedReply, RunRecord

Remove = Callable[[dt.datetime], int]  # (now) -> how many rows were removed

BATCH = 5000
MOST_RUN_RECORDS = 5000  # of each job
_rules: dict[str, Remove] = {}


def register(what: str, remove: Remove) -> None:
    """A room says how what of its own is old is removed."""
    _rules[what] = remove


def register_journal() -> None:
    register("run records", _remove_run_records)
    register("quarantined replies", _remove_quarantined)
    register("events", _remove_events)


def clean_up(run: Run) -> None:
    """Every rule in turn, each in transactions of its own: what was removed before a kill stays removed."""
    now = clock.now()
    for what, remove in _rules.items():
        removed = remove(now)
        run.count(what.replace(" ", "_"), removed)
        run.changed += removed


def _remove_run_records(now: dt.datetime) -> int:
    """All but the last of each job, which says how current its data are; and the newest of what comes every minute."""
    latest = RunRecord.objects.order_by("job", "-started_at").distinct("job").values("pk")
    rank = Window(RowNumber(), partition_by="job", order_by=F("started_at").desc())
    many = RunRecord.objects.annotate(rank=rank).filter(rank__gt=MOST_RUN_RECORDS).values_list("pk", flat=True)
    limit = now - dt.timedelta(days=settings.RUN_RETENTION_DAYS)
    old = RunRecord.objects.filter(Q(started_at__lt=limit) | Q(pk__in=list(many)))
    return old.exclude(pk__in=latest).exclude(state=RunRecord.State.RUNNING).delete()[0]


def _remove_quarantined(now: dt.datetime) -> int:
    limit = now - dt.timedelta(days=settings.QUARANTINE_RETENTION_DAYS)
    return QuarantinedReply.objects.filter(last_at__lt=limit).delete()[0]


def _remove_events(now: dt.datetime) -> int:
    """Those that every reader has read and none has set aside; with the notices that tell of them."""
    read = EventCursor.objects.aggregate(least=Min("position"))["least"]
    limit = now - dt.timedelta(days=settings.EVENT_RETENTION_DAYS)
    old = Event.objects.filter(Q(created_at__lt=limit, position__lte=read or 0, failures=None))
    removed = 0
    while batch := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        Event.objects.filter(pk__in=batch).delete()
        removed += len(batch)
    return removed
