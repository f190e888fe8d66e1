"""The Sun and the Moon of a night: against astropy, at the poles, and many nights at once."""

import datetime as dt

import astropy.units as u
import pytest
from astropy.coordinates import AltAz, EarthLocation, get_body
from astropy.time import Time

from coordination.visibility.almanac import almanac, almanacs
from observatories.sites.geodesy import Place
from targets.services.ephemerides import planets

SECOND = dt.timedelta(seconds=1)


def test_sunset_and_moonrise_are_those_of_astropy():
    place = Place(-70.7, -30.2, 2400.0)
    sky = almanac(place, dt.date(2027, 2, 1), planets())
    at = EarthLocation(lon=place.lon_east_deg * u.deg, lat=place.lat_deg * u.deg, height=place.height_m * u.m)
    for body, instant, wanted in (
        ("sun", sky.sun[0].begins_at, -0.833), ("sun", sky.sun[3].ends_at, -18.0), ("moon", sky.moon_rises_at, -0.82),
    ):  # fmt: skip
        time = Time(instant)
        assert get_body(body, time, at).transform_to(AltAz(obstime=time, location=at)).alt.deg == pytest.approx(
            wanted, abs=0.01
        )
    evening, morning = sky.sun[0].begins_at, sky.sun[0].ends_at
    assert sky.starts_at < evening < morning < sky.ends_at


@pytest.mark.parametrize(("night", "told"), [(dt.date(2027, 6, 21), "never"), (dt.date(2027, 12, 21), "all_night")])
def test_a_polar_night_and_a_midnight_sun_have_no_sunset(night, told):
    sunset = almanac(Place(25.0, 78.0, 0.0), night, planets()).sun[0]
    assert getattr(sunset, told)
    assert sunset.begins_at is sunset.ends_at is None


@pytest.mark.parametrize("lat_deg", [-30.2, 66.0, 78.0, 89.9])
@pytest.mark.parametrize("first", [dt.date(2027, 3, 15), dt.date(2027, 12, 12)])
def test_many_nights_at_once_are_the_nights_one_by_one(lat_deg, first):
    """Near the pole the Sun, and the Moon, are up or down for days: each night is cut at its noons."""
    place = Place(25.0, lat_deg, 0.0)
    for k, together in enumerate(almanacs(place, first, 14, planets(), [-15.0])):
        alone = almanacs(place, first + dt.timedelta(days=k), 1, planets(), [-15.0])[0]
        assert (together.night, together.starts_at, together.ends_at) == (alone.night, alone.starts_at, alone.ends_at)
        for several, one in zip(together.sun, alone.sun, strict=True):
            assert (several.altitude_deg, several.never, several.all_night) == (
                one.altitude_deg, one.never, one.all_night,
            )  # fmt: skip
            assert _same(several.begins_at, one.begins_at)
            assert _same(several.ends_at, one.ends_at)
        assert _same(together.moon_rises_at, alone.moon_rises_at)
        assert _same(together.moon_sets_at, alone.moon_sets_at)
        assert len(together.moon_up) == len(alone.moon_up)
        assert together.moon_lit_fraction == pytest.approx(alone.moon_lit_fraction, abs=1e-9)


def test_when_the_moon_is_up_is_what_astropy_says():
    place = Place(-70.7, -30.2, 2400.0)
    at = EarthLocation(lon=place.lon_east_deg * u.deg, lat=place.lat_deg * u.deg, height=place.height_m * u.m)
    for sky in almanacs(place, dt.date(2027, 2, 1), 10, planets()):
        instants = [sky.starts_at + k * dt.timedelta(hours=1) for k in range(24)]
        time = Time(instants)
        up = get_body("moon", time, at).transform_to(AltAz(obstime=time, location=at)).alt.deg > -0.82
        assert [any(rise <= each < set_ for rise, set_ in sky.moon_up) for each in instants] == up.tolist()


def _same(one: dt.datetime | None, other: dt.datetime | None) -> bool:
    return one is other is None or (one is not None and other is not None and abs(one - other) < SECOND)
