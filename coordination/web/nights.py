"""The coming nights of a place: sunset, darkness, Moon."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import to_datetime
from coordination.visibility.almanac import SUNSET_DEG, night_of
from observatories.models import Telescope
from observatories.sites.nights import noon_utc

from .sky import Instants, instants, sun_and_moon_altitudes_deg
from .world_now import world_at

_STEP = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class NightTimes:
    """A night from noon to noon; what does not happen in it is None. Times are good to about a minute."""

    label: dt.date
    noon: dt.datetime
    next_noon: dt.datetime
    sunset: dt.datetime | None
    dark_from: dt.datetime | None  # below the telescope's limit for the Sun
    dark_until: dt.datetime | None
    sunrise: dt.datetime | None
    moon_fraction: float
    moon_up_dark_h: float
    utc: Instants
    sun_deg: NDArray[np.float64]
    moon_deg: NDArray[np.float64]

    @property
    def dark_h(self) -> float:
        if self.dark_from is None or self.dark_until is None:
            return 0.0
        return (self.dark_until - self.dark_from).total_seconds() / 3600.0

    @property
    def moon_percent(self) -> int:
        return round(100 * self.moon_fraction)

    @property
    def middle(self) -> dt.datetime:
        return self.noon + (self.next_noon - self.noon) / 2


def coming_nights(telescope: Telescope, now: dt.datetime, count: int) -> list[NightTimes]:
    """From the night that `now` is in. Raises ValueError outside the planetary kernel or the known Earth rotation."""
    place = telescope.observatory.place
    assert place is not None
    first = night_of(place, now)
    labels = np.datetime64(first, "D") + np.arange(count + 1)
    noons = [to_datetime(noon) for noon in noon_utc(place, labels)]
    utc = instants(noons[0], noons[-1], _STEP)
    sun, moon = (altitudes[0] for altitudes in sun_and_moon_altitudes_deg([place], utc))
    per_night = int(dt.timedelta(days=1) / _STEP)
    nights = []
    for k in range(count):
        part = slice(k * per_night, (k + 1) * per_night + 1)
        nights.append(
            _night(first + dt.timedelta(days=k), utc[part], sun[part], moon[part], telescope.sun_altitude_max_deg)
        )
    return nights


def _night(
    label: dt.date, utc: Instants, sun: NDArray[np.float64], moon: NDArray[np.float64], limit_deg: float
) -> NightTimes:
    dark = sun < limit_deg
    sunset, sunrise = _crossings(utc, sun, SUNSET_DEG)
    dark_from, dark_until = _crossings(utc, sun, limit_deg)
    middle = utc[len(utc) // 2]
    return NightTimes(
        label, utc[0], utc[-1], sunset, dark_from, dark_until, sunrise, world_at(middle).moon_fraction,
        float(np.sum(dark & (moon > 0.0)) * (_STEP / dt.timedelta(hours=1))), utc, sun, moon,
    )  # fmt: skip


def _crossings(
    utc: Instants, altitude: NDArray[np.float64], level_deg: float
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The first instant at which it goes below the level, and the last at which it comes back; its ends where it is
    below all through.
    """
    above = altitude > level_deg
    if not above.any():
        return utc[0], utc[-1]
    falls, rises = np.flatnonzero(above[:-1] & ~above[1:]), np.flatnonzero(~above[:-1] & above[1:])

    def at(k: int) -> dt.datetime:
        part = (level_deg - altitude[k]) / (altitude[k + 1] - altitude[k])
        return utc[k] + float(part) * (utc[k + 1] - utc[k])

    return at(falls[0]) if falls.size else None, at(rises[-1]) if rises.size else None
