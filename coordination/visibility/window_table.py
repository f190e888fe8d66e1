"""Windows as a table: the columns of CSV and VOTable, and rows that are read as they are written."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from django.db.models import Model, QuerySet

from coordination.common.problems import DomainError
from coordination.common.tables import DATE, INSTANT, REAL, ROWS_AT_ONCE, TEXT, TRUTH, UNICODE, WHOLE, TableColumn
from observatories.models import Telescope
from targets.models import Ephemeris, Orbit, Target

from . import quality
from .models import VisibilityWindow

MOST_ROWS = 500_000

# The quantities of a window: name, decimals, unit, UCD, description.
_FIGURES = (
    ("duration_s", 3, "s", "time.duration", "length of the window"),
    ("peak_altitude_deg", 4, "deg", "pos.az.alt", "highest altitude, without refraction"),
    ("peak_airmass", 4, "", "obs.airMass", "airmass there"),
    ("v_mag", 3, "mag", "phot.mag;em.opt.V", "V at the peak, as are rate, position angle and Moon"),
    ("rate_arcsec_min", 4, "arcsec/min", "pos.pm", "motion on the sky"),
    ("position_angle_deg", 3, "deg", "pos.posAng", "direction of the motion, north through east"),
    ("moon_separation_deg", 3, "deg", "pos.angDistance", "distance of the Moon"),
    ("start_ra_deg", 6, "deg", "pos.eq.ra", "at the start: right ascension, topocentric astrometric ICRF"),
    ("start_dec_deg", 6, "deg", "pos.eq.dec", "declination"),
    ("middle_ra_deg", 6, "deg", "pos.eq.ra", "the same in the middle"),
    ("middle_dec_deg", 6, "deg", "pos.eq.dec", "declination"),
    ("end_ra_deg", 6, "deg", "pos.eq.ra", "the same at the end"),
    ("end_dec_deg", 6, "deg", "pos.eq.dec", "declination"),
)


def _of_field(name: str) -> Callable[[Any], Any]:
    return lambda window: getattr(window, name)


def _of_ellipse(name: str) -> Callable[[Any], Any]:
    return lambda window: None if window.uncertainty is None else getattr(window.uncertainty, name)


def _sigma_of_v(window: Any) -> float | None:
    sigma: float | None = window.orbit.h_sigma_mag
    return sigma


TARGET_COLUMNS = (
    TableColumn("target", TEXT, "primary designation", lambda w: w.target.designation, ucd="meta.id;meta.main"),
    TableColumn("target_name", UNICODE, "name, or empty", lambda w: w.target.name, field="target"),
)
WHEN_COLUMNS = (
    TableColumn("night", DATE, "local date of the night's evening", lambda w: w.night),
    TableColumn("starts_at", INSTANT, "begin, UTC", lambda w: w.starts_at, ucd="time.start"),
    TableColumn("ends_at", INSTANT, "end, UTC", lambda w: w.ends_at, ucd="time.end"),
    TableColumn("opened_by", TEXT, "the constraint that opens it", lambda w: w.get_opened_by_display()),
    TableColumn("closed_by", TEXT, "the constraint that closes it", lambda w: w.get_closed_by_display()),
    TableColumn("peak_at", INSTANT, "when the target is highest, UTC", lambda w: w.peak_at),
    *(
        TableColumn(name, REAL, description, _of_field(name), unit=unit, ucd=ucd, decimals=decimals)
        for name, decimals, unit, ucd, description in _FIGURES
    ),
)
COLUMNS = (
    *TARGET_COLUMNS,
    TableColumn("telescope", WHOLE, "identifier", lambda w: w.telescope_id),
    TableColumn("telescope_name", UNICODE, "name", lambda w: w.telescope.name, field="telescope"),
    TableColumn("observatory", UNICODE, "name", lambda w: w.telescope.observatory.name, field="telescope"),
    TableColumn("mpc_code", TEXT, "of the observatory", lambda w: w.telescope.observatory.mpc_code, field="telescope"),
    TableColumn("organisation", TEXT, "operator", lambda w: w.telescope.organisation.slug, field="telescope"),
    *WHEN_COLUMNS,
    TableColumn("u_parameter", TEXT, "MPC uncertainty parameter", lambda w: w.orbit.u_parameter, field="orbit"),
    TableColumn("arc_d", REAL, "observed arc", lambda w: w.orbit.arc_days, unit="d", field="orbit"),
    TableColumn("last_observed_on", DATE, "date", lambda w: w.orbit.last_observed_on, field="orbit"),
    TableColumn("orbit_trust", TEXT, "how far the orbit can be trusted in that night", lambda w: w.orbit_trust),
    TableColumn(
        "solution", TEXT, "of JPL, where positions are taken from Horizons", lambda w: w.ephemeris.solution,
        field="ephemeris",
    ),
    TableColumn(
        "uncertainty_major_arcsec", REAL, "semi-major axis of the 1-sigma ellipse on the sky in that night",
        _of_ellipse("major_arcsec"), unit="arcsec", ucd="stat.error;pos", decimals=4, field="uncertainty",
    ),
    TableColumn(
        "uncertainty_minor_arcsec", REAL, "semi-minor axis", _of_ellipse("minor_arcsec"), unit="arcsec",
        ucd="stat.error;pos", decimals=4, field="uncertainty",
    ),
    TableColumn(
        "uncertainty_position_angle_deg", REAL, "of the major axis, north through east",
        _of_ellipse("position_angle_deg"), unit="deg", ucd="pos.posAng", decimals=2, field="uncertainty",
    ),
    TableColumn(
        "uncertainty_is_estimate", TRUTH, "made from U and the arc", _of_ellipse("is_estimate"), field="uncertainty"
    ),
    TableColumn(
        "uncertainty_nonlinear", TEXT, "why the ellipse is not the truth; empty where it is", _of_ellipse("nonlinear"),
        field="uncertainty",
    ),
    TableColumn("fits_field", TRUTH, "whether the 3-sigma ellipse fits the field", lambda w: w.fits_field),
    TableColumn("fits_field_until", DATE, "last night from this one on in which it does", lambda w: w.fits_field_until),
    TableColumn("v_sigma_mag", REAL, "1-sigma of V, from that of H", _sigma_of_v, unit="mag"),
)  # fmt: skip


def rows(windows: QuerySet[VisibilityWindow]) -> Iterator[VisibilityWindow]:
    """Windows, in their order, with target, telescope, orbit and quality: one cursor over the windows, and each of the
    rows that they share read once, four queries at most for a thousand windows. Raises DomainError beyond MOST_ROWS.
    """
    if windows.order_by()[MOST_ROWS : MOST_ROWS + 1].exists():
        raise DomainError(
            f"More than {MOST_ROWS} windows: ask for a shorter span or for fewer targets or telescopes.",
            field="before",
            expected=f"at most {MOST_ROWS} windows",
        )
    shared = _Shared()
    found = windows.iterator(chunk_size=ROWS_AT_ONCE)
    while chunk := list(islice(found, ROWS_AT_ONCE)):
        shared.attach(chunk)
        yield from chunk


def attach_shared(windows: Iterable[VisibilityWindow]) -> None:
    """Give windows their target, telescope, orbit, ephemeris and quality: four queries, and each shared row once."""
    _Shared().attach(windows)


class _Shared:
    """What windows refer to, each read when the first of them comes."""

    def __init__(self) -> None:
        telescopes = Telescope.objects.select_related("observatory", "organisation")
        self._sources: dict[str, QuerySet[Any]] = {
            "target": Target.objects.all(),
            "telescope": telescopes,
            "orbit": Orbit.objects.defer("covariance"),
            "ephemeris": Ephemeris.objects.defer("blocks", "state"),
        }
        self._read: dict[str, dict[int, Model]] = {name: {} for name in self._sources}

    def attach(self, windows: Iterable[VisibilityWindow]) -> None:
        for name, source in self._sources.items():
            there = self._read[name]
            missing = {getattr(window, f"{name}_id") for window in windows} - there.keys()
            if missing:
                there |= source.in_bulk(missing)
            for window in windows:
                setattr(window, name, there[getattr(window, f"{name}_id")])
        for window in windows:
            for name, value in vars(quality.quality_of(window)).items():
                setattr(window, name, value)
