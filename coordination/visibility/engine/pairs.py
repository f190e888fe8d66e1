"""Pairs of one target and one cell, and what the site sees of them at given times.

Everything the search asks of a pair is here, once: altitude, azimuth, hour angle, Moon separation, V and sky rate, each
topocentric and with diurnal aberration where it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Cells
from coordination.visibility.engine.series import Expansion, Series, light_time_corrected
from observatories.sites.earth_orientation import ROTATION_RAD_PER_UT1_DAY
from observatories.sites.station import LIGHT_AU_PER_DAY
from targets.orbits.photometry import phase_dimming_mag

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Vector = tuple[FloatArray, FloatArray, FloatArray]

GM_SUN_AU3_D2 = 0.01720209895**2  # Gauss's constant is exact enough here
RAD_D_TO_ARCSEC_MIN = np.degrees(1.0) * 3600.0 / 1440.0
SPIN = ROTATION_RAD_PER_UT1_DAY / LIGHT_AU_PER_DAY  # times the distance from the axis: diurnal aberration


def polynomial(powers: FloatArray, tau: FloatArray) -> FloatArray:
    """Values of polynomials by Horner's rule; powers (terms, k) and tau (..., k)."""
    value = powers[-1] * tau if len(powers) > 1 else np.broadcast_to(powers[0], tau.shape).copy()
    for coefficient in powers[-2:0:-1]:
        value += coefficient
        value *= tau
    if len(powers) > 1:
        value += powers[0]
    return np.asarray(value)


def slope(powers: FloatArray, tau: FloatArray) -> FloatArray:
    """Derivatives by tau of polynomials; powers (terms, k) and tau (..., k)."""
    return polynomial(powers[1:] * np.arange(1.0, len(powers))[:, None], tau)


def cos_sin(angle: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both from the tangent of half the angle: a third of the time of two calls; good to 3e-16."""
    t = np.tan(0.5 * angle)
    squared = t * t
    scale = 1.0 / (1.0 + squared)
    return (1.0 - squared) * scale, 2.0 * t * scale


@dataclass(frozen=True)
class Pairs:
    """k pairs. objects, cell (k,): indices into the series and the cells; vectors_au (terms, 3, k): powers of tau, cell
    frame.

    All methods take tau of shape (..., k) and answer in that shape.
    """

    series: Series
    cells: Cells
    objects: IntArray
    cell: IntArray
    vectors_au: FloatArray

    @classmethod
    def expand(
        cls, series: Series, cells: Cells, objects: IntArray, cell: IntArray, expansion: Expansion, near: bool
    ) -> Pairs:
        """Pairs sorted by cell, from the series. `near` applies the light time to the site itself."""
        vectors = expansion.vectors_au(objects, cell)
        if near and objects.size:
            vectors = light_time_corrected(vectors, cells, cell)
        return cls(series, cells, objects, cell, vectors)

    @property
    def n(self) -> int:
        """Number of pairs."""
        return self.objects.size

    def take(self, index: IntArray) -> Pairs:
        """The pairs at `index`, in that order."""
        return Pairs(
            self.series, self.cells, self.objects[index], self.cell[index], self.vectors_au.take(index, axis=2)
        )

    def at(self, tau: FloatArray) -> Sight:
        """What the site sees at tau (..., k)."""
        return Sight(self, tau)

    @cached_property
    def telescope(self) -> IntArray:
        """Index (k,) of the telescope."""
        return self.cells.telescope[self.cell]

    @cached_property
    def half_days(self) -> FloatArray:
        """Half the length (k,) of the cell."""
        return self.cells.half_days[self.cell]

    @cached_property
    def turn_rad(self) -> FloatArray:
        """Angle (k,) by which the Earth turns in half the cell."""
        return self.cells.turn_rad[self.cell]

    @cached_property
    def position_au(self) -> FloatArray:
        """Position (3, k) of the site in the meridian frame."""
        return self.cells.position_au.take(self.cell, axis=1)

    @cached_property
    def zenith(self) -> FloatArray:
        """Zenith (3, k) in the meridian frame."""
        return self.cells.axes[2].take(self.cell, axis=1)

    def altitude_sine(self, tau: FloatArray) -> FloatArray:
        """Sine of the airless altitude."""
        return self.at(tau).altitude_sine

    def horizontal_deg(self, tau: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Azimuth (north over east) and airless altitude in degrees."""
        return self.at(tau).horizontal_deg

    def hour_angle_rad(self, tau: FloatArray) -> FloatArray:
        """Topocentric hour angle in (-pi, pi], west positive."""
        return self.at(tau).hour_angle_rad

    def moon_separation_cosine(self, tau: FloatArray) -> FloatArray:
        """Cosine of the angle between the target and the Moon as the site sees them."""
        return self.at(tau).moon_separation_cosine

    def v_mag(self, tau: FloatArray) -> FloatArray:
        """Topocentric V."""
        return self.at(tau).v_mag

    def rate_arcsec_min(self, tau: FloatArray) -> FloatArray:
        """Topocentric rate on the sky."""
        return self.at(tau).rate_arcsec_min


@dataclass(frozen=True)
class Sight:
    """Pairs at tau (..., k), in the cell frame: what several quantities need is computed once."""

    pairs: Pairs
    tau: FloatArray

    @cached_property
    def geocentric_au(self) -> Vector:
        """From the Earth's centre to the target."""
        x, y, z = (polynomial(self.pairs.vectors_au[:, k], self.tau) for k in range(3))
        return x, y, z

    @cached_property
    def velocity_au_d(self) -> Vector:
        """Change of `geocentric_au`."""
        half = self.pairs.half_days
        x, y, z = (slope(self.pairs.vectors_au[:, k], self.tau) / half for k in range(3))
        return x, y, z

    @cached_property
    def turned(self) -> tuple[FloatArray, FloatArray]:
        """Cosine and sine of the angle by which the Earth turned since the middle of the cell."""
        return cos_sin(self.pairs.turn_rad * self.tau)

    def _in_cell_frame(self, meridian: FloatArray) -> Vector:
        cos, sin = self.turned
        return cos * meridian[0] - sin * meridian[1], sin * meridian[0] + cos * meridian[1], meridian[2]

    @cached_property
    def site_au(self) -> Vector:
        """From the Earth's centre to the site."""
        return self._in_cell_frame(self.pairs.position_au)

    @cached_property
    def topocentric_au(self) -> Vector:
        """From the site to the target; diurnal aberration is not in it."""
        (x, y, z), (sx, sy, sz) = self.geocentric_au, self.site_au
        return x - sx, y - sy, z - sz

    @cached_property
    def distance_au(self) -> FloatArray:
        """Length of `topocentric_au`."""
        return _length(self.topocentric_au)

    @cached_property
    def direction(self) -> Vector:
        """Unit vector from the site to the target, diurnal aberration included."""
        return self._aberrated(self.topocentric_au, self.distance_au)

    def _aberrated(self, vector: Vector, length: FloatArray) -> Vector:
        (x, y, z), (sx, sy, _) = vector, self.site_au
        inverse = 1.0 / length
        x, y, z = x * inverse - SPIN * sy, y * inverse + SPIN * sx, z * inverse
        inverse = 1.0 / _length((x, y, z))
        return x * inverse, y * inverse, z * inverse

    @cached_property
    def altitude_sine(self) -> FloatArray:
        """Sine of the airless altitude."""
        return _dot(self._in_cell_frame(self.pairs.zenith), self.direction)

    @cached_property
    def horizontal_deg(self) -> tuple[FloatArray, FloatArray]:
        """Azimuth (north over east) and airless altitude in degrees."""
        axes = self.pairs.cells.axes.take(self.pairs.cell, axis=2)
        east, north, up = (_dot(self._in_cell_frame(axis), self.direction) for axis in axes)
        azimuth = np.degrees(np.arctan2(east, north)) % 360.0
        return azimuth, np.degrees(np.arctan2(up, np.sqrt(east * east + north * north)))

    @cached_property
    def hour_angle_rad(self) -> FloatArray:
        """Topocentric hour angle in (-pi, pi], west positive."""
        (x, y, _), (cos, sin) = self.direction, self.turned
        return np.arctan2(sin * x - cos * y, cos * x + sin * y)

    @cached_property
    def moon_separation_cosine(self) -> FloatArray:
        """Cosine of the angle between the target and the Moon as the site sees them."""
        powers = self.pairs.cells.moon_au.take(self.pairs.cell, axis=2)
        x, y, z = (polynomial(powers[:, k], self.tau) for k in range(3))
        sx, sy, sz = self.site_au
        moon = (x - sx, y - sy, z - sz)
        return _dot(self.direction, self._aberrated(moon, _length(moon)))

    @cached_property
    def v_mag(self) -> FloatArray:
        """Topocentric V: the geocentric series, corrected for the distance and the phase angle seen from the site."""
        pairs, series = self.pairs, self.pairs.series
        days = pairs.half_days * self.tau
        log10_r_delta, phase = series.brightness_at(pairs.objects, pairs.cells.middle_tt_mjd[pairs.cell] + days)
        sun = pairs.cells.sun_au.take(pairs.cell, axis=1)
        earth = pairs.cells.earth_velocity_au_d.take(pairs.cell, axis=1)
        (x, y, z), (tx, ty, tz) = self.geocentric_au, self.topocentric_au
        to_sun = (sun[0] - earth[0] * days - x, sun[1] - earth[1] * days - y, sun[2] - earth[2] * days - z)
        shift = _angle_between(to_sun, (tx, ty, tz)) - _angle_between(to_sun, (x, y, z))  # both seen from behind
        distance = self.distance_au
        ratio = distance * distance / (x * x + y * y + z * z)
        dimming = phase_dimming_mag(np.clip(phase - shift, 0.0, np.pi), series.g[pairs.objects])
        return np.asarray(series.h_mag[pairs.objects] + 5.0 * log10_r_delta + 2.5 * np.log10(ratio) + dimming)

    @cached_property
    def motion_rad_d(self) -> tuple[FloatArray, FloatArray]:
        """Topocentric rate on the sky towards east (with cos dec) and north (CIRS of date), radians per day."""
        (x, y, z), (vx, vy, vz), (sx, sy, _) = self.topocentric_au, self.velocity_au_d, self.site_au
        vx, vy = vx + ROTATION_RAD_PER_UT1_DAY * sy, vy - ROTATION_RAD_PER_UT1_DAY * sx
        flat = np.maximum(np.sqrt(x * x + y * y), 1e-30)
        distance = self.distance_au
        east = (x * vy - y * vx) / (flat * distance)
        north = (vz * flat - z * (x * vx + y * vy) / flat) / (distance * distance)
        return east, north

    @cached_property
    def rate_arcsec_min(self) -> FloatArray:
        """Topocentric rate on the sky."""
        east, north = self.motion_rad_d
        return np.asarray(np.sqrt(east * east + north * north) * RAD_D_TO_ARCSEC_MIN)


def _dot(a: Vector, b: Vector) -> FloatArray:
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def _length(a: Vector) -> FloatArray:
    return np.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])


def _angle_between(a: Vector, b: Vector) -> FloatArray:
    """Angle between vectors, accurate when small (Kahan's form of atan2 of cross and dot product)."""
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return np.arctan2(_length(cross), _dot(a, b))
