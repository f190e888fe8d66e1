"""What JPL Horizons says of the positions of targets: how far ours differ, and its tables where they take our place."""

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from .catalogue import Orbit, Target

AROUND = dt.timedelta(days=3)  # by which a table reaches beyond a span: for the light's way and whole blocks


class EphemerisComparison(models.Model):
    """Our positions of a target held against those of Horizons, from the Earth's centre; and when that was last tried.

    `tolerance_arcsec` is what is allowed at the instant of the difference that is the largest part of it, and
    `is_within` whether that holds at all instants; empty where our orbit is unusable, so that nothing is promised, and
    as it was before while a new orbit is awaited.
    """

    target = models.OneToOneField(Target, on_delete=models.CASCADE, related_name="ephemeris_comparison")
    asked_at = models.DateTimeField(help_text="the last attempt")
    problem = models.TextField(blank=True, help_text="why the last attempt gave nothing")
    compared_at = models.DateTimeField(null=True, blank=True, help_text="empty: never")
    orbit = models.ForeignKey(
        Orbit, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="ours that was compared"
    )
    solution = models.CharField(max_length=60, blank=True, help_text="that Horizons computes from, such as JPL#220")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    difference_arcsec = models.FloatField("largest difference (arcsec)", null=True, blank=True)
    difference_at = models.DateTimeField("largest at", null=True, blank=True)
    start_difference_arcsec = models.FloatField("difference at the start (arcsec)", null=True, blank=True)
    tolerance_arcsec = models.FloatField("tolerance (arcsec)", null=True, blank=True)
    is_within = models.BooleanField("within the tolerance", null=True, blank=True)
    awaits_orbit = models.BooleanField(
        "awaits a new orbit",
        default=False,
        help_text="Horizons computes from another solution of JPL than ours: SBDB is asked first, then it is judged",
    )

    class Meta:
        indexes = [models.Index(fields=["asked_at"], name="ephemeris_comparison_due")]
        constraints = [
            models.CheckConstraint(
                name="ephemeris_comparison_figures",
                # Bounded above, because PostgreSQL takes NaN for greater than every number.
                condition=Q(compared_at=None, difference_arcsec=None)
                | Q(compared_at__isnull=False, difference_arcsec__range=(0, 648000)),
            )
        ]

    def __str__(self) -> str:
        if self.difference_arcsec is None:
            return f"{self.target}: not compared yet"
        return f"{self.target}: {self.difference_arcsec:.2f} arcsec from {self.solution or 'Horizons'}"


class HorizonsTableQuerySet(models.QuerySet["HorizonsTable"]):
    def in_use(self) -> "HorizonsTableQuerySet":
        """Those that take the place of our orbit: where somebody chose so, or our current orbit was found unusable."""
        automatic = Q(target__ephemeris_source=Target.EphemerisSource.AUTOMATIC)
        unusable = Q(unusable_orbit__isnull=False, unusable_orbit=F("target__current_orbit"))
        return self.filter(Q(target__ephemeris_source=Target.EphemerisSource.HORIZONS) | (automatic & unusable))

    def covering(self, starts_at: object, ends_at: object) -> "HorizonsTableQuerySet":
        """Those that reach over a span; its ends may be expressions."""
        return self.filter(starts_at__lte=starts_at - AROUND, ends_at__gte=ends_at + AROUND)  # type: ignore[operator]


class HorizonsTable(models.Model):
    """Heliocentric states of a target as Horizons computes them; only of targets that may need them.

    `rows` are times (MJD of TDB) and ICRF states (targets.orbits.tabulated). `sigma_arcsec` says how well the place is
    known at 00:00 UTC of each day from the date of `starts_at` on: the root of the sum of the squares of the errors in
    right ascension and declination; empty where Horizons has no covariance.
    """

    target = models.OneToOneField(Target, on_delete=models.CASCADE, related_name="horizons_table")
    solution = models.CharField(max_length=60, help_text="such as JPL#220")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    step = models.CharField(max_length=8)
    rows = models.BinaryField()
    error_arcsec = models.FloatField(
        "interpolation error (arcsec)", help_text="with which every second row predicts those between"
    )
    sigma_arcsec = ArrayField(models.FloatField(), blank=True, default=list, help_text="by day, 1-sigma")
    unusable_orbit = models.ForeignKey(
        Orbit, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="ours, where it is unusable on a day of the planning horizon",
    )  # fmt: skip
    fetched_at = models.DateTimeField()

    objects = HorizonsTableQuerySet.as_manager()

    class Meta:
        verbose_name = "table of Horizons"
        verbose_name_plural = "tables of Horizons"
        constraints = [
            models.CheckConstraint(name="horizons_table_span", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(name="horizons_table_solution", condition=~Q(solution="")),
        ]

    def __str__(self) -> str:
        return f"{self.target} {self.solution}, {self.starts_at:%Y-%m-%d} to {self.ends_at:%Y-%m-%d}"
