"""The Sun and the Moon over one night of a place: what stands at the head of a plan."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.common.intervals import Interval, overlap
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
_ROUNDING = dt.timedelta(seconds=1)  # what is so near to noon is noon


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

    night: dt.date
    starts_at: dt.datetime
    ends_at: dt.datetime
    sun: tuple[BelowAltitude, ...]  # sunset, civil, nautical, astronomical; then what else was asked for
    moon_up: tuple[Interval, ...]
    moon_lit_fraction: float  # at the middle of the night

    @property
    def moon_rises_at(self) -> dt.datetime | None:
        """Of a Moon that is up already at noon: when it comes back."""
        return next((rise for rise, _ in self.moon_up if rise > self.starts_at + _ROUNDING), None)

    @property
    def moon_sets_at(self) -> dt.datetime | None:
        return next((set_ for _, set_ in self.moon_up if set_ < self.ends_at - _ROUNDING), None)

    @property
    def moon_percent(self) -> int:
        """How much of its disk is lit."""
        return round(100 * self.moon_lit_fraction)

    def span_of(self, below: BelowAltitude) -> Interval | None:
        """When the Sun is below an altitude within the night; None: never."""
        return None if below.never else (below.begins_at or self.starts_at, below.ends_at or self.ends_at)


def night_of(place: Place, instant: dt.datetime) -> dt.date:
    """The night that an instant belongs to, by its label."""
    label: dt.date = night_dates(place, np.atleast_1d(utc_to_tt_mjd(instant)))[0].item()
    return label


def almanac(place: Place, night: dt.date, planets: Planets) -> Almanac:
    """Raises ValueError for nights outside the planetary kernel or the known rotation of the Earth."""
    return almanacs(place, night, 1, planets)[0]


def almanacs(
    place: Place, first: dt.date, count: int, planets: Planets, sun_below_deg: Sequence[float] = ()
) -> list[Almanac]:
    """Of so many nights on end, with further altitudes of the Sun. Raises ValueError as `almanac` does."""
    labels = np.datetime64(first, "D") + np.arange(count + 1)
    noons = np.asarray(utc_to_tt_mjd(noon_utc(place, labels)))
    planets.require(*tt_to_tdb_mjd(noons[[0, -1]]))

    def sun_and_moon(tt_mjd: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        bodies = apparent_bodies(("sun", "moon"), tt_mjd, planets)
        return bodies["sun"], bodies["moon"]

    tables = SunMoon.sample(sun_and_moon, noons[0], noons[-1])
    limits = (SUNSET_DEG, *TWILIGHTS_DEG, *sun_below_deg)
    sun_below = _below(place, tables.sun, noons, limits)
    (moon_below,) = _below(place, tables.moon, noons, (MOONRISE_DEG,))
    lit = tables.illuminated_fraction(0.5 * (noons[:-1] + noons[1:]))
    edges = [to_datetime(noon) for noon in noon_utc(place, labels)]
    nights = []
    for k, (start, end) in enumerate(itertools.pairwise(edges)):
        sun = tuple(
            _sun_below(limit, overlap(below, [(start, end)]), start, end)
            for limit, below in zip(limits, sun_below, strict=True)
        )
        moon_up = _between(overlap(moon_below, [(start, end)]), start, end)
        nights.append(Almanac(first + dt.timedelta(days=k), start, end, sun, moon_up, float(lit[k])))
    return nights


def _below(
    place: Place, body: BodyPath, noons: NDArray[np.float64], altitudes_deg: Sequence[float]
) -> list[list[Interval]]:
    """By altitude, when a body is below it; cut at the first and the last noon."""
    stations = Stations([place] * len(altitudes_deg), EarthOrientation.from_astropy())
    found = dark_intervals(stations, body, noons[0], noons[-1], altitudes_deg)
    starts, ends = (
        [to_datetime(at) for at in tt_mjd_to_utc(edges)] for edges in (found.start_tt_mjd, found.end_tt_mjd)
    )
    by_altitude: list[list[Interval]] = [[] for _ in altitudes_deg]
    for station, start, end in zip(found.station.tolist(), starts, ends, strict=True):
        by_altitude[station].append((start, end))
    return by_altitude


def _sun_below(altitude_deg: float, found: Sequence[Interval], start: dt.datetime, end: dt.datetime) -> BelowAltitude:
    """Where it is below twice (near the pole it may come up in between), from the first until the last."""
    if not found:
        return BelowAltitude(altitude_deg, None, None, never=True)
    begins, ends = found[0][0], found[-1][1]
    dusk, dawn = begins > start + _ROUNDING, ends < end - _ROUNDING
    return BelowAltitude(altitude_deg, begins if dusk else None, ends if dawn else None, all_night=not (dusk or dawn))


def _between(intervals: Sequence[Interval], start: dt.datetime, end: dt.datetime) -> tuple[Interval, ...]:
    """What intervals within a span leave of it."""
    edges = [start, *itertools.chain.from_iterable(intervals), end]
    return tuple((a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > _ROUNDING)
