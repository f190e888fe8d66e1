"""Exact places against JPL Horizons, against a high-order integration, and against astropy's horizontal
frame.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time

from coordination.common.timescales import tt_to_tdb_mjd, utc_to_tt_mjd
from coordination.visibility.engine.places import Places, places
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.station import Station
from observatories.sources.obscodes import find_code
from targets.orbits.elements import OrbitBatch
from targets.orbits.elements_csv import read_elements_csv
from targets.orbits.planets import default_planets
from targets.orbits.propagation import propagate
from tests.shared import SHARED, needs_shared

DATA = Path(__file__).resolve().parents[3] / "truth" / "data"
ARCSEC = np.radians(1.0 / 3600.0)
# Not exact by nature: no non-gravitational terms are given for 1I.
INEXACT = ("1I",)


def apart_arcsec(lon1: np.ndarray, lat1: np.ndarray, lon2: np.ndarray, lat2: np.ndarray) -> np.ndarray:
    lon1, lat1, lon2, lat2 = (np.radians(each) for each in (lon1, lat1, lon2, lat2))
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2.0 * np.arcsin(np.sqrt(half)) / ARCSEC


def station(code: str) -> Station | None:
    place = find_code(code).place
    return None if place is None else Station(place, EarthOrientation.from_astropy())


def compared(elements: Path, rows: Path, every: int = 1) -> Iterator[tuple[str, str, Places, dict[str, np.ndarray]]]:
    """For each object and site: our places, and the columns of the truth at the same times."""
    table = defaultdict(list)
    with rows.open() as file:
        for row in csv.DictReader(file):
            table[row["name"], row["site"]].append(row)
    orbits = read_elements_csv(elements)
    for (name, site), found in table.items():
        found = found[::every]
        tt = utc_to_tt_mjd(np.array([np.datetime64(row["utc"].rstrip("Z")) for row in found]))
        tdb = tt_to_tdb_mjd(tt)
        orbit = orbits.take([orbits.names.index(name)])
        trajectory = propagate(orbit, tdb.min(), tdb.max(), default_planets())
        truth = {
            field: np.array([float(row[field] or "nan") for row in found])
            for field in found[0]
            if field not in ("name", "site", "utc")
        }
        yield name, site, places(trajectory, tt, station(site)), truth


def test_places_are_those_of_horizons() -> None:
    astrometric, apparent, horizontal, v_error = [], [], [], []
    rows = compared(DATA / "horizons_elements.csv", DATA / "horizons_rows.csv")
    for name, _, got, truth in rows:
        if name.startswith(INEXACT):
            continue
        astrometric.append(apart_arcsec(got.ra_deg[0], got.dec_deg[0], truth["ra_deg"], truth["dec_deg"]))
        of_date = truth["ra_apparent_deg"], truth["dec_apparent_deg"]
        apparent.append(apart_arcsec(got.ra_apparent_deg[0], got.dec_apparent_deg[0], *of_date))
        horizontal.append(apart_arcsec(got.az_deg[0], got.alt_deg[0], truth["az_deg"], truth["alt_deg"]))
        whole = truth["phase_deg"] > 120.0  # V is then given to a whole magnitude
        v_error.append(np.abs(got.v_mag[0] - truth["v_mag"])[~whole])
        np.testing.assert_allclose(got.delta_au[0], truth["delta_au"], rtol=2e-6)
        np.testing.assert_allclose(got.r_au[0], truth["r_au"], rtol=2e-6)
        np.testing.assert_allclose(got.elong_deg[0], truth["elong_deg"], atol=2e-4)
        np.testing.assert_allclose(got.phase_deg[0], truth["phase_deg"], atol=0.01)
        np.testing.assert_allclose(got.moon_sep_deg[0], truth["moon_sep_deg"], atol=0.051)
    assert np.median(np.concatenate(astrometric)) < 0.005
    assert np.max(np.concatenate(astrometric)) < 0.2
    # Horizons has another model of precession-nutation: 0.05" in right ascension.
    assert np.max(np.concatenate(apparent)) < 0.1
    assert np.percentile(np.concatenate(horizontal), 99) < 0.7
    assert np.nanmax(np.concatenate(v_error)) < 0.002


@needs_shared
def test_places_are_those_of_a_high_order_integration() -> None:
    truth_folder = SHARED / "truth"
    for name, site, got, truth in compared(truth_folder / "sky_elements.csv", truth_folder / "sky_rows.csv", every=5):
        error = apart_arcsec(got.ra_deg[0], got.dec_deg[0], truth["ra_deg"], truth["dec_deg"])
        # Inside a lunar distance an error of 5 m is 0.02".
        assert error.max() < (0.05 if name == "Apophis" else 0.001), (name, site)
        np.testing.assert_allclose(got.v_mag[0], truth["v_mag"], atol=0.0051)  # given to 0.01
        if site != "500":
            np.testing.assert_allclose(got.alt_deg[0], truth["alt_deg"], atol=1e-3)
            np.testing.assert_allclose(got.sun_alt_deg[0], truth["sun_alt_deg"], atol=1e-3)
            np.testing.assert_allclose(got.moon_sep_deg[0], truth["moon_sep_deg"], atol=0.02)


@pytest.fixture(scope="module")
def eros() -> OrbitBatch:
    return OrbitBatch.from_keplerian(
        ["Eros"],
        61200.0,
        1.458243716760167,
        0.2228779627700761,
        10.82854410314273,
        304.2671317,
        178.9181319,
        62.5114602,
    )


def test_directions_above_the_horizon_are_astropys(eros: OrbitBatch) -> None:
    """The astrometric place as a star at a great distance: astropy adds aberration, deflection and the
    Earth's rotation.
    """
    place = Place(-70.8062, -30.1691, 2241.4)
    tt = 61366.0 + np.linspace(0.0, 3.0, 25)
    trajectory = propagate(eros, 61366.0, 61370.0, default_planets())
    got = places(trajectory, tt, Station(place, EarthOrientation.from_astropy()))
    location = EarthLocation.from_geodetic(place.lon_deg * u.deg, place.lat_deg * u.deg, place.height_m * u.m)
    frame = AltAz(obstime=Time(tt, format="mjd", scale="tt"), location=location)
    # From the barycentre the star must be where the site sees it.
    star = SkyCoord(got.ra_deg[0] * u.deg, got.dec_deg[0] * u.deg, distance=1e9 * u.pc, frame="icrs")
    seen = star.transform_to(frame)
    assert apart_arcsec(got.az_deg[0], got.alt_deg[0], seen.az.deg, seen.alt.deg).max() < 0.05


def test_rate_and_position_angle_are_the_motion_of_the_place(eros: OrbitBatch) -> None:
    tt = np.array([61366.0 - 0.0005, 61366.0, 61366.0 + 0.0005])
    trajectory = propagate(eros, 61366.0 - 1.0, 61367.0, default_planets())
    for where in (None, station("X05")):
        got = places(trajectory, tt, where)
        east = (got.ra_deg[0, 2] - got.ra_deg[0, 0]) * np.cos(np.radians(got.dec_deg[0, 1]))
        north = got.dec_deg[0, 2] - got.dec_deg[0, 0]
        assert got.rate_arcsec_min[0, 1] == pytest.approx(np.hypot(east, north) * 3600.0 / 1.44, rel=1e-5)
        assert got.pa_deg[0, 1] == pytest.approx(np.degrees(np.arctan2(east, north)) % 360.0, abs=1e-3)


def test_the_geocentre_has_no_horizon(eros: OrbitBatch) -> None:
    got = places(propagate(eros, 61366.0, 61367.0, default_planets()), [61366.5], None)
    for values in (got.az_deg, got.alt_deg, got.airmass, got.sun_alt_deg, got.v_mag):
        assert np.isnan(values).all()
    assert np.isfinite(got.ra_deg).all()
