"""The Sun and the Moon over one night of a place: what stands at the head of a plan."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import to_datetime, tt_mjd_to_utc, tt_to_tdb_mjd, utc_to_tt_mjd
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.nights import night_dates, noon_utc
from observatories.sites.station import Stations
from observatories.sites.sun_moon import BodyPath, SunMoon, dark_intervals
from targets.orbits.ephemeris import apparent_bodies
from targets.orbits.planets import Planets

# The Sun's centre (deg, airless): at sunset the upper limb stands on the horizon with mean refraction; then the
# twilights.
SUNSET_DEG, TWILIGHTS_DEG = -0.833, (-6.0, -12.0, -18.0)
MOONRISE_DEG = -0.82  # upper limb, mean semidiameter and refraction; parallax is in the altitude


@dataclass(frozen=True)
class BelowAltitude:
    """When the Sun goes below an altitude and comes above it again; None where it does not within the night."""

    altitude_deg: float
    begins_at: dt.datetime | None
    ends_at: dt.datetime | None
    all_night: bool = False  # from noon to noon
    never: bool = False


@dataclass(frozen=True)
class Almanac:
    """Of a night from local mean solar noon to the next. Times are aware UTC, good to a second; those of the horizon
    itself hang on the refraction of the evening, to a minute or so.
    """

    starts_at: dt.datetime
    ends_at: dt.datetime
    sun: tuple[BelowAltitude, ...]  # sunset, civil, nautical, astronomical
    moon_rises_at: dt.datetime | None
    moon_sets_at: dt.datetime | None
    moon_is_up_at_middle: bool
    moon_lit_fraction: float  # at the middle of the night


def night_span(place: Place, night: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The noons around a night."""
    first, last = noon_utc(place, np.array([night, night + dt.timedelta(days=1)], dtype="datetime64[D]"))
    return to_datetime(first), to_datetime(last)


def night_of(place: Place, instant: dt.datetime) -> dt.date:
    """The night that an instant belongs to, by its label."""
    label: dt.date = night_dates(place, np.atleast_1d(utc_to_tt_mjd(instant)))[0].item()
    return label


def almanac(place: Place, night: dt.date, planets: Planets) -> Almanac:
    """Raises ValueError for nights outside the planetary kernel or the known rotation of the Earth."""
    starts_at, ends_at = night_span(place, night)
    start, end = (float(utc_to_tt_mjd(instant)) for instant in (starts_at, ends_at))
    planets.require(*tt_to_tdb_mjd(np.array([start, end])))

    def sun_and_moon(tt_mjd: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        bodies = apparent_bodies(("sun", "moon"), tt_mjd, planets)
        return bodies["sun"], bodies["moon"]

    tables = SunMoon.sample(sun_and_moon, start, end)
    stations = Stations([place], EarthOrientation.from_astropy())
    middle = 0.5 * (start + end)
    moon_down = _below(stations, tables.moon, start, end, MOONRISE_DEG)
    return Almanac(
        starts_at=starts_at,
        ends_at=ends_at,
        sun=tuple(_sun_below(stations, tables.sun, start, end, limit) for limit in (SUNSET_DEG, *TWILIGHTS_DEG)),
        moon_rises_at=next((_utc(over) for _, over, _, rises in moon_down if rises), None),
        moon_sets_at=next((_utc(begun) for begun, _, sets, _ in moon_down if sets), None),
        moon_is_up_at_middle=not any(begun <= middle < over for begun, over, _, _ in moon_down),
        moon_lit_fraction=float(tables.illuminated_fraction(np.array([middle]))[0]),
    )


def _sun_below(stations: Stations, sun: BodyPath, start: float, end: float, altitude_deg: float) -> BelowAltitude:
    found = _below(stations, sun, start, end, altitude_deg)
    if not found:
        return BelowAltitude(altitude_deg, None, None, never=True)
    (begun, _, dusk, _), (_, over, _, dawn) = found[0], found[-1]
    return BelowAltitude(
        altitude_deg, _utc(begun) if dusk else None, _utc(over) if dawn else None, all_night=not (dusk or dawn)
    )


def _below(
    stations: Stations, body: BodyPath, start: float, end: float, altitude_deg: float
) -> list[tuple[float, float, bool, bool]]:
    """Intervals in TT below an altitude, and whether their edges are crossings."""
    found = dark_intervals(stations, body, start, end, altitude_deg)
    edges = (found.start_tt_mjd, found.end_tt_mjd, found.begins_with_dusk, found.ends_with_dawn)
    return list(zip(*(values.tolist() for values in edges), strict=True))


def _utc(tt_mjd: float) -> dt.datetime:
    return to_datetime(tt_mjd_to_utc([tt_mjd])[0])
