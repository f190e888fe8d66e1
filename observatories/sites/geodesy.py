"""Places on the Earth: geodetic coordinates (WGS84), parallax constants of the Minor Planet Center,
distances.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import erfa
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

AU_M = 149597870700.0  # IAU 2012
MPC_EARTH_RADIUS_M = 6378137.0  # unit of the parallax constants
_WGS84 = 1  # erfa's number of the ellipsoid
LOWEST_HEIGHT_M, HIGHEST_HEIGHT_M = -500.0, 10_000.0


class PlaceError(ValueError):
    """A place that cannot be one: names the field, the value given and what would be accepted."""

    def __init__(self, field: str, value: Any, expected: str) -> None:
        self.field, self.value, self.expected = field, value, expected
        super().__init__(f"{field} is {value!r}: expected {expected}")


@dataclass(frozen=True)
class Place:
    """A point fixed to the Earth, in geodetic coordinates (WGS84).

    lon_deg: east longitude; any turn is accepted (-70.8 and 289.2 are the same place). lat_deg: geodetic
    latitude. height_m: above the ellipsoid. Raises PlaceError for a value that is not finite or out of range;
    0.0 is valid for each.
    """

    lon_deg: float
    lat_deg: float
    height_m: float = 0.0

    def __post_init__(self) -> None:
        for field, low, high in (
            ("lon_deg", -720.0, 720.0),
            ("lat_deg", -90.0, 90.0),
            ("height_m", LOWEST_HEIGHT_M, HIGHEST_HEIGHT_M),
        ):
            value = getattr(self, field)
            if not (isinstance(value, int | float) and math.isfinite(value) and low <= value <= high):
                raise PlaceError(field, value, f"a number from {low:g} to {high:g}")

    @classmethod
    def from_parallax(cls, lon_deg: float, rho_cos_phi: float, rho_sin_phi: float) -> Place:
        """The place of an MPC observatory code.

        rho_cos_phi, rho_sin_phi: the MPC's parallax constants, in equatorial radii of the Earth; 5 or 6
        decimals are tens of metres or metres. Spacecraft, roving observers and the geocentre have none, or
        zeros: PlaceError.
        """
        constants = np.array([lon_deg, rho_cos_phi, rho_sin_phi], dtype=float)
        if not np.all(np.isfinite(constants)) or math.hypot(rho_cos_phi, rho_sin_phi) < 0.9:
            raise PlaceError(
                "parallax constants",
                (lon_deg, rho_cos_phi, rho_sin_phi),
                "a longitude and constants of a point near the ground",
            )
        lon_rad = math.radians(lon_deg)
        itrf_m = MPC_EARTH_RADIUS_M * np.array(
            [rho_cos_phi * math.cos(lon_rad), rho_cos_phi * math.sin(lon_rad), rho_sin_phi]
        )
        _, lat_rad, height_m = erfa.gc2gd(_WGS84, itrf_m)
        return cls(float(lon_deg), math.degrees(lat_rad), float(height_m))

    @property
    def lon_east_deg(self) -> float:
        """The longitude in (-180, 180] degrees: by it nights are labelled."""
        turned = math.remainder(self.lon_deg, 360.0)
        return 180.0 if turned == -180.0 else turned

    def itrf_m(self) -> FloatArray:
        """Position (3,) in ITRF, metres."""
        return np.asarray(
            erfa.gd2gc(_WGS84, math.radians(self.lon_east_deg), math.radians(self.lat_deg), self.height_m)
        )

    def axes_itrf(self) -> FloatArray:
        """Unit vectors (3, 3) in ITRF; rows are east, north, and the zenith (normal to the ellipsoid)."""
        lon, lat = math.radians(self.lon_east_deg), math.radians(self.lat_deg)
        sin_lon, cos_lon, sin_lat, cos_lat = math.sin(lon), math.cos(lon), math.sin(lat), math.cos(lat)
        return np.array(
            [
                [-sin_lon, cos_lon, 0.0],
                [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
                [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
            ]
        )


def distances_km(places: Sequence[Place]) -> FloatArray:
    """Straight-line distances (n, n) in km between n places: the baselines of parallax, and the measure of
    one site.
    """
    positions = np.array([place.itrf_m() for place in places]).reshape(-1, 3)
    return np.asarray(np.linalg.norm(positions[:, None] - positions[None], axis=2) / 1000.0)
