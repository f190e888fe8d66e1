"""What two sites that look at the same instant learn of a target's distance.

The parallax of a target is the angle between its directions from two sites: projected baseline over distance. Each
site's place of the target has an error; the parallax has that of both, and the distance follows with the same
relative error as the parallax.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from observatories.sites.geodesy import AU_M

FloatArray = NDArray[np.float64]

AU_KM = AU_M / 1000.0
ARCSEC_PER_RAD = 180.0 * 3600.0 / np.pi


def projected_baseline_km(one_au: FloatArray, other_au: FloatArray, target_au: FloatArray) -> FloatArray:
    """Part (n,) of the baseline between two sites perpendicular to the line of sight from its middle.

    one_au, other_au, target_au (n, 3): positions in one frame, au.
    """
    baseline = other_au - one_au
    sight = target_au - 0.5 * (one_au + other_au)
    sight = sight / np.linalg.norm(sight, axis=-1, keepdims=True)
    along = np.sum(baseline * sight, axis=-1, keepdims=True)
    return np.asarray(np.linalg.norm(baseline - along * sight, axis=-1) * AU_KM)


def parallax_arcsec(baseline_km: ArrayLike, distance_au: ArrayLike) -> FloatArray:
    """Angle between the lines of sight of two sites: projected baseline over distance."""
    return np.asarray(np.asarray(baseline_km) / (np.asarray(distance_au) * AU_KM) * ARCSEC_PER_RAD)


@dataclass(frozen=True)
class Errors:
    """Of one site's measurement: astrometric_arcsec of the place, timing_s of its instant (by which the target's
    motion counts).
    """

    astrometric_arcsec: float = 0.2
    timing_s: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("astrometric error", self.astrometric_arcsec), ("timing error", self.timing_s)):
            if not 0.0 <= value < np.inf:
                raise ValueError(f"{name} {value}: expected a number from 0")

    def place_arcsec(self, rate_arcsec_min: ArrayLike) -> FloatArray:
        """Error of one site's place of a target that moves so fast; as if all the motion were along the baseline."""
        moved = np.asarray(rate_arcsec_min, dtype=float) / 60.0 * self.timing_s
        return np.asarray(np.hypot(self.astrometric_arcsec, moved))


def range_error_fraction(parallax: ArrayLike, one_arcsec: ArrayLike, other_arcsec: ArrayLike) -> FloatArray:
    """Error of the distance as a fraction of it, from the parallax (arcsec) and the error of each site's place."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.hypot(one_arcsec, other_arcsec) / np.asarray(parallax, dtype=float))
