"""The columns of the command `ephemeris` that tell how uncertain a place is."""

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
from targets.orbits.uncertainty import SigmaTrajectories

_ORBITS_AT_ONCE = 20
_DECIMALS = {"unc_major_arcsec": 4, "unc_minor_arcsec": 4, "unc_pa_deg": 2}


def uncertainty_columns(
    covariances: Sequence[OrbitCovariance | None],
    sites: Sequence[Site],
    utc: NDArray[np.datetime64],
    planets: Planets,
) -> list[Column]:
    """1-sigma ellipses, one row for each target, site and instant, in that order; NaN where there is no covariance."""
    tt = utc_to_tt_mjd(utc)
    tdb = tt_to_tdb_mjd(tt)
    earth = EarthOrientation.from_astropy()
    observers = [
        Observer(None if site.place is None else Station(site.place, earth), tt, planets).state[0] for site in sites
    ]
    values = np.full((3, len(covariances), len(sites), tdb.size), np.nan)
    known = [(k, found) for k, found in enumerate(covariances) if found is not None]
    for first in range(0, len(known), _ORBITS_AT_ONCE):
        index, some = zip(*known[first : first + _ORBITS_AT_ONCE], strict=True)
        trajectories = SigmaTrajectories(some, float(tdb.min()), float(tdb.max()), planets)
        for number, observer in enumerate(observers):
            found = trajectories.ellipses(tdb, observer)
            values[:, index, number] = found.major_arcsec, found.minor_arcsec, found.pa_deg
    return [Column.numbers(name, values[place], decimals) for place, (name, decimals) in enumerate(_DECIMALS.items())]
