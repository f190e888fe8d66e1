"""The columns of the command `ephemeris` that tell how far a place can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import tt_to_tdb_mjd, utc_to_tt_mjd
from coordination.visibility.engine.places import Observer
from coordination.visibility.inputs import Site
from coordination.visibility.rows import Column
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.station import Station
from targets.orbits.covariance import OrbitCovariance
from targets.orbits.planets import Planets
from targets.orbits.runoff import OrbitQuality
from targets.orbits.trust import judge
from targets.orbits.uncertainty import SigmaTrajectories

_ORBITS_AT_ONCE = 20
_DECIMALS = {"unc_major_arcsec": 4, "unc_minor_arcsec": 4, "unc_pa_deg": 2}


def uncertainty_columns(
    qualities: Sequence[OrbitQuality],
    covariances: Sequence[OrbitCovariance | None],
    epoch_tdb_mjd: NDArray[np.float64],
    sites: Sequence[Site],
    utc: NDArray[np.datetime64],
    delta_au: NDArray[np.float64],
    planets: Planets,
) -> list[Column]:
    """1-sigma ellipses and the level of trust, one row for each target, site and instant, in that order.

    Qualities, covariances and the epochs of the elements are those of the n targets; `delta_au` is the column of the
    ephemeris, one value a row. Where there is no covariance the ellipse is NaN.
    """
    tt = utc_to_tt_mjd(utc)
    tdb = tt_to_tdb_mjd(tt)
    earth = EarthOrientation.from_astropy()
    observers = [
        Observer(None if site.place is None else Station(site.place, earth), tt, planets).state[0] for site in sites
    ]
    values = np.full((4, len(qualities), len(sites), tdb.size), np.nan)
    known = [(k, found) for k, found in enumerate(covariances) if found is not None]
    for first in range(0, len(known), _ORBITS_AT_ONCE):
        index, some = zip(*known[first : first + _ORBITS_AT_ONCE], strict=True)
        trajectories = SigmaTrajectories(some, float(tdb.min()), float(tdb.max()), planets)
        for number, observer in enumerate(observers):
            found = trajectories.ellipses(tdb, observer)
            values[:, index, number] = found.major_arcsec, found.minor_arcsec, found.pa_deg, found.reasons
    sigma, reasons = values[0].ravel().tolist(), values[3].ravel()
    owner = np.repeat(np.arange(len(qualities)), len(sites) * tdb.size).tolist()
    when = np.tile(tdb, len(qualities) * len(sites)).tolist()
    levels = [
        judge(
            qualities[k],
            float(epoch_tdb_mjd[k]),
            when[row],
            delta_au=float(delta_au[row]),
            sky_sigma_arcsec=sigma[row] if sigma[row] == sigma[row] else None,
            nonlinear=int(np.nan_to_num(reasons[row])),
        ).level.label
        for row, k in enumerate(owner)
    ]
    columns = [
        Column.numbers(name, values[place], decimals) for place, (name, decimals) in enumerate(_DECIMALS.items())
    ]
    return [*columns, Column.text("orbit_trust", levels)]
