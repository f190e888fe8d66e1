"""From geometric vectors to apparent ones: light time, gravitational deflection, aberration, precession-nutation."""

from __future__ import annotations

import functools

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

from targets.orbits.planets import C_AU_D, MJD_ZERO_JD, SUN

FloatArray = NDArray[np.float64]

SCHWARZSCHILD_SUN_AU = 2.0 * SUN.gm_au3_d2 / C_AU_D**2
_DEFLECTION_LIMIT = 1e-6  # 1 - cos of 0.08 deg from the Sun's centre: within the disc the formula has no meaning
_TABLE_STEP_DAYS = 0.5  # the shortest terms of nutation that matter have periods of 5 days
_LAGRANGE_POINTS = 6


def aberrate(direction: FloatArray, velocity_au_d: FloatArray, sun_distance_au: FloatArray) -> FloatArray:
    """Directions (..., 3) of unit length as an observer sees them who moves with barycentric velocity (..., 3).

    Relativistic, with the Sun's potential at the observer's distance (...,): Klioner 2003, eq. 40, as SOFA's `ab`.
    """
    beta = velocity_au_d / C_AU_D
    inverse_gamma = np.sqrt(1.0 - np.einsum("...i,...i->...", beta, beta))[..., None]
    along = np.einsum("...i,...i->...", direction, beta)[..., None]
    potential = (SCHWARZSCHILD_SUN_AU / np.asarray(sun_distance_au))[..., None]
    seen = direction * (inverse_gamma - potential * along) + (1.0 + along / (1.0 + inverse_gamma) + potential) * beta
    return np.asarray(seen / np.linalg.norm(seen, axis=-1, keepdims=True))


def deflect_by_sun(direction: FloatArray, sun_to_source: FloatArray, sun_to_observer: FloatArray) -> FloatArray:
    """Directions (..., 3) of unit length bent by the Sun's gravity, for sources at finite distance (SOFA's `ld`).

    The two vectors from the Sun are (..., 3) in au.
    """
    distance = np.linalg.norm(sun_to_observer, axis=-1, keepdims=True)
    q = sun_to_source / np.linalg.norm(sun_to_source, axis=-1, keepdims=True)
    e = sun_to_observer / distance
    behind = np.maximum(np.einsum("...i,...i->...", q, q + e)[..., None], _DEFLECTION_LIMIT)
    bent = direction + SCHWARZSCHILD_SUN_AU / distance / behind * np.cross(direction, np.cross(e, q))
    return np.asarray(bent / np.linalg.norm(bent, axis=-1, keepdims=True))


def cio_matrices(tt_mjd: ArrayLike) -> FloatArray:
    """GCRS to CIRS (bias, precession, nutation, CIO based, IAU 2006/2000A), shape (..., 3, 3) for times (...)."""
    return np.asarray(erfa.c2i06a(MJD_ZERO_JD, np.asarray(tt_mjd, dtype=float)))


@functools.lru_cache(maxsize=64)  # of 3 kB: every batch of a span asks for the same
def _xys_at_nodes(first: int, count: int) -> FloatArray:
    """X, Y and s (count, 3) at the nodes of the table from number `first` on."""
    nodes = (first + np.arange(count)) * _TABLE_STEP_DAYS
    xys = np.stack(erfa.xys06a(MJD_ZERO_JD, nodes), axis=1)
    xys.setflags(write=False)
    return np.asarray(xys)


class CioTable:
    """The same matrices at many times of one span, interpolated in X, Y and s (0.02 mas)."""

    def __init__(self, first_tt_mjd: float, last_tt_mjd: float) -> None:
        half = _LAGRANGE_POINTS // 2
        self._first = int(np.floor(first_tt_mjd / _TABLE_STEP_DAYS)) - half
        last = int(np.ceil(last_tt_mjd / _TABLE_STEP_DAYS)) + half
        self._xys = _xys_at_nodes(self._first, last - self._first + 1)

    def matrices(self, tt_mjd: FloatArray) -> FloatArray:
        """GCRS to CIRS, (n_t, 3, 3) for times (n_t,) within the span."""
        place = tt_mjd / _TABLE_STEP_DAYS - self._first
        left = np.clip(np.floor(place).astype(int) - _LAGRANGE_POINTS // 2 + 1, 0, len(self._xys) - _LAGRANGE_POINTS)
        offsets = np.arange(_LAGRANGE_POINTS)
        u = (place - left)[:, None] - offsets
        weights = np.ones_like(u)
        for k in range(_LAGRANGE_POINTS):
            for other in range(_LAGRANGE_POINTS):
                if other != k:
                    weights[:, k] *= u[:, other] / (k - other)
        x, y, s = np.einsum("tk,tkc->ct", weights, self._xys[left[:, None] + offsets])
        return np.asarray(erfa.c2ixys(x, y, s))
