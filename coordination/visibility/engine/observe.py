"""Telescopes over a span, with the Sun, the Moon and the turning Earth: what a search needs beside its targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import tt_to_tdb_mjd
from coordination.visibility.engine.cells import Observing, Telescope
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.sun_moon import SunMoon
from targets.orbits.ephemeris import apparent_bodies
from targets.orbits.planets import Planets


def observe(telescopes: Sequence[Telescope], start_tt_mjd: float, end_tt_mjd: float, planets: Planets) -> Observing:
    """Telescopes over a span, TT as MJD. Raises ValueError for spans outside the planetary kernel or the known rotation
    of the Earth, naming what is covered.
    """
    planets.require(*tt_to_tdb_mjd(np.array([start_tt_mjd, end_tt_mjd])))

    def sun_and_moon(tt_mjd: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        bodies = apparent_bodies(("sun", "moon"), tt_mjd, planets)
        return bodies["sun"], bodies["moon"]

    tables = SunMoon.sample(sun_and_moon, start_tt_mjd, end_tt_mjd)
    return Observing(telescopes, start_tt_mjd, end_tt_mjd, tables, EarthOrientation.from_astropy())
