"""Where it is observed from: observatories, their telescopes with limits, and the closures of telescopes."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.history import HistoricalRecords

from .people import Invitation, Membership, Organisation, User
from .sites.geodesy import Place
from .sites.horizon import HorizonError, HorizonMask

__all__ = [
    "Closure",
    "EarthOrientationTable",
    "Invitation",
    "Membership",
    "Observatory",
    "Organisation",
    "RecurringClosure",
    "Telescope",
    "User",
]


def horizon_of(points: Any) -> HorizonMask:
    """The mask of stored [azimuth, altitude] pairs. Raises HorizonError."""
    pairs = isinstance(points, list) and all(isinstance(point, list) and len(point) == 2 for point in points)
    numbers = pairs and all(type(value) in (int, float) for point in points for value in point)
    if not numbers:
        raise HorizonError(
            "a horizon mask is a list of [azimuth, altitude] pairs in degrees, such as [[0, 15], [90, 22]]"
        )
    return HorizonMask.from_points((azimuth, altitude) for azimuth, altitude in points)


def check_horizon_mask(points: Any) -> None:
    try:
        horizon_of(points)
    except HorizonError as error:
        raise ValidationError(f"{error}.") from error


class Observatory(models.Model):
    """A place. Spacecraft and roving observers have a code but no fixed place: they are listed, and no window is
    computed.
    """

    class Kind(models.TextChoices):
        FIXED = "fixed", "fixed place on the ground"
        UNFIXED = "unfixed", "no fixed place (spacecraft, roving, geocentre)"

    class CoordinateSource(models.TextChoices):
        MPC = "mpc", "MPC parallax constants (height good to some tens of metres)"
        STAFF = "staff", "entered by staff"

    name = models.CharField(max_length=200)
    mpc_code = models.CharField("MPC code", max_length=4, unique=True, null=True, blank=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.FIXED)
    longitude_deg = models.FloatField("longitude (deg, east positive)", null=True, blank=True, help_text="-180 to 180")
    latitude_deg = models.FloatField("geodetic latitude (deg)", null=True, blank=True)
    height_m = models.FloatField("height above the WGS84 ellipsoid (m)", null=True, blank=True)
    coordinate_source = models.CharField(max_length=8, choices=CoordinateSource, default=CoordinateSource.STAFF)
    time_zone = models.CharField(max_length=64, blank=True, help_text="IANA name; derived from the coordinates")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "observatories"
        constraints = [
            models.CheckConstraint(
                name="observatory_fixed_has_coordinates",
                condition=Q(kind="unfixed", longitude_deg=None, latitude_deg=None, height_m=None)
                | Q(kind="fixed", longitude_deg__isnull=False, latitude_deg__isnull=False, height_m__isnull=False),
                violation_error_message=(
                    "A fixed place needs longitude, latitude and height; one without a fixed place has none."
                ),
            ),
            models.CheckConstraint(
                name="observatory_coordinate_ranges",
                condition=Q(longitude_deg=None)
                | Q(longitude_deg__range=(-180, 180), latitude_deg__range=(-90, 90), height_m__range=(-500, 10000)),
                violation_error_message="Longitude is -180 to 180 deg, latitude -90 to 90 deg, height -500 to 10000 m.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mpc_code} {self.name}" if self.mpc_code else self.name

    @property
    def place(self) -> Place | None:
        """For the numerics; None without a fixed place."""
        if self.longitude_deg is None or self.latitude_deg is None or self.height_m is None:
            return None
        return Place(self.longitude_deg, self.latitude_deg, self.height_m)


class Telescope(models.Model):
    """What observes at an observatory, with the limits within which it can. A limit that is empty does not apply."""

    class State(models.TextChoices):
        ACTIVE = "active"
        MAINTENANCE = "maintenance"
        RETIRED = "retired"

    observatory = models.ForeignKey(Observatory, on_delete=models.PROTECT, related_name="telescopes")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="telescopes")
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE)
    aperture_m = models.FloatField("aperture (m)")
    field_width_deg = models.FloatField("field width (deg)")
    field_height_deg = models.FloatField("field height (deg)")
    figures_note = models.TextField(blank=True, help_text="where the figures come from, and which are estimates")

    sun_altitude_max_deg = models.FloatField("Sun below (deg)", default=-18.0)
    altitude_min_deg = models.FloatField("altitude from (deg)", default=20.0)
    altitude_max_deg = models.FloatField("altitude to (deg)", default=90.0)
    hour_angle_min_h = models.FloatField(
        "hour angle from (h)", null=True, blank=True, help_text="negative is east of the meridian"
    )
    hour_angle_max_h = models.FloatField("hour angle to (h)", null=True, blank=True)
    horizon_mask = models.JSONField(
        null=True,
        blank=True,
        validators=[check_horizon_mask],
        help_text="[[azimuth, altitude], …] in degrees, north through east; linear in between",
    )
    moon_separation_min_deg = models.FloatField("Moon at least (deg) away", default=30.0)
    moon_separation_new_deg = models.FloatField(
        "at new Moon (deg)",
        null=True,
        blank=True,
        help_text="grows with the illuminated fraction to the value at full Moon; empty: the same always",
    )
    galactic_latitude_min_deg = models.FloatField(
        "galactic latitude from (deg)", null=True, blank=True, help_text="least distance from the galactic plane"
    )
    limiting_v_mag = models.FloatField("limiting V magnitude")
    rate_max_arcsec_min = models.FloatField("fastest sky motion (arcsec/min)", null=True, blank=True)
    window_min_s = models.PositiveIntegerField("shortest useful window (s)", default=600)
    setup_s = models.PositiveIntegerField("setup time (s)", default=120)
    slew_s = models.PositiveIntegerField("slew time (s)", default=60)

    is_demo = models.BooleanField(default=False, help_text="demonstration data: remove_demo deletes it")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["observatory", "name"], name="telescope_name_once_at_observatory"),
            models.CheckConstraint(
                name="telescope_altitude_limits",
                condition=Q(
                    altitude_min_deg__gte=0, altitude_max_deg__lte=90, altitude_min_deg__lt=F("altitude_max_deg")
                ),
                violation_error_message="Altitude limits lie within 0 and 90 deg, the minimum below the maximum.",
            ),
            models.CheckConstraint(
                name="telescope_hour_angle_limits",
                condition=Q(hour_angle_min_h=None, hour_angle_max_h=None)
                | Q(
                    # With one of the two empty the comparisons are unknown, which a check constraint lets pass.
                    hour_angle_min_h__isnull=False,
                    hour_angle_max_h__isnull=False,
                    hour_angle_min_h__gte=-12,
                    hour_angle_max_h__lte=12,
                    hour_angle_min_h__lt=F("hour_angle_max_h"),
                ),
                violation_error_message=(
                    "Give both hour-angle limits or neither, within -12 and 12 h, the first below the second."
                ),
            ),
            models.CheckConstraint(
                name="telescope_sun_altitude",
                condition=Q(sun_altitude_max_deg__range=(-90, 0)),
                violation_error_message="The Sun's altitude limit lies within -90 and 0 deg.",
            ),
            models.CheckConstraint(
                name="telescope_moon_separation",
                condition=Q(moon_separation_min_deg__range=(0, 180))
                & (Q(moon_separation_new_deg=None) | Q(moon_separation_new_deg__range=(0, 180))),
                violation_error_message="The Moon's separation lies within 0 and 180 deg.",
            ),
            models.CheckConstraint(
                name="telescope_galactic_latitude",
                condition=Q(galactic_latitude_min_deg=None) | Q(galactic_latitude_min_deg__range=(0, 89)),
                violation_error_message="The least galactic latitude lies within 0 and 89 deg (empty: no limit).",
            ),
            models.CheckConstraint(
                # Upper bounds too: PostgreSQL takes NaN for greater than every number.
                name="telescope_figures",
                condition=Q(aperture_m__gt=0, aperture_m__lte=100)
                & Q(field_width_deg__gt=0, field_width_deg__lte=180)
                & Q(field_height_deg__gt=0, field_height_deg__lte=180),
                violation_error_message=(
                    "Aperture and field are greater than zero, the aperture at most 100 m, the field at most 180 deg."
                ),
            ),
            models.CheckConstraint(
                name="telescope_limiting_magnitude",
                condition=Q(limiting_v_mag__range=(0, 30)),
                violation_error_message="The limiting magnitude lies within 0 and 30.",
            ),
            models.CheckConstraint(
                name="telescope_rate",
                condition=Q(rate_max_arcsec_min=None)
                | Q(rate_max_arcsec_min__gt=0, rate_max_arcsec_min__lte=1_000_000),
                violation_error_message="The fastest sky motion is greater than zero (empty: no limit).",
            ),
            models.CheckConstraint(
                name="telescope_times",
                condition=Q(window_min_s__lte=86400, setup_s__lte=86400, slew_s__lte=86400),
                violation_error_message="Shortest window, setup and slew time are at most a day (86400 s).",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def horizon(self) -> HorizonMask | None:
        return horizon_of(self.horizon_mask) if self.horizon_mask else None


class ClosureQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> "ClosureQuerySet":
        """Closures, with their reasons, belong to the operating organisation; so does what those that recur share."""
        if actor.sees_everything:
            return self
        return self.filter(telescope__organisation_id__in=actor.organisation_ids)


class RecurringClosure(models.Model):
    """What closures that recur have in common, so that the rest of them can be changed at once. Each is a closure of
    its own; when one was removed or entered by hand, the others stay.
    """

    telescope = models.ForeignKey(Telescope, on_delete=models.CASCADE, related_name="recurring_closures")
    every_days = models.PositiveSmallIntegerField()
    until = models.DateField(help_text="local date of the last one")
    reason = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    objects = ClosureQuerySet.as_manager()

    class Meta:
        ordering = ["-until", "pk"]
        constraints = [
            models.CheckConstraint(
                name="recurring_closure_days",
                condition=Q(every_days__gte=1),
                violation_error_message="It recurs after a day or more.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.telescope}: every {self.every_days} d until {self.until}, {self.reason}"


class Closure(models.Model):
    """A period in which a telescope cannot be used: half-open, UTC."""

    telescope = models.ForeignKey(Telescope, on_delete=models.CASCADE, related_name="closures")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    recurring = models.ForeignKey(
        RecurringClosure, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="closures"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    objects = ClosureQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        indexes = [models.Index(fields=["telescope", "ends_at"], name="closure_by_telescope")]
        constraints = [
            models.CheckConstraint(
                name="closure_ends_after_start",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message="A closure ends after it starts.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.telescope}: {self.starts_at:%Y-%m-%d %H:%M} to {self.ends_at:%Y-%m-%d %H:%M}Z, {self.reason}"


class EarthOrientationTable(models.Model):
    """A table of the Earth's rotation newer than the one that is installed, for all processes; a few are kept."""

    version = models.CharField(max_length=64, unique=True)
    measured_until = models.DateField(help_text="later values are predictions of the IERS")
    predicted_until = models.DateField()
    received_at = models.DateTimeField(default=clock.now)
    content = models.BinaryField(help_text="finals2000A.all, compressed")

    class Meta:
        ordering = ["-measured_until", "-pk"]

    def __str__(self) -> str:
        return self.version
