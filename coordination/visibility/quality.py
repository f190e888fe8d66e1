"""How well a target's place is known in the night of a window: read from the days of its ephemeris, in SQL and in rows.

The window table does not hold it: it is the same for every telescope of a night.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, F, Field, FloatField, Func, Q, QuerySet, SmallIntegerField
from django.db.models.functions import Least

from observatories.models import Telescope
from targets.models import Ephemeris
from targets.orbits.trust import Trust
from targets.orbits.uncertainty import NonLinear

from .models import VisibilityWindow

FIELD_SIGMAS = 6.0  # from -3-sigma to +3-sigma
LISTED = Trust.FAIR  # the worst that is listed unasked
LISTED_MEANS = "orbits that are good or fair on the night (1-sigma up to 2 arcmin)"
LEVELS = (Trust.GOOD, Trust.FAIR, Trust.POOR)  # no window is stored where an orbit is unusable


class OnNight(Func):
    """The value of an array of the ephemeris on the date on which a window's night ends; NULL where there is none."""

    def __init__(self, array: str, output_field: "Field[Any, Any]") -> None:
        days = (f"ephemeris__{array}", "night_ends_on", "ephemeris__starts_at")
        super().__init__(*(F(name) for name in days), output_field=output_field)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra_context: Any) -> tuple[str, list[Any]]:
        array, ends_on, starts_at = (compiler.compile(each)[0] for each in self.get_source_expressions())
        return f"({array})[{ends_on} - ({starts_at} AT TIME ZONE 'UTC')::date + 1]", []


def with_quality(windows: QuerySet[VisibilityWindow]) -> QuerySet[VisibilityWindow]:
    """Windows with `trust` (a number of Trust), `sigma_major_arcsec` and `fits_field`; NULL where not known."""
    major = OnNight("sigma_major_arcsec", FloatField())
    least = Least("telescope__field_width_deg", "telescope__field_height_deg")
    fits = Q(sigma_major_arcsec__lte=ExpressionWrapper(least * (3600.0 / FIELD_SIGMAS), FloatField()))
    annotated = windows.annotate(trust=OnNight("trust_levels", SmallIntegerField()), sigma_major_arcsec=major)
    return annotated.annotate(fits_field=ExpressionWrapper(fits, BooleanField()))


def at_best(worst: Trust) -> Q:
    """The condition on `with_quality` windows whose orbit is at least so good on the night."""
    return Q(trust__lte=worst.value)


def level_named(label: str) -> Trust:
    """The level of a label such as fair."""
    return Trust[label.upper()]


@dataclass(frozen=True)
class Uncertainty:
    """The 1-sigma ellipse on a night."""

    major_arcsec: float
    minor_arcsec: float
    position_angle_deg: float
    is_estimate: bool
    nonlinear: str


@dataclass(frozen=True)
class Quality:
    """What is known of a target's place in a night at a telescope; None where nothing is."""

    orbit_trust: str | None
    uncertainty: Uncertainty | None
    fits_field: bool | None
    fits_field_until: dt.date | None


def quality_of(window: VisibilityWindow) -> Quality:
    """Of a window with its ephemeris and telescope at hand."""
    ephemeris, telescope = window.ephemeris, window.telescope
    day = (window.night_ends_on - ephemeris.starts_at.astimezone(dt.UTC).date()).days
    levels, major = ephemeris.trust_levels or [], ephemeris.sigma_major_arcsec or []
    trust = Trust(levels[day]).label if 0 <= day < len(levels) else None
    if not 0 <= day < len(major):
        return Quality(trust, None, None, None)
    uncertainty = Uncertainty(
        major[day],
        (ephemeris.sigma_minor_arcsec or [])[day],
        (ephemeris.sigma_pa_deg or [])[day],
        bool(ephemeris.sigma_is_estimate),
        NonLinear((ephemeris.sigma_flags or [])[day]).in_words(),
    )
    nights = fitting_nights(ephemeris, telescope, day)
    last = window.night + dt.timedelta(days=nights - 1) if nights else None
    return Quality(trust, uncertainty, nights > 0, last)


def fitting_nights(ephemeris: Ephemeris, telescope: Telescope, day: int) -> int:
    """For how many nights from one on the 3-sigma ellipse fits the field of a telescope, however that is turned."""
    widest = largest_sigma_arcsec(telescope)
    later = (ephemeris.sigma_major_arcsec or [])[day:]
    return next((k for k, major in enumerate(later) if major > widest), len(later))


def largest_sigma_arcsec(telescope: Telescope) -> float:
    """The semi-major axis of 1-sigma with which 3-sigma just fits a field: a sixth of the shorter side."""
    return min(telescope.field_width_deg, telescope.field_height_deg) * 3600.0 / FIELD_SIGMAS
