"""What is observed: targets under all their designations, versions of their orbits, and the current ephemeris of
each.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.history import HistoricalRecords
from coordination.common.visibility_filters import granted

from ..orbits.trust import Trust
from ..sources.records import ORBIT_RANGES


def visible_target_q(actor: Actor, prefix: str = "") -> Q:
    """The condition, under a lookup prefix such as "target__", for what an actor may know of.

    Everything derived from a target (windows, feeds, messages) uses this one condition.
    """
    if actor.sees_everything:
        return Q()
    visibilities = [Target.Visibility.PUBLIC]
    if actor.is_signed_in:
        visibilities.append(Target.Visibility.SIGNED_IN)
    return Q(**{f"{prefix}visibility__in": visibilities}) | granted("targets.Target", actor, prefix)


class TargetQuerySet(models.QuerySet["Target"]):
    def visible_to(self, actor: Actor) -> "TargetQuerySet":
        return self.filter(visible_target_q(actor))


class Target(models.Model):
    class Kind(models.TextChoices):
        ASTEROID = "asteroid"
        COMET = "comet"

    class Visibility(models.TextChoices):
        PUBLIC = "public"
        SIGNED_IN = "signed_in", "signed in (confirmation page and Scout objects)"
        CAMPAIGN = "campaign", "participants of its campaigns"

    class EphemerisSource(models.TextChoices):
        AUTOMATIC = "automatic", "automatic: our orbit, JPL Horizons where it is unusable"
        PROPAGATED = "propagated", "our orbit"
        HORIZONS = "horizons", "JPL Horizons"

    designation = models.CharField(
        max_length=40, unique=True, help_text="number if it has one, else provisional designation"
    )
    name = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.ASTEROID)
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PUBLIC)
    orbit_class = models.CharField(max_length=32, blank=True, help_text="Atira, Aten, Apollo, Amor …")
    is_neo = models.BooleanField("near-Earth", default=False)
    is_pha = models.BooleanField("potentially hazardous", default=False)
    is_marked = models.BooleanField(
        "tracked by hand", default=False, help_text="refreshed like the targets of open campaigns"
    )
    ephemeris_source = models.CharField(
        "positions from", max_length=12, choices=EphemerisSource, default=EphemerisSource.AUTOMATIC,
        help_text="where Horizons has no table that reaches over a span, our orbit is used",
    )  # fmt: skip
    rotation_period_h = models.FloatField(
        "rotation period (h)", null=True, blank=True, help_text="of its light curve; empty: not known"
    )
    current_orbit = models.OneToOneField(
        "Orbit", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="current_of"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords(excluded_fields=["current_orbit"])

    objects = TargetQuerySet.as_manager()

    class Meta:
        ordering = ["designation"]
        indexes = [models.Index(fields=["visibility"], condition=~Q(visibility="public"), name="target_not_public")]
        constraints = [
            models.CheckConstraint(
                name="target_rotation_period",
                # Bounded above, because PostgreSQL takes NaN for greater than every number.
                condition=Q(rotation_period_h=None) | Q(rotation_period_h__gt=0, rotation_period_h__lte=100_000),
                violation_error_message="The rotation period is greater than 0 and at most 100000 h.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.designation} {self.name}".strip()


class Designation(models.Model):
    """One designation of a target. Lookups go by `key`: upper case, without blanks (targets.designations.key_of)."""

    class Kind(models.TextChoices):
        NUMBER = "number"
        PROVISIONAL = "provisional"
        NAME = "name"
        TEMPORARY = "temporary", "temporary (confirmation page, survey)"

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="designations")
    text = models.CharField(max_length=64)
    key = models.CharField(max_length=64, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["key"], name="designation_names_one_target")]
        indexes = [models.Index(fields=["key"], opclasses=["varchar_pattern_ops"], name="designation_key_prefix")]

    def __str__(self) -> str:
        return self.text


def _within_ranges() -> Q:
    """Every number of an orbit inside what it can be; NaN is inside nothing."""
    within = Q()
    for name, (low, high) in ORBIT_RANGES.items():
        within &= Q(**{name: None}) | Q(**{f"{name}__range": (low, high)})
    return within


class Orbit(models.Model):
    """One published solution, never changed afterwards. Heliocentric ecliptic J2000 elements (obliquity 84381.448").

    Elements are a, e and M; or, where a parabola or nearly one has no use for a, q, e and tp.
    """

    class Source(models.TextChoices):
        MPC = "mpc", "Minor Planet Center"
        SBDB = "sbdb", "JPL Small-Body Database"
        FILE = "file", "elements file"

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="orbits")
    source = models.CharField(max_length=8, choices=Source)
    reference = models.CharField(max_length=64, blank=True, help_text="publication or solution, such as E2026-C73")
    epoch_tdb_jd = models.FloatField("epoch (JD, TDB)")
    a_au = models.FloatField(
        "semi-major axis (au)", null=True, blank=True, help_text="negative for a hyperbola; empty: see q and tp"
    )
    e = models.FloatField("eccentricity")
    i_deg = models.FloatField("inclination (deg)")
    node_deg = models.FloatField("longitude of the ascending node (deg)")
    peri_deg = models.FloatField("argument of perihelion (deg)")
    mean_anomaly_deg = models.FloatField("mean anomaly (deg)", null=True, blank=True)
    q_au = models.FloatField("perihelion distance (au)", null=True, blank=True, help_text="where a and M are empty")
    tp_tdb_jd = models.FloatField("time of perihelion (JD, TDB)", null=True, blank=True)
    a1_au_d2 = models.FloatField("A1 (au/d²)", null=True, blank=True)
    a2_au_d2 = models.FloatField("A2 (au/d²)", null=True, blank=True)
    a3_au_d2 = models.FloatField("A3 (au/d²)", null=True, blank=True)
    h_mag = models.FloatField("H (mag)", null=True, blank=True)
    h_sigma_mag = models.FloatField("1-sigma of H (mag)", null=True, blank=True)
    g_slope = models.FloatField("G", default=0.15)
    g1 = models.FloatField("G1", null=True, blank=True, help_text="with G2, in place of G")
    g2 = models.FloatField("G2", null=True, blank=True)
    g12 = models.FloatField("G12", null=True, blank=True, help_text="in place of G")
    m1_mag = models.FloatField("M1 (mag)", null=True, blank=True, help_text="a comet's total magnitude, in place of H")
    k1 = models.FloatField("K1", null=True, blank=True, help_text="slope of the total magnitude with log10 r")
    covariance = models.JSONField(null=True, blank=True, help_text="labels, matrix and epoch as published")

    u_parameter = models.CharField(
        "U", max_length=1, blank=True, help_text="MPC uncertainty parameter, 0 (best) to 9, or E, D, F"
    )
    arc_days = models.FloatField("observed arc (d)", null=True, blank=True)
    arc_text = models.CharField("arc", max_length=16, blank=True, help_text="as published, such as 1893-2026")
    last_observed_on = models.DateField(null=True, blank=True)
    observation_count = models.PositiveIntegerField(null=True, blank=True)
    opposition_count = models.PositiveIntegerField(null=True, blank=True)
    rms_arcsec = models.FloatField(null=True, blank=True)
    fingerprint = models.CharField(
        max_length=32, editable=False, help_text="of the solution: the same one is stored once"
    )
    solved_at = models.DateTimeField(
        "date of the solution", null=True, blank=True, help_text="as its source says; empty: it says nothing"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["target", "fingerprint"], name="orbit_solution_once"),
            models.CheckConstraint(
                name="orbit_conic",
                condition=Q(a_au__isnull=False, mean_anomaly_deg__isnull=False, q_au=None, tp_tdb_jd=None)
                & (Q(e__gte=0, e__lt=1, a_au__gt=0) | Q(e__gt=1, a_au__lt=0))
                | Q(e__gte=0, a_au=None, mean_anomaly_deg=None, q_au__isnull=False, tp_tdb_jd__isnull=False),
                violation_error_message=(
                    "An ellipse has e < 1 and a > 0, a hyperbola e > 1 and a < 0; or q and tp stand for a and M."
                ),
            ),
            models.CheckConstraint(name="orbit_numbers", condition=_within_ranges()),
            models.CheckConstraint(
                name="orbit_phase_function",
                condition=(Q(g1=None, g2=None) | Q(g1__isnull=False, g2__isnull=False, g12=None))
                & (Q(m1_mag=None, k1=None) | Q(m1_mag__isnull=False, k1__isnull=False)),
                violation_error_message="G1 comes with G2 and without G12, M1 with K1.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.reference or self.fingerprint[:8]}"


class EphemerisQuerySet(models.QuerySet["Ephemeris"]):
    def with_has_positions(self) -> "EphemerisQuerySet":
        """Whether there are blocks, without reading them."""
        there = models.Case(models.When(blocks__isnull=False, then=True), default=False)
        return self.annotate(has_positions=there)


class Ephemeris(models.Model):
    """The positions of a target over the planning horizon; one row a target, replaced when an input of it changed.

    `state` holds the heliocentric ICRF position and velocity at `starts_at` (au, au/d; six little-endian float64), from
    which rolling the horizon continues; it is absent where two-body motion from the epoch was enough to say that the
    target stays too faint. `blocks` are Chebyshev blocks (targets.orbits.blocks), absent where the target
    stays fainter than any telescope reaches.

    The arrays say how well the place is known at 00:00 UTC of each day from the date of `starts_at` on, seen from the
    Earth's centre (targets.orbits.outlook); a night's value is that of the date on which it ends, which is within 12 h
    of its middle. They are empty without blocks; the sigmas also where nothing is known of the orbit's accuracy.
    """

    class Source(models.TextChoices):
        PROPAGATED = "propagated", "computed from the orbit"
        HORIZONS = "horizons", "taken from JPL Horizons"

    target = models.OneToOneField(Target, on_delete=models.CASCADE, related_name="ephemeris")
    orbit = models.ForeignKey(Orbit, on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=12, choices=Source, default=Source.PROPAGATED)
    solution = models.CharField(
        max_length=60, blank=True, help_text="of JPL, where it is taken from Horizons, such as JPL#220"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    earth_orientation = models.CharField(max_length=64, help_text="version of the Earth-orientation data")
    engine = models.CharField(max_length=16, help_text="version of the numerics")
    accuracy_arcsec = models.FloatField(
        null=True, blank=True, help_text="bound of the interpolation error of the blocks; empty without blocks"
    )
    brightest_v_mag = models.FloatField(
        null=True,
        blank=True,
        help_text="V that it may reach over the span, on the safe side; empty without H, or where nothing is left",
    )
    trust_levels = ArrayField(
        models.PositiveSmallIntegerField(choices=[(level.value, level.label) for level in Trust]),
        null=True,
        blank=True,
        help_text="by day: 0 good, 1 fair, 2 poor, 3 unusable",
    )
    sigma_major_arcsec = ArrayField(
        models.FloatField(), null=True, blank=True, help_text="by day: semi-major axis of the 1-sigma ellipse"
    )
    sigma_minor_arcsec = ArrayField(models.FloatField(), null=True, blank=True)
    sigma_pa_deg = ArrayField(
        models.FloatField(), null=True, blank=True, help_text="north over east, of the major axis"
    )
    sigma_flags = ArrayField(
        models.PositiveSmallIntegerField(), null=True, blank=True, help_text="why it is no true ellipse, see NonLinear"
    )
    sigma_is_estimate = models.BooleanField(
        null=True, help_text="made from U and arc, not from the covariance of a fit; empty: not known"
    )
    impact_at = models.DateTimeField(null=True, blank=True, help_text="when it reaches the Earth; positions end there")
    state = models.BinaryField(null=True, blank=True)
    blocks = models.BinaryField(null=True, blank=True)
    computed_at = models.DateTimeField()

    objects = EphemerisQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "ephemerides"
        constraints = [models.CheckConstraint(name="ephemeris_span", condition=Q(ends_at__gt=F("starts_at")))]

    def __str__(self) -> str:
        return f"{self.target} {self.starts_at:%Y-%m-%d} to {self.ends_at:%Y-%m-%d}"
