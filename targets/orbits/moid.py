"""The distance between the orbits of bodies and the Earth's (MOID, minimum orbit intersection distance).

The Earth's orbit is the mean one of J2000 (Simon et al. 1994, A&A 282, 663): an ellipse in the plane of the ecliptic.
Its planetary perturbations move a MOID by some 1e-4 au in a century, which is the error of these.
Bodies are sampled along their orbits; at each point the Earth's orbit is taken where it has the same longitude (the
meridional plane of Wisniowski & Rickman 2013, Acta Astron. 63, 293); the minima of that distance are then refined in
both anomalies.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

EARTH_A_AU, EARTH_E, EARTH_PERIHELION_DEG = 1.00000102, 0.01670862, 102.93734808
_EARTH_P_AU = EARTH_A_AU * (1.0 - EARTH_E**2)
_SAMPLES = 120
_MINIMA = 4  # two orbits have at most four minima
_STEPS = 6
_DIFFERENCE_RAD = 1e-4
_AT_ONCE = 2000
_FARTHEST_AU = 3.0  # beyond it a body is farther from the Earth's orbit than anybody asks for


def moid_au(q_au: ArrayLike, e: ArrayLike, i_deg: ArrayLike, node_deg: ArrayLike, peri_deg: ArrayLike) -> FloatArray:
    """MOIDs (n,) in au of conics (n,) of any eccentricity, from heliocentric ecliptic J2000 elements."""
    elements = np.array(
        np.broadcast_arrays(*(np.asarray(each, float) for each in (q_au, e, i_deg, node_deg, peri_deg)))
    )
    parts = [_moid(elements[:, first : first + _AT_ONCE]) for first in range(0, elements.shape[1], _AT_ONCE)]
    return np.concatenate(parts) if parts else np.empty(0)


def _moid(elements: FloatArray) -> FloatArray:
    q, e = elements[0], elements[1]
    i, node, peri = np.radians(elements[2:])
    ahead, aside = _axes(i, node, peri)
    # Evenly spaced in true anomaly, as far out as matters.
    p = q * (1.0 + e)
    widest = np.arccos(np.clip((p / np.maximum(_FARTHEST_AU, 1.5 * q) - 1.0) / np.maximum(e, 1e-9), -1.0, 1.0))
    widest = np.where(q * (1.0 + e) / np.maximum(1.0 - e, 1e-9) < _FARTHEST_AU, np.pi, widest)
    anomaly = widest[:, None] * np.linspace(-1.0, 1.0, _SAMPLES)
    body = _body(p[:, None], e[:, None], anomaly, ahead[:, None], aside[:, None])
    earth = np.arctan2(body[..., 1], body[..., 0])
    distance = np.linalg.norm(body - _earth(earth), axis=2)
    before, after = np.roll(distance, 1, axis=1), np.roll(distance, -1, axis=1)
    is_minimum = (distance <= before) & (distance <= after)
    candidates = np.argsort(np.where(is_minimum, distance, np.inf), axis=1)[:, :_MINIMA]
    nu, longitude = (np.take_along_axis(each, candidates, axis=1) for each in (anomaly, earth))
    least = np.take_along_axis(distance, candidates, axis=1)
    return np.asarray(np.minimum(least, _refined(p, e, ahead, aside, nu, longitude)).min(axis=1))


def _refined(
    p: FloatArray, e: FloatArray, ahead: FloatArray, aside: FloatArray, nu: FloatArray, longitude: FloatArray
) -> FloatArray:
    """The least distances (n, 4) that Newton's steps in both anomalies meet, where they converge."""
    p, e, ahead, aside = p[:, None], e[:, None], ahead[:, None], aside[:, None]
    best = np.full(nu.shape, np.inf)
    h = _DIFFERENCE_RAD
    for _ in range(_STEPS):
        body, back, on = (_body(p, e, angle, ahead, aside) for angle in (nu, nu - h, nu + h))
        earth, past, coming = (_earth(angle) for angle in (longitude, longitude - h, longitude + h))
        apart = body - earth
        best = np.fmin(best, np.linalg.norm(apart, axis=2))
        u, v = (on - back) / (2.0 * h), (past - coming) / (2.0 * h)
        uu, vv = _dot(u, u) + _dot(apart, on - 2.0 * body + back) / h**2, _dot(v, v)
        vv -= _dot(apart, coming - 2.0 * earth + past) / h**2
        uv, bu, bv = _dot(u, v), _dot(apart, u), _dot(apart, v)
        det = uu * vv - uv**2
        det = np.where(np.abs(det) > 1e-12, det, 1e-12)
        nu = nu - np.clip((bu * vv - bv * uv) / det, -0.1, 0.1)
        longitude = longitude - np.clip((bv * uu - bu * uv) / det, -0.1, 0.1)
    return best


def _dot(one: FloatArray, other: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ijk,ijk->ij", one, other))


def _axes(i: FloatArray, node: FloatArray, peri: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Unit vectors (n, 3): towards perihelion, and 90 deg ahead in the plane of the orbit."""
    co, so, ci, si, cw, sw = np.cos(node), np.sin(node), np.cos(i), np.sin(i), np.cos(peri), np.sin(peri)
    ahead = np.stack([cw * co - sw * so * ci, cw * so + sw * co * ci, sw * si], axis=-1)
    aside = np.stack([-sw * co - cw * so * ci, -sw * so + cw * co * ci, cw * si], axis=-1)
    return ahead, aside


def _body(p: FloatArray, e: FloatArray, nu: FloatArray, ahead: FloatArray, aside: FloatArray) -> FloatArray:
    r = p / np.maximum(1.0 + e * np.cos(nu), 1e-3)
    return np.asarray((r * np.cos(nu))[..., None] * ahead + (r * np.sin(nu))[..., None] * aside)


def _earth(longitude: FloatArray) -> FloatArray:
    r = _EARTH_P_AU / (1.0 + EARTH_E * np.cos(longitude - np.radians(EARTH_PERIHELION_DEG)))
    return np.stack([r * np.cos(longitude), r * np.sin(longitude), np.zeros_like(r)], axis=-1)
