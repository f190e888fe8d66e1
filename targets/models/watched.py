"""What providers say of targets beside their orbits: risk, close approaches, facts of unconfirmed candidates; and when
they were last asked.
"""

from django.db import models
from django.db.models import F, Q

from coordination.common import clock

from .catalogue import Target


class OrbitCheck(models.Model):
    """When a target's orbit was last held against its provider's, and what came of it: the age of the orbit."""

    target = models.OneToOneField(Target, on_delete=models.CASCADE, related_name="orbit_check")
    asked_at = models.DateTimeField(help_text="the last attempt")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="data as of then; empty: never answered")
    problem = models.TextField(blank=True, help_text="why the last attempt gave nothing")
    candidates = models.JSONField(default=list, blank=True, help_text="objects that the designation may mean")

    class Meta:
        indexes = [models.Index(fields=["asked_at"], name="orbit_check_due")]

    def __str__(self) -> str:
        return f"{self.target}, asked {self.asked_at:%Y-%m-%d %H:%M}Z"


class RiskAssessment(models.Model):
    """One version of what JPL Sentry says of a target's possible impacts. The one that holds has no `ended_at`."""

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="risk_assessments")
    impact_probability = models.FloatField(help_text="cumulative, of all possible impacts")
    palermo_cumulative = models.FloatField("Palermo scale, cumulative")
    palermo_maximum = models.FloatField("Palermo scale, maximum")
    torino_maximum = models.PositiveSmallIntegerField("Torino scale", null=True, blank=True)
    impact_count = models.PositiveIntegerField("possible impacts", null=True, blank=True)
    first_year = models.PositiveSmallIntegerField(null=True, blank=True)
    last_year = models.PositiveSmallIntegerField(null=True, blank=True)
    h_mag = models.FloatField("H (mag)", null=True, blank=True)
    diameter_km = models.FloatField("diameter (km)", null=True, blank=True)
    v_inf_km_s = models.FloatField("speed at infinity (km/s)", null=True, blank=True)
    last_observed_on = models.DateField(null=True, blank=True, help_text="last observation that was used")
    assessed_at = models.DateTimeField(default=clock.now, help_text="when it was first seen")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="when a newer one, or none, took its place")
    is_removal = models.BooleanField(default=False, help_text="the object left the risk list with this version")

    class Meta:
        ordering = ["-assessed_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["target"], condition=Q(ended_at=None), name="risk_one_holds"),
            models.CheckConstraint(
                name="risk_numbers",
                condition=Q(
                    impact_probability__range=(0, 1),
                    palermo_cumulative__range=(-100, 100),
                    palermo_maximum__range=(-100, 100),
                )
                & (Q(torino_maximum=None) | Q(torino_maximum__lte=10)),
                violation_error_message="A probability is 0 to 1, a Palermo value within 100, a Torino value 0 to 10.",
            ),
            models.CheckConstraint(
                name="risk_removal_is_ended", condition=Q(is_removal=False) | Q(ended_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target}: {self.impact_probability:.2g}, Palermo {self.palermo_cumulative:.2f}"


class CloseApproach(models.Model):
    """A passage of a target by the Earth, as JPL lists it."""

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="close_approaches")
    at = models.DateTimeField("closest at (UTC)")
    tdb_jd = models.FloatField("closest at (JD, TDB)")
    distance_au = models.FloatField("distance (au)")
    distance_min_au = models.FloatField("distance at least (au, 3-sigma)", null=True, blank=True)
    distance_max_au = models.FloatField("distance at most (au, 3-sigma)", null=True, blank=True)
    v_rel_km_s = models.FloatField("relative speed (km/s)", null=True, blank=True)
    v_inf_km_s = models.FloatField("speed at infinity (km/s)", null=True, blank=True)
    time_sigma_minutes = models.FloatField("3-sigma of the time (min)", null=True, blank=True)
    h_mag = models.FloatField("H (mag)", null=True, blank=True)
    solution = models.CharField(max_length=64, blank=True, help_text="orbit solution it was computed from")
    seen_at = models.DateTimeField(default=clock.now, help_text="when it was first listed")
    updated_at = models.DateTimeField(default=clock.now, help_text="when what is listed last changed")

    class Meta:
        verbose_name_plural = "close approaches"
        ordering = ["at"]
        indexes = [models.Index(fields=["at"], name="close_approach_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["target", "at"], name="close_approach_once"),
            models.CheckConstraint(
                name="close_approach_distance",
                condition=Q(distance_au__gt=0, distance_au__lt=10)
                & (Q(distance_min_au=None) | Q(distance_min_au__gte=0, distance_min_au__lte=F("distance_au")))
                & (Q(distance_max_au=None) | Q(distance_max_au__gte=F("distance_au"))),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target} at {self.distance_au:.5f} au, {self.at:%Y-%m-%d %H:%M}Z"


class Candidate(models.Model):
    """Facts of an object that waits for confirmation, from the confirmation page (NEOCP) and from JPL Scout.

    By the MPC's policy they are for signed-in people only. No positions: those of the page are of the moment it was
    read. A row stays when the object has left, with what became of it.
    """

    class Fate(models.TextChoices):
        LISTED = "", "still listed"
        DESIGNATED = "designated"
        GONE = "gone", "left without a designation"

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="candidates")
    temporary_designation = models.CharField(max_length=40, unique=True)
    on_neocp = models.BooleanField("on the confirmation page", default=False)
    on_scout = models.BooleanField("in Scout", default=False)
    neocp_score = models.PositiveSmallIntegerField("NEO score (digest2)", null=True, blank=True)
    observation_count = models.PositiveIntegerField(null=True, blank=True)
    arc_days = models.FloatField("observed arc (d)", null=True, blank=True)
    h_mag = models.FloatField("H (mag)", null=True, blank=True)
    not_seen_days = models.FloatField("not seen for (d)", null=True, blank=True)
    page_note = models.CharField(max_length=64, blank=True, help_text="as on the page, such as Updated Dec. 16.12 UT")
    scout_run_at = models.DateTimeField("Scout ran at", null=True, blank=True)
    impact_rating = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="of Scout, 0 negligible to 4 elevated; empty: not rated"
    )
    neo_score = models.PositiveSmallIntegerField("NEO score (Scout)", null=True, blank=True)
    pha_score = models.PositiveSmallIntegerField("PHA score (Scout)", null=True, blank=True)
    geocentric_score = models.PositiveSmallIntegerField("geocentric score (Scout)", null=True, blank=True)
    uncertainty_arcmin = models.FloatField("1-sigma on the sky (arcmin)", null=True, blank=True)
    uncertainty_next_day_arcmin = models.FloatField("the same a day later (arcmin)", null=True, blank=True)
    closest_approach_ld = models.FloatField("closest approach (lunar distances)", null=True, blank=True)
    moid_au = models.FloatField("MOID (au)", null=True, blank=True)
    v_inf_km_s = models.FloatField("speed at infinity (km/s)", null=True, blank=True)
    rms_normalised = models.FloatField("normalised residuals (rms)", null=True, blank=True)
    first_seen_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now, help_text="when a fact last changed")
    unlisted_at = models.DateTimeField(
        null=True, blank=True, help_text="off both lists since then; what became of it is asked for some days"
    )
    left_at = models.DateTimeField(null=True, blank=True)
    fate = models.CharField(max_length=10, choices=Fate, blank=True, default=Fate.LISTED)

    class Meta:
        ordering = ["-first_seen_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="candidate_has_left",
                condition=Q(left_at=None, fate="") | Q(left_at__isnull=False, on_neocp=False, on_scout=False),
            )
        ]

    def __str__(self) -> str:
        return self.temporary_designation
