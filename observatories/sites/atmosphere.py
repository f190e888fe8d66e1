"""What the air does to altitudes: refraction, for altitude thresholds, and airmass."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_SCALE_HEIGHT_M = 8400.0  # of a standard atmosphere near the ground


def refraction_deg(apparent_alt_deg: ArrayLike, height_m: float = 0.0) -> FloatArray:
    """Refraction in degrees of objects seen at an apparent altitude, at 10 C and the mean pressure of the
    height.

    Bennett (1982, J. Navigation 35, 255), as in Meeus, Astronomical Algorithms, chapter 16: good to 0.07'.
    Below the horizon the value at the horizon is held.
    """
    altitude = np.clip(np.asarray(apparent_alt_deg, dtype=float), 0.0, 90.0)
    arcmin = 1.0 / np.tan(np.radians(altitude + 7.31 / (altitude + 4.4)))
    return np.asarray(np.maximum(arcmin, 0.0) / 60.0 * np.exp(-height_m / _SCALE_HEIGHT_M))


def airmass(alt_deg: ArrayLike) -> FloatArray:
    """Relative airmass at an airless altitude; NaN below the horizon. Kasten & Young (1989, Applied Optics
    28, 4735), as in Horizons.
    """
    altitude = np.asarray(alt_deg, dtype=float)
    above = np.where(altitude >= 0.0, altitude, np.nan)
    return np.asarray(1.0 / (np.sin(np.radians(above)) + 0.50572 * (above + 6.07995) ** -1.6364))
