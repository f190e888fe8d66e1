"""Pairs of one target and one cell: where the target stands over the horizon of the site, as functions of
tau.

Everything the search asks of a pair is here, once: altitude, azimuth, hour angle, Moon separation, V and sky
rate, each topocentric and with diurnal aberration where it counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Cells
from coordination.visibility.engine.series import Series, light_time_corrected
from observatories.sites.earth_orientation import ROTATION_RAD_PER_UT1_DAY
from observatories.sites.station import LIGHT_AU_PER_DAY, turn_about_z
from targets.orbits.photometry import phase_dimming_mag

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Vector = tuple[FloatArray, FloatArray, FloatArray]

GM_SUN_AU3_D2 = 0.01720209895**2  # Gauss's constant is exact enough here
RAD_D_TO_ARCSEC_MIN = np.degrees(1.0) * 3600.0 / 1440.0


def polynomial(powers: FloatArray, tau: FloatArray) -> FloatArray:
    """Values of polynomials by Horner's rule; powers (terms, ...) broadcast against tau."""
    value = powers[-1]
    for coefficient in powers[-2::-1]:
        value = value * tau + coefficient
    return np.asarray(value)


def slope(powers: FloatArray, tau: FloatArray) -> FloatArray:
    """Derivatives by tau of polynomials; powers (terms, ...) broadcast against tau."""
    terms = powers.shape[0]
    factors = np.arange(1.0, terms).reshape(-1, *([1] * (powers.ndim - 1)))
    return polynomial(powers[1:] * factors, tau)


@dataclass(frozen=True)
class Pairs:
    """k pairs. objects, cell (k,): indices into the series and the cells; vectors_au (terms, 3, k): powers of
    tau, cell frame.

    All methods take tau of shape (k,) or (k, m) and answer in that shape.
    """

    series: Series
    cells: Cells
    objects: IntArray
    cell: IntArray
    vectors_au: FloatArray

    @classmethod
    def expand(cls, series: Series, cells: Cells, objects: IntArray, cell: IntArray, terms: int, near: bool) -> Pairs:
        """Pairs sorted by cell, from the series. `near` applies the light time to the site itself."""
        vectors = series.vectors_in(cells, objects, cell, terms)
        if near and objects.size:
            vectors = light_time_corrected(vectors, cells, cell)
        return cls(series, cells, objects, cell, vectors)

    @property
    def n(self) -> int:
        """Number of pairs."""
        return self.objects.size

    def take(self, index: IntArray | NDArray[np.bool_]) -> Pairs:
        """The pairs at `index`, in that order."""
        return Pairs(self.series, self.cells, self.objects[index], self.cell[index], self.vectors_au[:, :, index])

    @cached_property
    def turn_rad(self) -> FloatArray:
        """Angle (k,) by which the Earth turns in half the cell."""
        return self.cells.turn_rad[self.cell]

    @cached_property
    def position_au(self) -> FloatArray:
        """Position (3, k) of the site in the meridian frame."""
        return np.ascontiguousarray(self.cells.position_au[self.cell].T)

    @cached_property
    def axes(self) -> FloatArray:
        """East, north and zenith (3, 3, k) in the meridian frame: [axis, component, pair]."""
        return np.ascontiguousarray(np.moveaxis(self.cells.axes[self.cell], 0, 2))

    def topocentric(self, tau: FloatArray) -> Vector:
        """Vector from the site to the target in the meridian frame, au; diurnal aberration not yet in it."""
        return self._from_site(self.vectors_au, tau)

    def moon(self, tau: FloatArray) -> Vector:
        """Vector from the site to the Moon in the meridian frame, au."""
        return self._from_site(self.cells.moon_au[:, :, self.cell], tau)

    def _from_site(self, powers: FloatArray, tau: FloatArray) -> Vector:
        add = (...,) + (None,) * (tau.ndim - 1)
        x, y, z = (polynomial(powers[:, k][add], tau) for k in range(3))
        angle = self.turn_rad[add] * tau
        cos, sin = np.cos(angle), np.sin(angle)
        px, py, pz = self.position_au[:, :][add]
        return cos * x + sin * y - px, cos * y - sin * x - py, z - pz

    def topocentric_sky(self, tau: FloatArray) -> Vector:
        """The same vector in CIRS, for tau (k,)."""
        x, y, z = self.topocentric(tau)
        angle = self.cells.meridian_rad[self.cell] + self.turn_rad * tau
        cos, sin = np.cos(angle), np.sin(angle)
        return cos * x - sin * y, sin * x + cos * y, z

    def geocentric_sky(self, tau: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Geocentric vector (3, k), au, and velocity (3, k), au per day, in the cell frame, for tau (k,)."""
        return polynomial(self.vectors_au, tau), slope(self.vectors_au, tau) / self.cells.half_days[self.cell]

    def earth_velocity_sky(self, tau: FloatArray) -> FloatArray:
        """Barycentric velocity of the Earth (3, k) in CIRS, au per day, for tau (k,): from mid-cell by the
        pull of the Sun.
        """
        sun = self.cells.sun_au[:, self.cell]
        days = self.cells.half_days[self.cell] * tau
        gained = sun * (GM_SUN_AU3_D2 * days / np.sum(sun * sun, axis=0) ** 1.5)
        velocity = self.cells.earth_velocity_au_d[:, self.cell] + gained
        return turn_about_z(velocity.T, self.cells.meridian_rad[self.cell]).T

    def direction(self, tau: FloatArray) -> Vector:
        """Unit vector from the site to the target in the meridian frame, diurnal aberration included."""
        return self._aberrated(self.topocentric(tau), tau)

    def _aberrated(self, vector: Vector, tau: FloatArray) -> Vector:
        add = (...,) + (None,) * (tau.ndim - 1)
        x, y, z = vector
        spin = ROTATION_RAD_PER_UT1_DAY / LIGHT_AU_PER_DAY
        length = np.sqrt(x * x + y * y + z * z)
        x, y, z = (
            x / length - spin * self.position_au[1][add],
            y / length + spin * self.position_au[0][add],
            z / length,
        )
        length = np.sqrt(x * x + y * y + z * z)
        return x / length, y / length, z / length

    def altitude_sine(self, tau: FloatArray) -> FloatArray:
        """Sine of the airless altitude."""
        add = (...,) + (None,) * (tau.ndim - 1)
        x, y, z = self.direction(tau)
        up = self.axes[2][add]
        return np.asarray(up[0] * x + up[1] * y + up[2] * z)

    def horizontal_deg(self, tau: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Azimuth (north over east) and airless altitude in degrees."""
        add = (...,) + (None,) * (tau.ndim - 1)
        direction = self.direction(tau)
        east, north, up = (sum(a * d for a, d in zip(axis[add], direction, strict=True)) for axis in self.axes)
        return np.degrees(np.arctan2(east, north)) % 360.0, np.degrees(np.arctan2(up, np.hypot(east, north)))

    def hour_angle_rad(self, tau: FloatArray) -> FloatArray:
        """Topocentric hour angle in (-pi, pi], west positive."""
        x, y, _ = self.direction(tau)
        return np.arctan2(-y, x)

    def moon_separation_cosine(self, tau: FloatArray) -> FloatArray:
        """Cosine of the angle between the target and the Moon as the site sees them."""
        x, y, z = self.direction(tau)
        u, v, w = self._aberrated(self.moon(tau), tau)
        return np.asarray(x * u + y * v + z * w)

    def v_mag(self, tau: FloatArray) -> FloatArray:
        """Topocentric V: the geocentric series, corrected for the distance and the phase angle seen from the
        site.
        """
        add = (...,) + (None,) * (tau.ndim - 1)
        tt_mjd = self.cells.middle_tt_mjd[self.cell][add] + self.cells.half_days[self.cell][add] * tau
        log10_r_delta, phase = self.series.brightness_at(self.objects[add], tt_mjd)
        x, y, z = (polynomial(self.vectors_au[:, k][add], tau) for k in range(3))
        tx, ty, tz = self.topocentric(tau)
        angle = self.turn_rad[add] * tau
        cos, sin = np.cos(angle), np.sin(angle)
        site = (cos * tx - sin * ty, sin * tx + cos * ty, tz)
        days = self.cells.half_days[self.cell][add] * tau
        sun, earth = self.cells.sun_au[:, self.cell][add], self.cells.earth_velocity_au_d[:, self.cell][add]
        sx, sy, sz = sun - earth * days
        to_sun = (sx - x, sy - y, sz - z)
        shift = _angle_between((-x, -y, -z), to_sun)
        shift = _angle_between((-site[0], -site[1], -site[2]), to_sun) - shift
        ratio = (tx * tx + ty * ty + tz * tz) / (x * x + y * y + z * z)
        h_mag, g = self.series.h_mag[self.objects][add], self.series.g[self.objects][add]
        dimming = phase_dimming_mag(np.clip(phase + shift, 0.0, np.pi), g)
        return np.asarray(h_mag + 5.0 * log10_r_delta + 2.5 * np.log10(ratio) + dimming)

    def motion_rad_d(self, tau: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Topocentric rate on the sky towards east (with cos dec) and north (CIRS of date), radians per day."""
        add = (...,) + (None,) * (tau.ndim - 1)
        angle = self.turn_rad[add] * tau
        cos, sin = np.cos(angle), np.sin(angle)
        half = self.cells.half_days[self.cell][add]
        vx, vy, vz = (slope(self.vectors_au[:, k][add], tau) / half for k in range(3))
        # In the meridian frame the site rests; the sky is described by axes that do not turn, so its velocity
        # counts.
        px, py, _ = self.position_au[add]
        vx, vy = cos * vx + sin * vy, cos * vy - sin * vx
        vx, vy = vx + ROTATION_RAD_PER_UT1_DAY * py, vy - ROTATION_RAD_PER_UT1_DAY * px
        x, y, z = self.topocentric(tau)
        flat = np.maximum(np.hypot(x, y), 1e-30)
        distance_squared = flat * flat + z * z
        east = (x * vy - y * vx) / flat / np.sqrt(distance_squared)
        north = (vz * flat - z * (x * vx + y * vy) / flat) / distance_squared
        return east, north

    def rate_arcsec_min(self, tau: FloatArray) -> FloatArray:
        """Topocentric rate on the sky."""
        east, north = self.motion_rad_d(tau)
        return np.asarray(np.hypot(east, north) * RAD_D_TO_ARCSEC_MIN)


def _angle_between(a: Vector, b: Vector) -> FloatArray:
    """Angle between vectors, accurate when small (Kahan's form of atan2 of cross and dot product)."""
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return np.arctan2(np.sqrt(cross[0] ** 2 + cross[1] ** 2 + cross[2] ** 2), dot)
