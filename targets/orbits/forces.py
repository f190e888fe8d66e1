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
from targets.orbits.planets import C_AU_D, EARTH, PERTURBERS, SUN, Planets

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
IntArray = NDArray[np.int64]

EARTH_J2 = 1.08262545e-3
J2_WITHIN_AU = 0.05  # farther out the flattening moves nothing by a millimetre
# What pulls strongly, or may be passed closely, is needed at every node of a step.
STRONG = tuple(body for body in PERTURBERS if body.name not in ("uranus", "neptune", "pluto"))
# The others, and the large asteroids, are summed at a few nodes and interpolated, which the integrator watches; in
# numbers of 32 bits, as 1e-7 of their pull moves nothing by a millimetre in a year.
WEAK = tuple(body for body in PERTURBERS if body not in STRONG)
ITSELF_WITHIN_AU = 2e-3  # what is so near to a large asteroid is that asteroid: it does not attract itself
_EARTH = STRONG.index(EARTH)
_GM = np.array([body.gm_au3_d2 for body in STRONG])[:, None, None]
_RADIUS2 = np.array([body.radius_au**2 for body in STRONG])[:, None, None]
# Few objects: several bodies in one array operation, whose overhead then counts less. Many: one, that fits
# into the cache.
_VALUES_AT_ONCE = 4096
# Precession of the celestial pole towards the equinox.
_POLE_DRIFT_RAD_PER_DAY = np.radians(2004.19 / 3600.0) / 36525.0
_J2000_MJD = 51544.5


@dataclass(frozen=True)
class PlanetTable:
    """Where the attracting bodies are at the nodes of a step, or at its sparse nodes: barycentric ICRF, au and au/d."""

    sun: FloatArray  # (3, n_nodes, 1 or n)
    strong: FloatArray  # (n_strong, 3, n_nodes, 1 or n)
    pole_x: FloatArray  # (n_nodes, 1 or n): x of the Earth's pole of date, whose y is negligible
    sparse_sun_velocity: FloatArray  # (3, n_sparse, 1 or n)
    sparse_weak: Float32Array  # (n_weak, 3, n_sparse, 1 or n)
    weak_gm: Float32Array  # (n_weak, 1, 1)

    @classmethod
    def at(cls, tdb_mjd: FloatArray, planets: Planets) -> PlanetTable:
        """For node times of shape (n_nodes, 1 or n): those of one step, or of several one after another."""
        columns = tdb_mjd.shape[1]
        sparse = tdb_mjd.reshape(-1, collocation.N_NODES, columns)[:, collocation.SPARSE].reshape(-1, columns)
        weak = WEAK + planets.asteroids

        def components_first(values: FloatArray) -> FloatArray:
            return np.ascontiguousarray(np.moveaxis(values, -1, -3))

        return cls(
            components_first(planets.position(SUN, tdb_mjd)),
            components_first(planets.positions(STRONG, tdb_mjd)),
            (tdb_mjd - _J2000_MJD) * _POLE_DRIFT_RAD_PER_DAY,
            components_first(planets.state(SUN, sparse)[1]),
            components_first(planets.positions(weak, sparse)).astype(np.float32),
            np.array([body.gm_au3_d2 for body in weak], dtype=np.float32)[:, None, None],
        )

    def step(self, number: int, backward: bool) -> PlanetTable:
        """The table of one of several steps; backwards its nodes, which are symmetric, come in reverse."""

        def of(count: int) -> slice:
            first, last = number * count, (number + 1) * count
            if not backward:
                return slice(first, last)
            return slice(last - 1, first - 1 if first else None, -1)

        every, sparse = of(collocation.N_NODES), of(collocation.N_SPARSE)
        return PlanetTable(
            self.sun[:, every],
            self.strong[:, :, every],
            self.pole_x[every],
            self.sparse_sun_velocity[:, sparse],
            self.sparse_weak[:, :, sparse],
            self.weak_gm,
        )

    def of(self, objects: IntArray) -> PlanetTable:
        """The table of some of the objects: itself where all share the same times."""
        if self.pole_x.shape[1] == 1:
            return self
        return PlanetTable(
            self.sun[..., objects],
            self.strong[..., objects],
            self.pole_x[:, objects],
            self.sparse_sun_velocity[..., objects],
            self.sparse_weak[..., objects],
            self.weak_gm,
        )


def _norm2(vectors: FloatArray) -> FloatArray:
    """Squared lengths of (3, node, object)."""
    squares = vectors * vectors
    squares[0] += squares[1]
    squares[0] += squares[2]
    return squares[0]


def sun_gravity(position: FloatArray, table: PlanetTable) -> FloatArray:
    """Newtonian acceleration by the Sun, (3, node, n). Inside the Sun as inside a homogeneous sphere."""
    toward = table.sun - position
    r2 = _norm2(toward)
    np.maximum(r2, SUN.radius_au**2, out=r2)
    r3 = np.sqrt(r2)
    r3 *= r2
    np.divide(SUN.gm_au3_d2, r3, out=r3)
    toward *= r3
    return toward


def perturbations(
    position: FloatArray, sparse_velocity: FloatArray, table: PlanetTable, nongrav: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Everything but the Sun's Newtonian pull for barycentric positions (3, node, n), and velocities at the sparse
    nodes (3, n_sparse, n).

    Returns the acceleration; its steepness (n,), which bounds by how much it changes with position, 1/d^2; and what
    of it was interpolated, as values at the sparse nodes (3, n_sparse, n). `nongrav` is (3, n): A1, A2, A3 in au/d^2,
    or None where no object has any. Inside a body it attracts like a homogeneous sphere, so that the path of an
    impactor stays finite.
    """
    even = _even_perturbations(position[:, collocation.SPARSE], sparse_velocity, table, nongrav)
    total = collocation.FROM_SPARSE @ even
    steepest = _add_strong(total, position, table.strong)
    if steepest.max() > EARTH.gm_au3_d2 / J2_WITHIN_AU**3:
        _add_flattening(total, position, table)
    return total, 2.0 * steepest, even


def _add_strong(total: FloatArray, position: FloatArray, bodies: FloatArray) -> FloatArray:
    """Add the pull of the strong bodies, and give the largest GM / d^3 of each object (n,)."""
    steepest = np.zeros(position.shape[1:])
    together = max(1, _VALUES_AT_ONCE // steepest.size)
    for first in range(0, len(bodies), together):
        some = slice(first, first + together)
        toward = bodies[some] - position  # (bodies, 3, node, n)
        r2 = np.einsum("bcni,bcni->bni", toward, toward)
        np.maximum(r2, _RADIUS2[some], out=r2)
        pull = np.sqrt(r2)
        pull *= r2
        np.divide(_GM[some], pull, out=pull)
        total += np.einsum("bni,bcni->cni", pull, toward)
        np.maximum(steepest, pull.max(axis=0), out=steepest)
    return np.asarray(steepest.max(axis=0))


def _even_perturbations(
    position: FloatArray, velocity: FloatArray, table: PlanetTable, nongrav: FloatArray | None
) -> FloatArray:
    """What is weak, or as even as the orbit: distant planets, large asteroids, relativity, non-gravitational terms."""
    total = _weak_pull(position.astype(np.float32), table).astype(float)
    r, v = position - table.sun[:, collocation.SPARSE], velocity - table.sparse_sun_velocity
    _add_relativity(total, r, v)
    if nongrav is not None:
        total += _nongravitational(r, v, nongrav)
    return total


def _weak_pull(position: Float32Array, table: PlanetTable) -> Float32Array:
    total = np.zeros_like(position)
    together = max(1, 2 * _VALUES_AT_ONCE // position[0].size)
    for first in range(0, len(table.sparse_weak), together):
        some = slice(first, first + together)
        toward = table.sparse_weak[some] - position
        r2 = np.einsum("bcni,bcni->bni", toward, toward)
        if r2.min() < ITSELF_WITHIN_AU**2:
            r2[r2 < ITSELF_WITHIN_AU**2] = np.inf
        pull = np.sqrt(r2)
        pull *= r2
        np.divide(table.weak_gm[some], pull, out=pull)
        total += np.einsum("bni,bcni->cni", pull, toward)
    return total


def _add_flattening(total: FloatArray, position: FloatArray, table: PlanetTable) -> None:
    """Add the Earth's flattening for those objects that are near it."""
    earth = table.strong[_EARTH]
    near = _norm2(position - earth).min(axis=0) < J2_WITHIN_AU**2
    if near.any():
        columns = near if earth.shape[-1] > 1 else slice(None)
        total[..., near] += _earth_flattening(position[..., near] - earth[..., columns], table.pole_x[..., columns])


def inside_the_earth(position: FloatArray, table: PlanetTable) -> NDArray[np.bool_]:
    """Whether objects at (3, node, n) are below the surface at any node (n,)."""
    return np.asarray((_norm2(position - table.strong[_EARTH]) < EARTH.radius_au**2).any(axis=0))


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
