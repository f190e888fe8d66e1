"""The bridge from trajectories to windows: apparent geocentric places of many objects, fitted by Chebyshev series."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

from coordination.common.timescales import tt_to_tdb_mjd
from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.elements import OrbitBatch
from targets.orbits.frames import SCHWARZSCHILD_SUN_AU, CioTable, aberrate, cio_matrices
from targets.orbits.kepler import GM_SUN
from targets.orbits.photometry import effective_distance
from targets.orbits.planets import BY_NAME, C_AU_D, EARTH, SUN, Planets
from targets.orbits.prefilter import brightest_possible_v, brightest_v_two_body
from targets.orbits.trajectory import Trajectory

__all__ = ["EphemerisBlocks", "apparent_bodies", "brightest_possible_v", "brightest_v_two_body", "build_blocks"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FAR = (1.0, 6)  # block length in days and coefficients: enough beyond 0.04 au
NEAR_COEFFICIENTS = 10
FINEST_LEVEL = 8  # blocks of 5.6 minutes: enough for a pass 600 km above the ground
TAIL_ARCSEC = 0.005  # last coefficient of the direction; what is cut off is a fraction of it
_VALUES_AT_ONCE = 32768  # object-times worked on together: the arrays stay in the processor's cache
_ARCSEC = np.radians(1.0 / 3600.0)


def _fit_matrix(n_coef: int) -> tuple[FloatArray, FloatArray]:
    """Chebyshev nodes in [-1, 1] (ascending), and the matrix from values there to coefficients."""
    nodes = -np.cos((np.arange(n_coef) + 0.5) * np.pi / n_coef)
    return np.asarray(nodes), np.asarray(np.linalg.inv(chebyshev.chebvander(nodes, n_coef - 1)))


def build_blocks(
    trajectory: Trajectory, batch: OrbitBatch, start_tt_mjd: float, n_days: int, planets: Planets
) -> list[tuple[IntArray, EphemerisBlocks]]:
    """Blocks over [start, start + n_days] TT for every object of the trajectory, grouped by block length.

    Returns pairs of (indices of the objects in the batch, their blocks). Most objects have one block a day; where the
    series' last coefficient is above 0.005" the number of coefficients is raised, then blocks are halved.
    """
    groups: list[tuple[IntArray, EphemerisBlocks]] = []
    index = np.arange(trajectory.n)
    shapes = [FAR, *((2.0**-level, NEAR_COEFFICIENTS) for level in range(FINEST_LEVEL + 1))]
    table = CioTable(start_tt_mjd, start_tt_mjd + n_days)
    for block_days, n_coef in shapes:
        if index.size == 0:
            break
        part = trajectory if index.size == trajectory.n else trajectory.take(index)
        blocks = _fit(part, batch.take(index), start_tt_mjd, n_days, block_days, n_coef, planets, table)
        good = _tail_arcsec(blocks) < TAIL_ARCSEC
        if block_days == shapes[-1][0]:
            good[:] = True
        if good.any():
            groups.append((index[good], blocks if good.all() else blocks.take(good)))
        index = index[~good]
    return groups


def _tail_arcsec(blocks: EphemerisBlocks) -> FloatArray:
    """The largest last coefficient of each object's direction."""
    last = np.abs(blocks.cirs_au[:, :, -1]).max(axis=2)
    return np.asarray((last / np.abs(blocks.distance_au[:, :, 0])).max(axis=1) / _ARCSEC)


def _fit(
    trajectory: Trajectory,
    batch: OrbitBatch,
    start_tt_mjd: float,
    n_days: int,
    block_days: float,
    n_coef: int,
    planets: Planets,
    table: CioTable,
) -> EphemerisBlocks:
    n, n_blocks = len(batch), round(n_days / block_days)
    nodes, fit = _fit_matrix(n_coef)
    cirs = np.empty((n, n_blocks, n_coef, 3))
    scalars = np.empty((3, n, n_blocks, n_coef))
    at_once = max(1, _VALUES_AT_ONCE // (n * n_coef))
    for first in range(0, n_blocks, at_once):
        numbers = np.arange(first, min(first + at_once, n_blocks))
        tt = (start_tt_mjd + (numbers[:, None] + 0.5 * (nodes + 1.0)) * block_days).ravel()
        direction, values = _apparent_geocentric(trajectory, tt, planets, table)
        shape = (numbers.size, n_coef, -1)
        series = (fit @ direction.reshape(shape)).reshape(numbers.size, n_coef, 3, n)
        cirs[:, numbers] = np.moveaxis(series, 3, 0)
        for k, value in enumerate(values):
            scalars[k, :, numbers] = np.moveaxis(fit @ value.reshape(shape), 1, 2)
    return EphemerisBlocks(
        start_tt_mjd, block_days, cirs, scalars[0], scalars[1], scalars[2], batch.h_mag, batch.slopes
    )


def _apparent_geocentric(
    trajectory: Trajectory, tt_mjd: FloatArray, planets: Planets, table: CioTable
) -> tuple[FloatArray, tuple[FloatArray, FloatArray, FloatArray]]:
    """CIRS vectors (n_t, 3, n) in au, and distance in au, log10(r delta), phase in rad, (n_t, n) each."""
    tdb = tt_to_tdb_mjd(tt_mjd)
    earth, earth_velocity = planets.state(EARTH, tdb)
    sun = planets.position(SUN, tdb)
    position, velocity = trajectory.by_time(tdb)
    from_sun = position - sun.T[:, :, None]
    r2 = _dot(from_sun, from_sun)
    pull = (-0.5 * GM_SUN) / (r2 * np.sqrt(r2))
    # The object where its light left it: two terms of Taylor's series, 0.0002" for r = 0.1 au seen from 1 au.
    sight = position - earth.T[:, :, None]
    delay = np.sqrt(_dot(sight, sight)) / C_AU_D
    for _ in range(2):
        back = (pull * delay * delay) * from_sun - velocity * delay
        seen = sight + back
        distance = np.sqrt(_dot(seen, seen))
        delay = distance / C_AU_D
    from_sun += back
    r = np.sqrt(_dot(from_sun, from_sun))
    phase = np.arccos(np.clip(_dot(seen, from_sun) / (r * distance), -1.0, 1.0))
    apparent = _aberrated(seen, distance, earth_velocity, np.linalg.norm(earth - sun, axis=1))
    return table.matrices(tt_mjd) @ apparent.transpose(1, 0, 2), (
        distance,
        _log10_r_delta(r, distance, trajectory.batch.k1),
        phase,
    )


def _log10_r_delta(r: FloatArray, delta: FloatArray, k1: FloatArray) -> FloatArray:
    if np.isnan(k1).all():
        return np.asarray(np.log10(r * delta))
    return effective_distance(np.log10(r), np.log10(delta), k1)


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Scalar products of vectors (3, n_t, n)."""
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def _aberrated(
    seen: FloatArray, distance: FloatArray, velocity_au_d: FloatArray, sun_distance_au: FloatArray
) -> FloatArray:
    """`frames.aberrate` for vectors (3, n_t, n) in au that keep their lengths; observer's velocity (n_t, 3)."""
    beta = (velocity_au_d / C_AU_D).T[:, :, None]
    inverse_gamma = np.sqrt(1.0 - _dot(beta, beta))
    potential = (SCHWARZSCHILD_SUN_AU / sun_distance_au)[:, None]
    along = _dot(beta, seen) / distance
    moved = seen * (inverse_gamma - potential * along)
    moved += beta * (distance * (1.0 + along / (1.0 + inverse_gamma) + potential))
    moved *= distance / np.sqrt(_dot(moved, moved))
    return moved


def apparent_bodies(names: tuple[str, ...], tt_mjd: ArrayLike, planets: Planets) -> dict[str, FloatArray]:
    """Apparent geocentric CIRS vectors in au, (n_t, 3) each, of the Sun, the Moon or planets by name, at TT (n_t,)."""
    tt = np.atleast_1d(np.asarray(tt_mjd, dtype=float))
    tdb = tt_to_tdb_mjd(tt)
    earth, earth_velocity = planets.state(EARTH, tdb)
    sun_distance = np.linalg.norm(planets.position(SUN, tdb) - earth, axis=1)
    matrices = cio_matrices(tt) if tt.size < 100 else CioTable(tt.min(), tt.max()).matrices(tt)
    vectors = {}
    for name in names:
        body = BY_NAME[name]
        delay = np.zeros(tt.size)
        for _ in range(3):
            seen = planets.position(body, tdb - delay) - earth
            distance = np.linalg.norm(seen, axis=1)
            delay = distance / C_AU_D
        direction = aberrate(seen / distance[:, None], earth_velocity, sun_distance)
        vectors[name] = np.einsum("tij,tj->ti", matrices, direction) * distance[:, None]
    return vectors
