"""Close approaches to the Earth: minima of the geocentric distance, root-found on the dense trajectory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from targets.orbits.planets import AU_KM, DAY_S, EARTH, Planets
from targets.orbits.trajectory import Trajectory

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DEFAULT_WITHIN_AU = 0.2
_SAMPLE_DAYS = 0.5  # two minima are never so close, but for a satellite of the Earth below the Moon
_VALUES_AT_ONCE = 200_000  # object-times held in memory together
_ROOT_STEPS = 60
_ROOT_DAYS = 1e-9  # 0.1 ms


@dataclass(frozen=True)
class CloseApproaches:
    """One row per minimum of the distance to the Earth's centre, by object, then time."""

    who: IntArray  # (k,) index of the object in the trajectory
    tdb_mjd: FloatArray  # (k,)
    distance_au: FloatArray  # (k,)
    speed_km_s: FloatArray  # (k,) relative to the Earth at that time


def close_approaches(trajectory: Trajectory, planets: Planets, within_au: float = DEFAULT_WITHIN_AU) -> CloseApproaches:
    """The close approaches of every object within the trajectory's span that come nearer than `within_au`.

    A minimum is where the radial speed turns from approach to recession; the ends of the span are none.
    """
    who, lower, upper = _brackets(trajectory, planets, within_au)
    times = _roots(trajectory, planets, who, lower, upper)
    sight, velocity = _geocentric(trajectory, planets, who, times)
    distance = np.linalg.norm(sight, axis=1)
    near = np.flatnonzero(distance < within_au)
    order = near[np.lexsort((times[near], who[near]))]
    speed_km_s = np.linalg.norm(velocity[order], axis=1) * AU_KM / DAY_S
    return CloseApproaches(who[order], times[order], distance[order], speed_km_s)


def _brackets(trajectory: Trajectory, planets: Planets, within_au: float) -> tuple[IntArray, FloatArray, FloatArray]:
    """Objects and intervals in which their radial speed turns positive and which may come within the distance."""
    start, end = trajectory.start_tdb_mjd, trajectory.end_tdb_mjd
    times = np.linspace(start, end, max(int(np.ceil((end - start) / _SAMPLE_DAYS)), 1) + 1)
    at_once = max(_VALUES_AT_ONCE // max(trajectory.n, 1), 2)
    found: list[tuple[IntArray, FloatArray, FloatArray]] = []
    for first in range(0, times.size - 1, at_once):
        t = times[first : first + at_once + 1]
        position, velocity = trajectory.by_time(t)
        earth, earth_velocity = planets.state(EARTH, t)
        sight, relative = position - earth.T[:, :, None], velocity - earth_velocity.T[:, :, None]
        radial = np.einsum("cti,cti->ti", sight, relative)
        distance, speed = np.linalg.norm(sight, axis=0), np.linalg.norm(relative, axis=0)
        reach = distance[:-1] - 2.0 * speed[:-1] * np.diff(t)[:, None]
        when, who = np.nonzero((radial[:-1] < 0.0) & (radial[1:] >= 0.0) & (reach < within_au))
        found.append((who, t[when], t[when + 1]))
    who, lower, upper = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return who, lower, upper


def _geocentric(
    trajectory: Trajectory, planets: Planets, who: IntArray, tdb_mjd: FloatArray
) -> tuple[FloatArray, FloatArray]:
    position, velocity = trajectory.at_pairs(who, tdb_mjd)
    earth, earth_velocity = planets.state(EARTH, tdb_mjd)
    return position - earth, velocity - earth_velocity


def _roots(trajectory: Trajectory, planets: Planets, who: IntArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Zeros of the radial speed in brackets, by the Illinois method, all at once."""

    def radial(times: FloatArray) -> FloatArray:
        sight, velocity = _geocentric(trajectory, planets, who, times)
        return np.asarray(np.einsum("kc,kc->k", sight, velocity))

    a, b = lower.copy(), upper.copy()
    fa, fb = radial(a), radial(b)
    for _ in range(_ROOT_STEPS):
        with np.errstate(divide="ignore", invalid="ignore"):
            root = b - fb * (b - a) / (fb - fa)
        root = np.where((root >= np.minimum(a, b)) & (root <= np.maximum(a, b)), root, 0.5 * (a + b))
        value = radial(root)
        crossed = np.signbit(value) != np.signbit(fb)
        # The end that stays keeps half its weight, so that it moves the next time.
        a, fa = np.where(crossed, b, a), np.where(crossed, fb, 0.5 * fa)
        moved = np.abs(root - b)
        b, fb = root, value
        if np.all(moved < _ROOT_DAYS):
            break
    return b
