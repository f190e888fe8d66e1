"""The journal: events (what happened, for those who must react to it) and run records (what scheduled work did)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from . import clock


class Event(models.Model):
    """One row for each change that somebody may have to hear of, written in the transaction of the change itself.

    Readers follow `position`, which a row gets when it is first seen committed: ids are given out before the commit,
    and a reader that followed them would pass by a row that commits late. (Waiting for the oldest open transaction
    would serve too, but a chunk of windows or an import keeps one open for minutes, in any database of the server.)
    """

    kind = models.CharField(max_length=64, help_text="what happened, such as closure.added")
    subject = models.CharField(max_length=64, help_text="to what, such as telescope:12")
    payload = models.JSONField(default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    system = models.CharField(max_length=200, blank=True, help_text="the partner's system that did it")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    position = models.BigIntegerField(null=True, unique=True, editable=False, help_text="its place in the journal")

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(position=None), name="event_without_position"),
            models.Index(fields=["subject", "id"], name="event_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class EventCursor(models.Model):
    """How far a reader has come. Whoever holds the row's lock is the one who reads."""

    reader = models.CharField(max_length=64, unique=True)
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.reader} at {self.position}"


class EventFailure(models.Model):
    """An event that a reader could not handle: tried again with growing pauses, then set aside so that the reader can
    go on.
    """

    reader = models.CharField(max_length=64)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="failures")
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField()
    retry_at = models.DateTimeField(null=True, blank=True, help_text="empty: set aside, and not tried again by itself")
    failed_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-failed_at"]
        constraints = [models.UniqueConstraint(fields=["reader", "event"], name="event_failure_once")]

    def __str__(self) -> str:
        return f"{self.reader}: {self.event}"


class KeptAnswer(models.Model):
    """What was answered to a request with an Idempotency-Key, written in the transaction of what the request did."""

    caller = models.CharField(max_length=64, help_text="whose key it is, such as user:3")
    key_sha256 = models.CharField(max_length=64)
    request_sha256 = models.CharField(max_length=64, help_text="of method, address and body")
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    body = models.BinaryField(help_text="encrypted")
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key_sha256"], name="answer_once_for_a_key")]

    def __str__(self) -> str:
        return f"{self.status} to {self.caller}, {self.created_at:%Y-%m-%d %H:%M}Z"


class RunRecord(models.Model):
    """What one run of a job did: the answer to "is our data current, and if not, why"."""

    class State(models.TextChoices):
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        OFFLINE = "offline", "offline: providers are switched off, or there is no network"

    job = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, help_text="fetched, created, updated, unchanged, rejected …")
    message = models.TextField(blank=True, help_text="why it failed, or what to know of it")
    findings = models.JSONField(
        default=list, blank=True, help_text="objects of which there is something to know: object, why, candidates"
    )

    class Meta:
        indexes = [models.Index(fields=["job", "-started_at"], name="run_job_latest")]
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.job} {self.started_at:%Y-%m-%d %H:%M}Z {self.state}"

    @property
    def found_nothing(self) -> bool:
        """It ended well, and there was nothing to do."""
        return self.state == self.State.SUCCEEDED and not (any(self.counts.values()) or self.findings or self.message)


class SourceState(models.Model):
    """How it stands with one provider: what was asked and answered last, and whether it is left alone for a while.

    The row is the circuit breaker that all processes share: after some failures in a row nobody asks until
    `open_until`; then one is let through, and its answer decides.
    """

    class Breaker(models.TextChoices):
        CLOSED = "closed", "closed: it is asked"
        OPEN = "open", "open: it is left alone"
        TRIAL = "trial", "trial: one request is let through"

    source = models.CharField(max_length=32, primary_key=True)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    success_before_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True)
    last_error_kind = models.CharField(max_length=32, blank=True, editable=False, help_text="such as Unavailable")
    last_error_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="in a row, since the last success")
    open_until = models.DateTimeField(null=True, blank=True, help_text="it is left alone until then")
    openings = models.PositiveIntegerField(default=0, help_text="in a row: each pause is twice as long as the last")

    class Meta:
        ordering = ["source"]

    def __str__(self) -> str:
        return self.source

    @property
    def breaker(self) -> str:
        if self.open_until is None:
            return self.Breaker.CLOSED
        return self.Breaker.OPEN if self.open_until > clock.now() else self.Breaker.TRIAL


class QuarantinedReply(models.Model):
    """What a provider sent that cannot be true: kept with the reason, and never used."""

    source = models.CharField(max_length=32)
    subject = models.CharField(max_length=100, blank=True, help_text="what was asked for")
    reason = models.TextField()
    excerpt = models.TextField(blank=True, help_text="the beginning of the reply")
    digest = models.CharField(max_length=64, editable=False, help_text="of source, subject, reason and excerpt")
    times = models.PositiveIntegerField(default=1, help_text="how often the same came")
    first_at = models.DateTimeField(default=clock.now)
    last_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "quarantined replies"
        ordering = ["-last_at"]
        constraints = [models.UniqueConstraint(fields=["digest"], name="quarantined_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.subject}: {self.reason}"[:120]
