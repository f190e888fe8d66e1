"""The Sun and the Moon over a span, and the dark intervals they leave at a place.

The vectors come in from outside (a planetary ephemeris): this package has none. They are sampled once, kept
as Chebyshev series, and shared by all sites, so that a table of 50 sites and 30 nights costs milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

from coordination.common import timescales
from observatories.sites.roots import find_roots
from observatories.sites.station import (
    LIGHT_AU_PER_DAY,
    Station,
    rotation_velocity_au_d,
    topocentric_direction,
    turn_about_z,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Vectors = Callable[[FloatArray], FloatArray]

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

    @classmethod
    def sample(cls, vectors: Vectors, start_tt_mjd: float, end_tt_mjd: float) -> BodyPath:
        """Sample `vectors`, which takes TT as MJD (n,) and returns CIRS vectors (n, 3) in au, over a span."""
        first = math.floor(start_tt_mjd)
        blocks = max(1, math.ceil((end_tt_mjd - first) / BLOCK_DAYS))
        nodes = chebyshev.chebpts1(COEFFICIENTS)
        times = first + (np.arange(blocks)[:, None] + 0.5 * (nodes + 1.0)) * BLOCK_DAYS
        values = vectors(times.ravel()).reshape(blocks, COEFFICIENTS, 3)
        to_coefficients = np.linalg.inv(chebyshev.chebvander(nodes, COEFFICIENTS - 1))
        return cls(float(first), np.asarray(to_coefficients @ values))

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
    def sample(cls, sun: Vectors, moon: Vectors, start_tt_mjd: float, end_tt_mjd: float) -> SunMoon:
        """Sample both from functions of TT as MJD (n,) that return apparent geocentric CIRS vectors (n, 3) in
        au, as long as the true distance.
        """
        sun_path = BodyPath.sample(sun, start_tt_mjd, end_tt_mjd)

        def moon_for_parallax(tt_mjd: FloatArray) -> FloatArray:
            return lengthened_by_aberration(moon(tt_mjd), -sun_path.velocity_au_d(tt_mjd))

        return cls(sun_path, BodyPath.sample(moon_for_parallax, start_tt_mjd, end_tt_mjd))

    def illuminated_fraction(self, tt_mjd: ArrayLike) -> FloatArray:
        """Illuminated fraction (n,) of the Moon's disk, 0 to 1, seen from the Earth's centre (Meeus, chapter
        48).
        """
        sun, moon = self.sun(tt_mjd), self.moon(tt_mjd)
        to_sun = sun - moon
        cos_phase = -np.sum(moon * to_sun, axis=1) / np.linalg.norm(moon, axis=1) / np.linalg.norm(to_sun, axis=1)
        return np.asarray(0.5 * (1.0 + cos_phase))


def altitude_sine(station: Station, body: BodyPath, tt_mjd: FloatArray) -> FloatArray:
    """Sine of the airless topocentric altitude (n,) of the centre of a body, diurnal aberration included."""
    position, axes = station.in_meridian_frame(tt_mjd)
    vector = turn_about_z(body(tt_mjd), -station.meridian_angle_rad(tt_mjd))
    direction = topocentric_direction(vector, position, rotation_velocity_au_d(position))
    return np.asarray(np.sum(direction * axes[:, 2], axis=1))


@dataclass(frozen=True)
class DarkIntervals:
    """Intervals in which the Sun is below a limit: start and end TT as MJD (n,), in order.

    begins_with_dusk, ends_with_dawn (n,): False where the span, not the Sun, makes the edge.
    """

    start_tt_mjd: FloatArray
    end_tt_mjd: FloatArray
    begins_with_dusk: NDArray[np.bool_]
    ends_with_dawn: NDArray[np.bool_]


def dark_intervals(
    station: Station, sun: BodyPath, start_tt_mjd: float, end_tt_mjd: float, sun_alt_deg: float
) -> DarkIntervals:
    """When the Sun's centre is below `sun_alt_deg` (airless) within [start, end). Polar night and midnight
    sun included.
    """
    limit = math.sin(math.radians(sun_alt_deg))

    def darkness(_: IntArray, tt_mjd: FloatArray) -> FloatArray:
        return limit - altitude_sine(station, sun, tt_mjd)

    samples = max(3, math.ceil((end_tt_mjd - start_tt_mjd) / TWILIGHT_STEP_DAYS) + 1)
    times = np.linspace(start_tt_mjd, end_tt_mjd, samples)[None]
    values = darkness(np.zeros(samples, dtype=np.int64), times[0])[None]
    roots = find_roots(darkness, times, values, ROOT_TOLERANCE_DAYS)
    dusk, dawn = roots.time[roots.rising], roots.time[~roots.rising]
    dark_at_start, dark_at_end = values[0, 0] >= 0.0, values[0, -1] >= 0.0
    start = np.concatenate([[start_tt_mjd], dusk]) if dark_at_start else dusk
    end = np.concatenate([dawn, [end_tt_mjd]]) if dark_at_end else dawn
    return DarkIntervals(
        start_tt_mjd=start,
        end_tt_mjd=end,
        begins_with_dusk=np.arange(start.size) >= int(dark_at_start),
        ends_with_dawn=np.arange(end.size) < end.size - int(dark_at_end),
    )
