"""Brightness of asteroids and comets.

Asteroids: the H, G system of Bowell et al. (1989) in the form that JPL uses; H, G1, G2 and H, G12 (Muinonen et al.
2010, Icarus 209, 542) and H, G12* (Penttila et al. 2016, Planet. Space Sci. 123, 117). Comets: total magnitudes from
M1 and K1. Phase angles are in radians, distances in au; shapes broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


# Slopes of several systems in one array: G of H, G; or G1 and G2 with G NaN; all NaN: a comet, which has none.
SLOPES = np.dtype([("g", np.float64), ("g1", np.float64), ("g2", np.float64)])


def slopes_of(g: ArrayLike, g1: ArrayLike, g2: ArrayLike, is_comet: ArrayLike) -> NDArray[Any]:
    """Slopes (n,) as `phase_dimming_mag` takes them: plain G where all are of the H, G system, else of dtype SLOPES."""
    slope, first, second, comet = np.broadcast_arrays(
        *(np.asarray(each, dtype=float) for each in (g, g1, g2)), np.asarray(is_comet, dtype=bool)
    )
    if np.isnan(first).all() and not comet.any():
        return np.array(slope)
    slopes = np.empty(slope.shape, dtype=SLOPES)
    slopes["g"] = np.where(comet | ~np.isnan(first), np.nan, slope)
    slopes["g1"], slopes["g2"] = np.where(comet, np.nan, first), np.where(comet, np.nan, second)
    return slopes


def joined_slopes(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """One array of several, plain if all of them are."""
    if any(part.dtype.names for part in parts):
        full = [part if part.dtype.names else _as_slopes(part) for part in parts]
        return np.concatenate(full)
    return np.concatenate(list(parts))


def _as_slopes(g: FloatArray) -> NDArray[Any]:
    slopes = np.full(g.shape, np.nan, dtype=SLOPES)
    slopes["g"] = g
    return slopes


def effective_distance(log10_r: ArrayLike, log10_delta: ArrayLike, k1: ArrayLike) -> FloatArray:
    """What V grows with five times: log10 r + log10 delta; of a comet K1 / 5 log10 r + log10 delta. K1 is NaN for
    asteroids.
    """
    weight = np.asarray(k1, dtype=float) / 5.0
    return np.asarray(np.asarray(log10_delta) + np.where(np.isnan(weight), 1.0, weight) * np.asarray(log10_r))


def phase_dimming_mag(phase_rad: ArrayLike, g: ArrayLike) -> FloatArray:
    """-2.5 log10 of the phase function: 0 at zero phase, growing with it. Shapes broadcast.

    `g` are slopes G, or slopes of several systems of dtype SLOPES.
    """
    slopes = np.asarray(g)
    if slopes.dtype.names is None:
        return _hg_dimming_mag(phase_rad, slopes)
    phase, slopes = np.broadcast_arrays(np.asarray(phase_rad, dtype=float), slopes)
    dimming = np.zeros(phase.shape)
    hg, g1g2 = ~np.isnan(slopes["g"]), ~np.isnan(slopes["g1"])
    dimming[hg] = _hg_dimming_mag(phase[hg], slopes["g"][hg])
    dimming[g1g2] = phase_dimming_g1_g2_mag(phase[g1g2], slopes["g1"][g1g2], slopes["g2"][g1g2])
    return dimming


def _hg_dimming_mag(phase_rad: ArrayLike, g: ArrayLike) -> FloatArray:
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


def visual_magnitude_sigma(
    h_sigma_mag: ArrayLike, g: ArrayLike, phase_rad: ArrayLike, g_sigma: ArrayLike = 0.0
) -> FloatArray:
    """1-sigma of V in the H, G system from those of H and, where known, of G; their correlation is left out.

    NaN where that of H is NaN, not known. Raises ValueError for errors below 0.
    """
    h_sigma, slope_sigma = np.asarray(h_sigma_mag, dtype=float), np.asarray(g_sigma, dtype=float)
    for field, values in (("h_sigma_mag", h_sigma), ("g_sigma", slope_sigma)):
        if (values < 0.0).any():
            raise ValueError(f"{field} is {values.min()}: expected 0 or more")
    t = np.tan(0.5 * np.asarray(phase_rad, dtype=float))
    slope = np.asarray(g, dtype=float)
    phi1, phi2 = np.exp(-3.33 * t**0.63), np.exp(-1.87 * t**1.22)
    per_g = _MAG_PER_LN * (phi2 - phi1) / ((1.0 - slope) * phi1 + slope * phi2)
    return np.asarray(np.hypot(h_sigma, per_g * slope_sigma))


class _ClampedSpline:
    """A cubic spline through nodes with given slopes at both ends, constant beyond the last node."""

    def __init__(self, x_deg: list[float], y: list[float], first_slope: float, last_slope: float) -> None:
        """Nodes in degrees; slopes per radian."""
        self._x, self._y = np.radians(x_deg), np.array(y)
        width, rise = np.diff(self._x), np.diff(self._y)
        n = self._x.size
        matrix, right = np.eye(n), np.zeros(n)
        right[0], right[-1] = first_slope, last_slope
        for k in range(1, n - 1):  # second derivatives of both sides agree
            left, following = 1.0 / width[k - 1], 1.0 / width[k]
            matrix[k, k - 1 : k + 2] = left, 2.0 * (left + following), following
            right[k] = 3.0 * (rise[k - 1] * left**2 + rise[k] * following**2)
        self._slope = np.linalg.solve(matrix, right)

    def __call__(self, phase_rad: FloatArray) -> FloatArray:
        phase = np.clip(phase_rad, self._x[0], self._x[-1])
        k = np.clip(np.searchsorted(self._x, phase, side="right") - 1, 0, self._x.size - 2)
        width = self._x[k + 1] - self._x[k]
        t = (phase - self._x[k]) / width
        start, end = self._slope[k] * width, self._slope[k + 1] * width
        rise = self._y[k + 1] - self._y[k]
        bend = t * (1.0 - t) * ((1.0 - t) * (start - rise) + t * (rise - end))
        return np.asarray(self._y[k] + t * rise + bend)


_MAG_PER_LN = -2.5 / np.log(10.0)
_LINEAR_BELOW_RAD = np.radians(7.5)
_FAR_DEG = [7.5, 30.0, 60.0, 90.0, 120.0, 150.0]
_PHI1 = _ClampedSpline(
    _FAR_DEG, [0.75, 0.33486016, 0.13410560, 0.051104756, 0.021465687, 0.0036396989], -1.9098593, -0.091328612
)
_PHI2 = _ClampedSpline(
    _FAR_DEG, [0.925, 0.62884169, 0.31755495, 0.12716367, 0.022373903, 0.00016505689], -0.57295780, -8.6573138e-8
)
_PHI3 = _ClampedSpline(
    [0.0, 0.3, 1.0, 2.0, 4.0, 8.0, 12.0, 20.0, 30.0],
    [1.0, 0.83381185, 0.57735424, 0.42144772, 0.23174230, 0.10348178, 0.061733473, 0.016107006, 0.0],
    -0.10630097,
    0.0,
)


def phase_dimming_g1_g2_mag(phase_rad: ArrayLike, g1: ArrayLike, g2: ArrayLike) -> FloatArray:
    """-2.5 log10 of the H, G1, G2 phase function (Muinonen et al. 2010, eq. 18 and 19).

    0 at zero phase. The functions are defined to 150 deg and keep their values beyond.
    """
    phase, first, second = np.broadcast_arrays(
        np.asarray(phase_rad, dtype=float), np.asarray(g1, dtype=float), np.asarray(g2, dtype=float)
    )
    near = phase < _LINEAR_BELOW_RAD
    phi1 = np.where(near, 1.0 - 6.0 * phase / np.pi, _PHI1(phase))
    phi2 = np.where(near, 1.0 - 9.0 * phase / (5.0 * np.pi), _PHI2(phase))
    flux = first * phi1 + second * phi2 + (1.0 - first - second) * _PHI3(phase)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(-2.5 * np.log10(flux))


def g1_g2_of_g12(g12: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """G1 and G2 of the H, G12 system (Muinonen et al. 2010, eq. 28)."""
    g = np.asarray(g12, dtype=float)
    low = g < 0.2
    return np.where(low, 0.7527 * g + 0.06164, 0.9529 * g + 0.02162), np.where(
        low, -0.9612 * g + 0.6270, -0.6125 * g + 0.5572
    )


def g1_g2_of_g12_star(g12_star: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """G1 and G2 of the H, G12* system (Penttila et al. 2016)."""
    g = np.asarray(g12_star, dtype=float)
    return np.asarray(0.84293649 * g), np.asarray(0.53513350 * (1.0 - g))


def visual_magnitude_g1_g2(
    h_mag: ArrayLike, g1: ArrayLike, g2: ArrayLike, r_au: ArrayLike, delta_au: ArrayLike, phase_rad: ArrayLike
) -> FloatArray:
    """V of an asteroid in the H, G1, G2 system; see `g1_g2_of_g12` and `g1_g2_of_g12_star` for the others."""
    brightness = np.asarray(h_mag, dtype=float) + 5.0 * np.log10(np.multiply(r_au, delta_au))
    return np.asarray(brightness + phase_dimming_g1_g2_mag(phase_rad, g1, g2))


def comet_total_magnitude(m1_mag: ArrayLike, k1: ArrayLike, r_au: ArrayLike, delta_au: ArrayLike) -> FloatArray:
    """Total magnitude of a comet, M1 + 5 log10 delta + K1 log10 r, with M1 and K1 as JPL gives them.

    K1 is 2.5 times the exponent with which the comet brightens towards the Sun: 10 for r^-4.
    """
    m1, slope = np.asarray(m1_mag, dtype=float), np.asarray(k1, dtype=float)
    return np.asarray(m1 + 5.0 * np.log10(delta_au) + slope * np.log10(r_au))
