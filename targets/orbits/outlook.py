"""How well many objects will be known on the dates of a span: 1-sigma ellipses and levels of trust.

Where a covariance was published its sigma points are integrated (`uncertainty`). Elsewhere the estimate of `runoff` is
carried by two-body motion: the error of such an estimate is far larger than what the planets do to a difference of
orbits, and it costs 0.2 ms an object in place of 40 ms. Everything is seen from the Earth's centre: from the ground an
ellipse differs by the parallax over the distance, a hundredth of it at 0.004 au.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from targets.orbits.covariance import OrbitCovariance
from targets.orbits.elements import OrbitBatch
from targets.orbits.kepler import GM_SUN, Conics
from targets.orbits.planets import EARTH, SUN, Planets
from targets.orbits.runoff import DECADE_D, FLOOR_AU, OrbitQuality, mean_motion, runoff_sigma_arcsec
from targets.orbits.trust import Trust, trust_levels
from targets.orbits.uncertainty import (
    ARCSEC,
    ESTIMATE_FLOOR_ARCSEC,
    LARGEST_BEND,
    SMALLEST_BEND_ARCSEC,
    WIDEST_ARCSEC,
    NonLinear,
    SigmaTrajectories,
    ellipse,
    offsets_arcsec,
)

FloatArray = NDArray[np.float64]

_AT_ONCE = 8192  # object-dates: their arrays stay below some megabytes
_COVARIANCES_AT_ONCE = 20
_LARGEST_SLIP_RAD = np.radians(0.2)  # of the mean longitude, that the moved orbits are carried apart; then enlarged
_SMALLEST_SLIP_RAD = 1e-9  # below it differences drown in rounding
_COARSE_DAYS = 4.0  # displacements change over months: computed this far apart and joined by straight lines


@dataclass(frozen=True)
class Outlook:
    """Of n objects on n_d dates; arrays (n, n_d). Ellipses are NaN where nothing is known of an orbit's accuracy."""

    tdb_mjd: FloatArray  # (n_d,)
    major_arcsec: FloatArray
    minor_arcsec: FloatArray
    pa_deg: FloatArray  # of the major axis, north over east, [0, 180)
    reasons: NDArray[np.uint8]  # NonLinear
    level: NDArray[np.uint8]  # Trust
    delta_au: FloatArray  # from the geocentre
    is_estimate: NDArray[np.bool_]  # (n,) made from U and arc

    @property
    def unusable(self) -> NDArray[np.bool_]:
        """Where the place must not be used, (n, n_d)."""
        return self.level == Trust.UNUSABLE

    def nearest(self, tdb_mjd: ArrayLike) -> NDArray[np.int64]:
        """The dates, as indices, nearest to times of any shape."""
        middles = 0.5 * (self.tdb_mjd[1:] + self.tdb_mjd[:-1])
        return np.asarray(np.searchsorted(middles, np.asarray(tdb_mjd, dtype=float)), dtype=np.int64)


def outlook(
    orbits: OrbitBatch,
    epoch_mjd: FloatArray,
    qualities: Sequence[OrbitQuality],
    covariances: Sequence[OrbitCovariance | None],
    tdb_mjd: ArrayLike,
    planets: Planets,
) -> Outlook:
    """The outlook for n orbits on ascending dates (n_d,), MJD of TDB.

    `orbits` are states near the dates: two-body motion carries them from there. `epoch_mjd` (n,) are the epochs of the
    published elements, `qualities` what is said of them, `covariances` those published. Of an orbit with a table the
    error is the table's, as a circle. Raises `SpanError` for dates outside the planetary kernel.
    """
    dates = np.atleast_1d(np.asarray(tdb_mjd, dtype=float))
    planets.require(float(dates.min()), float(dates.max()))
    n, shape = len(orbits), (len(orbits), dates.size)
    major, minor, pa, delta = (np.full(shape, np.nan) for _ in range(4))
    reasons = np.zeros(shape, dtype=np.uint8)
    earth = planets.position(EARTH, dates) - planets.position(SUN, dates)
    at_once = max(1, _AT_ONCE // dates.size)
    for first in range(0, n, at_once):
        part = np.arange(first, min(first + at_once, n))
        delta[part] = np.linalg.norm(_positions(orbits.take(part), dates) - earth, axis=2)
    published = [k for k in range(n) if covariances[k] is not None]
    guessed = np.array([k for k in range(n) if covariances[k] is None and qualities[k].is_known], dtype=int)
    for first in range(0, guessed.size, at_once):
        part = guessed[first : first + at_once]
        some = [qualities[k] for k in part.tolist()]
        major[part], minor[part], pa[part], reasons[part] = _estimates(
            orbits.take(part), np.asarray(epoch_mjd)[part], some, dates, earth
        )
    for first in range(0, len(published), _COVARIANCES_AT_ONCE):
        chosen = published[first : first + _COVARIANCES_AT_ONCE]
        points = [found for k in chosen if (found := covariances[k]) is not None]
        seen = SigmaTrajectories(points, float(dates.min()), float(dates.max()), planets).ellipses(dates)
        major[chosen], minor[chosen], pa[chosen], reasons[chosen] = (
            seen.major_arcsec, seen.minor_arcsec, seen.pa_deg, seen.reasons,
        )  # fmt: skip
    tabulated = np.flatnonzero(orbits.is_tabulated)
    for k in tabulated.tolist():
        major[k] = minor[k] = orbits.tables[k].sigma_at(dates)
        pa[k] = 0.0
    estimate = np.zeros(n, dtype=bool)
    estimate[guessed] = True
    estimate[published] = [bool(found.is_estimate) for k in published if (found := covariances[k]) is not None]
    level = trust_levels(qualities, np.asarray(epoch_mjd, dtype=float), dates, delta, major, reasons)
    unsaid = tabulated[np.isnan(major[tabulated]).any(axis=1)]
    level[unsaid] = np.maximum(level[unsaid], Trust.POOR)  # somebody else's path, and nothing said of its error
    return Outlook(dates, major, minor, pa, reasons, level, delta, estimate)


def _positions(orbits: OrbitBatch, dates: FloatArray) -> FloatArray:
    """Heliocentric positions (n, n_d, 3) by two-body motion."""
    return Conics.from_state(orbits.state).state_after(dates - orbits.epoch_tdb_mjd[:, None])[0]


def _estimates(
    orbits: OrbitBatch, epoch_mjd: FloatArray, qualities: Sequence[OrbitQuality], dates: FloatArray, earth: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.uint8]]:
    """Ellipses and flags (n, n_d) each: velocities at the pivots are uncertain as `estimated_covariances` says."""
    n = len(orbits)
    pivot = np.array([q.pivot_mjd(epoch) for q, epoch in zip(qualities, epoch_mjd.tolist(), strict=True)])
    conics = Conics.from_state(orbits.state)
    position, velocity = (part[:, 0] for part in conics.state_after((pivot - orbits.epoch_tdb_mjd)[:, None]))
    there = np.concatenate([position, velocity], axis=1)
    motion = mean_motion(there)
    runoff = np.array([runoff_sigma_arcsec(q.u_number or 0) for q in qualities]) * ARCSEC / DECADE_D  # rad/d
    runoff = np.hypot(runoff, 1.5 * FLOOR_AU * motion ** (5.0 / 3.0) / np.cbrt(GM_SUN))
    # What the moved orbits drift apart in mean longitude is kept small, so that a straight line describes it.
    slip = np.maximum(runoff * np.abs(dates - pivot[:, None]).max(axis=1), 1e-30)
    step = np.clip(slip, _SMALLEST_SLIP_RAD, _LARGEST_SLIP_RAD) / slip
    speed = np.linalg.norm(velocity, axis=1, keepdims=True)
    change = np.cbrt(GM_SUN * motion) ** 2 / (3.0 * speed[:, 0]) * runoff / motion * step
    ahead = velocity / speed
    normal = np.cross(position, velocity)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    kicks = change[:, None] * np.stack([ahead, np.cross(normal, ahead), normal])  # (3, n, 3)
    moved = np.tile(there, (6, 1, 1))
    moved[:3, :, 3:] += kicks
    moved[3:, :, 3:] -= kicks
    coarse = np.linspace(dates[0], dates[-1], int(np.ceil((dates[-1] - dates[0]) / _COARSE_DAYS)) + 1)
    since = coarse - pivot[:, None]
    still = Conics.from_state(there).state_after(since)[0]
    away = Conics.from_state(moved.reshape(-1, 6)).state_after(np.tile(since, (6, 1)))[0]
    away = away.reshape(6, n, coarse.size, 3) - still
    away = np.einsum("dc,knci->kndi", _straight_lines(coarse, dates), away)
    sight = _positions(orbits, dates) - earth
    seen = np.concatenate([sight[None], sight + away])
    seen /= np.linalg.norm(seen, axis=3, keepdims=True)
    offsets = offsets_arcsec(np.moveaxis(seen, 3, 0).transpose(0, 2, 3, 1).reshape(3, -1, 7))
    scale = np.repeat(step, dates.size)
    plus, minus = offsets[..., 1:4] / scale[:, None], offsets[..., 4:] / scale[:, None]
    half = 0.5 * (plus - minus)
    major, minor, pa = ellipse(np.einsum("atm,btm->abt", half, half))
    bend = np.sqrt(np.square(0.5 * (plus + minus)).sum(axis=(0, 2))) / scale
    reasons = np.where(major > WIDEST_ARCSEC, NonLinear.WIDE, 0)
    reasons |= np.where(bend > np.maximum(LARGEST_BEND * major, SMALLEST_BEND_ARCSEC), NonLinear.BENT, 0)
    shape = (n, dates.size)
    major, minor = np.hypot(major, ESTIMATE_FLOOR_ARCSEC), np.hypot(minor, ESTIMATE_FLOOR_ARCSEC)
    return major.reshape(shape), minor.reshape(shape), pa.reshape(shape), reasons.reshape(shape).astype(np.uint8)


def _straight_lines(nodes: FloatArray, times: FloatArray) -> FloatArray:
    """(n_times, n_nodes): linear interpolation between equidistant nodes."""
    if nodes.size == 1:
        return np.ones((times.size, 1))
    place = (times - nodes[0]) / (nodes[1] - nodes[0])
    left = np.clip(place.astype(int), 0, nodes.size - 2)
    weights = np.zeros((times.size, nodes.size))
    row = np.arange(times.size)
    weights[row, left], weights[row, left + 1] = left + 1.0 - place, place - left
    return weights
