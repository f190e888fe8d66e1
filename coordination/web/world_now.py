"""The Earth at an instant: where the Sun and the Moon stand in the zenith, and how high the Sun is at places."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import utc_to_tt_mjd
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.sun_moon import illuminated_fraction
from targets.orbits.ephemeris import apparent_bodies
from targets.services.ephemerides import planets


@dataclass(frozen=True)
class WorldNow:
    """Places (longitude east, latitude; degrees) under the Sun and the Moon, geocentric, and the Moon's illuminated
    fraction.
    """

    at: dt.datetime
    sun: tuple[float, float]
    moon: tuple[float, float]
    moon_fraction: float

    @property
    def moon_percent(self) -> int:
        return round(100 * self.moon_fraction)

    def sun_altitudes_deg(self, places: Sequence[Place]) -> NDArray[np.float64]:
        """Airless altitude (n,) of the Sun's centre; its parallax of 9" is left out."""
        lon, lat = np.radians([(place.lon_deg, place.lat_deg) for place in places]).reshape(-1, 2).T
        sun_lon, sun_lat = np.radians(self.sun)
        sine = np.sin(lat) * np.sin(sun_lat) + np.cos(lat) * np.cos(sun_lat) * np.cos(lon - sun_lon)
        return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))))


def world_at(instant: dt.datetime) -> WorldNow:
    """Raises ValueError for instants outside the planetary kernel or the known rotation of the Earth."""
    tt = np.array([float(utc_to_tt_mjd(instant))])
    bodies = apparent_bodies(("sun", "moon"), tt, planets())
    turn = float(EarthOrientation.from_astropy().rotation_angle_rad(tt)[0])
    sun, moon = bodies["sun"][0], bodies["moon"][0]
    fraction = float(illuminated_fraction(sun[None], moon[None])[0])
    return WorldNow(instant, _under(sun, turn), _under(moon, turn), fraction)


def _under(vector: NDArray[np.float64], turn_rad: float) -> tuple[float, float]:
    x, y, z = vector
    lon = math.degrees(math.atan2(y, x) - turn_rad)
    return math.remainder(lon, 360.0), math.degrees(math.atan2(z, math.hypot(x, y)))
