"""The journal: events (what happened, for those who must react to it) and run records (what scheduled work did)."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Cast

from . import clock


def _current_transaction_id() -> Cast:
    number = models.Func(function="pg_current_xact_id", output_field=models.TextField())
    return Cast(Cast(number, models.TextField()), models.BigIntegerField())


class Event(models.Model):
    """One row for each change that somebody may have to hear of, written in the transaction of the change itself.

    Readers follow `(transaction_id, id)` and stop before the oldest transaction that is still open; so a row that
    commits late is never skipped.
    """

    kind = models.CharField(max_length=64, help_text="what happened, such as closure.added")
    subject = models.CharField(max_length=64, help_text="to what, such as telescope:12")
    payload = models.JSONField(default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    transaction_id = models.BigIntegerField(db_default=_current_transaction_id(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["transaction_id", "id"], name="event_order"),
            models.Index(fields=["subject", "id"], name="event_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class RunRecord(models.Model):
    """What one run of a job did: the answer to "is our data current, and if not, why"."""

    class State(models.TextChoices):
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    job = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, help_text="fetched, created, updated, unchanged, rejected …")
    message = models.TextField(blank=True, help_text="why it failed, or what to know of it")

    class Meta:
        indexes = [models.Index(fields=["job", "-started_at"], name="run_job_latest")]
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.job} {self.started_at:%Y-%m-%d %H:%M}Z {self.state}"
