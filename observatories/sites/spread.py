"""Longitude spread: how far round the Earth sites are spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from observatories.sites.geodesy import Place
from observatories.sites.grouping import site_numbers

FloatArray = NDArray[np.float64]


def longitude_spread_deg(places: Sequence[Place]) -> float:
    """360 deg minus the largest gap in longitude between the sites of some places; 0 for one site."""
    sites = sorted({int(number) for number in site_numbers(places)})
    return float(longitude_spreads_deg([places[site].lon_deg for site in sites], [0, len(sites)])[0])


def longitude_spreads_deg(lon_deg: ArrayLike, offset: ArrayLike) -> FloatArray:
    """The same for n sets of sites at once: set i has the longitudes lon_deg[offset[i]:offset[i + 1]], any turn of
    them. 0 for a set of one or none.
    """
    lon = np.asarray(lon_deg, dtype=float) % 360.0
    bounds = np.asarray(offset, dtype=np.int64)
    counts = np.diff(bounds)
    owner = np.repeat(np.arange(counts.size), counts)
    lon = lon[np.lexsort((lon, owner))]
    spread = np.zeros(counts.size)
    some = np.flatnonzero(counts > 0)
    if some.size:
        first, last = bounds[some], bounds[some + 1] - 1
        gap = np.diff(lon, append=0.0)
        gap[last] = lon[first] + 360.0 - lon[last]
        spread[some] = 360.0 - np.maximum.reduceat(gap, first)
    return spread
