"""Windows that somebody asked for with constraints of their own: the computation, its parts, and what they found."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.states import transitions
from observatories.models import Organisation, Telescope
from targets.models import Orbit, Target, visible_target_q
from targets.orbits.trust import Trust

from .windows import EDGES


class WindowComputationQuerySet(models.QuerySet["WindowComputation"]):
    def visible_to(self, actor: Actor) -> "WindowComputationQuerySet":
        """A person's own, and those that systems of the actor's organisations asked for."""
        if actor.sees_everything:
            return self
        own = Q(organisation__in=actor.organisation_ids)
        return self.filter(own if actor.user_id is None else own | Q(requested_by=actor.user_id))

    def under_way(self) -> "WindowComputationQuerySet":
        return self.filter(state__in=WindowComputation.UNDER_WAY)


class WindowComputation(models.Model):
    """Windows asked for over a span, at places under limits of their own."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    UNDER_WAY = (State.QUEUED, State.RUNNING)
    TRANSITIONS = transitions(
        {
            State.QUEUED: {State.RUNNING, State.DONE, State.FAILED, State.CANCELLED},
            State.RUNNING: {State.DONE, State.FAILED, State.CANCELLED},
        }
    )

    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.CASCADE, related_name="+",
        help_text="whose system asked; empty: a person did",
    )  # fmt: skip
    starts_at = models.DateTimeField(help_text="the span")
    ends_at = models.DateTimeField()
    places = models.JSONField(help_text="where from, with the limits in force; see computations.PlaceAsked")
    with_closures = models.BooleanField(default=True)
    left_out = models.JSONField(default=list, help_text="identifiers of targets, and why they have no windows")
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(help_text="deleted with its windows after that")

    objects = WindowComputationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["expires_at"], name="window_computation_expiry"),
            models.Index(
                fields=["id"], condition=Q(state__in=["queued", "running"]), name="window_computation_under_way"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="window_computation_of_somebody",
                condition=Q(requested_by__isnull=False) | Q(organisation__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d} to {self.ends_at:%Y-%m-%d}, {self.state}"


class ComputationPart(models.Model):
    """Some of the targets. Pending until the transaction that computed it commits; a worker holds the row's lock
    meanwhile, as of a Chunk.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    computation = models.ForeignKey(WindowComputation, on_delete=models.CASCADE, related_name="parts")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    target_ids = ArrayField(models.BigIntegerField())
    queued_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["queued_at"], condition=Q(state="pending"), name="computation_part_pending")]

    def __str__(self) -> str:
        return f"{len(self.target_ids)} targets, {self.state}"


class ComputedWindowQuerySet(models.QuerySet["ComputedWindow"]):
    def visible_to(self, actor: Actor) -> "ComputedWindowQuerySet":
        return self.filter(visible_target_q(actor, "target__"))


class ComputedWindow(models.Model):
    """A window that a computation found, with the columns of a stored one."""

    computation = models.ForeignKey(WindowComputation, on_delete=models.CASCADE, related_name="windows")
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="+")
    orbit = models.ForeignKey(Orbit, on_delete=models.CASCADE, related_name="+")
    place = models.PositiveIntegerField(help_text="index into the computation's places")
    telescope = models.ForeignKey(Telescope, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    place_name = models.CharField(max_length=200)
    mpc_code = models.CharField(max_length=8, blank=True)
    night = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    duration_s = models.FloatField()
    opened_by = models.PositiveSmallIntegerField(choices=EDGES)
    closed_by = models.PositiveSmallIntegerField(choices=EDGES)
    peak_at = models.DateTimeField()
    peak_altitude_deg = models.FloatField()
    peak_airmass = models.FloatField()
    v_mag = models.FloatField(null=True, blank=True, help_text="empty: H is unknown")
    rate_arcsec_min = models.FloatField()
    position_angle_deg = models.FloatField()
    moon_separation_deg = models.FloatField()
    start_ra_deg = models.FloatField()
    start_dec_deg = models.FloatField()
    middle_ra_deg = models.FloatField()
    middle_dec_deg = models.FloatField()
    end_ra_deg = models.FloatField()
    end_dec_deg = models.FloatField()
    trust = models.PositiveSmallIntegerField(choices=[(level.value, level.label) for level in Trust])
    uncertainty_major_arcsec = models.FloatField(null=True, blank=True, help_text="1-sigma; empty: not known")

    objects = ComputedWindowQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "id"]
        indexes = [
            models.Index(fields=["computation", "starts_at", "id"], name="computed_window_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.target} from {self.place_name}, {self.starts_at:%Y-%m-%d %H:%M} to {self.ends_at:%H:%M}Z"
