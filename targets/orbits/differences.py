"""What changed from one orbit of an object to the next: elements, in sigma where an accuracy is known, and the sky."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from targets.orbits.covariance import ELEMENTS, OrbitCovariance
from targets.orbits.elements import OrbitBatch
from targets.orbits.kepler import GM_SUN
from targets.orbits.planets import EARTH, Planets
from targets.orbits.propagation import propagate
from targets.orbits.runoff import elements_of
from targets.orbits.trajectory import Trajectory
from targets.orbits.uncertainty import astrometric_directions, offsets_arcsec

FloatArray = NDArray[np.float64]

_N = len(ELEMENTS)
_TP = ELEMENTS.index("tp")
_ANGLES = [ELEMENTS.index(label) for label in ("node", "peri")]


@dataclass(frozen=True)
class Difference:
    """Newer minus older, both carried to one epoch; NaN where no accuracy is known.

    elements: (6,) differences of e, q (au), tp (d), node, peri, i (deg), ecliptic of J2000.
    sigma: (6,) 1-sigma of these elements, of the older orbit where it has a covariance, else of the newer.
    distance_sigma: Mahalanobis distance, the root of d^T C^-1 d with C the covariance of the six elements: 1 on the
        ellipsoid of 1-sigma. The truth is expected at the root of 6, 2.4, from a solution.
    east_arcsec, north_arcsec: (n_t,) from the older to the newer place, seen from the Earth's centre.
    """

    epoch_tdb_mjd: float
    elements: FloatArray
    sigma: FloatArray
    distance_sigma: float
    east_arcsec: FloatArray
    north_arcsec: FloatArray

    @property
    def shift_arcsec(self) -> FloatArray:
        """On the sky, (n_t,)."""
        return np.hypot(self.east_arcsec, self.north_arcsec)


def differences(
    orbits: OrbitBatch, covariances: Sequence[OrbitCovariance | None], tdb_mjd: ArrayLike, planets: Planets
) -> tuple[list[Difference], Trajectory]:
    """Between each of n orbits of one object, newest first, and the next: n - 1 differences, with shifts on the sky at
    TDB (n_t,); and the trajectory of all, which covers these times.

    Two orbits are compared at the epoch of the covariance that measures them, so that it need not be carried; else at
    the newer one's epoch. Raises SpanError for times and epochs outside the planetary kernel.
    """
    times = np.atleast_1d(np.asarray(tdb_mjd, dtype=float))
    epochs = np.array([*orbits.epoch_tdb_mjd, *(each.epoch_tdb_mjd for each in covariances if each is not None)])
    path = propagate(orbits, min(times.min(), epochs.min()), max(times.max(), epochs.max()), planets)
    directions = astrometric_directions(path, times, planets.position(EARTH, times))
    found = []
    for newer, older in pairwise(range(len(orbits))):
        measure = older if covariances[older] is not None else newer
        covariance = covariances[measure]
        epoch = float(orbits.epoch_tdb_mjd[newer]) if covariance is None else covariance.epoch_tdb_mjd
        east, north = offsets_arcsec(directions[..., [older, newer]])[..., 1]
        at_epoch = elements_of(path.take([newer, older]).batch_at(epoch))
        if covariance is not None:  # as published: its elements may be those of a date of its own
            at_epoch[int(measure == older)] = covariance.elements
        moved = _moved(at_epoch[0], at_epoch[1])
        sigma, distance = _in_sigma(moved, covariance)
        found.append(Difference(epoch, moved, sigma, distance, east, north))
    return found, path


def _moved(newer: FloatArray, older: FloatArray) -> FloatArray:
    """Differences of elements (6,): angles the short way round, times of perihelion of the same revolution."""
    moved = newer - older
    moved[_ANGLES] = (moved[_ANGLES] + 180.0) % 360.0 - 180.0
    e, q = older[0], older[1]
    if e < 1.0:
        period_days = 2.0 * np.pi * np.sqrt((q / (1.0 - e)) ** 3 / GM_SUN)
        moved[_TP] -= period_days * np.round(moved[_TP] / period_days)
    return moved


def _in_sigma(moved: FloatArray, covariance: OrbitCovariance | None) -> tuple[FloatArray, float]:
    """1-sigma of the elements (6,), and how far `moved` lies in terms of their covariance."""
    if covariance is None:
        return np.full(_N, np.nan), float("nan")
    factor = covariance.columns[:_N, :_N]  # the elements come first: this is the factor of their own covariance
    sigma = np.sqrt(np.square(factor).sum(axis=1))
    scaled = np.linalg.solve(factor / sigma[:, None], moved / sigma)
    return sigma, float(np.linalg.norm(scaled))
