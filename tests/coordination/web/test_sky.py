"""The figures behind the plots, against astropy and against the exact places."""

import datetime as dt

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import ITRS, get_body
from astropy.time import Time

from coordination.common import clock
from coordination.common.timescales import tt_to_tdb_mjd, utc_to_tt_mjd
from coordination.visibility.engine.places import places
from coordination.web.sky import altitudes_deg, blocks_of, instants, sky_path
from coordination.web.telescope_page import coming_nights
from coordination.web.world_now import world_at
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.station import Station
from targets.orbits.propagation import propagate
from targets.services import orbit_batch
from targets.services.ephemerides import planets


@pytest.mark.parametrize("body", ["sun", "moon"])
def test_sun_and_moon_stand_above_the_places_that_astropy_gives(body):
    instant = dt.datetime(2026, 11, 24, 18, 30, tzinfo=dt.UTC)
    at = Time(instant)
    there = get_body(body, at).transform_to(ITRS(obstime=at)).spherical
    lon, lat = getattr(world_at(instant), body)
    assert (lon - there.lon.to_value(u.deg) + 180) % 360 - 180 == pytest.approx(0, abs=0.02)
    assert lat == pytest.approx(there.lat.to_value(u.deg), abs=0.02)


def test_the_sun_stands_in_the_zenith_above_its_place():
    world = world_at(dt.datetime(2026, 11, 24, 18, 30, tzinfo=dt.UTC))
    below, across = world.sun_altitudes_deg([Place(*world.sun), Place(world.sun[0] + 180.0, -world.sun[1])])
    assert (below, across) == pytest.approx((90, -90), abs=0.01)


def test_plots_show_the_places_that_the_ephemeris_command_gives(windows):
    target = windows["Ivar"]
    blocks = blocks_of(target.ephemeris)
    start = clock.now().replace(microsecond=0)
    utc = instants(start, start + dt.timedelta(hours=20), dt.timedelta(hours=5))
    place = Place(-70.8, -30.2, 2200.0)
    _rows, batch = orbit_batch([target.pk])
    tt = np.array([float(utc_to_tt_mjd(each)) for each in utc])
    tdb = tt_to_tdb_mjd(tt)
    trajectory = propagate(batch, float(tdb.min()), float(tdb.max()), planets())
    seen = places(trajectory, tt, Station(place, EarthOrientation.from_astropy()))
    assert altitudes_deg(blocks, [place], utc)[0] == pytest.approx(seen.alt_deg[0], abs=1e-3)
    path, geocentric = sky_path(blocks, utc), places(trajectory, tt, None)
    assert path.ra_deg == pytest.approx(geocentric.ra_deg[0], abs=0.01)  # aberration
    assert path.dec_deg == pytest.approx(geocentric.dec_deg[0], abs=0.01)
    assert path.v_mag == pytest.approx(geocentric.v_mag[0], abs=1e-3)
    assert path.distance_au == pytest.approx(geocentric.delta_au[0], abs=1e-6)
    assert path.rate_arcsec_min == pytest.approx(geocentric.rate_arcsec_min[0], rel=2e-3)


def test_the_night_of_a_telescope_is_dark_between_its_sun_limits(network):
    chile = next(each for each in network if each.observatory.mpc_code == "W84")
    nights = coming_nights(chile, dt.datetime(2027, 2, 1, 12, tzinfo=dt.UTC), 3)
    assert [night.label for night in nights] == [dt.date(2027, 1, 31) + dt.timedelta(days=k) for k in range(3)]
    for night in nights:
        dark_from, dark_until = night.dark
        assert night.sky.starts_at < night.sunset.begins_at < dark_from < dark_until
        assert dark_until < night.sunset.ends_at < night.sky.ends_at
        for at in night.dark:
            assert world_at(at).sun_altitudes_deg([chile.observatory.place])[0] == pytest.approx(-18.0, abs=0.01)
        assert 0.0 <= night.moon_up_dark_h <= night.dark_h
