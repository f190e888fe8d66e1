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
from targets.orbits.uncertainty import NonLinear, SigmaTrajectories

_ORBITS_AT_ONCE = 20
_DECIMALS = {"unc_major_arcsec": 4, "unc_minor_arcsec": 4, "unc_pa_deg": 2}


def uncertainty_columns(
    covariances: Sequence[OrbitCovariance | None],
    sites: Sequence[Site],
    utc: NDArray[np.datetime64],
    planets: Planets,
    *,
    with_flags: bool = False,
) -> list[Column]:
    """1-sigma ellipses, one row for each target, site and instant, in that order; NaN where there is no covariance.

    with_flags: two more columns, `unc_is_estimate` (made from U and the arc) and `unc_nonlinear` (why the ellipse is
    not the truth), false and empty where there is no ellipse.
    """
    tt = utc_to_tt_mjd(utc)
    tdb = tt_to_tdb_mjd(tt)
    earth = EarthOrientation.from_astropy()
    observers = [
        Observer(None if site.place is None else Station(site.place, earth), tt, planets).state[0] for site in sites
    ]
    values = np.full((3, len(covariances), len(sites), tdb.size), np.nan)
    reasons = np.zeros(values.shape[1:], dtype=np.uint8)
    known = [(k, found) for k, found in enumerate(covariances) if found is not None]
    for first in range(0, len(known), _ORBITS_AT_ONCE):
        index, some = zip(*known[first : first + _ORBITS_AT_ONCE], strict=True)
        trajectories = SigmaTrajectories(some, float(tdb.min()), float(tdb.max()), planets)
        for number, observer in enumerate(observers):
            found = trajectories.ellipses(tdb, observer)
            values[:, index, number] = found.major_arcsec, found.minor_arcsec, found.pa_deg
            reasons[index, number] = found.reasons
    columns = [
        Column.numbers(name, values[place], decimals) for place, (name, decimals) in enumerate(_DECIMALS.items())
    ]
    return columns + (_flags(covariances, reasons) if with_flags else [])


def _flags(covariances: Sequence[OrbitCovariance | None], reasons: NDArray[np.uint8]) -> list[Column]:
    made_up = np.array([found is not None and found.is_estimate for found in covariances], dtype=object)
    words = {code: NonLinear(code).in_words() for code in np.unique(reasons).tolist()}
    return [
        Column.text("unc_is_estimate", np.repeat(made_up, reasons[0].size)),
        Column.text("unc_nonlinear", [words[code] for code in reasons.ravel().tolist()]),
    ]
