"""What accelerates a small body: the Sun, the planets, Pluto, the Moon and 16 large asteroids as points,
relativity, the Earth's flattening, and the body's own non-gravitational terms.

Arrays have the layout (xyz, node, object): a step of the integrator works on all nodes and objects at once,
and each component is contiguous. Tables of planets end in an axis of length 1 where all objects share the
same times, or n where each has its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from targets.orbits import collocation
from targets.orbits.planets import C_AU_D, EARTH, PERTURBERS, SUN, Body, Planets

FloatArray = NDArray[np.float64]

EARTH_J2 = 1.08262545e-3
J2_WITHIN_AU = 0.05  # farther out the flattening moves nothing by a millimetre
_EARTH = PERTURBERS.index(EARTH)
_GM = np.array([body.gm_au3_d2 for body in PERTURBERS])[:, None, None]
_RADIUS2 = np.array([body.radius_au**2 for body in PERTURBERS])[:, None, None]
ITSELF_WITHIN_AU = 2e-3  # what is so near to a large asteroid is that asteroid: it does not attract itself
# Few objects: several bodies in one array operation, whose overhead then counts less. Many: one, that fits
# into the cache.
_COLUMNS_AT_ONCE = 256
# Precession of the celestial pole towards the equinox.
_POLE_DRIFT_RAD_PER_DAY = np.radians(2004.19 / 3600.0) / 36525.0
_J2000_MJD = 51544.5


@dataclass(frozen=True)
class PlanetTable:
    """Where the attracting bodies are at the nodes of a step: barycentric ICRF, au and au/d."""

    sun: FloatArray  # (3, n_nodes, 1 or n)
    sun_velocity: FloatArray  # (3, n_nodes, 1 or n)
    perturbers: FloatArray  # (n_perturbers, 3, n_nodes, 1 or n)
    asteroids: FloatArray  # (n_asteroids, 3, n_nodes, 1 or n)
    asteroids_gm: FloatArray  # (n_asteroids, 1, 1)
    pole_x: FloatArray  # (n_nodes, 1 or n): x of the Earth's pole of date, whose y is negligible

    @classmethod
    def at(cls, tdb_mjd: FloatArray, planets: Planets) -> PlanetTable:
        """For node times of shape (n_nodes, 1 or n)."""
        sun, sun_velocity = planets.state(SUN, tdb_mjd)

        def stacked(bodies: tuple[Body, ...]) -> FloatArray:
            paths = [np.moveaxis(planets.position(body, tdb_mjd), -1, 0) for body in bodies]
            return np.stack(paths) if paths else np.empty((0, 3, *tdb_mjd.shape))

        return cls(
            np.ascontiguousarray(np.moveaxis(sun, -1, 0)),
            np.ascontiguousarray(np.moveaxis(sun_velocity, -1, 0)),
            stacked(PERTURBERS),
            stacked(planets.asteroids),
            np.array([body.gm_au3_d2 for body in planets.asteroids])[:, None, None],
            (tdb_mjd - _J2000_MJD) * _POLE_DRIFT_RAD_PER_DAY,
        )

    def nodes(self, chosen: slice) -> PlanetTable:
        """The table at some of its nodes."""
        return PlanetTable(
            self.sun[:, chosen],
            self.sun_velocity[:, chosen],
            self.perturbers[:, :, chosen],
            self.asteroids[:, :, chosen],
            self.asteroids_gm,
            self.pole_x[chosen],
        )


def _norm2(vectors: FloatArray) -> FloatArray:
    """Squared lengths of (3, node, object)."""
    x, y, z = vectors
    return np.asarray(x * x + y * y + z * z)


def sun_gravity(position: FloatArray, table: PlanetTable) -> FloatArray:
    """Newtonian acceleration by the Sun, (3, node, n). Inside the Sun as inside a homogeneous sphere."""
    toward = table.sun - position
    r2 = _norm2(toward)
    np.maximum(r2, SUN.radius_au**2, out=r2)
    toward *= SUN.gm_au3_d2 / (r2 * np.sqrt(r2))
    return toward


def perturbations(
    position: FloatArray, velocity: FloatArray, table: PlanetTable, nongrav: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Everything but the Sun's Newtonian pull for barycentric positions and velocities (3, node, n), and its steepness.

    The steepness (n,) bounds by how much the acceleration changes with position, 1/d^2. `nongrav` is (3, n):
    A1, A2, A3 in au/d^2, or None where no object has any. Inside a body it attracts like a homogeneous
    sphere, so that the path of an impactor stays finite.
    """
    total = np.zeros_like(position)
    steepest = np.zeros(position.shape[1:])
    n = position.shape[2]
    together = max(1, _COLUMNS_AT_ONCE // n)
    for first in range(0, len(PERTURBERS), together):
        bodies = slice(first, first + together)
        toward = table.perturbers[bodies] - position  # (bodies, 3, node, n)
        squares = toward * toward
        r2, pull = squares[:, 0], squares[:, 1]
        r2 += squares[:, 1]
        r2 += squares[:, 2]
        np.maximum(r2, _RADIUS2[bodies], out=r2)
        if bodies.start <= _EARTH < bodies.stop:
            near_earth = r2[_EARTH - first].min(axis=0) < J2_WITHIN_AU**2
        np.sqrt(r2, out=pull)
        pull *= r2
        np.divide(_GM[bodies], pull, out=pull)
        toward *= pull[:, None]
        for one_pull, one_acceleration in zip(pull, toward, strict=True):
            np.maximum(steepest, one_pull, out=steepest)
            total += one_acceleration
    if near_earth.any():
        own_times = table.pole_x.shape[-1] > 1
        columns = near_earth if own_times else slice(None)
        from_earth = position[..., near_earth] - table.perturbers[_EARTH][..., columns]
        total[..., near_earth] += _earth_flattening(from_earth, table.pole_x[..., columns])
    r, v = position - table.sun, velocity - table.sun_velocity
    _add_relativity(total, r, v)
    if nongrav is not None:
        total += _nongravitational(r, v, nongrav)
    return total, 2.0 * steepest.max(axis=0)


def asteroid_gravity(position: FloatArray, table: PlanetTable) -> FloatArray:
    """Attraction by the large asteroids, (3, node, n).

    It is weak and smooth, so it is summed at a few nodes and interpolated to the others: to a percent where
    an asteroid is passed at 0.05 au, which is a metre.
    """
    total = np.zeros((3, len(collocation.SPARSE), position.shape[2]))
    position = position[:, collocation.SPARSE]
    together = max(1, _COLUMNS_AT_ONCE * len(collocation.NODES) // total[0].size)
    for first in range(0, len(table.asteroids), together):
        bodies = slice(first, first + together)
        toward = table.asteroids[bodies][:, :, collocation.SPARSE] - position
        r2 = toward[:, 0] ** 2 + toward[:, 1] ** 2 + toward[:, 2] ** 2
        pull = table.asteroids_gm[bodies] / (r2 * np.sqrt(r2))
        pull[r2 < ITSELF_WITHIN_AU**2] = 0.0
        total += np.einsum("bni,bcni->cni", pull, toward)
    return collocation.FROM_SPARSE @ total


def _earth_flattening(r: FloatArray, pole_x: FloatArray) -> FloatArray:
    """J2 of the Earth at geocentric ICRF positions (3, node, m); pole of date (node, 1 or m)."""
    r2 = np.maximum(_norm2(r), EARTH.radius_au**2)
    pole_z = np.sqrt(1.0 - pole_x**2)
    height = r[0] * pole_x + r[2] * pole_z
    factor = -1.5 * EARTH_J2 * EARTH.gm_au3_d2 * EARTH.radius_au**2 / (r2 * r2 * np.sqrt(r2))
    acceleration = r * (factor * (1.0 - 5.0 * height * height / r2))
    acceleration[0] += 2.0 * factor * height * pole_x
    acceleration[2] += 2.0 * factor * height * pole_z
    return np.asarray(acceleration)


def _add_relativity(total: FloatArray, r: FloatArray, v: FloatArray) -> None:
    """Add the first post-Newtonian term of the Sun for heliocentric r, v (Moyer 2003, 4-26, of one body at rest)."""
    r2 = np.maximum(_norm2(r), SUN.radius_au**2)
    distance = np.sqrt(r2)
    scale = SUN.gm_au3_d2 / (C_AU_D**2 * r2 * distance)
    total += (scale * (4.0 * SUN.gm_au3_d2 / distance - _norm2(v))) * r
    total += (4.0 * scale * (r[0] * v[0] + r[1] * v[1] + r[2] * v[2])) * v


def _nongravitational(r: FloatArray, v: FloatArray, nongrav: FloatArray) -> FloatArray:
    """A1 radial, A2 transverse, A3 normal, times (1 au / r)^2 (Marsden et al. 1973; g(r) as JPL for asteroids)."""
    r2 = _norm2(r)
    radial = r / np.sqrt(r2)
    normal = np.cross(r, v, axis=0)
    normal /= np.sqrt(np.maximum(_norm2(normal), 1e-300))
    transverse = np.cross(normal, radial, axis=0)
    return np.asarray((nongrav[0] * radial + nongrav[1] * transverse + nongrav[2] * normal) / r2)
