"""The Sun and the Moon over a span, and the dark intervals they leave at a place.

The vectors come in from outside (a planetary ephemeris): this package has none. They are sampled once, kept
as Chebyshev series, and shared by all sites, so that a table of 50 sites and 30 nights costs milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

from coordination.common import timescales
from observatories.sites.earth_orientation import ROTATION_RAD_PER_UT1_DAY
from observatories.sites.roots import find_roots
from observatories.sites.station import (
    LIGHT_AU_PER_DAY,
    Stations,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
SunAndMoon = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

BLOCK_DAYS, COEFFICIENTS = 1.0, 12  # the Moon turns by 13 degrees a day: its series is exact to 1e-6"
TWILIGHT_STEP_DAYS = 1.0 / 24.0
ROOT_TOLERANCE_DAYS = 1e-4 / timescales.DAY_S


@dataclass(frozen=True)
class BodyPath:
    """Apparent geocentric vectors of one body in CIRS, au, as Chebyshev series over equal blocks of TT.

    coefficients (n_blocks, n_coefficients, 3); block k covers start_tt_mjd + [k, k + 1) * BLOCK_DAYS.
    """

    start_tt_mjd: float
    coefficients: FloatArray

    def __call__(self, tt_mjd: ArrayLike) -> FloatArray:
        """Vectors (n, 3) at times (n,). Raises ValueError outside the sampled span."""
        since = (np.asarray(tt_mjd, dtype=float) - self.start_tt_mjd) / BLOCK_DAYS
        last = len(self.coefficients)
        if since.size and not (since.min() >= 0.0 and since.max() <= last):
            raise ValueError(
                f"Sun and Moon are tabulated from MJD {self.start_tt_mjd} to {self.start_tt_mjd + last * BLOCK_DAYS} TT"
            )
        block = np.minimum(since.astype(np.int64), last - 1)
        terms = chebyshev.chebvander(2.0 * (since - block) - 1.0, self.coefficients.shape[1] - 1)
        return np.asarray(np.einsum("nc,nck->nk", terms, self.coefficients[block]))

    def velocity_au_d(self, tt_mjd: ArrayLike) -> FloatArray:
        """Velocity (n, 3) in au per day at times (n,). Raises ValueError outside the sampled span."""
        slopes = np.asarray(chebyshev.chebder(self.coefficients, axis=1) * (2.0 / BLOCK_DAYS), dtype=float)
        return BodyPath(self.start_tt_mjd, slopes)(tt_mjd)


def lengthened_by_aberration(apparent_au: FloatArray, earth_velocity_au_d: FloatArray) -> FloatArray:
    """Apparent geocentric vectors (n, 3) made as long as parallax wants them.

    Aberration adds the Earth's velocity times the light time to the vector of a body, which turns it and
    makes it longer, by up to 1e-4. A site's position has to be subtracted from that sum, not from one cut
    back to the true distance: the difference is 0.35" for the Moon.
    """
    distance = np.linalg.norm(apparent_au, axis=-1, keepdims=True)
    along = np.sum(apparent_au * earth_velocity_au_d, axis=-1, keepdims=True) / distance
    return np.asarray(apparent_au * (1.0 + along / LIGHT_AU_PER_DAY))


@dataclass(frozen=True)
class SunMoon:
    """The Sun and the Moon over one span."""

    sun: BodyPath
    moon: BodyPath

    @classmethod
    def sample(cls, vectors: SunAndMoon, start_tt_mjd: float, end_tt_mjd: float) -> SunMoon:
        """Sample both over a span, from a function of TT as MJD (n,) that returns the apparent geocentric CIRS vectors
        (n, 3) in au of the Sun and of the Moon, as long as the true distance.
        """
        first = math.floor(start_tt_mjd)
        blocks = max(1, math.ceil((end_tt_mjd - first) / BLOCK_DAYS))
        nodes = chebyshev.chebpts1(COEFFICIENTS)
        times = (first + (np.arange(blocks)[:, None] + 0.5 * (nodes + 1.0)) * BLOCK_DAYS).ravel()
        fit = np.linalg.inv(chebyshev.chebvander(nodes, COEFFICIENTS - 1))

        def path(values: FloatArray) -> BodyPath:
            return BodyPath(float(first), np.asarray(fit @ values.reshape(blocks, COEFFICIENTS, 3)))

        sun, moon = vectors(times)
        sun_path = path(sun)
        return cls(sun_path, path(lengthened_by_aberration(moon, -sun_path.velocity_au_d(times))))

    def illuminated_fraction(self, tt_mjd: ArrayLike) -> FloatArray:
        """Illuminated fraction (n,) of the Moon's disk, 0 to 1, seen from the Earth's centre (Meeus, chapter
        48).
        """
        return illuminated_fraction(self.sun(tt_mjd), self.moon(tt_mjd))


def illuminated_fraction(sun_au: FloatArray, moon_au: FloatArray) -> FloatArray:
    """Illuminated fraction (...) of the Moon's disk from geocentric vectors (..., 3)."""
    to_sun = sun_au - moon_au
    cos_phase = -np.sum(moon_au * to_sun, axis=-1)
    cos_phase /= np.linalg.norm(moon_au, axis=-1) * np.linalg.norm(to_sun, axis=-1)
    return np.asarray(0.5 * (1.0 + cos_phase))


def altitude_sine(stations: Stations, which: IntArray, vectors_au: FloatArray, tt_mjd: FloatArray) -> FloatArray:
    """Sine of the airless topocentric altitude (n,) of bodies at apparent geocentric CIRS vectors (3, n), each over the
    station (n,) of that number; diurnal aberration included.
    """
    (px, py, pz), axes = stations.in_meridian_frame(which, tt_mjd)
    meridian = stations.meridian_angle_rad(which, tt_mjd)
    cos, sin = np.cos(meridian), np.sin(meridian)
    x, y, z = vectors_au
    x, y, z = cos * x + sin * y - px, cos * y - sin * x - py, z - pz
    length, spin = np.sqrt(x * x + y * y + z * z), ROTATION_RAD_PER_UT1_DAY / LIGHT_AU_PER_DAY
    x, y, z = x / length - spin * py, y / length + spin * px, z / length
    up = axes[2]
    return np.asarray((up[0] * x + up[1] * y + up[2] * z) / np.sqrt(x * x + y * y + z * z))


@dataclass(frozen=True)
class DarkIntervals:
    """Intervals in which the Sun is below the limit of a station: number of the station, start and end TT as MJD
    (n,), by station and time.

    begins_with_dusk, ends_with_dawn (n,): False where the span, not the Sun, makes the edge.
    """

    station: IntArray
    start_tt_mjd: FloatArray
    end_tt_mjd: FloatArray
    begins_with_dusk: NDArray[np.bool_]
    ends_with_dawn: NDArray[np.bool_]

    def take(self, index: NDArray[np.bool_]) -> DarkIntervals:
        """The intervals at `index`."""
        return DarkIntervals(*(getattr(self, each.name)[index] for each in fields(self)))


def dark_intervals(
    stations: Stations, sun: BodyPath, start_tt_mjd: float, end_tt_mjd: float, sun_alt_deg: ArrayLike
) -> DarkIntervals:
    """When the Sun's centre is below `sun_alt_deg` (airless; one for all stations or one each) within [start, end).
    Polar night and midnight sun included.
    """
    n = len(stations.places)
    limit = np.broadcast_to(np.sin(np.radians(sun_alt_deg)), n)

    def darkness(station: IntArray, tt_mjd: FloatArray) -> FloatArray:
        return limit[station] - altitude_sine(stations, station, sun(tt_mjd).T, tt_mjd)

    samples = max(3, math.ceil((end_tt_mjd - start_tt_mjd) / TWILIGHT_STEP_DAYS) + 1)
    times = np.linspace(start_tt_mjd, end_tt_mjd, samples)
    every, vectors = np.repeat(np.arange(n), samples), np.tile(sun(times).T, n)
    sines = altitude_sine(stations, every, vectors, np.tile(times, n)).reshape(n, samples)
    values = limit[:, None] - sines
    roots = find_roots(darkness, np.broadcast_to(times, values.shape), values, ROOT_TOLERANCE_DAYS)
    dusk, dawn = roots.rising, ~roots.rising
    already, still = np.flatnonzero(values[:, 0] >= 0.0), np.flatnonzero(values[:, -1] >= 0.0)
    begins, ends = np.append(already, roots.item[dusk]), np.append(roots.item[dawn], still)
    start = np.append(np.full(already.size, start_tt_mjd), roots.time[dusk])
    end = np.append(roots.time[dawn], np.full(still.size, end_tt_mjd))
    first, last = np.argsort(begins, kind="stable"), np.argsort(ends, kind="stable")
    return DarkIntervals(
        station=begins[first],
        start_tt_mjd=start[first],
        end_tt_mjd=end[last],
        begins_with_dusk=first >= already.size,
        ends_with_dawn=last < ends.size - still.size,
    )
