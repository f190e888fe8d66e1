"""Azimuth and altitude of the Sun and the Moon against Astropy, everywhere on the Earth."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import CIRS, AltAz, EarthLocation, get_body
from astropy.time import Time

from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.station import Station, Stations, horizontal_deg, topocentric_direction
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


def astropy_vectors(tt_mjd: np.ndarray) -> tuple[np.ndarray, ...]:
    """Apparent geocentric CIRS vectors of the Sun and the Moon from Astropy's built-in ephemeris, the same that
    `get_body` uses at a site.
    """
    time = Time(tt_mjd, format="mjd", scale="tt")
    seen = (get_body(name, time).transform_to(CIRS(obstime=time)) for name in ("sun", "moon"))
    return tuple(each.cartesian.xyz.to_value("au").T for each in seen)


@pytest.fixture(scope="module")
def bodies() -> SunMoon:
    return SunMoon.sample(astropy_vectors, START_TT_MJD, START_TT_MJD + DAYS)


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
    dark = dark_intervals(Stations([place], EARTH), bodies.sun, START_TT_MJD, START_TT_MJD + DAYS, limit_deg)
    edges = np.concatenate([dark.start_tt_mjd[dark.begins_with_dusk], dark.end_tt_mjd[dark.ends_with_dawn]])
    assert edges.size == 12
    time = Time(edges, format="mjd", scale="tt")
    location = EarthLocation.from_geodetic(place.lon_deg * u.deg, place.lat_deg * u.deg, place.height_m * u.m)
    altitude = get_body("sun", time, location=location).transform_to(AltAz(obstime=time, location=location)).alt.deg
    np.testing.assert_allclose((altitude - limit_deg) * 3600.0, 0.0, atol=0.005)  # 0.0005 s


def test_the_midnight_sun_and_the_polar_night(bodies: SunMoon) -> None:
    end = START_TT_MJD + DAYS
    places = [Place(0.0, lat) for lat in (-80.0, 88.0, 40.0)]
    dark = dark_intervals(Stations(places, EARTH), bodies.sun, START_TT_MJD, end, [-18.0, -18.0, -12.0])
    south, night, middle = (dark.take(dark.station == number) for number in range(3))
    assert south.start_tt_mjd.size == 0
    assert (night.start_tt_mjd.tolist(), night.end_tt_mjd.tolist()) == ([START_TT_MJD], [end])
    assert not night.begins_with_dusk[0]
    assert not night.ends_with_dawn[0]
    assert middle.start_tt_mjd.size == DAYS + 1
    assert np.all(middle.begins_with_dusk[1:] & middle.ends_with_dawn[:-1])
    assert np.all(middle.start_tt_mjd[1:] > middle.end_tt_mjd[:-1])


def test_many_stations_at_once_are_as_each_alone() -> None:
    which, times = np.repeat(np.arange(len(PLACES)), 5), np.tile(START_TT_MJD + np.linspace(0.0, DAYS, 5), len(PLACES))
    stations = Stations(PLACES, EARTH)
    position, axes = stations.in_meridian_frame(which, times)
    for number, place in enumerate(PLACES):
        mine, station = which == number, Station(place, EARTH)
        alone = station.in_meridian_frame(times[mine])
        np.testing.assert_allclose(position[:, mine].T, alone[0], rtol=0.0, atol=1e-14)
        np.testing.assert_allclose(np.moveaxis(axes[:, :, mine], 2, 0), alone[1], rtol=0.0, atol=1e-10)
        angle = stations.meridian_angle_rad(which[mine], times[mine])
        np.testing.assert_array_equal(angle, station.meridian_angle_rad(times[mine]))


def test_a_time_outside_the_tables_is_refused(bodies: SunMoon) -> None:
    with pytest.raises(ValueError, match="tabulated from MJD"):
        bodies.moon(np.array([START_TT_MJD + DAYS + 1.0]))
