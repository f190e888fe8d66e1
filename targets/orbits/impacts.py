"""When objects hit the Earth: the first time that their centre of mass is below the WGS84 ellipsoid.

The atmosphere is left out: most objects break up 20 to 100 km above the ground, some seconds before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.close_approaches import close_approaches
from targets.orbits.elements import OrbitBatch
from targets.orbits.kepler import GM_SUN
from targets.orbits.planets import AU_KM, EARTH, Planets
from targets.orbits.propagation import propagate
from targets.orbits.trajectory import LIGHT_DAYS, Trajectory

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EQUATOR_AU = 6378.137 / AU_KM
FLATTENING = 1.0 / 298.257223563
_NEAR_BLOCK_DAYS = 0.125  # what comes so near has blocks no longer than this
_DEFLECTED = 0.02  # share of energy or angular momentum that only a deep encounter changes; an impact changes more
_BEFORE_DAYS = 1.0 / 24.0  # in an hour everything comes at least 40,000 km nearer
_HALVINGS = 40


def impact_times(
    published: OrbitBatch,
    trajectory: Trajectory,
    groups: Sequence[tuple[IntArray, EphemerisBlocks]] | None,
    planets: Planets,
) -> FloatArray:
    """TDB as MJD (n,) at which orbits hit the Earth, between their epochs and the end of a trajectory; NaN: never.

    `trajectory` and `groups` are the paths of the published orbits over a span and their blocks, which tell at once
    which come near; without blocks (None) all are looked at. Before the span only
    orbits are looked at that changed by so much as an impact changes them.
    """
    times = np.full(len(published), np.nan)
    near = [index for index, blocks in groups or () if blocks.block_days <= _NEAR_BLOCK_DAYS]
    chosen = np.arange(len(published)) if groups is None else np.unique(np.concatenate([np.empty(0, int), *near]))
    if chosen.size:
        times[chosen] = first_impacts(trajectory.take(chosen), planets)
    start = trajectory.start_tdb_mjd
    changed = _deflected(published.state, trajectory.state_at(start)) & (published.epoch_tdb_mjd < start)
    for k in np.flatnonzero(changed).tolist():
        one = published.take([k])
        earlier = first_impacts(propagate(one, float(one.epoch_tdb_mjd[0]), start, planets), planets)[0]
        if not np.isnan(earlier):
            times[k] = earlier
    return times


def first_impacts(trajectory: Trajectory, planets: Planets) -> FloatArray:
    """TDB as MJD (n,) of the first impact of every object within a trajectory's span; NaN: none."""
    times = np.full(trajectory.n, np.nan)
    found = close_approaches(trajectory, planets, EQUATOR_AU)
    for who, nearest in zip(found.who.tolist(), found.tdb_mjd.tolist(), strict=True):
        if np.isnan(times[who]) and _height_au(trajectory, planets, who, nearest) < 0.0:
            above = max(nearest - _BEFORE_DAYS, trajectory.start_tdb_mjd - LIGHT_DAYS)
            below = nearest
            for _ in range(_HALVINGS):
                middle = 0.5 * (above + below)
                if _height_au(trajectory, planets, who, middle) < 0.0:
                    below = middle
                else:
                    above = middle
            times[who] = below
    return times


def _height_au(trajectory: Trajectory, planets: Planets, who: int, tdb_mjd: float) -> float:
    """Over the ellipsoid, along the radius. The pole is that of the ICRF: 0.1 deg in 2026, that is 40 m of height."""
    position = trajectory.at_pairs(np.array([who]), np.array([tdb_mjd]))[0][0]
    sight = position - planets.position(EARTH, np.array([tdb_mjd]))[0]
    distance = float(np.linalg.norm(sight))
    flat, polar = float(np.hypot(sight[0], sight[1])) / distance, 1.0 - FLATTENING
    return distance - EQUATOR_AU * polar / float(np.sqrt(1.0 - flat * flat * (1.0 - polar * polar)))


def _deflected(before: FloatArray, after: FloatArray) -> NDArray[np.bool_]:
    """Whether heliocentric states (n, 6) are no longer of nearly the same orbits."""

    def invariants(state: FloatArray) -> tuple[FloatArray, FloatArray]:
        position, velocity = state[:, :3], state[:, 3:]
        energy = 0.5 * np.sum(velocity**2, axis=1) - GM_SUN / np.linalg.norm(position, axis=1)
        return energy, np.cross(position, velocity)

    (energy, momentum), (energy_after, momentum_after) = invariants(before), invariants(after)
    turned = np.linalg.norm(momentum_after - momentum, axis=1) / np.linalg.norm(momentum, axis=1)
    return np.asarray((turned > _DEFLECTED) | (np.abs(energy_after - energy) > _DEFLECTED * 0.5 * GM_SUN))
