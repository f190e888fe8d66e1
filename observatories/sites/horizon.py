"""The horizon of a dome: the lowest altitude at which a telescope can look, by azimuth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


class HorizonError(ValueError):
    """A horizon mask that cannot be one: the message names the azimuth or altitude."""


@dataclass(frozen=True)
class HorizonMask:
    """Altitudes (n,) in degrees at azimuths (n,) in degrees, ascending in [0, 360); linear between, and
    across north.

    Azimuth is counted from north over east.
    """

    azimuth_deg: FloatArray
    altitude_deg: FloatArray

    @classmethod
    def from_points(cls, points: Iterable[tuple[float, float]]) -> HorizonMask:
        """From (azimuth, altitude) pairs in any order; 360 is 0. Raises HorizonError for repeated azimuths
        and values out of range.
        """
        table = np.array(list(points), dtype=float).reshape(-1, 2)
        if not len(table):
            raise HorizonError("a horizon mask needs at least one point")
        if not np.all(np.isfinite(table)) or np.any((table[:, 0] < 0.0) | (table[:, 0] > 360.0)):
            raise HorizonError("azimuths of a horizon mask are numbers from 0 to 360 degrees")
        if np.any(np.abs(table[:, 1]) > 90.0):
            raise HorizonError("altitudes of a horizon mask are numbers from -90 to 90 degrees")
        table[:, 0] %= 360.0
        table = table[np.argsort(table[:, 0])]
        repeated = table[1:, 0][np.diff(table[:, 0]) == 0.0]
        if repeated.size:
            raise HorizonError(f"azimuth {repeated[0]:g} occurs twice in the horizon mask")
        return cls(table[:, 0], table[:, 1])

    def altitude_at(self, azimuth_deg: ArrayLike) -> FloatArray:
        """Altitude of the horizon, degrees, at azimuths of any shape."""
        return np.asarray(
            np.interp(np.asarray(azimuth_deg, dtype=float), self.azimuth_deg, self.altitude_deg, period=360.0)
        )

    @property
    def steepest(self) -> float:
        """Largest change of altitude per azimuth, degrees per degree."""
        azimuth = np.append(self.azimuth_deg, self.azimuth_deg[0] + 360.0)
        altitude = np.append(self.altitude_deg, self.altitude_deg[0])
        return float(np.max(np.abs(np.diff(altitude) / np.diff(azimuth))))
