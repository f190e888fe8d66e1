"""A place as the turning Earth carries it: position, velocity and horizon in CIRS.

CIRS is the celestial intermediate reference system: true equator of date, right ascension counted from the
celestial intermediate origin. In it the Earth only turns about z, by the Earth rotation angle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coordination.common import timescales
from observatories.sites.earth_orientation import ROTATION_RAD_PER_UT1_DAY, EarthOrientation
from observatories.sites.geodesy import AU_M, Place

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LIGHT_AU_PER_DAY = 299792458.0 * timescales.DAY_S / AU_M


def turn_about_z(vectors: FloatArray, angle_rad: FloatArray) -> FloatArray:
    """Vectors (..., 3) turned about z by an angle (...): counter-clockwise, the vectors move and the axes
    stay.
    """
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.stack(np.broadcast_arrays(cos * x - sin * y, sin * x + cos * y, z), axis=-1)


@dataclass(frozen=True)
class Station:
    """One place and the orientation of the Earth under it. Times are TT as MJD (n,); raises
    EarthOrientationError outside its span.
    """

    place: Place
    earth: EarthOrientation

    def meridian_angle_rad(self, tt_mjd: ArrayLike) -> FloatArray:
        """Angle (n,) from the celestial intermediate origin to the meridian of the place: Earth rotation
        angle plus longitude.
        """
        return np.asarray(self.earth.rotation_angle_rad(tt_mjd) + math.radians(self.place.lon_east_deg))

    def in_meridian_frame(self, tt_mjd: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Position (n, 3) in au and horizon axes (n, 3, 3; rows east, north, zenith) in the meridian frame.

        The meridian frame turns with the Earth: z is the pole of rotation, x lies in the meridian of the
        place. But for polar motion, some 0.002" a day, the place stands still in it.
        """
        lon = math.radians(self.place.lon_east_deg)
        to_meridian = turn_about_z(np.eye(3), np.full(3, -lon)).T @ self.earth.itrf_to_tirs(tt_mjd)
        fixed = np.column_stack([self.place.axes_itrf().T, self.place.itrf_m() / AU_M])
        turned = np.swapaxes(to_meridian @ fixed, -1, -2)
        return turned[..., 3, :], turned[..., :3, :]

    def position_cirs_au(self, tt_mjd: ArrayLike) -> FloatArray:
        """Geocentric position (n, 3) in CIRS, au."""
        position, _ = self.in_meridian_frame(tt_mjd)
        return turn_about_z(position, self.meridian_angle_rad(tt_mjd))

    def velocity_cirs_au_d(self, tt_mjd: ArrayLike) -> FloatArray:
        """Geocentric velocity (n, 3) in CIRS from the rotation of the Earth, au per day: the source of
        diurnal aberration.
        """
        return rotation_velocity_au_d(self.position_cirs_au(tt_mjd))

    def axes_cirs(self, tt_mjd: ArrayLike) -> FloatArray:
        """Unit vectors (n, 3, 3) in CIRS; rows are east, north and zenith."""
        _, axes = self.in_meridian_frame(tt_mjd)
        return turn_about_z(axes, self.meridian_angle_rad(tt_mjd)[..., None])


@dataclass(frozen=True)
class Stations:
    """Many places at once: every time (n,), TT as MJD, is asked of one of them, told by its number `which` (n,).

    The same as `Station`, column by column. Polar motion is taken to first order, without s' (13 microarcseconds).
    """

    places: Sequence[Place]
    earth: EarthOrientation

    @cached_property
    def _lon_rad(self) -> FloatArray:
        return np.radians([place.lon_east_deg for place in self.places])

    @cached_property
    def _fixed(self) -> FloatArray:
        """East, north, zenith and position in au (4, 3, t) of a pole that does not move."""
        itrf = np.stack([np.vstack([place.axes_itrf(), place.itrf_m() / AU_M]) for place in self.places])
        return np.ascontiguousarray(np.moveaxis(turn_about_z(itrf, -self._lon_rad[:, None]), 0, 2))

    def meridian_angle_rad(self, which: IntArray, tt_mjd: FloatArray) -> FloatArray:
        """`Station.meridian_angle_rad` (n,)."""
        return np.asarray(self.earth.rotation_angle_rad(tt_mjd) + self._lon_rad[which])

    def in_meridian_frame(self, which: IntArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """`Station.in_meridian_frame` in columns: position (3, n), au, and axes (3, 3, n), [axis, component, time]."""
        pole_x, pole_y = self.earth.pole_rad(tt_mjd)
        cos, sin = np.cos(self._lon_rad)[which], np.sin(self._lon_rad)[which]
        about_x, about_y = -(cos * pole_y + sin * pole_x), sin * pole_y - cos * pole_x
        x, y, z = np.moveaxis(self._fixed[:, :, which], 1, 0)
        turned = np.stack([x + about_y * z, y - about_x * z, z + about_x * y - about_y * x], axis=1)
        return turned[3], turned[:3]


def rotation_velocity_au_d(position_au: FloatArray) -> FloatArray:
    """Velocity (..., 3) of points (..., 3) that turn with the Earth about z, au per day."""
    x, y = position_au[..., 0], position_au[..., 1]
    return ROTATION_RAD_PER_UT1_DAY * np.stack([-y, x, np.zeros_like(x)], axis=-1)


def topocentric_direction(geocentric_au: FloatArray, position_au: FloatArray, velocity_au_d: FloatArray) -> FloatArray:
    """Unit vectors (n, 3) to a body from a site: parallax, then diurnal aberration to first order (1e-12 is
    left).

    geocentric_au (n, 3): apparent geocentric place (annual aberration is in it); position and velocity of the
    site in the same frame.
    """
    towards = geocentric_au - position_au
    towards = towards / np.linalg.norm(towards, axis=-1, keepdims=True) + velocity_au_d / LIGHT_AU_PER_DAY
    return np.asarray(towards / np.linalg.norm(towards, axis=-1, keepdims=True))


def horizontal_deg(direction: FloatArray, axes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Azimuth (north over east, [0, 360)) and airless altitude, degrees (n,), of unit vectors (n, 3) over
    axes (n, 3, 3).
    """
    east, north, up = np.moveaxis(np.einsum("...kj,...j->...k", axes, direction), -1, 0)
    azimuth = np.degrees(np.arctan2(east, north)) % 360.0
    return azimuth, np.degrees(np.arctan2(up, np.hypot(east, north)))
