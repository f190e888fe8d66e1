"""When each telescope can observe each target: stored windows, and the work that computes them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from coordination.common import clock
from coordination.common.actors import Actor
from observatories.models import Telescope
from targets.models import Ephemeris, Orbit, Target, visible_target_q

from ..engine.edges import Edge

EDGES = [(edge.value, edge.label) for edge in Edge]


class WindowQuerySet(models.QuerySet["VisibilityWindow"]):
    def visible_to(self, actor: Actor) -> "WindowQuerySet":
        return self.filter(visible_target_q(actor, "target__"))


class VisibilityWindow(models.Model):
    """A half-open interval in which one telescope can observe one target, each edge named after the constraint that
    made it.

    The table is partitioned by `night_ends_on`, the UTC date on which the night ends, so that a night that is over is
    dropped and not deleted row by row. `id` is unique by its sequence; the database's primary key is (night_ends_on,
    id), as PostgreSQL wants the partition key in it.
    """

    id = models.BigAutoField(primary_key=True)
    night_ends_on = models.DateField()
    night = models.DateField(help_text="local date of the night's evening")
    # Derived rows, written a million at a time by COPY and always replaced whole: no foreign keys in the database,
    # whose checks would cost more than the copying. Deleting a target, telescope or ephemeris through the service
    # takes its windows along.
    target = models.ForeignKey(
        Target, on_delete=models.CASCADE, related_name="windows", db_constraint=False, db_index=False
    )
    telescope = models.ForeignKey(
        Telescope, on_delete=models.CASCADE, related_name="windows", db_constraint=False, db_index=False
    )
    ephemeris = models.ForeignKey(
        Ephemeris, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    orbit = models.ForeignKey(
        Orbit,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="the version it was computed from; its U, arc and last observation are the window's quality",
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    duration_s = models.FloatField()
    opened_by = models.PositiveSmallIntegerField(choices=EDGES)
    closed_by = models.PositiveSmallIntegerField(choices=EDGES)

    peak_at = models.DateTimeField(help_text="when the target is highest inside the window")
    peak_altitude_deg = models.FloatField()
    peak_airmass = models.FloatField()
    v_mag = models.FloatField(help_text="at the peak, as are rate, position angle and Moon")
    rate_arcsec_min = models.FloatField()
    position_angle_deg = models.FloatField()
    moon_separation_deg = models.FloatField()
    start_ra_deg = models.FloatField(help_text="topocentric astrometric ICRF, as are the further places")
    start_dec_deg = models.FloatField()
    middle_ra_deg = models.FloatField()
    middle_dec_deg = models.FloatField()
    end_ra_deg = models.FloatField()
    end_dec_deg = models.FloatField()

    objects = WindowQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [
            models.Index(fields=["target", "starts_at"], name="window_by_target"),
            models.Index(fields=["telescope", "starts_at"], name="window_by_telescope"),
            models.Index(fields=["starts_at", "id"], name="window_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.target} from {self.telescope}, {self.starts_at:%Y-%m-%d %H:%M} to {self.ends_at:%H:%M}Z"


class Computation(models.Model):
    """One computation of windows over a span: what was stale when it was planned, cut into chunks."""

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed", "failed: at least one chunk could not be computed"

    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    starts_at = models.DateTimeField(help_text="the span")
    ends_at = models.DateTimeField()
    inputs = models.JSONField(default=dict, help_text="fingerprints of the telescopes the windows are computed for")
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    overtaken = models.BooleanField(default=False, help_text="something changed while it ran: planned when it ends")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="running"), name="one_computation_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d} to {self.ends_at:%Y-%m-%d}, {self.state}"


class Chunk(models.Model):
    """Targets and telescopes whose windows are replaced together. Pending until the transaction that computed it
    commits.

    At `extended_telescope_ids` the stored windows are true up to `extended_from`, the end of an earlier span: only what
    lies beyond is computed.

    A worker holds the row's lock while it computes; so a chunk that is pending and not locked is nobody's, and a
    killed worker's chunk is free at once.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    computation = models.ForeignKey(Computation, on_delete=models.CASCADE, related_name="chunks")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    target_ids = ArrayField(models.BigIntegerField())
    telescope_ids = ArrayField(models.BigIntegerField())
    extended_telescope_ids = ArrayField(models.BigIntegerField(), default=list)
    extended_from = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveIntegerField(default=0)
    window_count = models.PositiveIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["computation"], condition=Q(state="pending"), name="chunk_pending")]

    def __str__(self) -> str:
        telescopes = len(self.telescope_ids) + len(self.extended_telescope_ids)
        return f"{len(self.target_ids)} targets x {telescopes} telescopes, {self.state}"


class TelescopeCoverage(models.Model):
    """For which limits and closures the stored windows of a telescope were computed; "" while they may not be true."""

    telescope = models.OneToOneField(
        Telescope, primary_key=True, on_delete=models.CASCADE, related_name="window_coverage"
    )
    fingerprint = models.CharField(max_length=64, blank=True)
    computed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.telescope}: windows of {self.computed_at:%Y-%m-%d %H:%M}Z"


def windows_concerned(target_id: int) -> dict[str, int]:
    """How many windows are stored of a target."""
    return {"windows": VisibilityWindow.objects.filter(target_id=target_id).count()}
