"""Azimuth and altitude of the Sun and the Moon against Astropy, everywhere on the Earth."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import CIRS, AltAz, EarthLocation, get_body
from astropy.time import Time

from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.station import Station, horizontal_deg, topocentric_direction
from observatories.sites.sun_moon import SunMoon, dark_intervals

EARTH = EarthOrientation.from_astropy()
START_TT_MJD, DAYS = 61366.0, 6.0
PLACES = [
    Place(-70.4, -24.6, 2635.0),
    Place(0.0, 0.0, 0.0),
    Place(180.0, 90.0, 0.0),
    Place(-180.0, -17.0, 5.0),
    Place(20.0, -89.9, 3000.0),
]


def astropy_vectors(name: str):
    """Apparent geocentric CIRS vectors from Astropy's built-in ephemeris, the same that `get_body` uses at a
    site.
    """

    def vectors(tt_mjd: np.ndarray) -> np.ndarray:
        time = Time(tt_mjd, format="mjd", scale="tt")
        return get_body(name, time).transform_to(CIRS(obstime=time)).cartesian.xyz.to_value("au").T

    return vectors


@pytest.fixture(scope="module")
def bodies() -> SunMoon:
    return SunMoon.sample(astropy_vectors("sun"), astropy_vectors("moon"), START_TT_MJD, START_TT_MJD + DAYS)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("name", "arcsec"), [("sun", 0.003), ("moon", 0.02)])
def test_horizontal_places(bodies: SunMoon, place: Place, name: str, arcsec: float) -> None:
    tt = np.linspace(START_TT_MJD, START_TT_MJD + DAYS, 97)
    station = Station(place, EARTH)
    direction = topocentric_direction(
        getattr(bodies, name)(tt), station.position_cirs_au(tt), station.velocity_cirs_au_d(tt)
    )
    azimuth, altitude = horizontal_deg(direction, station.axes_cirs(tt))
    time = Time(tt, format="mjd", scale="tt")
    location = EarthLocation.from_geodetic(place.lon_deg * u.deg, place.lat_deg * u.deg, place.height_m * u.m)
    theirs = get_body(name, time, location=location).transform_to(AltAz(obstime=time, location=location))
    np.testing.assert_allclose(altitude * 3600.0, theirs.alt.arcsec, atol=arcsec)
    around = np.remainder(azimuth - theirs.az.deg + 180.0, 360.0) - 180.0
    np.testing.assert_allclose(around * np.cos(np.radians(altitude)) * 3600.0, 0.0, atol=arcsec)


@pytest.mark.parametrize("limit_deg", [-18.0, -12.0, 0.0])
def test_twilight_is_where_astropy_has_it(bodies: SunMoon, limit_deg: float) -> None:
    place = PLACES[0]
    dark = dark_intervals(Station(place, EARTH), bodies.sun, START_TT_MJD, START_TT_MJD + DAYS, limit_deg)
    edges = np.concatenate([dark.start_tt_mjd[dark.begins_with_dusk], dark.end_tt_mjd[dark.ends_with_dawn]])
    assert edges.size == 12
    time = Time(edges, format="mjd", scale="tt")
    location = EarthLocation.from_geodetic(place.lon_deg * u.deg, place.lat_deg * u.deg, place.height_m * u.m)
    altitude = get_body("sun", time, location=location).transform_to(AltAz(obstime=time, location=location)).alt.deg
    np.testing.assert_allclose((altitude - limit_deg) * 3600.0, 0.0, atol=0.005)  # 0.0005 s


def test_the_midnight_sun_and_the_polar_night(bodies: SunMoon) -> None:
    end = START_TT_MJD + DAYS
    south, north = (Station(Place(0.0, lat), EARTH) for lat in (-80.0, 88.0))
    assert dark_intervals(south, bodies.sun, START_TT_MJD, end, -18.0).start_tt_mjd.size == 0
    night = dark_intervals(north, bodies.sun, START_TT_MJD, end, -18.0)
    assert (night.start_tt_mjd.tolist(), night.end_tt_mjd.tolist()) == ([START_TT_MJD], [end])
    assert not night.begins_with_dusk[0]
    assert not night.ends_with_dawn[0]


def test_a_time_outside_the_tables_is_refused(bodies: SunMoon) -> None:
    with pytest.raises(ValueError, match="tabulated from MJD"):
        bodies.moon(np.array([START_TT_MJD + DAYS + 1.0]))
