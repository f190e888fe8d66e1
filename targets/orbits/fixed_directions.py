"""Fixed directions as the window search takes targets: for stars and fields, which have no orbit."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

from coordination.common.timescales import tt_to_tdb_mjd
from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.frames import CioTable, aberrate
from targets.orbits.planets import EARTH, SUN, Planets

FloatArray = NDArray[np.float64]

_DISTANCE_AU = 1e9  # 5 kpc: the Earth's size turns the direction by 1e-8 arcsec
_COEFFICIENTS = 6  # over a day the apparent place turns by 25" at most, and evenly: enough to 1e-9 arcsec


def blocks_of_directions(
    ra_deg: ArrayLike, dec_deg: ArrayLike, start_tt_mjd: float, n_days: int, planets: Planets
) -> EphemerisBlocks:
    """Blocks over [start, start + n_days] TT of n directions that are fixed in the ICRF.

    ra_deg, dec_deg: (n,) barycentric, without proper motion and parallax. Annual aberration and
    bias-precession-nutation are applied as in `build_blocks`; bending of light by the Sun is not (0.004" at 90 deg
    from it, 0.02" at 20 deg). The magnitude is unknown (NaN), the phase angle 0. Raises ValueError for directions that
    are none and for spans outside the planetary kernel.
    """
    ra, dec = (np.atleast_1d(np.asarray(values, dtype=float)) for values in (ra_deg, dec_deg))
    if not (np.all(np.isfinite(ra)) and np.all(np.abs(dec) <= 90.0)):  # NaN fails too
        raise ValueError("a direction has a finite right ascension and a declination from -90 to 90 deg")
    planets.require(*tt_to_tdb_mjd(np.array([start_tt_mjd, start_tt_mjd + n_days])))
    nodes = -np.cos((np.arange(_COEFFICIENTS) + 0.5) * np.pi / _COEFFICIENTS)
    tt = (start_tt_mjd + np.arange(n_days)[:, None] + 0.5 * (nodes + 1.0)).ravel()
    seen = _apparent(ra, dec, tt, planets).reshape(ra.size, n_days, _COEFFICIENTS, 3)
    fit = np.linalg.inv(chebyshev.chebvander(nodes, _COEFFICIENTS - 1))
    scalars = np.zeros((3, ra.size, n_days, _COEFFICIENTS))
    scalars[0, :, :, 0] = _DISTANCE_AU
    scalars[1, :, :, 0] = 2.0 * np.log10(_DISTANCE_AU)
    unknown, slope = np.full(ra.size, np.nan), np.full(ra.size, 0.15)
    cirs = np.asarray(np.einsum("jk,nbkc->nbjc", fit, _DISTANCE_AU * seen))
    return EphemerisBlocks(start_tt_mjd, 1.0, cirs, scalars[0], scalars[1], scalars[2], unknown, slope)


def _apparent(ra_deg: FloatArray, dec_deg: FloatArray, tt_mjd: FloatArray, planets: Planets) -> FloatArray:
    """Unit vectors (n, n_t, 3) in CIRS."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    fixed = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    tdb = tt_to_tdb_mjd(tt_mjd)
    earth, velocity = planets.state(EARTH, tdb)
    sun_distance = np.linalg.norm(planets.position(SUN, tdb) - earth, axis=1)
    directions = np.broadcast_to(fixed[:, None], (ra.size, tt_mjd.size, 3))
    aberrated = aberrate(
        directions, np.broadcast_to(velocity, directions.shape), np.broadcast_to(sun_distance, directions.shape[:2])
    )
    matrices = CioTable(float(tt_mjd.min()), float(tt_mjd.max())).matrices(tt_mjd)
    return np.asarray(np.einsum("tij,ntj->nti", matrices, aberrated))
