"""Where on the sky an object may be: 1-sigma ellipses from the covariance of its orbit.

The sigma points of the covariance (the solution +- each column of its Cholesky factor) go through the n-body
propagator; half the differences of their places are the columns of J L, with J the Jacobian of the place and
L L^T the covariance, so the covariance on the sky is (J L)(J L)^T. What the differences leave out, the means of
the pairs, tells where the ellipse is no longer the truth: see `NonLinear`.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from targets.orbits.close_approaches import close_approaches
from targets.orbits.covariance import OrbitCovariance
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import C_AU_D, EARTH, Planets
from targets.orbits.propagation import propagate
from targets.orbits.trajectory import Trajectory

FloatArray = NDArray[np.float64]

ARCSEC = np.radians(1.0 / 3600.0)
WIDEST_ARCSEC = 3600.0  # 1-sigma: an ellipse in the tangent plane means little beyond a degree
LARGEST_BEND = 0.1  # of the semi-major axis, by which the pairs of sigma points may lie off the straight line ...
SMALLEST_BEND_ARCSEC = 0.05  # ... unless nobody would see it
ESTIMATE_FLOOR_ARCSEC = 0.1  # what fits of different centres differ by; a covariance of a fit needs no such floor
NEAR_EARTH_AU = 0.01  # the Earth's sphere of attraction: within it a pass turns small differences into large ones
LARGEST_SPREAD = 0.1  # 3-sigma at a pass over its distance: what is left out is of the same relative size


class NonLinear(enum.IntFlag):
    """Why an ellipse is not to be trusted as one."""

    WIDE = 1
    BENT = 2
    APPROACH = 4
    ELEMENTS = 8

    def in_words(self) -> str:
        """The reasons, joined by semicolons; empty where there is none."""
        return "; ".join(text for flag, text in _WORDS.items() if flag in self)


_WORDS = {
    NonLinear.WIDE: "1-sigma is more than a degree",
    NonLinear.BENT: "+1-sigma and -1-sigma are not opposite each other",
    NonLinear.APPROACH: "an approach to the Earth in between spreads the possible orbits",
    NonLinear.ELEMENTS: "1-sigma of the elements reaches beyond what is an orbit",
}


@dataclass(frozen=True)
class SkyEllipses:
    """1-sigma ellipses of n objects at n_t times; arrays (n, n_t).

    Position angles are those of the major axis, from north over east, in [0, 180). A true 1-sigma ellipse holds the
    object in 39 % of all cases, three times its axes in 98.9 %.
    """

    major_arcsec: FloatArray
    minor_arcsec: FloatArray
    pa_deg: FloatArray
    reasons: NDArray[np.uint8]  # NonLinear
    is_estimate: NDArray[np.bool_]  # (n,) no covariance of a fit: made from U and arc

    @property
    def nonlinear(self) -> NDArray[np.bool_]:
        """Where the ellipse is not the truth, (n, n_t)."""
        return self.reasons != 0


class SigmaTrajectories:
    """The sigma points of several orbits, propagated once over [start, end] TDB, for any number of sites.

    1 + 2 k orbits an object, with k the size of its covariance, from the epoch of the covariance on, so that the passes
    in between are seen: some 4 MB an object and 20 years, so take some dozens at once. Raises `SpanError` for dates and
    epochs outside the planetary kernel.
    """

    def __init__(
        self, covariances: Sequence[OrbitCovariance], start_tdb_mjd: float, end_tdb_mjd: float, planets: Planets
    ) -> None:
        self.covariances, self.planets = list(covariances), planets
        points = [each.sigma_points() for each in self.covariances]
        ends = np.cumsum([0, *(len(each) for each in points)]).tolist()
        self._slices = [slice(a, b) for a, b in itertools.pairwise(ends)]
        epochs = [each.epoch_tdb_mjd for each in self.covariances]
        joined = OrbitBatch.concatenate(points)
        self.trajectory = propagate(joined, min([start_tdb_mjd, *epochs]), max([end_tdb_mjd, *epochs]), planets)
        self._passes = self._spreading_passes()

    def ellipses(self, tdb_mjd: ArrayLike, observer_au: FloatArray | None = None) -> SkyEllipses:
        """Ellipses at TDB (n_t,) from an observer at barycentric ICRF positions (n_t, 3), or from the geocentre."""
        times = np.atleast_1d(np.asarray(tdb_mjd, dtype=float))
        observer = self.planets.position(EARTH, times) if observer_au is None else np.asarray(observer_au, dtype=float)
        if observer.shape != (times.size, 3):
            raise ValueError(f"observer_au has the shape {observer.shape}: expected {(times.size, 3)}")
        sight = astrometric_directions(self.trajectory, times, observer)
        n = len(self.covariances)
        major, minor, pa = np.empty((3, n, times.size))
        reasons = np.zeros((n, times.size), dtype=np.uint8)
        for k, covariance in enumerate(self.covariances):
            east_north = offsets_arcsec(sight[..., self._slices[k]])
            m = covariance.columns.shape[1]
            plus, minus = east_north[..., 1 : m + 1] / covariance.step, east_north[..., m + 1 :] / covariance.step
            half = 0.5 * (plus - minus)
            major[k], minor[k], pa[k] = ellipse(np.einsum("atm,btm->abt", half, half))
            bend = np.sqrt(np.square(0.5 * (plus + minus)).sum(axis=(0, 2))) / covariance.step
            reasons[k] = self._reasons(k, times, major[k], bend)
        estimates = np.array([each.is_estimate for each in self.covariances], dtype=bool)
        floor = np.where(estimates, ESTIMATE_FLOOR_ARCSEC, 0.0)[:, None]
        return SkyEllipses(np.hypot(major, floor), np.hypot(minor, floor), pa, reasons, estimates)

    def _reasons(self, k: int, times: FloatArray, major: FloatArray, bend: FloatArray) -> NDArray[np.uint8]:
        reasons = np.where(major > WIDEST_ARCSEC, NonLinear.WIDE, 0)
        reasons |= np.where(bend > np.maximum(LARGEST_BEND * major, SMALLEST_BEND_ARCSEC), NonLinear.BENT, 0)
        epoch = self.covariances[k].epoch_tdb_mjd
        for passed in self._passes[k]:
            beyond = (times - passed) * np.sign(passed - epoch) > 0.0
            reasons |= np.where(beyond, NonLinear.APPROACH, 0)
        if self.covariances[k].step < 1.0:
            reasons |= int(NonLinear.ELEMENTS)
        return reasons.astype(np.uint8)

    def _spreading_passes(self) -> list[list[float]]:
        """For each orbit the passes of the Earth, seen from its epoch, after which the ellipse is not the truth."""
        passes: list[list[float]] = [[] for _ in self.covariances]
        solutions = self.trajectory.take([each.start for each in self._slices])
        found = close_approaches(solutions, self.planets, NEAR_EARTH_AU)
        for who, when, distance in zip(found.who.tolist(), found.tdb_mjd.tolist(), found.distance_au, strict=True):
            points = self.trajectory.position([when])[self._slices[who], 0]
            m = self.covariances[who].columns.shape[1]
            half = 0.5 * (points[1 : m + 1] - points[m + 1 :]) / self.covariances[who].step
            if 3.0 * np.sqrt(np.linalg.eigvalsh(half.T @ half)[-1]) > LARGEST_SPREAD * distance:
                passes[who].append(when)
        return passes


def sky_ellipses(
    covariances: Sequence[OrbitCovariance], tdb_mjd: ArrayLike, planets: Planets, observer_au: FloatArray | None = None
) -> SkyEllipses:
    """Ellipses (n, n_t) of orbits at TDB (n_t,) from barycentric ICRF positions (n_t, 3), or from the geocentre."""
    times = np.atleast_1d(np.asarray(tdb_mjd, dtype=float))
    if not covariances or not times.size:
        raise ValueError("expected at least one covariance and one time")
    return SigmaTrajectories(covariances, times.min(), times.max(), planets).ellipses(times, observer_au)


def astrometric_directions(trajectory: Trajectory, tdb_mjd: FloatArray, observer_au: FloatArray) -> FloatArray:
    """Unit vectors (3, n_t, n) to all objects, with light time.

    The light's path is taken as straight in time: the 0.01" that this leaves are the same for all sigma points.
    """
    position, velocity = trajectory.by_time(tdb_mjd)
    sight = position - observer_au.T[:, :, None]
    seen = sight
    for _ in range(2):
        seen = sight - velocity * (np.sqrt(np.square(seen).sum(axis=0)) / C_AU_D)
    return np.asarray(seen / np.sqrt(np.square(seen).sum(axis=0)))


def offsets_arcsec(direction: FloatArray) -> FloatArray:
    """Offsets east and north, (2, n_t, m), of unit vectors (3, n_t, m) from the first of them.

    True angular distances in true directions (azimuthal equidistant), so that no offset is too large.
    """
    x, y, z = direction[..., :1]
    polar = np.hypot(x, y)
    moved = direction - direction[..., :1]
    east = (x * moved[1] - y * moved[0]) / polar
    north = moved[2] * polar - z * (x * moved[0] + y * moved[1]) / polar
    sine = np.hypot(east, north)
    chord = np.sqrt(np.square(moved).sum(axis=0))
    angle = 2.0 * np.arcsin(np.minimum(0.5 * chord, 1.0))
    scale = np.divide(angle, sine, out=np.ones_like(sine), where=sine > 0.0) / ARCSEC
    return np.stack([east * scale, north * scale])


def ellipse(covariance: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Semi-axes (...) and the major one's position angle in degrees, of covariances (2, 2, ...) in east and north."""
    east, north, mixed = covariance[0, 0], covariance[1, 1], covariance[0, 1]
    middle, reach = 0.5 * (east + north), np.hypot(0.5 * (east - north), mixed)
    major2 = middle + reach
    # The product of the axes is the root of the determinant: no cancellation for thin ellipses.
    determinant = np.maximum(east * north - mixed * mixed, 0.0)
    minor2 = np.divide(determinant, major2, out=np.zeros_like(major2), where=major2 > 0.0)
    pa = np.degrees(0.5 * np.arctan2(2.0 * mixed, north - east)) % 180.0
    return np.sqrt(major2), np.sqrt(minor2), pa
