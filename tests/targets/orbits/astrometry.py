"""Real astrometry of the reference data, and how far from it our places are."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import utc_to_tt_mjd
from coordination.visibility.engine.places import places
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.station import Station
from observatories.sources.obscodes import find_code
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import Planets
from targets.orbits.propagation import propagate

Observation = tuple[np.datetime64, float, float, str]  # UTC, right ascension and declination in degrees, code


def sexagesimal(text: str) -> float:
    """Degrees, minutes and seconds, or fewer of them."""
    value = sum(abs(float(part)) / 60.0**k for k, part in enumerate(text.split()))
    return -value if text.strip().startswith("-") else value


def instant(year: str, month: str, day: str) -> np.datetime64:
    """Of a day with its fraction."""
    return np.datetime64(f"{year}-{month}-01", "us") + np.timedelta64(round((float(day) - 1.0) * 86_400e6), "us")


def read_80_columns(path: Path) -> list[Observation]:
    """Optical observations from the ground."""
    return [
        (
            instant(line[15:19], line[20:22], line[23:32]),
            15.0 * sexagesimal(line[32:44]),
            sexagesimal(line[44:56]),
            line[77:80],
        )
        for line in path.read_text().splitlines()
        if line[14] not in "sSrRvVxX"
    ]


def read_csv(path: Path) -> list[Observation]:
    """The file of 2014 UR."""
    with path.open() as file:
        return [
            (
                instant(*row["utc_ymd_fracday"].split()),
                15.0 * sexagesimal(row["ra_j2000_hms"]),
                sexagesimal(row["dec_j2000_dms"]),
                row["obscode"],
            )
            for row in csv.DictReader(file)
        ]


def residuals(
    orbit: OrbitBatch, observations: list[Observation], planets: Planets
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """TT as MJD and the distance in arcseconds between observed and computed place, ordered by time."""
    tt = utc_to_tt_mjd(np.array([each[0] for each in observations]))
    trajectory = propagate(orbit, float(tt.min()) - 0.01, float(tt.max()) + 0.01, planets)
    codes = np.array([each[3] for each in observations])
    ra, dec = np.array([each[1:3] for each in observations]).T
    off = np.full(tt.size, np.nan)
    for code in np.unique(codes):
        here = codes == code
        place = find_code(code).place
        if place is not None:
            computed = places(trajectory, tt[here], Station(place, EarthOrientation.from_astropy()))
            east = (ra[here] - computed.ra_deg[0] + 180.0) % 360.0 - 180.0
            north = dec[here] - computed.dec_deg[0]
            off[here] = 3600.0 * np.hypot(east * np.cos(np.radians(dec[here])), north)
    order = np.argsort(tt)
    order = order[np.isfinite(off[order])]
    return tt[order], off[order]
