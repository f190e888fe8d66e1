"""Brightness of asteroids: the H, G system of Bowell et al. (1989), in the form that JPL uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def phase_dimming_mag(phase_rad: ArrayLike, g: ArrayLike) -> FloatArray:
    """-2.5 log10 of the H, G phase function: 0 at zero phase, growing with it. Shapes broadcast."""
    t = np.tan(0.5 * np.asarray(phase_rad, dtype=float))
    slope = np.asarray(g, dtype=float)
    phi1 = np.exp(-3.33 * t**0.63)
    phi2 = np.exp(-1.87 * t**1.22)
    with np.errstate(divide="ignore"):
        return np.asarray(-2.5 * np.log10((1.0 - slope) * phi1 + slope * phi2))


def visual_magnitude(
    h_mag: ArrayLike, g: ArrayLike, r_au: ArrayLike, delta_au: ArrayLike, phase_rad: ArrayLike
) -> FloatArray:
    """V of an asteroid at heliocentric distance r, observer distance delta and phase angle. Shapes broadcast."""
    brightness = np.asarray(h_mag, dtype=float) + 5.0 * np.log10(np.multiply(r_au, delta_au))
    return np.asarray(brightness + phase_dimming_mag(phase_rad, g))
